"""What a rule is asked about: the data, the goal, the machine, one candidate, one approach."""

from dataclasses import dataclass
from typing import Literal

from forkpoint.data.profile_record import DataProfile
from forkpoint.facts.checkpoint_facts import CheckpointFacts, Stage
from forkpoint.facts.goal import Goal
from forkpoint.facts.machine import MachineFacts
from forkpoint.record import Record

Approach = Literal["prompt", "few_shot", "rag", "lora", "qlora", "full", "cpt", "dpo"]
APPROACHES: tuple[Approach, ...] = (
    "prompt",
    "few_shot",
    "rag",
    "lora",
    "qlora",
    "full",
    "cpt",
    "dpo",
)
TUNING = ("lora", "qlora", "full", "cpt", "dpo")  # approaches that train weights

MULTI_TURN_SHARE = 0.2  # of rows, from which the data count as dialogue [ruled: a fifth]


class Candidate(Record):
    """A checkpoint one could start from; `facts` is None for a stage without a checkpoint."""

    name: str
    stage: Stage | None
    facts: CheckpointFacts | None = None

    @property
    def parameters(self) -> int | None:
        """How many parameters it has, if that is known."""
        return self.facts.shape.parameters if self.facts else None


@dataclass(frozen=True, slots=True)
class Case:
    """All that one finding may depend on."""

    candidate: Candidate
    goal: Goal
    data: DataProfile | None = None
    machine: MachineFacts | None = None
    approach: Approach = "lora"
    rivals: tuple[Candidate, ...] = ()

    def signs(self, *wants: str) -> tuple[str, ...]:
        """What speaks for any of `wants`: words of the goal, then what the data show.

        A word of the goal that denies a want silences what the data show of it.
        """
        found: list[str] = []
        for want in wants:
            found += self.goal.words(want)
            if self.data and not self.goal.denies(want):
                found += data_signs(self.data, want)
        return tuple(dict.fromkeys(found))

    @property
    def knows_the_job(self) -> bool:
        """Whether anything at all is known of what the model is for."""
        return bool(self.data or self.goal.text)


def data_signs(data: DataProfile, want: str) -> tuple[str, ...]:
    """What the data show of one want, as `name=value` of the profile."""
    share = f"multi_turn={data.multi_turn_share:.0%}"
    many_turns = data.multi_turn_share >= MULTI_TURN_SHARE
    shown = {
        "dialogue": data.job == "dialogue" or many_turns,
        "history": many_turns,
        "knowledge": data.job == "knowledge",
        "raw_text": data.job == "raw_text",
        "preference": data.job == "preference",
        "images": data.job == "images" or data.image_share > 0,
        "task": data.job == "task",
        "classification": data.answer_kind == "label",
        "format": data.answer_kind == "json",
        "code": data.answer_kind == "code",
    }
    if not shown.get(want):
        return ()
    if want == "history" or (want == "dialogue" and data.job != "dialogue"):
        return (share,)
    if want in ("classification", "format", "code"):
        return (f"answers={data.answer_kind}",)
    if want == "images" and data.job != "images":
        return (f"images={data.image_share:.0%}",)
    return (f"job={data.job}",)
