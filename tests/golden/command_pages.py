"""docs/commands: every command and option, from the command line itself."""

from pathlib import Path

import click
import typer

from forkpoint.cli import COMMANDS, build
from forkpoint.words import say

FOLDER = Path(__file__).parents[2] / "docs"
NAMES = {"en": "commands.md", "zh": "commands.zh.md"}
TITLES = {"en": "Commands", "zh": "命令"}
HEADS = {"en": ("option", "default", "what it does"), "zh": ("选项", "默认值", "作用")}
NOTES = {
    "en": "Written by `make golden` from the command line itself. [中文](commands.zh.md)",
    "zh": "由 `make golden` 根据命令行本身生成。[English](commands.md)",
}


def pages() -> dict[str, str]:
    """File name -> content, in both languages."""
    return {name: _page(lang) for lang, name in NAMES.items()}


def _page(lang: str) -> str:
    group = typer.main.get_command(build(lang))
    assert hasattr(group, "commands")
    lines = [f"# {TITLES[lang]}", "", NOTES[lang], "", say("cli.help", lang), ""]
    for name in COMMANDS:
        command = group.commands[name]
        lines += [f"## forkpoint {name}", "", say(f"cli.{name}", lang), ""]
        arguments = [one for one in command.params if one.param_type_name == "argument"]
        for one in arguments:
            lines.append(f"- `{(one.name or '').upper()}`: {_cell(getattr(one, 'help', '') or '')}")
        lines += [""] if arguments else []
        lines += ["| " + " | ".join(HEADS[lang]) + " |", "|---|---|---|"]
        for one in command.params:
            if one.param_type_name == "option":
                lines.append(_row(one))
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _row(option: click.Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    default = option.default
    plain = isinstance(default, (str, int, float)) and not isinstance(default, bool)
    shown = f"`{default}`" if plain and "--lang" not in option.opts else ""
    return f"| {names} | {shown} | {_cell(getattr(option, 'help', '') or '')} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
