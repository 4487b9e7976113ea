"""`forkpoint advise`: what the guides say about this data and these checkpoints."""

from collections.abc import Callable
from typing import Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str, area: str = "advice") -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"{area}.option_{key}", lang))

    def advise(
        data: str = typer.Argument(None, help=say("advice.argument_data", lang)),
        model: list[str] = option([], "--model", "-m"),
        goal: str = option("", "--goal"),
        data_format: str = option(None, "--data-format", area="data"),
        columns: str = option(None, "--columns", area="data"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.advice import advise as advice_for
        from forkpoint.errors import BadInput
        from forkpoint.facts import read_checkpoint, read_machine
        from forkpoint.store import earlier_races

        if format not in ("text", "json"):
            raise BadInput("advice.bad_format", found=format)
        if not (data or model or goal.strip()):
            raise BadInput("advice.nothing_given")
        if twice := [name for place, name in enumerate(model) if name in model[:place]]:
            raise BadInput("advice.same_twice", name=twice[0])
        advice = advice_for(
            _profile(data, lang, data_format, columns) if data else None,
            tuple(read_checkpoint(name) for name in model),
            goal,
            read_machine(),
            data_name=data,
            past=earlier_races(),
        )
        if data_format and advice.settle:
            settle = f"{advice.settle} --data-format {data_format}"  # a known format's name
            advice = advice.model_copy(update={"settle": settle})
        if json or format == "json":
            from forkpoint.report.advice_json import advice_json

            print(advice_json(advice, lang))
            return
        from forkpoint.report.advice_text import advice_text

        print(advice_text(advice, lang), end="")

    return advise


def _profile(data: str, lang: str, data_format: str | None, columns: str | None) -> Any:
    from forkpoint.cli.inspect import profiled
    from forkpoint.data import columns_named, format_named

    reading = {
        "strict": False,
        "format": format_named(data_format) if data_format else None,
        "columns": columns_named(columns) if columns else None,
    }
    return profiled(data, lang, 0, reading, {})
