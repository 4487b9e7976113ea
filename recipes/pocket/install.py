"""Put finished checkpoints and the general-ability set into the package."""

import json
import shutil
from pathlib import Path

from forkpoint.pocket import CHECKPOINTS, checkpoint_path, general_set_path
from recipes.pocket import card, general


def install(out: Path) -> None:
    """Replace the shipped family by the one in `out`."""
    for name in CHECKPOINTS:
        figures = json.loads((out / f"{name}.json").read_text("utf-8"))
        card.write(out / name, figures)
        target = checkpoint_path(name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(out / name, target)
        for file in target.iterdir():
            file.chmod(0o644)
    general.write(general_set_path())
