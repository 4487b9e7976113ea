"""Run the command line as `python -m forkpoint`."""

from forkpoint.cli import main

if __name__ == "__main__":
    main()
