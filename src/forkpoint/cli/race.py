"""`forkpoint race`: set up, say the plan, ask, run, and show the verdict."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.ledger import Agreement
    from forkpoint.race.ground import Ground
    from forkpoint.race.request import RaceRequest
    from forkpoint.verdict.verdict_record import Verdict


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
        resume: Path = option(None, "--resume"),
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
        from forkpoint.data import columns_named, format_named
        from forkpoint.errors import BadInput
        from forkpoint.race.request import RaceRequest

        as_json = json or format == "json"
        if resume is not None:
            _run(resume, lang, as_json, _Place(engine, address, workers))
            return
        if data is None or not model:
            raise BadInput("race.need_data_and_models")
        if len(model) * len(approach) * (1 + len(subset)) * max(1, len(set(replay))) < 2:
            raise BadInput("race.need_two_arms")
        request = RaceRequest(
            data=data,
            models=tuple(model),
            approaches=tuple(approach),
            budget=budget,
            goal=goal,
            metric=metric,
            margin=margin,
            seed=seed,
            passes=passes,
            context_tokens=context,
            system_prompt=system,
            test_file=test,
            validation_file=validation,
            group_by=group_by,
            time_field=split.removeprefix("time:") if split else None,
            data_format=format_named(data_format) if data_format else None,
            columns=columns_named(columns) if columns else {},
            strict=strict,
            folds=folds,
            truncate=_truncate(truncate),
            template=_template(template),
            threshold=threshold,
            finalist_seeds=finalist_seeds,
            rows_per_step=rows_per_step,
            lora_rank=lora_rank,
            loss_turns="all" if loss_turns == "all" else "last",
            skip_general=skip_general,
            workers=workers,
            price=price,
            subsets=tuple(subset),
            replay=tuple(replay),
            replay_rows=replay_rows,
            retain=tuple(task for given in retain for task in given.split(",") if task),
            floor=floor,
            corpus=corpus,
            twins=tuple(twin),
            shots=tuple(shots),
            documents=documents,
            max_latency=max_latency,
            max_memory=max_memory,
            licence=licence,
        )
        place = _Place(engine or ("ray" if address else "local"), address, workers)
        _start(request, out, place, dry_run=dry_run, yes=yes, lang=lang, as_json=as_json)

    return race


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
    ground = ground_named(place.engine or "local", place.address, place.workers)
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
    folder, number = Path("runs") / stem, 2
    while (folder / "race.json").exists():
        folder, number = Path("runs") / f"{stem}-{number}", number + 1
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
    with contextlib.closing(ground_named(kind, address, place.workers)) as ground:
        ground.check(folder, [str(found.path) for found in agreement.checkpoints.values()])
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
    _show(folder, verdict, lang, as_json)
    _keep(folder, lang)
    if verdict.arm is None and verdict.kind != "floor":
        raise BudgetSpent("race.no_arm", folder=folder)
