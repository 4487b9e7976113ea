"""Where forkpoint keeps what outlives a race."""

import os
import sys
from pathlib import Path


def home() -> Path:
    """`$FORKPOINT_HOME`, or the platform's folder for a program's data."""
    if named := os.environ.get("FORKPOINT_HOME"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "forkpoint"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "forkpoint"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "forkpoint"
