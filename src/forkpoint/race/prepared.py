"""What was read and measured before a race, and the agreement that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from forkpoint import __version__
from forkpoint.advice import advise
from forkpoint.data import Splits
from forkpoint.data.profile_record import DataProfile
from forkpoint.data.row import Row
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
)
from forkpoint.plan.budget import Budget, brute_force_tokens, budget_tokens
from forkpoint.plan.forecast import Course, forecast
from forkpoint.plan.lengths import plan_rungs, smallest_difference
from forkpoint.race.arm_memory import Fitting
from forkpoint.race.arm_plans import Food, plan_arm, subset_names
from forkpoint.race.division import RUNG_ROWS, kept_ids, usable
from forkpoint.race.eligible import eligible, limits_of
from forkpoint.race.keeping import seed_noise_known
from forkpoint.race.live_prior import live_prior
from forkpoint.race.needs import Needs
from forkpoint.race.noted import library_versions
from forkpoint.race.race_settings import ANSWER_SLACK
from forkpoint.race.replay import of_checkpoint, replay_shares
from forkpoint.race.request import RaceRequest
from forkpoint.race.subsets import read_subsets
from forkpoint.race.surveys import speeds
from forkpoint.race.untrained_arms import (
    asking_pieces,
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


def agreement_of(prepared: Prepared) -> Agreement:
    """Plan the race: arms, rungs, budget, time."""
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
        train_ids=tuple(train),
        validation_ids=tuple(validation),
        rung_validation_ids=tuple(rung_ids),
        test_ids=tuple(test),
        test_sha256=hashlib.sha256("\n".join(sorted(test)).encode()).hexdigest(),
        excluded=excluded,
        arms=arms,
        rungs=rungs,
        settings=settings.model_copy(update={"answer_tokens": dict(course.limits)}),
        budget_text=prepared.budget.text,
        budget_tokens=tokens,
        brute_force_tokens=brute,
        predicted_seconds=sum(stations.values()),
        smallest_difference=smallest_difference(len(test)),
        subsets=subsets,
        replay_ids=replay,
        folds=folds,
        speeds=dict(course.speeds),
        stations=stations,
        own_seed_noise=seed_noise_known(settings.metric)[1],
        untrained=untrained,
        ineligible=(*prepared.ineligible, *ineligible),
        curve_prior_json=live_prior().to_json(),
        stopping={
            name: stop_plan(found, settings.template)
            for name, found in prepared.checkpoints.items()
        },
        **_as_prepared(prepared),
        **_of_needs(prepared, excluded),
    )


def _as_prepared(prepared: Prepared) -> dict[str, Any]:
    """What the agreement takes over as it was found or asked for: nothing here is planned."""
    request, profile, checkpoints = prepared.request, prepared.profile, prepared.checkpoints
    advice = advise(
        profile, tuple(checkpoints.values()), request.goal or "", prepared.machine,
        data_name=request.data, past=earlier_races(),
    )  # fmt: skip
    return {
        "forkpoint_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "goal": request.goal,
        "data_files": profile.files,
        "data_sha256": profile.sha256,
        "removed": {gone.row.id: f"race.removed_{gone.why}" for gone in prepared.splits.removed},
        "checkpoints": dict(checkpoints),
        "machine": prepared.machine,
        "versions": library_versions(),
        "profile_json": profile.to_json(),
        "advice_json": advice.to_json(),
        "request_json": request.to_json(),
        "cut": tuple(sorted({key for one in prepared.surveys.values() for key in one["cut"]})),
        "processor_speeds": speeds(prepared.surveys, "processor_speed"),
        "corrections": dict(prepared.corrections),
        "price": request.price,
        "unfit": prepared.fitting.unfit,
        "limits": limits_of(request),
        "documents": prepared.documents,
        "engine": prepared.engine,
    }


def _of_needs(prepared: Prepared, excluded: dict[str, str]) -> dict[str, Any]:
    """Pairs, raw text and twins, as far as arms ask for them."""
    needs = prepared.needs
    return {
        "pair_ids": tuple(key for key in needs.pair_ids if key not in excluded),
        "corpus_ids": tuple(kept_ids(needs.corpus, excluded)),
        "corpus_left_out": needs.corpus_left_out,
        "twins": {name: twin for name, twin in needs.twins.items() if name in prepared.checkpoints},
    }


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
