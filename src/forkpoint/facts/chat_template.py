"""Compile and render a chat template as Hugging Face does, its clock pinned."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import jinja2

from forkpoint.facts.template_sandbox import OutOfBoundsError, Sandbox, deadline

RENDER_SECONDS = 1.0  # seconds of processor time a rendering; real templates need under 0.05
TEMPLATE_LIMIT = 500_000  # characters; the longest public template has some 30,000
CLOCK = datetime(2024, 7, 26)  # the day that Llama 3's own template falls back to

_RENDER_ERRORS = (
    jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError,
    RecursionError, TypeError, ValueError,
)  # fmt: skip


class TemplateError(Exception):
    """A template that cannot be compiled or rendered; the text says why."""


class OverrunError(TemplateError):
    """A template that ran out of its time or room; trying again would cost the same."""


def compile_template(source: str, clock: datetime = CLOCK) -> Callable[..., str]:
    """A function (messages, **settings) -> text; raises TemplateError.

    The helper functions are those that transformers gives a template.
    """
    if len(source) > TEMPLATE_LIMIT:
        raise TemplateError(f"the template has {len(source):,} characters")
    environment = Sandbox()
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = clock.strftime
    try:
        template = environment.from_string(source)
    except (jinja2.TemplateError, RecursionError, ValueError, TypeError) as error:
        raise TemplateError(_sentence(error)) from None

    def render(messages: list[dict[str, Any]], **settings: Any) -> str:
        try:
            with deadline(RENDER_SECONDS):
                return environment.concat(template.generate(messages=messages, **settings))
        except OutOfBoundsError as error:
            raise OverrunError(_sentence(error)) from None
        except _RENDER_ERRORS as error:
            raise TemplateError(_sentence(error)) from None

    return render


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)


def _sentence(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:300]
