"""`forkpoint score DATA`: what speaks for and against each row."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.data import Dataset
    from forkpoint.endpoint import Endpoint
    from forkpoint.selecting.score_record import Scorer
    from forkpoint.selecting.scoring import Cost, Sum


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"score.option_{key}", lang))

    def score(
        data: str = typer.Argument(..., help=say("score.option_data", lang)),
        model: str = option(None, "--model", "-m"),
        judge: str = option(None, "--judge"),
        judge_model: str = option(None, "--judge-model"),
        send_data_to: str = option(None, "--send-data-to"),
        out: Path = option(None, "--out", "-o"),
        dry_run: bool = option(False, "--dry-run"),
        data_format: str = option(None, "--data-format"),
        columns: str = option(None, "--columns"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.data import columns_named, format_named, load
        from forkpoint.endpoint import Endpoint
        from forkpoint.errors import BadInput, Interrupted

        if judge and not judge_model:
            raise BadInput("score.need_judge_model", address=judge)
        endpoint = Endpoint(judge, judge_model, send_data_to) if judge else None
        dataset = load(
            data,
            format=format_named(data_format) if data_format else None,
            columns=columns_named(columns) if columns else {},
        )
        file = out or Path(f"{Path(data).name}.scores.jsonl")
        watch = _Watch(lang, dry_run)
        try:
            sums = _score(dataset, file, model, endpoint, watch)
        except _Enough:
            print(say("score.dry_run", lang), file=sys.stderr)
            return
        except KeyboardInterrupt:
            raise Interrupted("cli.interrupted") from None
        _print(data, file, sums, lang, as_json=json or format == "json")

    return score


def _score(
    dataset: "Dataset", file: Path, model: str | None, endpoint: "Endpoint | None", watch: "_Watch"
) -> "list[Sum]":
    """Each scorer in turn, the cheapest first."""
    import tempfile

    from forkpoint.selecting.score_file import ScoreFile
    from forkpoint.selecting.scoring import (
        score_header,
        score_heuristics,
        score_ifd,
        score_judge,
    )

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "scores.jsonl" if watch.dry_run and not file.exists() else file
        with ScoreFile(path, score_header(dataset)) as scores:
            watch.last = "judge" if endpoint else "ifd" if model else "heuristics"
            sums = [watch.guarded(lambda: score_heuristics(dataset, scores, watch))]
            if model is not None:
                sums.append(watch.guarded(lambda: score_ifd(dataset, model, scores, watch)))
            if endpoint is not None:
                sums.append(watch.guarded(lambda: score_judge(dataset, endpoint, scores, watch)))
    return [found for found in sums if found is not None]


class _Enough(Exception):
    """A dry run has said all that it was asked for."""


class _Skip(Exception):
    """A dry run goes on to the next scorer."""


class _Watch:
    """Says on stderr what scoring costs and how far it is."""

    def __init__(self, lang: str, dry_run: bool) -> None:
        self.lang = lang
        self.dry_run = dry_run
        self.last: Scorer = "heuristics"
        self.shown = 0

    def guarded(self, work: "Callable[[], Sum]") -> "Sum | None":
        """The work's sum; None when a dry run stopped it after its cost was said."""
        try:
            return work()
        except _Skip:
            return None

    def begins(self, cost: "Cost") -> None:
        """Say the cost; a dry run does nothing more."""
        from forkpoint.report.score_text import cost_sentence

        print(cost_sentence(cost, self.lang), file=sys.stderr)
        self.shown = 0
        if self.dry_run:
            raise _Enough if cost.scorer == self.last else _Skip

    def progressed(self, scorer: "Scorer", done: int, rows: int) -> None:
        """A line for each tenth of the rows."""
        tenth = 10 * done // max(rows, 1)
        if tenth > self.shown:
            self.shown = tenth
            name = say(f"score.name_{scorer}", self.lang)
            print(say("score.progress", self.lang, name=name, done=done, rows=rows),
                  file=sys.stderr)  # fmt: skip


def _print(data: str, file: Path, sums: "list[Sum]", lang: str, *, as_json: bool) -> None:
    import orjson

    from forkpoint.report.score_text import score_text
    from forkpoint.selecting.score_file import read_scores

    if as_json:
        document = {"file": str(file), "scorers": [found.model_dump(mode="json") for found in sums]}
        print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    print(score_text(data, file, sums, read_scores(file)[1], lang), end="")
