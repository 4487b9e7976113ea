"""What is asked of general ability: further tasks, and a floor against a named checkpoint."""

from collections.abc import Collection, Sequence

from forkpoint.errors import BadInput
from forkpoint.measure.harness import check_asked
from forkpoint.race.executor import Executor, Observer
from forkpoint.race.work import TaskWork


def check_tasks(tasks: Sequence[str], executor: Executor, observer: Observer) -> None:
    """Refuse tasks that the evaluation harness cannot run, before any training; raises BadInput."""
    if not tasks:
        return
    check_asked(tasks)
    for outcome in executor.run([TaskWork(tasks=tuple(tasks))], observer):
        if failed := outcome.values.get("failed"):
            raise BadInput(failed["key"], **failed["values"])


def read_floor(
    text: str | None, names: Collection[str], measured: bool
) -> tuple[str | None, float]:
    """The checkpoint and how far below it an arm may end, of `NAME` or `NAME:SLACK`.

    `measured`: whether general ability or a task is measured at all. Raises BadInput.
    """
    if text is None:
        return None, 0.0
    name, sign, slack = text.rpartition(":")
    if not sign:
        name, slack = text, "0"
    try:
        amount = float(slack)
    except ValueError:
        name, amount = text, 0.0
    if name not in names:
        raise BadInput("race.floor_unknown", name=name, known=", ".join(names))
    if not 0.0 <= amount <= 1.0:
        raise BadInput("race.floor_slack", slack=slack)
    if not measured:
        raise BadInput("race.floor_unmeasured", name=name)
    return name, amount
