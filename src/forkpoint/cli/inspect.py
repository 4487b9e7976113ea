"""`forkpoint inspect`: what is in this data file, or what is this checkpoint?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.data import DataProfile

QUIET_BYTES = 40_000_000  # read in about 2 seconds; a smaller file needs no progress bar
CHECKPOINT_FILES = ("config.json", "adapter_config.json", "tokenizer_config.json")
WEIGHT_SUFFIXES = (".gguf", ".safetensors", ".bin", ".pt", ".pth", ".ckpt")


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"data.option_{key}", lang))

    def inspect(
        target: str = typer.Argument(..., help=say("data.option_target", lang)),
        strict: bool = option(False, "--strict"),
        data_format: str = option(None, "--data-format"),
        columns: str = option(None, "--columns"),
        model: list[str] = option([], "--model", "-m"),
        seed: int = option(0, "--seed"),
        allow_pickle: bool = typer.Option(
            False, "--allow-pickle", help=say("facts.option_allow_pickle", lang)
        ),
        allow_code: bool = typer.Option(
            False, "--allow-code", help=say("facts.option_allow_code", lang)
        ),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        as_json = json or format == "json"
        if is_checkpoint(target):
            trust = {"allow_pickle": allow_pickle, "allow_code": allow_code}
            _print_checkpoint(target, lang, as_json, trust)
            return
        from forkpoint.data import columns_named, format_named

        profile = profiled(
            target, lang, seed,
            {
                "strict": strict,
                "format": format_named(data_format) if data_format else None,
                "columns": columns_named(columns) if columns else None,
            },
            {name: tokenizer_of(name) for name in model},
        )  # fmt: skip
        if as_json:
            print(profile.to_json(indent=2))
        else:
            from forkpoint.report.data_text import data_text

            print(data_text(profile, lang), end="")

    return inspect


def is_checkpoint(target: str) -> bool:
    """Whether a name is a checkpoint's: by its files, by its suffix, else a Hub id."""
    path = Path(target)
    if path.is_dir():
        if any((path / name).exists() for name in CHECKPOINT_FILES):
            return True
        return any(child.suffix in WEIGHT_SUFFIXES for child in path.iterdir())
    if path.exists():
        return path.suffix.lower() in WEIGHT_SUFFIXES
    from forkpoint.data import BUNDLED
    from forkpoint.data.hub import HUB_DATA, is_hub_name

    if target in BUNDLED or target.startswith(HUB_DATA):
        return False
    return target.startswith("pocket-") or is_hub_name(target)


def tokenizer_of(name: str) -> Path:
    """The tokenizer.json of a checkpoint; raises BadInput when it has none at hand."""
    from forkpoint.errors import BadInput
    from forkpoint.facts import read_checkpoint

    folder = read_checkpoint(name).path
    file = Path(folder) / "tokenizer.json" if folder else None
    if file is None or not file.exists():
        raise BadInput("data.no_tokenizer", name=name)
    return file


def _print_checkpoint(target: str, lang: str, as_json: bool, trust: dict[str, bool]) -> None:
    from forkpoint.facts import read_checkpoint

    facts = read_checkpoint(target, **trust)
    if as_json:
        print(facts.to_json(indent=2))
        return
    from forkpoint.report.checkpoint_text import checkpoint_text

    print(checkpoint_text(facts, lang), end="")


def profiled(
    target: str, lang: str, seed: int, reading: dict[str, Any], tokenizers: dict[str, Path]
) -> "DataProfile":
    from forkpoint.data import load, profile

    with _progress(Path(target), lang) as on_bytes:
        dataset = load(target, **reading, on_bytes=on_bytes)
    return profile(dataset, tokenizers, seed)


@contextmanager
def _progress(path: Path, lang: str) -> Iterator[Callable[[int], None]]:
    """A bar on stderr with the remaining time, for big files and a terminal only."""
    import sys

    size = path.stat().st_size if path.is_file() else 0
    if size < QUIET_BYTES or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(say("data.reading", lang, file=path.name)), total=size)
        yield lambda count: bar.advance(task, count)
