"""From a request to an agreement: read, split, survey every checkpoint, plan, write race.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from forkpoint.data import Splits, load, profile
from forkpoint.data.profile_record import DataProfile
from forkpoint.data.row import Row
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import (
    Agreement,
    write_whole,
)
from forkpoint.plan.budget import Budget, read_budget
from forkpoint.plan.price import read_price
from forkpoint.race.arm_memory import arm_memory_plans, check_fit
from forkpoint.race.checkpoints import read_checkpoints
from forkpoint.race.division import folds_of, split_of
from forkpoint.race.driver import AGREEMENT
from forkpoint.race.eligible import licensed, limits_of
from forkpoint.race.executor import Observer
from forkpoint.race.ground import Ground, LocalGround
from forkpoint.race.keeping import corrections
from forkpoint.race.needs import Needs, meet_needs
from forkpoint.race.noted import write_masks
from forkpoint.race.prepared import Prepared, agreement_of
from forkpoint.race.race_settings import race_settings
from forkpoint.race.replay import prepare_replay
from forkpoint.race.request import RaceRequest
from forkpoint.race.retaining import check_tasks, read_floor
from forkpoint.race.rows_file import write_rows
from forkpoint.race.state import RaceState
from forkpoint.race.surveys import survey, survey_works
from forkpoint.race.untrained_arms import (
    check_approaches,
    check_setups,
    documents_of,
)


def prepare(
    request: RaceRequest, folder: Path, observer: Observer, ground: Ground | None = None
) -> Agreement:
    """Do everything short of racing and write the run folder; raises BadInput, Unreadable."""
    ground = ground or LocalGround()
    if (folder / AGREEMENT).exists():
        raise BadInput("race.folder_taken", folder=folder)
    budget = _checked(request)
    machine = ground.machine(folder)
    checkpoints, unlicensed = licensed(request, read_checkpoints(request))
    data_profile, splits, folds = _read_data(request, checkpoints)
    folder.mkdir(parents=True, exist_ok=True)
    settings = race_settings(request, data_profile, splits, checkpoints, machine)
    settings = settings.model_copy(update={"folds": len(folds)})
    documents = documents_of(request, folder)
    check_setups(request, settings, len(splits.train), documents)
    slower, larger = corrections(machine, settings)
    needs = meet_needs(request, checkpoints, splits, settings.context_tokens)
    fitting = check_fit(checkpoints, needs.approaches, data_profile, settings, machine, larger,
                        ground.most_gpus)  # fmt: skip
    floor, slack = read_floor(
        request.floor, checkpoints, bool(settings.general_set or request.retain)
    )
    plans = arm_memory_plans(fitting)
    settings = ground.shared(settings, plans, fitting.workers)
    settings = settings.model_copy(update={"floor": floor, "floor_slack": slack})
    checkpoints = {name: checkpoints[name] for name in fitting.approaches}
    weights = [*checkpoints.values(), *needs.twins.values()]
    ground.check(folder, [str(found.path) for found in weights])
    executor = ground.executor(folder, settings, plans)
    check_tasks(request.retain, executor, observer)
    replay = prepare_replay(request, folder, settings, splits, checkpoints, executor, observer)
    _write_rows(folder, splits, replay, needs)
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
    agreement = agreement_of(prepared)
    RaceState(agreement)  # refuses a budget that does not take every arm to its first rung
    write_masks(folder, agreement, surveys)
    write_whole(folder / AGREEMENT, agreement.to_json(indent=1).encode())
    return agreement


def _checked(request: RaceRequest) -> Budget:
    """The budget; raises BadInput for what can be refused before anything is read."""
    budget = read_budget(request.budget)
    if request.price:
        read_price(request.price)
    check_approaches(request)
    limits_of(request)
    return budget


def _read_data(
    request: RaceRequest, checkpoints: Mapping[str, CheckpointFacts]
) -> tuple[DataProfile, Splits, Sequence[Splits]]:
    """The data's profile, their split, and all folds where every row is tested once."""
    dataset = load(
        request.data,
        format=request.data_format,
        columns=request.columns,
        strict=request.strict,
    )
    tokenizers = {
        name: Path(str(found.path)) / "tokenizer.json" for name, found in checkpoints.items()
    }
    found = profile(dataset, tokenizers, seed=request.seed)
    folds = folds_of(request, dataset.rows)
    return found, folds[0] if folds else split_of(request, dataset.rows), folds


def _write_rows(
    folder: Path, splits: Splits, replay: Mapping[str, Sequence[Row]], needs: Needs
) -> None:
    """Every row that any arm may read, into the run folder."""
    fed = {row.id: row for rows in replay.values() for row in rows}
    task_rows = (*splits.train, *splits.validation, *splits.test)
    write_rows(folder, (*task_rows, *fed.values(), *needs.corpus))


def limit_seconds(agreement: Agreement) -> float | None:
    """The time after which the racing ends, when the budget was a time."""
    budget = read_budget(agreement.budget_text)
    return budget.amount if budget.kind == "seconds" else None
