"""Options that every command has, with their help in the user's language."""

from typing import Any

import typer

from forkpoint.words import say


def json_option(lang: str) -> Any:
    """`--json`: the answer as one JSON document on stdout."""
    return typer.Option(False, "--json", help=say("cli.option_json", lang))


def lang_option(lang: str) -> Any:
    """`--lang en|zh`: the language of what a person reads."""
    return typer.Option(lang, "--lang", help=say("cli.option_lang", lang))


def format_option(lang: str) -> Any:
    """`--format text|json`: the form of the answer."""
    return typer.Option("text", "--format", help=say("cli.option_format", lang))
