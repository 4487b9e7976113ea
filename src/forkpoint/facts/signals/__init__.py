"""Signals: one file a group, each a pure function from what was read to evidence."""

from dataclasses import dataclass, field

from forkpoint.facts.checkpoint_facts import Evidence

UNTUNED = ("none", "instruction_rich")  # values of post_training that a base checkpoint has


@dataclass(frozen=True)
class Signals:
    """Evidence for the three judgements; a negative weight speaks against its value."""

    sold_as: list[Evidence] = field(default_factory=list)
    post_training: list[Evidence] = field(default_factory=list)
    kind: list[Evidence] = field(default_factory=list)

    def __add__(self, other: "Signals") -> "Signals":
        return Signals(
            self.sold_as + other.sold_as,
            self.post_training + other.post_training,
            self.kind + other.kind,
        )

    def base(self, signal: str, weight: float, found: str) -> None:
        """Speak for (positive) or against (negative) a checkpoint without post-training."""
        self.sold_as.append(Evidence(signal=signal, says="base", weight=weight, found=found))
        for says in UNTUNED:
            self.post_training.append(
                Evidence(signal=signal, says=says, weight=weight, found=found)
            )
