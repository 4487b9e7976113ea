"""From a request to an agreement: read, split, survey every checkpoint, plan, write race.json."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forkpoint import __version__
from forkpoint.advice import advise
from forkpoint.data import Splits, load, profile
from forkpoint.data.profile_record import DataProfile
from forkpoint.data.row import Row
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import MachineFacts
from forkpoint.facts.stopping import stop_plan
from forkpoint.ledger import (
    Agreement,
    ArmPlan,
    Correction,
    DocumentsPlan,
    EnginePlan,
    IneligibleArm,
    RungPlan,
    Settings,
    SubsetPlan,
    UntrainedArm,
    write_whole,
)
from forkpoint.plan.budget import Budget, brute_force_tokens, budget_tokens, read_budget
from forkpoint.plan.forecast import Course, forecast
from forkpoint.plan.lengths import plan_rungs, smallest_difference
from forkpoint.plan.price import read_price
from forkpoint.race.arm_memory import Fitting, arm_memory_plans, check_fit
from forkpoint.race.arm_plans import Food, plan_arm, subset_names
from forkpoint.race.checkpoints import read_checkpoints
from forkpoint.race.division import RUNG_ROWS, folds_of, kept_ids, split_of, usable
from forkpoint.race.driver import AGREEMENT
from forkpoint.race.eligible import eligible, licensed, limits_of
from forkpoint.race.executor import Observer
from forkpoint.race.ground import Ground, LocalGround
from forkpoint.race.keeping import corrections, seed_noise_known
from forkpoint.race.needs import Needs, meet_needs
from forkpoint.race.noted import library_versions, write_masks
from forkpoint.race.race_settings import ANSWER_SLACK, race_settings
from forkpoint.race.replay import of_checkpoint, prepare_replay, replay_shares
from forkpoint.race.request import RaceRequest
from forkpoint.race.retaining import check_tasks, read_floor
from forkpoint.race.rows_file import write_rows
from forkpoint.race.state import RaceState
from forkpoint.race.subsets import read_subsets
from forkpoint.race.surveys import speeds, survey, survey_works
from forkpoint.race.untrained_arms import (
    asking_pieces,
    check_approaches,
    check_setups,
    documents_of,
    plan_untrained,
)
from forkpoint.store import earlier_races

ANSWER_SLACK_TOKENS = 8


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
    documents: DocumentsPlan | None
    ineligible: Sequence[IneligibleArm]
    needs: Needs
    engine: EnginePlan


def prepare(
    request: RaceRequest, folder: Path, observer: Observer, ground: Ground | None = None
) -> Agreement:
    """Do everything short of racing and write the run folder; raises BadInput, Unreadable."""
    ground = ground or LocalGround()
    if (folder / AGREEMENT).exists():
        raise BadInput("race.folder_taken", folder=folder)
    budget = read_budget(request.budget)
    if request.price:
        read_price(request.price)  # refused now rather than after the survey
    check_approaches(request)
    limits_of(request)
    machine = ground.machine(folder)
    checkpoints, unlicensed = licensed(request, read_checkpoints(request))
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
    settings = race_settings(request, data_profile, splits, checkpoints, machine)
    settings = settings.model_copy(update={"folds": len(folds)})
    documents = documents_of(request, folder)
    check_setups(request, settings, len(splits.train), documents)
    slower, larger = corrections(machine, settings)
    needs = meet_needs(request, checkpoints, splits, settings.context_tokens)
    fitting = check_fit(checkpoints, needs.approaches, data_profile, settings, machine, larger)
    floor, slack = read_floor(
        request.floor, checkpoints, bool(settings.general_set or request.retain)
    )
    plans = arm_memory_plans(fitting)
    settings = ground.shared(settings, plans, fitting.workers)
    settings = settings.model_copy(update={"floor": floor, "floor_slack": slack})
    checkpoints = {name: checkpoints[name] for name in fitting.approaches}
    ground.check(folder, [str(found.path) for found in checkpoints.values()])
    executor = ground.executor(folder, settings, plans)
    check_tasks(request.retain, executor, observer)
    replay = prepare_replay(request, folder, settings, splits, checkpoints, executor, observer)
    fed = {row.id: row for rows in replay.values() for row in rows}
    task_rows = (*splits.train, *splits.validation, *splits.test)
    write_rows(folder, (*task_rows, *fed.values(), *needs.corpus))
    works = survey_works(fitting, settings, splits, checkpoints, needs)
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
        documents,
        (*unlicensed, *needs.unmet),
        needs,
        ground.plan,
    )
    agreement = _agree(prepared)
    RaceState(agreement)  # refuses a budget that does not take every arm to its first rung
    write_masks(folder, agreement, surveys)
    write_whole(folder / AGREEMENT, agreement.to_json(indent=1).encode())
    return agreement


def _agree(prepared: Prepared) -> Agreement:
    settings = prepared.settings
    excluded: dict[str, str] = {}
    for found in prepared.surveys.values():
        excluded.update(found["excluded"])
    train, validation, test, folds = usable(prepared.splits, prepared.folds, excluded)
    rungs = plan_rungs(len(train), settings.passes, settings.rows_per_step)
    subsets = read_subsets(prepared.request.subsets, train, prepared.request.seed)
    replay = of_checkpoint(prepared.replay, excluded)
    arms, untrained, ineligible = eligible(
        prepared.request,
        _arms(prepared, train, subsets, replay, rungs[-1], excluded),
        _untrained(prepared, train),
        speeds(prepared.surveys, "speed"),
        prepared.checkpoints,
        settings,
    )
    brute = brute_force_tokens(arms, settings)
    rung_ids = validation[:RUNG_ROWS]
    course = _course(prepared, arms, untrained, rungs, (len(rung_ids), len(test)))
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
        removed={gone.row.id: f"race.removed_{gone.why}" for gone in prepared.splits.removed},
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
        versions=library_versions(),
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
        untrained=untrained,
        ineligible=(*prepared.ineligible, *ineligible),
        limits=limits_of(prepared.request),
        documents=prepared.documents,
        engine=prepared.engine,
        stopping={
            name: stop_plan(found, settings.template)
            for name, found in prepared.checkpoints.items()
        },
        pair_ids=tuple(key for key in prepared.needs.pair_ids if key not in excluded),
        corpus_ids=tuple(kept_ids(prepared.needs.corpus, excluded)),
        corpus_left_out=prepared.needs.corpus_left_out,
        twins={
            name: twin
            for name, twin in prepared.needs.twins.items()
            if name in prepared.checkpoints
        },
    )


def _course(
    prepared: Prepared,
    arms: tuple[ArmPlan, ...],
    untrained: tuple[UntrainedArm, ...],
    rungs: tuple[RungPlan, ...],
    rows: tuple[int, int],  # of a rung's validation, of the test
) -> Course:
    """What the race will run over, for its time and its budget."""
    known = speeds(prepared.surveys, "speed")
    return Course(
        arms=arms,
        rungs=rungs,
        settings=prepared.settings,
        speeds=known,
        limits={
            name: round(found["answer_tokens"] * ANSWER_SLACK) + ANSWER_SLACK_TOKENS
            for name, found in prepared.surveys.items()
        },
        rung_rows=rows[0],
        test_rows=rows[1],
        corrections=prepared.corrections,
        asking=asking_pieces(untrained, known),
        racing_at_once=prepared.settings.workers if prepared.engine.parallel > 1 else 1,
    )


def _arms(
    prepared: Prepared,
    train: Sequence[str],
    subsets: Mapping[str, SubsetPlan],
    replay: Mapping[str, Sequence[str]],
    full: RungPlan,
    excluded: Collection[str],
) -> tuple[ArmPlan, ...]:
    """Every checkpoint with every approach on all rows and on every subset, with every share."""
    needs = prepared.needs
    texts = [row.id for row in needs.corpus if row.id not in excluded]
    return tuple(
        plan_arm(
            (name, approach, subset, share),
            found,
            prepared.surveys[name],
            Food(
                task=subsets[subset].ids if subset else train,
                replay=replay.get(name, ()),
                corpus=texts,
                pairs=needs.pair_ids,
            ),
            full,
            prepared.settings,
            prepared.fitting.memory.get((name, approach)),
        )
        for name, found in prepared.checkpoints.items()
        for approach in prepared.fitting.approaches[name]
        for subset in subset_names(subsets)
        for share in replay_shares(prepared.request)
    )


def _untrained(prepared: Prepared, train: Sequence[str]) -> tuple[UntrainedArm, ...]:
    return plan_untrained(
        prepared.request,
        prepared.checkpoints,
        prepared.surveys,
        prepared.profile,
        prepared.settings,
        (len(train), prepared.documents),
    )


def limit_seconds(agreement: Agreement) -> float | None:
    """The time after which the racing ends, when the budget was a time."""
    budget = read_budget(agreement.budget_text)
    return budget.amount if budget.kind == "seconds" else None
