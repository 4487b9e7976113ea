"""Render a chat template in a sandbox, as Hugging Face does, and never let it run away."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

RENDER_SECONDS = 1.0  # seconds a rendering; real templates need under 0.01
OUTPUT_LIMIT = 1_000_000  # characters a value may reach; real renderings have under 20,000
TEMPLATE_LIMIT = 500_000  # characters; the longest public template has some 30,000
CLOCK = datetime(2024, 7, 26)  # the day that Llama 3's own template falls back to

_RENDER_ERRORS = (
    jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError,
    RecursionError, TypeError, ValueError,
)  # fmt: skip


class TemplateError(Exception):
    """A template that cannot be compiled or rendered; the text says why."""


class _Generation(Extension):
    """Accept `{% generation %}...{% endgeneration %}`, which marks text for the trainer only."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox with ceilings on products, powers, padding and formats."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers are not allowed in a chat template")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("string formatting by % is not allowed in a chat template")
        if operator == "*":
            size = max((len(x) for x in (left, right) if hasattr(x, "__len__")), default=0)
            times = max((x for x in (left, right) if isinstance(x, int)), default=0)
            if size * times > OUTPUT_LIMIT:
                raise SecurityError("a product in the chat template is too large")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, called: Any, *args: Any, **kwargs: Any) -> Any:
        name = getattr(called, "__name__", "")
        if name in ("ljust", "rjust", "center", "zfill", "expandtabs", "format", "format_map"):
            raise SecurityError(f"{name} is not allowed in a chat template")
        return super().call(context, called, *args, **kwargs)


def compile_template(source: str, clock: datetime = CLOCK) -> Callable[..., str]:
    """A function messages, **settings -> text; raises TemplateError.

    The helper functions are those that transformers gives a template; the clock is pinned.
    """
    if len(source) > TEMPLATE_LIMIT:
        raise TemplateError(f"the template has {len(source):,} characters")

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    def tojson(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent,
            separators=separators,
            sort_keys=sort_keys,
        )

    environment = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    for name in ("center", "format"):
        environment.filters.pop(name)
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: clock.strftime(form)
    try:
        template = environment.from_string(source)
    except (jinja2.TemplateError, RecursionError, ValueError, TypeError) as error:
        raise TemplateError(_sentence(error)) from None

    def render(messages: list[dict[str, Any]], **settings: Any) -> str:
        try:
            with _deadline(RENDER_SECONDS):
                return template.render(messages=messages, **settings)
        except _RENDER_ERRORS as error:
            raise TemplateError(_sentence(error)) from None

    return render


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Stop Python code, a runaway template's included, and values that grow without end."""
    until = time.monotonic() + seconds

    def watch(frame: Any, event: str, argument: Any) -> Any:
        if time.monotonic() > until:
            raise TemplateError(f"rendering took more than {seconds:g} s")
        if frame.f_code.co_filename == "<template>" and event == "line":
            for value in frame.f_locals.values():
                if isinstance(value, str | list) and len(value) > OUTPUT_LIMIT:
                    raise TemplateError("a value in the template grows without end")
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)


def _sentence(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:300]
