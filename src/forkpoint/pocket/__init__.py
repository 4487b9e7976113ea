"""The pocket family: three real checkpoints of 1.5 million parameters, shipped inside."""

from pathlib import Path

from forkpoint.errors import BadInput

CHECKPOINTS = ("pocket-base", "pocket-instruct", "pocket-chat")
HERE = Path(__file__).parent


def checkpoint_path(name: str) -> Path:
    """The folder of a checkpoint of the family; raises BadInput for another name."""
    if name not in CHECKPOINTS:
        raise BadInput("pocket.unknown", name=name, known=", ".join(CHECKPOINTS))
    return HERE / name


def general_set_path() -> Path:
    """The file of questions that the family can answer before it is tuned."""
    return HERE / "general.jsonl"


def replay_rows_path() -> Path:
    """The file of general rows to mix into a fine-tuning against forgetting."""
    return HERE / "replay.jsonl"
