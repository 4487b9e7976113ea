"""The process that holds a user's scorer: one JSON line in, one JSON line out.

It runs by its path and imports nothing of forkpoint, so that it starts at once.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Load FILE and its function, then answer every line until the input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the scorer prints must not look like a reply
    path, name = sys.argv[1:]

    def reply(**values: Any) -> None:
        replies.write(json.dumps(values) + "\n")
        replies.flush()

    try:
        function = _load(path, name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the user's code
        reply(error=_line(error))
        return
    reply(ready=True)
    for line in sys.stdin.buffer:
        question = json.loads(line)
        try:
            value = function(question["row"], question["answer"])
            reply(score=None if value is None else float(value))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the user's code
            reply(error=_line(error))


def _load(path: str, name: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location("scorer", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120 - no pathlib import
    spec.loader.exec_module(module)
    function: Callable[..., Any] = getattr(module, name)
    return function


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


if __name__ == "__main__":
    main()
