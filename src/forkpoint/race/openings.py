"""How often a test set was opened on this machine: from the second time on it is said."""

from pathlib import Path

import orjson

from forkpoint.store.place import home

OPENINGS = "test-openings.jsonl"


def count_opening(test_sha256: str, run: Path) -> int:
    """Note that `run` opens this test set; returns how many runs have now opened it.

    A resumed run that had opened it before counts once.
    """
    path = home() / OPENINGS
    path.parent.mkdir(parents=True, exist_ok=True)
    runs = {str(run.resolve())}
    if path.exists():
        for piece in path.read_bytes().splitlines():
            try:
                values = orjson.loads(piece)
            except orjson.JSONDecodeError:
                continue  # a torn line of a run that was killed while it wrote
            if values.get("test_sha256") == test_sha256:
                runs.add(values["run"])
    with path.open("ab") as file:
        line = {"test_sha256": test_sha256, "run": str(run.resolve())}
        file.write(orjson.dumps(line) + b"\n")
    return len(runs)
