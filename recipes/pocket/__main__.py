"""Make the pocket family from nothing: `python -m recipes.pocket`."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recipes.pocket import chat, instruct, pretrain
from recipes.pocket.install import install

PRETRAIN_STEPS, INSTRUCT_STEPS, CHAT_STEPS = 3_000, 1_300, 280


def main(out: Path, replace: bool) -> None:
    """Run each stage that has no result yet, then install the three if asked to."""
    stages: tuple[tuple[str, Callable[[Path, int], dict[str, Any]], int], ...] = (
        ("pocket-base", pretrain.main, PRETRAIN_STEPS),
        ("pocket-instruct", instruct.main, INSTRUCT_STEPS),
        ("pocket-chat", chat.main, CHAT_STEPS),
    )
    for name, stage, steps in stages:
        figures = out / f"{name}.json"
        if figures.exists():
            print(f"{name} is there already", flush=True)
            continue
        result = {"steps": steps, **stage(out, steps)}
        figures.write_text(json.dumps(result, indent=1) + "\n")
        print(f"{name}: {result}", flush=True)
    if replace:
        install(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m recipes.pocket", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/pocket"), help="working folder")
    parser.add_argument(
        "--install", action="store_true", help="put the result into the package when done"
    )
    arguments = parser.parse_args()
    main(arguments.out, arguments.install)
