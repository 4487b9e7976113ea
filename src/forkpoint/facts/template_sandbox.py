"""The sandbox for chat templates: jinja2's own, with ceilings on everything that multiplies.

A template comes with a checkpoint from anywhere. jinja2's sandbox keeps it from reaching Python;
the ceilings keep it from filling the memory or running for ever.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

LENGTH_LIMIT = 1_000_000  # characters or items a value may have; real renderings have under 20,000
CLOCK_EVENTS = 10  # traced events between two looks at the clock, which is slow to read
FORBIDDEN_METHODS = frozenset(
    {"ljust", "rjust", "center", "zfill", "expandtabs", "format", "format_map", "translate"}
)
FORBIDDEN_FILTERS = (
    "center", "format", "wordwrap", "batch", "slice", "urlize", "xmlattr", "pprint", "random",
    "filesizeformat", "truncate",
)  # fmt: skip


class OutOfBoundsError(Exception):
    """A rendering that took too long or grew too large."""


class _Generation(Extension):
    """Accept `{% generation %}...{% endgeneration %}`, which marks text for the trainer only."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _bounded_concat(parts: Iterable[str]) -> str:
    """Join the pieces of a template's output, of a macro or of a block."""
    kept, total = [], 0
    for part in parts:
        total += len(part)
        if total > LENGTH_LIMIT:
            raise SecurityError("the rendering is too long")
        kept.append(part)
    return "".join(kept)


def _bounded_join(values: Iterable[Any], between: Any = "", attribute: Any = None) -> str:
    if attribute is not None:
        values = (value[attribute] for value in values)
    glue, parts, total = str(between), [], 0
    for value in values:
        parts.append(str(value))
        total += len(parts[-1]) + len(glue) + 1
        if total > LENGTH_LIMIT:
            raise SecurityError("a join in the template is too long")
    return glue.join(parts)


def _bounded_replace(text: Any, old: Any, new: Any, count: Any = -1) -> str:
    text, old, new = str(text), str(old), str(new)
    times = text.count(old)
    if len(text) + times * max(len(new) - len(old), 0) > LENGTH_LIMIT:
        raise SecurityError("a replacement in the template is too long")
    replaced: str = text.replace(old, new, -1 if count is None else int(count))
    return replaced


def _bounded_indent(text: Any, width: Any = 4, first: bool = False, blank: bool = False) -> str:
    space = width if isinstance(width, str) else " " * min(int(width), 100)
    lines = str(text).splitlines() or [""]
    told = [
        space + line if (line or blank) and (first or number) else line
        for number, line in enumerate(lines)
    ]
    return _bounded_join(told, "\n")


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """As transformers writes JSON: Chinese and angle brackets stay."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=min(indent, 16) if isinstance(indent, int) else None,
        separators=separators,
        sort_keys=sort_keys,
    )


class Sandbox(ImmutableSandboxedEnvironment):
    """jinja2's sandbox with the settings of transformers and with ceilings."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})
    concat = staticmethod(_bounded_concat)

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
        )
        for name in FORBIDDEN_FILTERS:
            self.filters.pop(name, None)
        self.filters |= {
            "tojson": _tojson, "join": _bounded_join, "replace": _bounded_replace,
            "indent": _bounded_indent,
        }  # fmt: skip
        self.globals.pop("lipsum", None)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(value) for value in (left, right) if hasattr(value, "__len__")]
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise SecurityError(f"{operator} is not allowed in a chat template")
        if operator == "*" and sizes:
            times = max((value for value in (left, right) if isinstance(value, int)), default=0)
            sizes = [max(sizes) * times]
        if sum(sizes) > LENGTH_LIMIT:
            raise SecurityError("a value in the template is too long")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, called: Any, *args: Any, **kwargs: Any) -> Any:
        name, owner = getattr(called, "__name__", ""), getattr(called, "__self__", None)
        if name in FORBIDDEN_METHODS:
            raise SecurityError(f"{name} is not allowed in a chat template")
        if isinstance(owner, str) and name == "join":
            return _bounded_join(args[0], owner)
        if isinstance(owner, str) and name == "replace":
            return _bounded_replace(owner, *args)
        return super().call(context, called, *args, **kwargs)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Stop a runaway template: watch its processor time and the size of what functions return."""
    until = time.thread_time() + seconds
    events = 0

    def watch(frame: Any, event: str, value: Any) -> Any:
        nonlocal events
        events += 1
        if events % CLOCK_EVENTS == 0 and time.thread_time() > until:
            raise OutOfBoundsError(f"rendering took more than {seconds:g} s")
        if event == "call":
            frame.f_trace_lines = frame.f_code.co_filename == "<template>"  # loops are there
        if event == "return" and isinstance(value, str | list) and len(value) > LENGTH_LIMIT:
            raise OutOfBoundsError("a value in the template grows without end")
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)
