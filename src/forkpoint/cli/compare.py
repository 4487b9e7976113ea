"""`forkpoint compare`: the same prompts to several checkpoints, side by side."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import json_option, lang_option
from forkpoint.errors import BadInput
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.behaviour import Comparison, Probe, Request

WAYS = {"both": ("template", "raw"), "template": ("template",), "raw": ("raw",)}
MOST_TOKENS = 4096  # of an answer
DEFAULT_PAGE = "compare.html"


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"compare.option_{key}", lang))

    def compare(
        checkpoints: list[str] = typer.Argument(..., help=say("compare.option_checkpoints", lang)),
        prompt: list[str] = option([], "--prompt", "-p"),
        prompts: str = option(None, "--prompts"),
        files: bool = option(False, "--files"),
        way: str = option("both", "--way"),
        tokens: int = option(64, "--tokens"),
        temperature: float = option(0.0, "--temperature"),
        top_p: float = option(1.0, "--top-p"),
        seed: int = option(0, "--seed"),
        json: bool = json_option(lang),
        form: str = option("text", "--format"),
        out: str = option("", "--output", "-o"),
        lang: str = lang_option(lang),
    ) -> None:
        wanted = "json" if json else form
        _known("format", wanted, ("text", "json", "html"))
        _known("way", way, tuple(WAYS))
        if len(checkpoints) < 2:
            raise BadInput("compare.too_few", count=len(checkpoints))
        if files:
            _files(checkpoints, wanted, lang)
            return
        decoding = _decoding(tokens, temperature, top_p, seed)
        from forkpoint.behaviour import Request

        request = Request(
            checkpoints=tuple(checkpoints), probes=_probes(prompt, prompts),
            ways=WAYS[way], decoding=decoding,
        )  # fmt: skip
        _run(request, wanted, out, lang)

    return compare


def _known(option: str, found: str, known: tuple[str, ...]) -> None:
    if found not in known:
        raise BadInput("compare.bad_choice", option=option, found=found, known=", ".join(known))


def _decoding(tokens: int, temperature: float, top_p: float, seed: int) -> Any:
    from forkpoint.behaviour.talker import Decoding

    for option, value, low, high in (
        ("tokens", tokens, 1, MOST_TOKENS), ("temperature", temperature, 0, 10),
        ("top-p", top_p, 0.01, 1), ("seed", seed, 0, 2**63 - 1),
    ):  # fmt: skip
        if not low <= value <= high:
            raise BadInput(
                "compare.bad_number", option=option, found=value, limits=f"{low:g} - {high:g}"
            )
    return Decoding(limit_tokens=tokens, temperature=temperature, top_p=top_p, seed=seed)


def _probes(prompt: list[str], prompts: str | None) -> "tuple[Probe, ...]":
    from forkpoint.behaviour import prompts_from, shipped_probes
    from forkpoint.behaviour.probes import own_prompt

    own = tuple(own_prompt(text, str(n)) for n, text in enumerate(prompt, 1) if text.strip())
    return (*own, *(prompts_from(prompts) if prompts else ())) or shipped_probes()


def _run(request: "Request", wanted: str, out: str, lang: str) -> None:
    from forkpoint.behaviour import compare
    from forkpoint.report.compare_text import comparison_text

    streaming = wanted == "text" and sys.stdout.isatty()
    if streaming:
        from forkpoint.report.compare_stream import Stream

        found = compare(request, Stream(request, lang).show)
    else:
        found = compare(request)
    if wanted == "json":
        from forkpoint.report import json_text

        print(json_text(found.to_json(indent=2)))
    elif wanted == "html":
        _page(found, out, lang)
    else:
        print(comparison_text(found, lang, answers=not streaming), end="")


def _page(found: "Comparison", out: str, lang: str) -> None:
    """Write the page and print where it is, or the page itself for `-`."""
    from forkpoint.ledger.book import write_whole
    from forkpoint.report.compare_page import comparison_page

    page = comparison_page(found, lang)
    if out == "-":
        sys.stdout.buffer.write(page.encode())
        sys.stdout.buffer.flush()
        return
    path = Path(out or DEFAULT_PAGE)
    try:
        write_whole(path, page.encode())
    except OSError as error:
        raise BadInput("compare.not_written", file=path, problem=error.strerror) from None
    print(path)


def _files(checkpoints: list[str], wanted: str, lang: str) -> None:
    """File by file, without loading anything."""
    from forkpoint.facts.file_comparison import compare_files
    from forkpoint.report.files_text import files_text

    found = [compare_files(checkpoints[0], other) for other in checkpoints[1:]]
    if wanted == "json":
        import orjson

        from forkpoint.report import json_text

        document = [one.model_dump(mode="json") for one in found]
        body = document[0] if len(document) == 1 else {"comparisons": document}
        print(json_text(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()))
        return
    _known("format", wanted, ("text", "json"))
    print("\n".join(files_text(one, lang) for one in found), end="")
