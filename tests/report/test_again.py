"""The command in the report runs the same race again."""

import shlex

from forkpoint.race.request import RaceRequest
from forkpoint.report.again import _option


def test_every_dial_of_a_request_is_an_option_of_the_command() -> None:
    """Each field, set to something, becomes an option that `forkpoint race --help` lists."""
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", "race", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    listed = set(done.stdout.split())
    special = {"columns": {"prompt": "q"}, "strict": True, "skip_general": True}
    for name in RaceRequest.model_fields:
        if name != "data":
            value = special.get(name, "x")
            flag = _option(name, value)[0]
            assert flag in listed, name


def test_fields_are_written_as_one_option() -> None:
    """Columns are one comma-separated option, flags stand alone, unset dials are left out."""
    assert ["--columns", "prompt=q,answer=a"] == _option("columns", {"prompt": "q", "answer": "a"})
    assert ["--strict"] == _option("strict", True)
    assert [] == _option("strict", False) == _option("metric", None)
    assert "--goal 'a b'" == shlex.join(_option("goal", "a b"))
