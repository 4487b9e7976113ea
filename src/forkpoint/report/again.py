"""The command that runs a race again."""

import shlex
from typing import Any

import orjson

from forkpoint.ledger import Agreement

OPTIONS = {  # names in the request that are not simply the option's name
    "models": "--model",
    "subsets": "--subset",
    "approaches": "--approach",
    "twins": "--twin",
    "retain": "--retain",
    "test_file": "--test",
    "validation_file": "--validation",
    "context_tokens": "--context",
    "system_prompt": "--system",
}


def command_of(agreed: Agreement) -> str:
    """The command that runs this race again in a new folder, ready to paste."""
    try:
        request = orjson.loads(agreed.request_json)
    except orjson.JSONDecodeError:
        request = {"data": " ".join(agreed.data_files), "models": list(agreed.checkpoints)}
    words = ["forkpoint", "race", str(request.pop("data", ""))]
    for name, value in request.items():
        words += _option(name, value)
    return shlex.join([*words, "--out", "runs/again", "--yes"])


def _option(name: str, value: Any) -> list[str]:
    if value is None or value in ([], {}, ""):
        return []
    if name == "time_field":
        return ["--split", f"time:{value}"]
    flag = OPTIONS.get(name, "--" + name.replace("_", "-"))
    if isinstance(value, bool):
        return [flag] if value else []
    if isinstance(value, dict):
        return [flag, ",".join(f"{key}={given}" for key, given in value.items())]
    if isinstance(value, list):
        return [word for given in value for word in (flag, str(given))]
    return [flag, f"{value:g}" if isinstance(value, float) else str(value)]
