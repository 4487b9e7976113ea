"""Pieces of work that a race hands to an executor; each runs alone in a child process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.stopping import TemplateWish
from forkpoint.ledger import Line, Spread, Trial
from forkpoint.record import Record


class TrialWork(Record):
    """Train one arm to one rung, then answer the rung's validation rows."""

    kind: Literal["trial"] = "trial"
    trial: Trial
    attempt: int = 1
    shrink: int = 0  # how often the work was made smaller after running out of memory

    @property
    def key(self) -> str:
        """What identifies the outcome of this work in the ledger."""
        return f"trial {self.trial.folder}"


class AnswerWork(Record):
    """Answer a split with a trained trial, or untrained when `trial` is None."""

    kind: Literal["answers"] = "answers"
    subject: str  # arm; a checkpoint + ".untrained" in races of older versions
    checkpoint: str
    split: Literal["validation", "test"]
    trial: Trial | None = None
    setup: str | None = None  # how an untrained arm is asked

    @property
    def key(self) -> str:
        """What identifies the outcome of this work in the ledger."""
        return answers_key(self.subject, self.split, self.trial, self.setup)


def answers_key(subject: str, split: str, trial: Trial | None, setup: str | None) -> str:
    """What identifies answers: of one seed of a trained arm, or of one setup of another."""
    return f"answers {subject} {split} {trial.seed if trial else setup or '-'}"


class GeneralWork(Record):
    """Measure general ability before or after training, or with a random adapter."""

    kind: Literal["general"] = "general"
    subject: str
    checkpoint: str
    moment: Literal["before", "after", "null_control"]
    trial: Trial | None = None

    @property
    def key(self) -> str:
        """What identifies the outcome of this work in the ledger."""
        return f"general {self.subject} {self.moment}"


class DriftWork(Record):
    """Measure how far a training, or a random move as long, went from its start."""

    kind: Literal["drift"] = "drift"
    subject: str
    checkpoint: str
    moment: Literal["after", "null_control"]
    trial: Trial

    @property
    def key(self) -> str:
        """What identifies the outcome of this work in the ledger."""
        return f"drift {self.subject} {self.moment}"


class RetainWork(Record):
    """Run tasks of the evaluation harness before or after training."""

    kind: Literal["retain"] = "retain"
    subject: str
    checkpoint: str
    moment: Literal["before", "after"]
    trial: Trial | None = None

    @property
    def key(self) -> str:
        """What identifies the outcome of this work in the ledger."""
        return f"retain {self.subject} {self.moment}"


class TaskWork(Record):
    """Before a race: whether the evaluation harness accepts tasks."""

    kind: Literal["tasks"] = "tasks"
    tasks: tuple[str, ...]

    @property
    def key(self) -> str:
        """What identifies the outcome of this work."""
        return "tasks"


class SurveyWork(Record):
    """Before a race: render all rows for one checkpoint, and measure how fast it is here."""

    kind: Literal["survey"] = "survey"
    checkpoint: str
    facts: CheckpointFacts
    approaches: tuple[str, ...]
    shrinks: dict[str, int] = {}  # noqa: RUF012 - approach -> how much smaller its trials start
    spreads: dict[str, Spread] = {}  # noqa: RUF012 - approach -> what its workers hold in parts
    train_ids: tuple[str, ...]
    loss_turns: Literal["last", "all"]
    truncate: Literal["no", "answers"]
    template: TemplateWish = "auto"
    system_prompt: str | None
    context_tokens: int
    dtype: str
    device: str
    lora_rank: int
    lora_alpha: int
    rows_per_step: int
    corpus_ids: tuple[str, ...] = ()  # pieces of raw text among the rows
    twin: str | None = None  # the folder of weights that are trained in the checkpoint's place

    @property
    def key(self) -> str:
        """What identifies the outcome of this work."""
        return f"survey {self.checkpoint}"


class ReplayWork(Record):
    """Before a race: what a checkpoint itself answers to general prompts, as rows to mix in."""

    kind: Literal["replay"] = "replay"
    checkpoint: str
    facts: CheckpointFacts
    row_ids: tuple[str, ...]
    system_prompt: str | None
    dtype: str
    device: str

    @property
    def key(self) -> str:
        """What identifies the outcome of this work."""
        return f"replay {self.checkpoint}"


Work = Annotated[
    TrialWork
    | AnswerWork
    | GeneralWork
    | DriftWork
    | RetainWork
    | TaskWork
    | SurveyWork
    | ReplayWork,
    Field(discriminator="kind"),
]
WORK: TypeAdapter[Work] = TypeAdapter(Work)


@dataclass(frozen=True)
class Step:
    """What has to happen now: a decision to record, work to run, or nothing more."""

    decision: Line | None = None
    work: Sequence[Work] = ()
    open_test: bool = False  # the test set is to be opened, which the caller counts
    finished: bool = False  # everything is measured: the verdict can be given
