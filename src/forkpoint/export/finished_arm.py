"""An arm of a race that has been trained: its trial, its rows, its weights."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import ArmPlan, Finalists, RungPlan, Trial, TrialScored
from forkpoint.models.template import PLAIN_OPENINGS
from forkpoint.race.arm_rows import ArmRows, trial_folder
from forkpoint.race.diet import arm_steps
from forkpoint.race.weights import WEIGHTS
from forkpoint.run.folder import AGREEMENT, RunFolder, read_folder


@dataclass(frozen=True)
class FinishedArm:
    """One trained arm and the trial that stands for it."""

    run: RunFolder
    plan: ArmPlan
    trial: Trial

    @property
    def facts(self) -> CheckpointFacts:
        """The checkpoint it started from."""
        return self.run.agreement.checkpoints[self.plan.checkpoint]

    @property
    def rung(self) -> RungPlan:
        """How much it was trained."""
        return self.run.agreement.rungs[self.trial.rung - 1]

    @cached_property
    def rows(self) -> ArmRows:
        """Rows and tokenizer as the arm was trained with them."""
        return ArmRows(self.run.folder, self.plan.checkpoint, self.trial.rendering)

    @cached_property
    def steps(self) -> list[list[str]]:
        """The row ids of each optimizer step of its trial."""
        return arm_steps(self.run.agreement, self.trial)

    @property
    def weights(self) -> Path:
        """The folder of its trained weights; raises BadInput when they are not there any more."""
        folder = trial_folder(self.run.folder, self.trial) / WEIGHTS
        if not any(folder.glob("*.safetensors")):
            kept = ", ".join(_finalists(self.run)) or "-"
            raise BadInput("merge.no_weights", arm=self.plan.name, kept=kept)
        return folder

    @property
    def chat_template(self) -> str | None:
        """The template to ship when the arm was trained in plain text; None: keep its own."""
        if self.trial.rendering != "plain":
            return None
        return plain_template(self.rows.tokenizer)


def finished_arm(place: Path, arm: str | None = None) -> FinishedArm:
    """The arm at RUN/ARM, or of a run folder: the one named, else the one its verdict names.

    Raises BadInput when there is no such run or arm, or the arm was never trained.
    """
    if not (place / AGREEMENT).is_file() and (place.parent / AGREEMENT).is_file():
        place, arm = place.parent, arm or place.name
    run = read_folder(place)
    plans = {plan.name: plan for plan in run.agreement.arms}
    if arm is None:
        arm = run.verdict.arm if run.verdict else None
        if arm is None:
            raise BadInput("export.which_arm", folder=place, known=", ".join(plans))
    if arm not in plans:
        raise BadInput("export.unknown_arm", folder=place, arm=arm, known=", ".join(plans))
    trial = _trial_of(run, arm)
    if trial is None:
        raise BadInput("export.not_trained", arm=arm)
    return FinishedArm(run, plans[arm], trial)


def plain_template(tokenizer: Any) -> str:
    """The plain text of training as a chat template, so that a server writes the same prompt."""
    bos = tokenizer.bos_token
    started = tokenizer("a").input_ids
    first = bos if bos and started and started[0] == tokenizer.bos_token_id else ""
    eos = tokenizer.eos_token or ""
    return (
        f"{{{{- {_quoted(first)} }}}}"
        "{%- for message in messages %}"
        "{%- if message['role'] == 'assistant' %}"
        f"{{{{- {_quoted(PLAIN_OPENINGS['assistant'])} + message['content'] + {_quoted(eos)} }}}}"
        "{%- elif message['role'] == 'user' %}"
        f"{{{{- {_quoted(PLAIN_OPENINGS['user'])} + message['content'] }}}}"
        "{%- elif message['role'] == 'tool' %}"
        f"{{{{- {_quoted(PLAIN_OPENINGS['tool'])} + message['content'] }}}}"
        "{%- else %}{{- message['content'] }}{%- endif %}"
        "{%- if not loop.last or message['role'] != 'assistant' %}{{- '\\n\\n' }}{%- endif %}"
        "{%- endfor %}"
        f"{{%- if add_generation_prompt %}}{{{{- {_quoted(PLAIN_OPENINGS['assistant'])} }}}}"
        "{%- endif %}"
    )


def _quoted(text: str) -> str:
    """A Jinja string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _finalists(run: RunFolder) -> dict[str, tuple[Trial, ...]]:
    lines = [line for line in run.lines if isinstance(line, Finalists)]
    return dict(lines[-1].trials) if lines else {}


def _trial_of(run: RunFolder, arm: str) -> Trial | None:
    """A finalist's first seed; else the best trial, those with weights on disk first."""
    if trials := _finalists(run).get(arm):
        return trials[0]
    scored = [
        line for line in run.lines
        if isinstance(line, TrialScored) and line.trial.arm == arm
        and line.primary.value is not None
    ]  # fmt: skip
    if not scored:
        return None

    def rank(line: TrialScored) -> tuple[bool, float]:
        there = (trial_folder(run.folder, line.trial) / WEIGHTS).is_dir()
        sign = 1.0 if line.primary.better == "higher" else -1.0
        return there, sign * (line.primary.value or 0.0)

    return max(scored, key=rank).trial
