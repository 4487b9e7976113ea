"""From a request to an agreement: read, split, survey every checkpoint, plan, write race.json."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from forkpoint import __version__, facts
from forkpoint.advice import advise
from forkpoint.data import Splits, load, profile
from forkpoint.data.profile_record import DataProfile
from forkpoint.data.row import Row
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import MachineFacts, read_machine
from forkpoint.ledger import (
    Agreement,
    ArmPlan,
    Correction,
    RungPlan,
    Settings,
    Sides,
    SubsetPlan,
    write_whole,
)
from forkpoint.measure.metric import check_metric, primary_metric
from forkpoint.plan.budget import Budget, brute_force_tokens, budget_tokens, read_budget
from forkpoint.plan.forecast import Course, forecast
from forkpoint.plan.lengths import (
    default_passes,
    default_rows_per_step,
    plan_rungs,
    smallest_difference,
)
from forkpoint.plan.price import read_price
from forkpoint.race.arm_memory import Fitting, check_fit
from forkpoint.race.arm_plans import plan_arm, subset_names
from forkpoint.race.division import folds_of, split_of
from forkpoint.race.driver import AGREEMENT
from forkpoint.race.executor import LocalExecutor, Observer
from forkpoint.race.keeping import corrections, seed_noise_known
from forkpoint.race.replay import of_checkpoint, prepare_replay, replay_shares
from forkpoint.race.request import RaceRequest
from forkpoint.race.rows_file import write_rows
from forkpoint.race.state import RaceState
from forkpoint.race.subsets import read_subsets
from forkpoint.race.surveys import speeds, survey, survey_works
from forkpoint.store import earlier_races

RATE_FACTORS = (1 / 3, 1.0, 3.0)  # around the centre, for every arm [docs/method.md]
RUNG_ROWS = 200  # validation rows that a rung is scored on, the same for every arm
CONTEXT_TOKENS = 4_096  # longest row by default; longer ones are listed, never cut
WARMUP_SHARE = 0.1  # of a trial's optimizer steps
ANSWER_SLACK = 1.5  # limit of an answer over the longest training answer
ANSWER_SLACK_TOKENS = 8
SMALL_PARAMETERS = 50_000_000  # checkpoints below it train one a core, in float32 on a CPU
VERSIONS = ("torch", "transformers", "trl", "peft", "datasets", "tokenizers", "numpy", "scipy")


@dataclass(frozen=True)
class Prepared:
    """Everything that was read and measured before the plan."""

    request: RaceRequest
    budget: Budget
    machine: MachineFacts
    checkpoints: Mapping[str, CheckpointFacts]
    profile: DataProfile
    splits: Splits
    folds: Sequence[Splits]  # the first is `splits`; none where one test set is large enough
    settings: Settings
    surveys: Mapping[str, dict[str, Any]]
    replay: Mapping[str, Sequence[Row]]
    fitting: Fitting
    corrections: Mapping[str, Correction]  # approach -> of its trials' seconds


def prepare(request: RaceRequest, folder: Path, observer: Observer) -> Agreement:
    """Do everything short of racing and write the run folder; raises BadInput, Unreadable."""
    if (folder / AGREEMENT).exists():
        raise BadInput("race.folder_taken", folder=folder)
    budget = read_budget(request.budget)
    if request.price:
        read_price(request.price)  # refused now rather than after the survey
    machine = read_machine(folder)
    checkpoints = _read_checkpoints(request)
    dataset = load(
        request.data,
        format=request.data_format,
        columns=request.columns,
        strict=request.strict,
    )
    tokenizers = {
        name: Path(str(found.path)) / "tokenizer.json" for name, found in checkpoints.items()
    }
    data_profile = profile(dataset, tokenizers, seed=request.seed)
    folds = folds_of(request, dataset.rows)
    splits = folds[0] if folds else split_of(request, dataset.rows)
    folder.mkdir(parents=True, exist_ok=True)
    settings = _settings(request, data_profile, splits, checkpoints, machine)
    settings = settings.model_copy(update={"folds": len(folds)})
    slower, larger = corrections(machine, settings)
    fitting = check_fit(checkpoints, request.approaches, data_profile, settings, machine, larger)
    settings = settings.model_copy(update={"workers": fitting.workers})
    checkpoints = {name: checkpoints[name] for name in fitting.approaches}
    executor = LocalExecutor(folder, settings.workers, threads_each(settings))
    replay = prepare_replay(request, folder, settings, splits, checkpoints, executor, observer)
    fed = {row.id: row for rows in replay.values() for row in rows}
    write_rows(folder, (*splits.train, *splits.validation, *splits.test, *fed.values()))
    works = survey_works(fitting, settings, splits, checkpoints)
    surveys = survey(executor, works, observer)
    prepared = Prepared(
        request,
        budget,
        machine,
        checkpoints,
        data_profile,
        splits,
        folds,
        settings,
        surveys,
        replay,
        fitting,
        slower,
    )
    agreement = _agree(prepared)
    RaceState(agreement)  # refuses a budget that does not take every arm to its first rung
    _write_masks(folder, agreement, surveys)
    write_whole(folder / AGREEMENT, agreement.to_json(indent=1).encode())
    return agreement


def _read_checkpoints(request: RaceRequest) -> dict[str, CheckpointFacts]:
    found: dict[str, CheckpointFacts] = {}
    for name in request.models:
        checkpoint = facts.read_checkpoint(name)
        if checkpoint.path is None:
            facts.fetch_weights(name)
            checkpoint = facts.read_checkpoint(name)
        short = Path(name).name.lower() if Path(name).exists() else name.split("/")[-1].lower()
        unique, number = short, 2
        while unique in found:
            unique, number = f"{short}-{number}", number + 1
        found[unique] = checkpoint
    return found


def _settings(
    request: RaceRequest,
    data_profile: DataProfile,
    splits: Splits,
    checkpoints: Mapping[str, CheckpointFacts],
    machine: MachineFacts,
) -> Settings:
    passes = request.passes or default_passes(len(splits.train))
    metric = request.metric or primary_metric(data_profile)
    check_metric(metric)
    contexts = [found.shape.context_tokens for found in checkpoints.values()]
    context = min([request.context_tokens or CONTEXT_TOKENS, *(c for c in contexts if c)])
    device = "cuda" if machine.gpus else "cpu"
    largest = max(found.shape.parameters or SMALL_PARAMETERS for found in checkpoints.values())
    small = largest < SMALL_PARAMETERS and device == "cpu"
    pocket = all(found.family == "pocket" for found in checkpoints.values())
    answers = [len(row.answer.encode()) for row in splits.train]
    return Settings(
        seed=request.seed,
        metric=metric,
        metric_reason="race.metric_asked" if request.metric else "race.metric_by_answers",
        margin=request.margin,
        threshold=request.threshold,
        rows_per_step=request.rows_per_step or default_rows_per_step(len(splits.train), passes),
        passes=passes,
        rate_factors=RATE_FACTORS,
        loss_turns=request.loss_turns,
        system_prompt=request.system_prompt,
        context_tokens=context,
        answer_tokens={},
        answer_limit_bytes=round(max(answers) * ANSWER_SLACK),
        truncate=request.truncate,
        dtype="float32" if small else "bfloat16",
        device=device,
        lora_rank=request.lora_rank,
        lora_alpha=2 * request.lora_rank,
        schedule="linear",
        warmup_share=WARMUP_SHARE,
        finalist_seeds=request.finalist_seeds,
        known_seed_sd=seed_noise_known(metric)[0],
        general_set="pocket" if pocket and not request.skip_general else None,
        workers=request.workers or (machine.cores if small else 1),
    )


def threads_each(settings: Settings) -> int:
    """Threads of one child when `settings.workers` of them share the machine."""
    return max(1, read_machine().cores // settings.workers)


def _agree(prepared: Prepared) -> Agreement:
    splits, settings = prepared.splits, prepared.settings
    excluded: dict[str, str] = {}
    for found in prepared.surveys.values():
        excluded.update(found["excluded"])
    train = _kept(splits.train, excluded)
    validation, test = _kept(splits.validation, excluded), _kept(splits.test, excluded)
    folds = tuple(
        Sides(
            train_ids=tuple(_kept(fold.train, excluded)),
            rung_validation_ids=tuple(_kept(fold.validation, excluded)[:RUNG_ROWS]),
            test_ids=tuple(_kept(fold.test, excluded)),
        )
        for fold in prepared.folds
    )
    if folds:
        test = [key for fold in folds for key in fold.test_ids]
    if not train or not validation or not test:
        raise BadInput(
            "race.too_few_rows", train=len(train), validation=len(validation), test=len(test)
        )
    rungs = plan_rungs(len(train), settings.passes, settings.rows_per_step)
    subsets = read_subsets(prepared.request.subsets, train, prepared.request.seed)
    replay = of_checkpoint(prepared.replay, excluded)
    arms = _arms(prepared, train, subsets, replay, rungs[-1])
    brute = brute_force_tokens(arms, settings)
    rung_ids = validation[:RUNG_ROWS]
    course = Course(
        arms=arms,
        rungs=rungs,
        settings=settings,
        speeds=speeds(prepared.surveys, "speed"),
        limits={
            name: round(found["answer_tokens"] * ANSWER_SLACK) + ANSWER_SLACK_TOKENS
            for name, found in prepared.surveys.items()
        },
        rung_rows=len(rung_ids),
        test_rows=len(test),
        corrections=prepared.corrections,
    )
    tokens = budget_tokens(prepared.budget, course, brute)
    stations = forecast(course, tokens)
    return Agreement(
        forkpoint_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        goal=prepared.request.goal,
        data_files=prepared.profile.files,
        data_sha256=prepared.profile.sha256,
        train_ids=tuple(train),
        validation_ids=tuple(validation),
        rung_validation_ids=tuple(rung_ids),
        test_ids=tuple(test),
        test_sha256=hashlib.sha256("\n".join(sorted(test)).encode()).hexdigest(),
        excluded=excluded,
        removed={gone.row.id: f"race.removed_{gone.why}" for gone in splits.removed},
        arms=arms,
        rungs=rungs,
        settings=settings.model_copy(update={"answer_tokens": dict(course.limits)}),
        budget_text=prepared.budget.text,
        budget_tokens=tokens,
        brute_force_tokens=brute,
        predicted_seconds=sum(stations.values()),
        smallest_difference=smallest_difference(len(test)),
        checkpoints=dict(prepared.checkpoints),
        machine=prepared.machine,
        versions=_versions(),
        profile_json=prepared.profile.to_json(),
        advice_json=advise(
            prepared.profile,
            tuple(prepared.checkpoints.values()),
            prepared.request.goal or "",
            prepared.machine,
            data_name=prepared.request.data,
            past=earlier_races(),
        ).to_json(),
        request_json=prepared.request.to_json(),
        subsets=subsets,
        replay_ids=replay,
        cut=tuple(sorted({key for found in prepared.surveys.values() for key in found["cut"]})),
        folds=folds,
        speeds=dict(course.speeds),
        processor_speeds=speeds(prepared.surveys, "processor_speed"),
        stations=stations,
        corrections=dict(prepared.corrections),
        own_seed_noise=seed_noise_known(settings.metric)[1],
        price=prepared.request.price,
        unfit=prepared.fitting.unfit,
    )


def _kept(rows: Sequence[Row], excluded: Mapping[str, str]) -> list[str]:
    return [row.id for row in rows if row.id not in excluded]


def _arms(
    prepared: Prepared,
    train: Sequence[str],
    subsets: Mapping[str, SubsetPlan],
    replay: Mapping[str, Sequence[str]],
    full: RungPlan,
) -> tuple[ArmPlan, ...]:
    """Every checkpoint with every approach on all rows and on every subset, with every share."""
    return tuple(
        plan_arm(
            (name, approach, subset, share),
            found,
            prepared.surveys[name],
            (subsets[subset].ids if subset else train, replay.get(name, ())),
            full,
            prepared.settings,
            prepared.fitting.memory.get((name, approach)),
        )
        for name, found in prepared.checkpoints.items()
        for approach in prepared.fitting.approaches[name]
        for subset in subset_names(subsets)
        for share in replay_shares(prepared.request)
    )


def _versions() -> dict[str, str]:
    found = {}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _write_masks(folder: Path, agreement: Agreement, surveys: Mapping[str, dict[str, Any]]) -> None:
    masks: dict[str, list[dict[str, Any]]] = {
        arm.name: next(iter(surveys[arm.checkpoint]["masks"].values()), [])
        for arm in agreement.arms
    }
    write_whole(folder / "masks.json", orjson.dumps(masks))


def check_checkpoints(agreement: Agreement) -> None:
    """Refuse to go on with a checkpoint whose files have changed; raises BadInput."""
    for name, agreed in agreement.checkpoints.items():
        now = facts.read_checkpoint(str(agreed.path))
        if now.identity != agreed.identity:
            raise BadInput("race.changed_checkpoint", name=name, path=agreed.path)


def limit_seconds(agreement: Agreement) -> float | None:
    """The time after which the racing ends, when the budget was a time."""
    budget = read_budget(agreement.budget_text)
    return budget.amount if budget.kind == "seconds" else None
