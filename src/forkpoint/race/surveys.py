"""The surveys before a race, one child process a checkpoint, from outside."""

from collections.abc import Mapping, Sequence
from typing import Any

from forkpoint.data import Splits
from forkpoint.errors import ForkpointError
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import Settings, Speed
from forkpoint.race.arm_memory import Fitting
from forkpoint.race.executor import Executor, Observer
from forkpoint.race.needs import Needs
from forkpoint.race.work import SurveyWork


def survey_works(
    fitting: Fitting,
    settings: Settings,
    splits: Splits,
    checkpoints: Mapping[str, CheckpointFacts],
    needs: Needs,
) -> list[SurveyWork]:
    """One survey for each checkpoint that fits."""
    return [
        SurveyWork(
            checkpoint=name,
            facts=found,
            approaches=fitting.approaches[name],
            shrinks={
                approach: plan.shrink
                for (owner, approach), plan in fitting.memory.items()
                if owner == name
            },
            spreads={
                approach: plan.spread
                for (owner, approach), plan in fitting.memory.items()
                if owner == name and plan.devices > 1
            },
            train_ids=tuple(row.id for row in splits.train),
            loss_turns=settings.loss_turns,
            truncate=settings.truncate,
            template=settings.template,
            system_prompt=settings.system_prompt,
            context_tokens=settings.context_tokens,
            dtype=settings.dtype,
            device=settings.device,
            lora_rank=settings.lora_rank,
            lora_alpha=settings.lora_alpha,
            rows_per_step=settings.rows_per_step,
            corpus_ids=tuple(row.id for row in needs.corpus),
            twin=str(needs.twins[name].path) if name in needs.twins else None,
        )
        for name, found in checkpoints.items()
    ]


def survey(
    executor: Executor, works: Sequence[SurveyWork], observer: Observer
) -> dict[str, dict[str, Any]]:
    """Checkpoint -> what its survey found; raises ForkpointError when a child broke."""
    surveys = {}
    for outcome in executor.run(works, observer):
        if failed := outcome.values.get("failed"):
            raise ForkpointError(failed["key"], **failed["values"])
        if isinstance(outcome.work, SurveyWork):
            surveys[outcome.work.checkpoint] = outcome.values
    return surveys


def speeds(surveys: Mapping[str, dict[str, Any]], clock: str) -> dict[str, Speed]:
    """Checkpoint -> its measured speed by one of the two clocks."""
    return {name: Speed.model_validate(found[clock]) for name, found in surveys.items()}
