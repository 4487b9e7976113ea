"""Write the golden outputs and the generated pages anew; look at the difference before committing.

make golden
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "golden"), str(ROOT / "tests" / "report")]


def main() -> None:
    """tests/golden, docs/commands and docs/rules."""
    import command_pages
    from golden_outputs import FOLDER, outputs

    from forkpoint.report.rules_pages import write_pages

    for name, content in outputs():
        (FOLDER / name).write_text(content, encoding="utf-8")
    for name, content in command_pages.pages().items():
        (command_pages.FOLDER / name).write_text(content, encoding="utf-8")
    print(f"{write_pages(ROOT / 'docs' / 'rules')} rule pages")


if __name__ == "__main__":
    main()
