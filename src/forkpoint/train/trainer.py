"""TRL's trainer with our own ids, labels, order and packing; importing it takes seconds."""

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import TrainerCallback
from trl import SFTTrainer

from forkpoint.errors import Diverged
from forkpoint.models.rendering import IGNORED
from forkpoint.train.job import BIN_TOKENS, OnProgress, TrainJob, TrainProgress
from forkpoint.train.packing import loss_weight, pack_step, trained_tokens
from forkpoint.train.resume import Keeper, Kept, put_back
from forkpoint.train.spread import own_share, ranks, summed, whole

ROW_STEP = 0.03  # of a row's own size, the change of a step at the highest rate: a row that was
# never trained has to go a long way, whatever rate suits the adapter [docs/studies/stopping.md]
TOKEN_ROWS = "trainable_tokens_delta"  # in the names of the rows that PEFT trains


class StepRows(torch.utils.data.Dataset[dict[str, Any]]):
    """Item k is optimizer step k: its packs and the number of tokens that carry loss."""

    def __init__(self, job: TrainJob, pack_tokens: int) -> None:
        self._job = job
        self._pack_tokens = pack_tokens

    def __len__(self) -> int:
        return len(self._job.steps)

    def __getitem__(self, step: int) -> dict[str, Any]:
        rows = [self._job.rows[row] for row in self._job.steps[step]]
        tokens = sum(len(row.input_ids) for row in rows)
        limit, world = self._pack_tokens, ranks(self._job)[1]
        if world > 1:  # small enough that none of the processes is idle
            limit = min(limit, max(BIN_TOKENS, -(-tokens // world)))
        packs = pack_step(rows, BIN_TOKENS, limit)
        return {
            "packs": own_share(packs, self._job),
            "trained_tokens": trained_tokens(rows),
            "loss_weight": loss_weight(rows),
            "tokens": tokens,
        }


class _AfterEachStep(TrainerCallback):  # type: ignore[misc]
    """Calls back once an optimizer step is done."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Weights and states are those after the step."""
        self.then()


class PackedTrainer(SFTTrainer):  # type: ignore[misc]
    """An optimizer step is one item of the plan, whatever number of passes it takes."""

    def __init__(self, job: TrainJob, steps: StepRows, on_progress: OnProgress | None, **rest: Any):
        self.job = job
        self.plan = steps
        self.on_progress = on_progress
        self.losses: list[float] = []
        self.gradient_norms: list[float] = []
        self.margins: list[float] = []  # there are no pairs here
        self.tokens_seen = 0
        self.tokens_trained = 0
        self.started = 0.0
        self.world = ranks(job)[1]
        self.kept: Kept | None = None  # what it goes on from
        self.begun_at = 0  # steps that were taken before
        super().__init__(**rest)

    def take_up(self, kept: Kept) -> None:
        """Go on from where the stage was when it was kept: before `train`."""
        before = kept.stages[-1]
        self.kept, self.begun_at = kept, len(before.losses)
        self.losses, self.gradient_norms = list(before.losses), list(before.gradient_norms)
        self.tokens_seen, self.tokens_trained = before.tokens_seen, before.tokens_trained
        self.args.max_steps = len(self.job.steps) - self.begun_at

    def keep_with(self, keeper: Keeper) -> None:
        """Keep the stage's state now and then while it trains."""
        self.add_callback(_AfterEachStep(lambda: keeper.keep_if_due(self)))

    def get_train_dataloader(self) -> Any:
        """The plan in its order, from where it begins."""
        left = torch.utils.data.Subset(self.plan, range(self.begun_at, len(self.plan)))
        return torch.utils.data.DataLoader(left, batch_size=None, shuffle=False)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The schedule of the whole stage, at the step where it goes on."""
        scheduler = super().create_scheduler(len(self.job.steps), optimizer)
        with warnings.catch_warnings():  # the steps of the optimizer are behind
            warnings.simplefilter("ignore")
            for _ in range(self.begun_at):
                scheduler.step()
        return scheduler

    def create_optimizer(self, model: Any = None) -> Any:
        """The optimizer, with a rate of their own for token rows that are trained."""
        optimizer = super().create_optimizer(model)
        rows = [
            one
            for name, one in (model or self.model).named_parameters()
            if TOKEN_ROWS in name and one.requires_grad
        ]
        if rows:
            chosen = {id(row) for row in rows}
            for group in optimizer.param_groups:
                group["params"] = [one for one in group["params"] if id(one) not in chosen]
            size = float(
                torch.cat([whole(row.detach()) for row in rows]).float().pow(2).mean().sqrt()
            )
            optimizer.add_param_group(
                {"params": rows, "lr": max(self.args.learning_rate, ROW_STEP * size)}
            )
        if self.kept is not None:
            put_back(model or self.model, optimizer, self.job, self.kept)
        return optimizer

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: Any
    ) -> tuple[list[Any], float]:
        """One step of the plan and what its loss is divided by."""
        step = next(epoch_iterator)
        return [step], step["loss_weight"]

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Forward and backward over the step's packs; the gradient is that of the padded step."""
        model.train()
        total = torch.zeros((), device=self.args.device)
        for pack in inputs["packs"]:
            with self.compute_loss_context_manager():
                loss = self.compute_loss(
                    model, self._prepare_inputs(pack), num_items_in_batch=num_items_in_batch
                )
            self.accelerator.backward(loss * self.world)  # gradients are averaged over processes
            total += loss.detach()
        total = summed(total, self.job)
        self.losses.append(float(total))
        self.tokens_seen += inputs["tokens"]
        self.tokens_trained += inputs["trained_tokens"]
        if not torch.isfinite(total):
            raise self._diverged()
        return total

    def compute_loss(
        self,
        model: Any,
        inputs: Any,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """On a CPU the model's own output layer at the trained places; on a GPU TRL's fused head.

        TRL's head and its per-step entropy and accuracy cost a third of the speed on a CPU. It
        multiplies by the output layer's stored weight, past token rows that PEFT trains and parts
        that other processes hold, and knows no weights of rows: with any of these the model's own
        layer is used everywhere.
        """
        plain = not self.job.settings.token_ids and "weights" not in inputs and self.world == 1
        if self.args.device.type != "cpu" and plain:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        targets_B_T = torch.nn.functional.pad(inputs["labels"][:, 1:], (0, 1), value=IGNORED)
        trained_B_T = targets_B_T != IGNORED
        head = model.get_output_embeddings()
        # The output layer sees the trained places only: its cost and the logits' memory shrink.
        hook = head.register_forward_pre_hook(lambda _, hidden: (hidden[0][trained_B_T],))
        try:
            logits_K_V = model(
                input_ids=inputs["input_ids"], position_ids=inputs["position_ids"], use_cache=False
            ).logits
        finally:
            hook.remove()
        losses_K = torch.nn.functional.cross_entropy(
            logits_K_V.float(), targets_B_T[trained_B_T], reduction="none"
        )
        if "weights" in inputs:  # of the token that is predicted, as the targets
            weights_B_T = torch.nn.functional.pad(inputs["weights"][:, 1:], (0, 1))
            losses_K = losses_K * weights_B_T[trained_B_T]
        return losses_K.sum() / num_items_in_batch

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = whole(super()._clip_grad_norm(model))
        self.gradient_norms.append(float(norm))
        if not torch.isfinite(torch.as_tensor(self.gradient_norms[-1])):
            raise self._diverged()
        if self.on_progress is not None:
            self.on_progress(
                TrainProgress(
                    step=len(self.losses),
                    steps=len(self.job.steps),
                    tokens=self.tokens_seen,
                    loss=self.losses[-1],
                    seconds=time.monotonic() - self.started,
                )
            )
        return norm

    def _diverged(self) -> Diverged:
        return Diverged(
            "train.diverged",
            step=len(self.losses),
            steps=len(self.job.steps),
            rate=f"{self.job.rate:.2g}",
        )

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted: the plan counts tokens."""
        return 0

    def _send_telemetry(self) -> None:
        """Nothing leaves the machine."""
