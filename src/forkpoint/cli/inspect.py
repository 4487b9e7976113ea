"""`forkpoint inspect`: what is in this data file, or what is this checkpoint?"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.data import DataProfile
    from forkpoint.data.profile_record import CheckName

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
        every: bool = option(False, "--all"),
        test: str = option(None, "--test"),
        benchmark: list[str] = option([], "--benchmark"),
        allow_pickle: bool = typer.Option(
            False, "--allow-pickle", help=say("facts.option_allow_pickle", lang)
        ),
        allow_code: bool = typer.Option(
            False, "--allow-code", help=say("facts.option_allow_code", lang)
        ),
        probe: bool = typer.Option(False, "--probe", help=say("probe.option_probe", lang)),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        as_json = json or format == "json"
        if is_checkpoint(target):
            trust = {"allow_pickle": allow_pickle, "allow_code": allow_code}
            if probe:
                _print_probed(target, lang, as_json)
            else:
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
            every=every,
            held={"test_leaks": [test] if test else [], "benchmark_leaks": benchmark},
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

    facts = read_checkpoint(
        target, allow_pickle=trust["allow_pickle"], allow_code=trust["allow_code"]
    )
    if as_json:
        print(facts.to_json(indent=2))
        return
    from forkpoint.report.checkpoint_text import checkpoint_text

    print(checkpoint_text(facts, lang), end="")


def _print_probed(target: str, lang: str, as_json: bool) -> None:
    """Facts with what the loaded checkpoint did, and the short training's outcome."""
    from forkpoint.behaviour.inspection import inspect_behaviour

    def watch(key: str, **values: object) -> None:
        if sys.stderr.isatty():
            print(say(key, lang, **values), file=sys.stderr)

    found = inspect_behaviour(target, watch)
    if as_json:
        print(found.to_json(indent=2))
        return
    from forkpoint.report.checkpoint_text import checkpoint_text

    print(checkpoint_text(found.facts, lang, found.trials), end="")


def profiled(
    target: str,
    lang: str,
    seed: int,
    reading: dict[str, Any],
    tokenizers: dict[str, Path],
    *,
    every: bool = False,
    held: "dict[CheckName, list[str]] | None" = None,
) -> "DataProfile":
    from forkpoint.data import RowStream, survey
    from forkpoint.data.checks import CHECKS, HeldOut
    from forkpoint.data.sampling import SAMPLE_ROWS

    held_out = {
        name: HeldOut([row for file in files for row in RowStream(file)])
        for name, files in (held or {}).items()
        if files
    }
    if every:
        _predict(target, reading, lang)
    with _progress(Path(target), lang, len(CHECKS) if every else 0) as (on_bytes, on_check):
        stream = RowStream(target, **reading, on_bytes=on_bytes)
        return survey(
            stream, tokenizers, seed,
            sample_rows=None if every else SAMPLE_ROWS, held=held_out, on_check=on_check,
        )  # fmt: skip


def _predict(target: str, reading: dict[str, Any], lang: str) -> None:
    """Say on stderr what looking at all rows will take, when it is more than a moment."""
    import sys

    from forkpoint.data.survey import predicted
    from forkpoint.report.wording import duration

    guess = predicted(target, reading)
    if guess is not None:
        print(
            say("data.all_predicted", lang, rows=f"{guess.rows:,}", sample=f"{guess.sample_rows:,}",
                time=duration(guess.seconds, lang),
                memory=f"{guess.memory_bytes / 1e9:.1f} GB"),
            file=sys.stderr,
        )  # fmt: skip


@contextmanager
def _progress(
    path: Path, lang: str, checks: int
) -> "Iterator[tuple[Callable[[int], None], Callable[[CheckName], None]]]":
    """Bars on stderr for reading and for checking, on a terminal, where it takes a while."""
    import sys

    size = path.stat().st_size if path.is_file() else 0
    if (size < QUIET_BYTES and not checks) or not sys.stderr.isatty():
        yield lambda _: None, lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(say("data.reading", lang, file=path.name)), total=size)
        checking = bar.add_task("", total=checks, visible=False) if checks else None

        def on_check(name: str) -> None:
            if checking is not None:
                begun = bar.tasks[1].visible
                bar.update(checking, advance=1 if begun else 0, visible=True,
                           description=say(f"data.check_{name}", lang))  # fmt: skip

        yield lambda count: bar.advance(task, count), on_check
