"""`forkpoint select DATA --keep N -o FILE`: the best rows that differ."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.data import Dataset
    from forkpoint.selecting.score_file import Scores
    from forkpoint.selecting.score_record import Scorer

NOTES = ".notes.jsonl"


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"select.option_{key}", lang))

    def select(
        data: str = typer.Argument(..., help=say("select.option_data", lang)),
        keep: str = option(..., "--keep"),
        out: Path = option(..., "--out", "-o"),
        scores: Path = option(None, "--scores"),
        by: list[str] = option([], "--by"),
        seed: int = option(0, "--seed"),
        any_distance: bool = option(False, "--any-distance"),
        data_format: str = option(None, "--data-format"),
        columns: str = option(None, "--columns"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.data import columns_named, format_named, load
        from forkpoint.errors import BadInput
        from forkpoint.report.score_text import select_text
        from forkpoint.selecting.row_writing import write_chosen, write_notes
        from forkpoint.selecting.selection import select as choose

        dataset = load(
            data,
            format=format_named(data_format) if data_format else None,
            columns=columns_named(columns) if columns else {},
        )
        if any(out.resolve() == Path(file).resolve() for file in dataset.files):
            raise BadInput("select.onto_data", file=out)
        count = _rows_to_keep(keep, len(dataset.rows))
        read, asked = _scores(dataset, scores, by)
        chosen, found = choose(
            dataset.rows, read, count, by=asked, seed=seed, diverse=not any_distance
        )
        notes = out.with_name(out.name + NOTES)
        write_chosen(out, chosen)
        write_notes(notes, found)
        if json or format == "json":
            print(found.to_json(indent=1))
            return
        print(select_text(data, out, notes, len(dataset.rows), found, lang), end="")

    return select


def _rows_to_keep(text: str, rows: int) -> int:
    """A number of rows from `1000` or `30%`; raises BadInput."""
    from forkpoint.errors import BadInput

    try:
        if text.endswith("%"):
            count = round(rows * float(text[:-1]) / 100)
            if not 0 < float(text[:-1]) <= 100:
                raise ValueError
        else:
            count = int(text)
    except ValueError:
        raise BadInput("select.bad_keep", text=text) from None
    if count < 1:
        raise BadInput("select.bad_keep", text=text)
    return count


def _scores(
    dataset: "Dataset", file: Path | None, by: list[str]
) -> "tuple[Scores, tuple[Scorer, ...]]":
    """The scores of the data's rows, and which of them decide; raises BadInput."""
    from typing import get_args

    from forkpoint.errors import BadInput
    from forkpoint.selecting.score_file import read_scores
    from forkpoint.selecting.score_record import Scorer
    from forkpoint.selecting.scoring import heuristic_scores

    known: tuple[Scorer, ...] = get_args(Scorer)
    for name in by:
        if name not in known:
            raise BadInput("select.bad_by", name=name, known=", ".join(known))
    asked: tuple[Scorer, ...] = tuple(name for name in known if name in by)
    if file is None:
        if other := [name for name in asked if name != "heuristics"]:
            raise BadInput("select.needs_scores", name=other[0])
        return {s.row: {"heuristics": s} for s in heuristic_scores(dataset)}, ("heuristics",)
    header, scores = read_scores(file)
    if header.data_sha256 != dataset.sha256:
        raise BadInput("score.other_data", file=file, files=", ".join(header.files))
    there = {scorer for row in scores.values() for scorer in row}
    if missing := [name for name in asked if name not in there]:
        raise BadInput("select.not_scored", file=file, name=missing[0])
    usual: tuple[Scorer, ...] = ("heuristics", "judge")
    return scores, asked or tuple(name for name in usual if name in there)
