"""`forkpoint rules`: every rule drawn from the guides, or the page of one."""

from collections.abc import Callable
from pathlib import Path

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def rules(
        code: str = typer.Argument(None, help=say("rules.argument_code", lang)),
        pages: Path = typer.Option(None, "--pages", help=say("rules.option_pages", lang)),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.errors import BadInput
        from forkpoint.report import rules_text
        from forkpoint.rules import RULES, rule

        if format not in ("text", "json"):
            raise BadInput("advice.bad_format", found=format)
        if pages is not None:
            from forkpoint.report.rules_pages import write_pages

            print(say("rules.pages_written", lang, n=write_pages(pages), folder=pages))
            return
        try:
            chosen = (rule(code),) if code else RULES
        except KeyError:
            from difflib import get_close_matches

            near = get_close_matches(code.upper(), [one.code for one in RULES], 3, 0.3)
            raise BadInput(
                "rules.no_such_rule", code=code, near=", ".join(near) or RULES[0].code
            ) from None
        if json or format == "json":
            print(rules_text.rules_json(chosen, lang))
        elif code:
            print(rules_text.rule_text(chosen[0], lang), end="")
        else:
            print(rules_text.rules_list(lang), end="")

    return rules
