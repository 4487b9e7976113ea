"""`forkpoint models`: the catalogue of checkpoints that people fine-tune, by what one needs."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.errors import BadInput
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.catalogue import Wish

KNOWN = {
    "approach": ("lora", "qlora", "full", "prompt"),
    "task": ("text", "code", "vision", "thinking"),
    "stage": ("base", "instruct", "chat"),
    "format": ("text", "json"),
}
MOST_CONTEXT = 1 << 24  # tokens


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"models.option_{key}", lang))

    def models(
        action: str = typer.Argument("list", help=say("models.option_action", lang)),
        fits: str = option(None, "--fits"),
        approach: str = option("lora", "--approach"),
        context: int = option(2048, "--context"),
        licence: str = option(None, "--licence"),
        language: str = option(None, "--language"),
        task: str = option(None, "--task"),
        stage: str = option(None, "--stage"),
        family: str = option(None, "--family"),
        data: str = option(None, "--data"),
        sources: bool = option(False, "--sources"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        if action not in ("list", "refresh"):
            raise BadInput("models.bad_action", found=action)
        for name, found in (
            ("approach", approach), ("task", task), ("stage", stage), ("format", format),
        ):  # fmt: skip
            if found is not None and found not in KNOWN[name]:
                known = ", ".join(KNOWN[name])
                raise BadInput("models.bad_choice", option=name, found=found, known=known)
        as_json = json or format == "json"
        if action == "refresh":
            _refresh(lang, as_json)
            return
        if not 1 <= context <= MOST_CONTEXT:
            raise BadInput("models.bad_context", found=context, limits=f"1 - {MOST_CONTEXT}")
        kind = _kind_of(data, lang) if data and task is None else None
        from forkpoint.catalogue import Wish

        wish = Wish.model_validate({
            "memory_bytes": _memory_bytes(fits), "approach": approach, "context_tokens": context,
            "licence": licence, "language": language, "task": task or kind, "stage": stage,
            "family": family,
        })  # fmt: skip
        _list(wish, lang, as_json, sources)

    return models


def _memory_bytes(fits: str | None) -> int | None:
    if fits is None:
        return None
    from forkpoint.estimate.sizes import size_bytes

    return round(size_bytes(fits))


def _kind_of(data: str, lang: str) -> str | None:
    """The kind of model that a data file asks for [H1]; said on stderr."""
    from forkpoint.data import load, profile

    found = profile(load(data), {}, 0)
    shares = found.answer_kinds
    why = None
    if found.job == "images":
        why, kind = "models.data_images", "vision"
    elif shares and max(shares, key=lambda name: shares[name]) == "code":
        why, kind = "models.data_code", "code"
    if why is None:
        print(say("models.data_text", lang), file=sys.stderr)
        return None
    print(say("models.data_kind", lang, why=say(why, lang), kind=kind), file=sys.stderr)
    return kind


def _list(wish: "Wish", lang: str, as_json: bool, sources: bool) -> None:
    from forkpoint.catalogue import choose, entries

    choice = choose(wish, entries())
    if as_json:
        print(choice.to_json(indent=2))
        return
    from forkpoint.report.models_text import models_text

    print(models_text(choice, lang, sources), end="")


def _refresh(lang: str, as_json: bool) -> None:
    from datetime import date

    from forkpoint.catalogue.refresh import refresh

    def watch(name: str) -> None:
        if sys.stderr.isatty():
            print(say("models.refreshing", lang, name=name), file=sys.stderr)

    found = refresh(date.today(), watch)
    if as_json:
        print(found.to_json(indent=2))
        return
    from forkpoint.report.models_text import refreshed_text

    print(refreshed_text(found, lang), end="")
