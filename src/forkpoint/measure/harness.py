"""Tasks of lm-evaluation-harness before and after: the names it ships, or a task file."""

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.ledger import Measured
from forkpoint.measure.interval import mean, nothing, rate
from forkpoint.record import Record

SUFFIXES = (".yaml", ".yml")
LIMIT = 200  # questions of a task, the same ones before and after: a share is known to about .07
REASON_CHARACTERS = 300  # of what the harness says of a task that it cannot run


class TaskOutcome(Record):
    """One question of a task, scored by the task's first metric."""

    task: str
    question: str  # the part of the task and its number there
    score: float
    answer: str


class TaskScores(Record):
    """What one model made of the tasks; a task that cannot be run stands in `failed`."""

    scores: dict[str, Measured]
    outcomes: tuple[TaskOutcome, ...]
    failed: dict[str, str]  # task -> what the harness said


def check_asked(tasks: Sequence[str]) -> None:
    """Raises BadInput where the extra is missing or a task file is no task, before any model."""
    if importlib.util.find_spec("lm_eval") is None:
        raise BadInput("measure.no_harness")
    for task in tasks:
        if _is_file(task):
            _read(task)


def run_tasks(
    model: Any, tokenizer: Any, tasks: Sequence[str], chat: bool, limit: int = LIMIT
) -> TaskScores:
    """Every task on the model; `chat` puts questions through the tokenizer's own template."""
    from lm_eval.models.huggingface import HFLM

    wrapped = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=8)
    scores: dict[str, Measured] = {}
    failed: dict[str, str] = {}
    outcomes: list[TaskOutcome] = []
    for task in tasks:
        try:
            found = _outcomes(wrapped, task, chat and tokenizer.chat_template is not None, limit)
        except Exception as error:  # noqa: BLE001 - a task is the user's: the others go on
            failed[task] = _said(error)
            continue
        outcomes += found
        scores[task_name(task)] = _figure([one.score for one in found])
    return TaskScores(scores=scores, outcomes=tuple(outcomes), failed=failed)


def reject(task: str) -> str | None:
    """Why the harness cannot run a task, without a model; None when it can."""
    try:
        _load(task)
    except Exception as error:  # noqa: BLE001 - whatever it says is what the user is told
        return _said(error)
    return None


def task_name(task: str) -> str:
    """What a task is called in results: the name in its file, or its own."""
    return str(_read(task)["task"]) if _is_file(task) else task


def _is_file(task: str) -> bool:
    return task.endswith(SUFFIXES)


def _read(task: str) -> dict[str, Any]:
    """A task file's fields; tags such as !function are left for the harness to read."""
    import yaml

    class Fields(yaml.SafeLoader):  # type: ignore[misc]
        """Reads a tagged value as text."""

    Fields.add_multi_constructor("!", lambda loader, tag, node: f"{tag} {node.value}")
    try:
        found = yaml.load(Path(task).read_text(encoding="utf-8"), Loader=Fields)
    except OSError as error:
        raise BadInput("measure.task_unreadable", file=task, error=error.strerror) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = str(error).replace("\n", " ")[:REASON_CHARACTERS]
        raise BadInput("measure.task_unreadable", file=task, error=first) from None
    if not isinstance(found, dict) or not isinstance(found.get("task"), str):
        raise BadInput("measure.task_nameless", file=task)
    return found


def _manager(task: str) -> Any:
    from lm_eval.tasks import TaskManager

    if _is_file(task):
        folder = str(Path(task).resolve().parent)
        return TaskManager(include_path=folder, include_defaults=False)
    return TaskManager()


def _load(task: str) -> Any:
    manager = _manager(task)
    name = task_name(task)
    if name not in manager.all_tasks:
        raise ValueError(f"no task named {name!r}")
    return manager.load([name])


def _outcomes(wrapped: Any, task: str, chat: bool, limit: int) -> list[TaskOutcome]:
    from lm_eval import simple_evaluate

    name = task_name(task)
    found = simple_evaluate(
        model=wrapped,
        tasks=[name],
        task_manager=_manager(task),
        limit=limit,
        apply_chat_template=chat,
        bootstrap_iters=0,
        log_samples=True,
    )
    outcomes: dict[str, TaskOutcome] = {}
    for part, samples in found["samples"].items():
        for sample in samples:
            metric = next(
                (one for one in sample.get("metrics", ()) if _number(sample.get(one)) is not None),
                None,
            )
            score = _number(sample.get(metric)) if metric else None
            question = f"{part}:{sample['doc_id']}"
            if score is not None and question not in outcomes:  # one of several filters decides
                said = str(next(iter(sample.get("filtered_resps", ())), ""))
                outcomes[question] = TaskOutcome(
                    task=name, question=question, score=score, answer=said[:REASON_CHARACTERS]
                )
    if not outcomes:
        raise ValueError("no question has a score that is a number")
    return list(outcomes.values())


def _number(value: Any) -> float | None:
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    return None


def _figure(scores: Sequence[float]) -> Measured:
    if not scores:
        return nothing("share", "higher")
    if set(scores) <= {0.0, 1.0}:
        return rate([score == 1.0 for score in scores])
    return mean(list(scores), "score", "higher")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:REASON_CHARACTERS]
