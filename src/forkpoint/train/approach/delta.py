"""Train a checkpoint's Base twin and add what it learned to the checkpoint [Shadow-FT]."""

from typing import Any

from forkpoint.errors import BadInput
from forkpoint.models.weights import load_model
from forkpoint.train.approach import full, lora
from forkpoint.train.approach.staged import Staged
from forkpoint.train.job import TrainJob


class _OfTwin(Staged):
    """LoRA of the twin: its adapter is put onto the checkpoint as it is."""

    def load(self, job: TrainJob) -> Any:
        """The twin's weights."""
        return self._by.load(job.model_copy(update={"checkpoint": twin_of(job)}))


class _WholeOfTwin(_OfTwin):
    """Full fine-tuning of the twin: the difference of all weights is added to the checkpoint's."""

    def save(self, model: Any, job: TrainJob) -> None:
        """Write the checkpoint with the twin's difference added, as one whole model."""
        import torch

        before = dict(load_model(twin_of(job)).named_parameters())
        sum_of_both = load_model(job.checkpoint, device=job.device)
        after = dict(model.named_parameters())
        with torch.no_grad():
            for name, weight in sum_of_both.named_parameters():
                weight += after[name] - before[name].to(weight.device)
        sum_of_both.generation_config.eos_token_id = model.generation_config.eos_token_id
        self._by.save(sum_of_both, job)


def twin_of(job: TrainJob) -> str:
    """The folder of the twin; raises BadInput when the job names none."""
    if job.twin is None:
        raise BadInput("train.no_twin", checkpoint=job.checkpoint)
    return job.twin


BOTH = (_OfTwin("delta", lora, "twin"), _WholeOfTwin("delta-full", full, "twin"))
