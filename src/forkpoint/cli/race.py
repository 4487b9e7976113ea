"""`forkpoint race`: set up, say the plan, ask, run, and show the verdict."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import typer

from forkpoint.cli.options import RUNS, format_option, in_runs, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.ledger import Agreement
    from forkpoint.race.ground import Ground
    from forkpoint.race.request import RaceRequest
    from forkpoint.verdict.verdict_record import Verdict


RENAMED = {
    "model": "models",
    "approach": "approaches",
    "context": "context_tokens",
    "system": "system_prompt",
    "test": "test_file",
    "validation": "validation_file",
    "subset": "subsets",
    "twin": "twins",
}  # option -> field of the request


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"race.option_{key}", lang))

    def race(
        data: str = typer.Argument(None, help=say("race.option_data", lang)),
        model: list[str] = option([], "--model", "-m"),
        approach: list[str] = option(["lora", "full"], "--approach"),
        budget: str = option("auto", "--budget"),
        out: Path = option(None, "--out"),
        resume: Path = typer.Option(
            None, "--resume", help=say("race.option_resume", lang), callback=in_runs
        ),
        dry_run: bool = option(False, "--dry-run"),
        yes: bool = option(False, "--yes", "-y"),
        goal: str = option(None, "--goal"),
        metric: str = option(None, "--metric"),
        margin: float = option(0.02, "--margin"),
        seed: int = option(0, "--seed"),
        passes: float = option(None, "--passes"),
        context: int = option(None, "--context"),
        system: str = option(None, "--system"),
        test: str = option(None, "--test"),
        validation: str = option(None, "--validation"),
        group_by: str = option(None, "--group-by"),
        split: str = option(None, "--split"),
        folds: int = option(None, "--folds"),
        truncate: str = option("no", "--truncate"),
        template: str = option("auto", "--template"),
        data_format: str = option(None, "--data-format"),
        columns: str = option(None, "--columns"),
        strict: bool = option(False, "--strict"),
        threshold: float = option(0.95, "--threshold"),
        finalist_seeds: int = option(3, "--finalist-seeds"),
        rows_per_step: int = option(None, "--rows-per-step"),
        lora_rank: int = option(16, "--lora-rank"),
        loss_turns: str = option("last", "--loss-turns"),
        skip_general: bool = option(False, "--skip-general"),
        workers: int = option(None, "--workers"),
        engine: str = option(None, "--engine"),
        address: str = option(None, "--address"),
        storage: str = option(None, "--storage"),
        price: str = option(None, "--price"),
        subset: list[str] = option([], "--subset"),
        replay: list[float] = option([], "--replay"),
        replay_rows: str = option(None, "--replay-rows"),
        retain: list[str] = option([], "--retain"),
        floor: str = option(None, "--floor"),
        corpus: str = option(None, "--corpus"),
        twin: list[str] = option([], "--twin"),
        shots: list[int] = option([], "--shots"),
        documents: str = option(None, "--documents"),
        max_latency: float = option(None, "--max-latency"),
        max_memory: str = option(None, "--max-memory"),
        licence: str = option(None, "--licence"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        given = dict(locals())  # what was typed, by the names above
        from forkpoint.errors import BadInput

        as_json = json or format == "json"
        if resume is not None:
            _run(resume, lang, as_json, _Place(engine, address, workers, storage))
            return
        if data is None or not model:
            raise BadInput("race.need_data_and_models")
        if len(model) * len(approach) * (1 + len(subset)) * max(1, len(set(replay))) < 2:
            raise BadInput("race.need_two_arms")
        kind = engine or ("ray" if address else "local")
        place = _Place(kind, address, workers, storage)
        _start(_request(given), out, place, dry_run=dry_run, yes=yes, lang=lang, as_json=as_json)

    return race


def _request(given: dict[str, Any]) -> "RaceRequest":
    """The options as a request: those of the same name as they are; raises BadInput."""
    from forkpoint.data import columns_named, format_named
    from forkpoint.race.request import RaceRequest

    made = {
        RENAMED.get(name, name): tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
    }
    made |= {
        "time_field": given["split"].removeprefix("time:") if given["split"] else None,
        "data_format": format_named(given["data_format"]) if given["data_format"] else None,
        "columns": columns_named(given["columns"]) if given["columns"] else {},
        "truncate": _truncate(given["truncate"]),
        "template": _template(given["template"]),
        "loss_turns": "all" if given["loss_turns"] == "all" else "last",
        "retain": tuple(task for one in given["retain"] for task in one.split(",") if task),
    }
    fields = RaceRequest.model_fields
    return RaceRequest(**{name: value for name, value in made.items() if name in fields})


def _truncate(value: str) -> 'Literal["no", "answers"]':
    from forkpoint.errors import BadInput

    if value == "no":
        return "no"
    if value == "answers":
        return "answers"
    raise BadInput("race.truncate_unknown", value=value)


def _template(value: str) -> 'Literal["auto", "own", "plain"]':
    from forkpoint.errors import BadInput

    if value not in ("auto", "own", "plain"):
        raise BadInput("race.template_unknown", value=value)
    return value  # type: ignore[return-value]


class _Place(NamedTuple):
    """Where trials run, as asked for; None: as the race was planned."""

    engine: str | None
    address: str | None
    workers: int | None
    storage: str | None


def _start(
    request: "RaceRequest",
    out: Path | None,
    place: _Place,
    *,
    dry_run: bool,
    yes: bool,
    lang: str,
    as_json: bool,
) -> None:
    import contextlib
    import sys
    import tempfile

    from forkpoint.errors import BadInput
    from forkpoint.race.ground import ground_named
    from forkpoint.race.setup import prepare
    from forkpoint.race.terminal import Terminal

    if not dry_run and not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise BadInput("race.no_terminal")
    kind = place.engine or "local"
    ground = ground_named(kind, place.address, place.workers, place.storage)
    with contextlib.closing(ground), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if dry_run else out or _free_folder(request.data)
        with Terminal(lang) as terminal:
            agreement = prepare(request, folder, terminal, ground)
        if dry_run and as_json:
            print(agreement.to_json(indent=1))
            return
        _print_plan(agreement, lang, to_stdout=dry_run)
        if dry_run:
            return
        if not yes and not typer.confirm(say("race.ask_start", lang), err=True):
            print(say("race.not_started", lang), file=sys.stderr)
            return
        _race(folder, agreement, ground, lang, as_json)


def _show(folder: Path, verdict: "Verdict", lang: str, as_json: bool) -> None:
    """Write the page, print the verdict."""
    import sys

    from forkpoint.ledger import write_whole
    from forkpoint.report import read_view
    from forkpoint.report.page import html
    from forkpoint.report.text import text

    view = read_view(folder)
    page = folder / "report.html"
    write_whole(page, html(view, lang).encode())
    if as_json:
        print(verdict.to_json(indent=1))
        return
    print(text(view, lang, colour=sys.stdout.isatty()), end="")
    print(say("race.report_is", lang, file=page))


def _free_folder(data: str) -> Path:
    """runs/NAME, or runs/NAME-2 and so on when that is taken."""
    stem = Path(data).stem or "race"
    folder, number = RUNS / stem, 2
    while (folder / "race.json").exists():
        folder, number = RUNS / f"{stem}-{number}", number + 1
    return folder


def _print_plan(agreement: "Agreement", lang: str, *, to_stdout: bool) -> None:
    from rich.console import Console

    from forkpoint.report.plan_text import plan_text

    Console(stderr=not to_stdout, highlight=False).print(plan_text(agreement, lang), markup=False)


def _keep(folder: Path, lang: str) -> None:
    """Keep the race for later estimates; a store that cannot be used costs no verdict."""
    import sys

    from forkpoint.errors import Unreadable
    from forkpoint.race.keeping import keep_race

    try:
        if race_id := keep_race(folder):
            print(say("store.kept", lang, id=race_id[:8]), file=sys.stderr)
    except Unreadable as error:
        print(error.message(lang), file=sys.stderr)


def _run(folder: Path, lang: str, as_json: bool, place: _Place) -> None:
    import contextlib

    from forkpoint.race.checkpoints import check_checkpoints
    from forkpoint.race.driver import read_agreement
    from forkpoint.race.ground import ground_named

    agreement = read_agreement(folder)
    check_checkpoints(agreement)
    planned = agreement.engine
    kind = place.engine or ("ray" if place.address else planned.kind)
    address = place.address or (planned.address if kind == planned.kind else None)
    storage = place.storage or (planned.storage if kind == planned.kind else None)
    with contextlib.closing(ground_named(kind, address, place.workers, storage)) as ground:
        weights = [*agreement.checkpoints.values(), *agreement.twins.values()]
        ground.check(folder, [str(found.path) for found in weights])
        _race(folder, agreement, ground, lang, as_json)


def _race(folder: Path, agreement: "Agreement", ground: "Ground", lang: str, as_json: bool) -> None:
    from forkpoint.errors import BudgetSpent, Interrupted
    from forkpoint.race.driver import run_race
    from forkpoint.race.setup import limit_seconds
    from forkpoint.race.terminal import Terminal

    plans = {arm.name: arm.memory for arm in agreement.arms}
    executor = ground.executor(folder, agreement.settings, plans)
    with Terminal(lang, agreement.predicted_seconds) as terminal:
        try:
            verdict = run_race(folder, executor, terminal, limit_seconds(agreement))
        except KeyboardInterrupt:
            raise Interrupted("race.interrupted", folder=folder) from None
        finally:
            executor.close()
    ground.bring_home(folder)
    _show(folder, verdict, lang, as_json)
    _keep(folder, lang)
    if verdict.arm is None and verdict.kind != "floor":
        raise BudgetSpent("race.no_arm", folder=folder)
