"""One arm trained with one seed to every rung of a setting, fresh and continued, and scored.

The loop is that of `forkpoint.train` (same packs, loss, clipping, optimizer and schedule; a test
holds their losses equal) without TRL around it: it keeps the checkpoint in memory for the next
trial, and can leave a run for a cool-down and come back to it.
"""

import copy
import math
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch

from forkpoint import facts
from forkpoint.data.row import Turn
from forkpoint.ledger import RungPlan
from forkpoint.models.rendering import IGNORED, Rendered, Renderer, choose_renderings
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.plan.lengths import RATE_HORIZON, step_plan
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import GRADIENT_NORM
from forkpoint.train.job import BIN_TOKENS, PACK_TOKENS, ApproachSettings, TrainRow
from forkpoint.train.packing import pack_step, trained_tokens

Pair = tuple[str, str]
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of full length
OPENING = 1 / 16  # of full length, where a race tries its rates
WARMUP = 0.1  # of a run's steps, as in a race
COOL_DOWN = 0.1  # of the steps so far: the rate falls to zero over them, then they are thrown away
BATCH = 200  # rows scored at once


class Checkpoint(NamedTuple):
    """A pocket checkpoint ready to be trained again and again."""

    model: Any
    renderer: Renderer
    hidden_size: int

    def rate(self, kind: str) -> float:
        """The centre of the rates that a race would try."""
        return approach(kind).default_rate(self.hidden_size).value

    def rendered(self, pair: Pair) -> Rendered:
        """A prompt and its answer as tokens."""
        turns = [Turn(role="user", content=pair[0]), Turn(role="assistant", content=pair[1])]
        found = self.renderer.turns(turns)
        if not isinstance(found, Rendered):
            raise TypeError(f"{pair}: {found.reason}")
        return found


@cache
def checkpoint(name: str) -> Checkpoint:
    """The checkpoint of this name, read once in a process."""
    found = facts.read_checkpoint(name)
    tokenizer = load_tokenizer(str(found.path))
    renderer = Renderer(tokenizer, choose_renderings(found)[0])
    model = load_model(str(found.path))
    return Checkpoint(model, renderer, model.config.hidden_size)


def rungs_of(rows: int, passes: float, rows_per_step: int) -> list[RungPlan]:
    """The opening (rung 0) and the rungs of a setting, all of one full length."""
    full = round(rows * passes / rows_per_step)
    rungs = []
    for index, share in enumerate((OPENING, *SHARES)):
        steps = round(share * full)
        unique = min(rows, steps * rows_per_step)
        rungs.append(
            RungPlan(
                index=index,
                unique_rows=unique,
                passes=steps * rows_per_step / unique,
                steps=steps,
                share=steps / full,
            )
        )
    return rungs


class Run:
    """A model under training; `steps` holds the rows of every optimizer step."""

    def __init__(
        self, start: Checkpoint, kind: str, rows: Sequence[TrainRow], rate: float, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.model = approach(kind).prepare(copy.deepcopy(start.model), ApproachSettings())
        self.model.train()
        self.rows, self.rate, self.seed = rows, rate, seed
        trained = [one for one in self.model.parameters() if one.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0, fused=True)
        self.trained = trained
        self.tokens = 0
        self.losses: list[float] = []

    def step(self, places: Sequence[int], factor: float) -> None:
        """One optimizer step on these rows at `factor` of the rate."""
        rows = [self.rows[place] for place in places]
        count = trained_tokens(rows)
        total = 0.0
        for pack in pack_step(rows, BIN_TOKENS, PACK_TOKENS):
            loss = _loss(self.model, pack) / count
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.trained, GRADIENT_NORM)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * factor
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.tokens += sum(len(row.input_ids) for row in rows)
        self.losses.append(total)

    def state(self) -> tuple[list[torch.Tensor], dict[str, Any], int]:
        """All that a cool-down changes."""
        kept = [one.detach().clone() for one in self.trained]
        return kept, copy.deepcopy(self.optimizer.state_dict()), self.tokens

    def back_to(self, state: tuple[list[torch.Tensor], dict[str, Any], int]) -> None:
        """Undo a cool-down."""
        kept, optimizer, self.tokens = state
        with torch.no_grad():
            for one, before in zip(self.trained, kept, strict=True):
                one.copy_(before)
        self.optimizer.load_state_dict(optimizer)


def _loss(model: Any, pack: dict[str, torch.Tensor]) -> torch.Tensor:
    """Summed cross entropy of the trained places of one pack."""
    targets_B_T = torch.nn.functional.pad(pack["labels"][:, 1:], (0, 1), value=IGNORED)
    trained_B_T = targets_B_T != IGNORED
    hook = model.get_output_embeddings().register_forward_pre_hook(
        lambda _, hidden: (hidden[0][trained_B_T],)
    )
    try:
        logits_K_V = model(
            input_ids=pack["input_ids"], position_ids=pack["position_ids"], use_cache=False
        ).logits
    finally:
        hook.remove()
    return torch.nn.functional.cross_entropy(
        logits_K_V.float(), targets_B_T[trained_B_T], reduction="sum"
    )


def linear(step: int, steps: int) -> float:
    """The schedule of a fresh run: warm-up, then straight to zero, as transformers has it."""
    warmup = max(1, round(WARMUP * steps))
    if step < warmup:
        return step / warmup
    return (steps - step) / max(1, steps - warmup)


class Scored(NamedTuple):
    """A model on some rows: which it answers exactly, and the bits of the expected answers."""

    right: list[bool]
    bits: list[float]  # per row, of the answer without its end
    bytes: list[int]
    seconds: float


def scored(start: Checkpoint, model: Any, pairs: Sequence[Pair]) -> Scored:
    """Whether greedy decoding gives the answer and ends: each expected token is the likeliest."""
    begin = time.process_time()
    model.eval()
    rows = [start.rendered(pair) for pair in pairs]
    spans = [(row.prompt_ids + row.answer_ids + row.stop_ids[:1], row) for row in rows]
    order = sorted(range(len(rows)), key=lambda place: len(spans[place][0]))
    right = [False] * len(rows)
    bits = [0.0] * len(rows)
    with torch.inference_mode():
        for at in range(0, len(order), BATCH):
            batch = order[at : at + BATCH]
            for place, (hit, value) in zip(
                batch, _greedy(model, [spans[place] for place in batch]), strict=True
            ):
                right[place], bits[place] = hit, value
    model.train()
    sizes = [len(row.answer.encode()) for row in rows]
    return Scored(right, bits, sizes, time.process_time() - begin)


def _greedy(
    model: Any, spans: Sequence[tuple[Sequence[int], Rendered]]
) -> list[tuple[bool, float]]:
    """For each row: whether every expected token is the likeliest, and the answer's bits."""
    width = max(len(ids) for ids, _ in spans)
    keep = max(len(ids) - len(row.prompt_ids) for ids, row in spans) + 1
    tokens_B_T = torch.zeros((len(spans), width), dtype=torch.long)
    mask_B_T = torch.zeros((len(spans), width), dtype=torch.long)
    for place, (ids, _) in enumerate(spans):
        tokens_B_T[place, width - len(ids) :] = torch.tensor(list(ids))
        mask_B_T[place, width - len(ids) :] = 1
    logits_B_K_V = model(
        input_ids=tokens_B_T,
        attention_mask=mask_B_T,
        position_ids=(mask_B_T.cumsum(-1) - 1).clamp(min=0),
        use_cache=False,
        logits_to_keep=keep,
    ).logits[:, :-1]
    targets_B_K = tokens_B_T[:, width - keep + 1 :]
    hit_B_K = logits_B_K_V.argmax(-1) == targets_B_K
    bits_B_K = torch.nn.functional.cross_entropy(
        logits_B_K_V.transpose(1, 2), targets_B_K, reduction="none"
    ) / math.log(2)
    found = []
    for place, (ids, row) in enumerate(spans):
        own = len(ids) - len(row.prompt_ids)
        hit = bool(hit_B_K[place, -own:].all())
        found.append((hit, float(bits_B_K[place, -own : -own + len(row.answer_ids)].sum())))
    return found


Report = Callable[[str, int, Run, float, bool], None]  # kind, rung, run, seconds, to be tested


def train_opening(
    start: Checkpoint,
    kind: str,
    rows: Sequence[TrainRow],
    rung: RungPlan,
    rows_per_step: int,
    seed: int,
    report: Report,
) -> None:
    """A fresh run at the centre of a race's bracket: the rate that so short a run wants."""
    rate = start.rate(kind) * rung.share**-RATE_HORIZON
    fresh(Run(start, kind, rows, rate, seed), "opening", rung, rows_per_step, report)


def fresh(run: Run, name: str, rung: RungPlan, rows_per_step: int, report: Report) -> None:
    """A run with its own schedule to the end of a rung."""
    begin = time.process_time()
    for number, places in enumerate(step_plan(len(run.rows), rung, rows_per_step, run.seed)):
        run.step(places, linear(number, rung.steps))
    report(name, rung.index, run, time.process_time() - begin, rung.share == 1.0)


def train_curves(
    start: Checkpoint,
    kind: str,
    rows: Sequence[TrainRow],
    rungs: Sequence[RungPlan],
    rows_per_step: int,
    seed: int,
    report: Report,
) -> None:
    """Fresh runs to every rung, then one continued run that cools down at each of them.

    `report` is given the model where it can be scored, with the processor seconds of its run.
    """
    rate = start.rate(kind)
    for rung in rungs:
        fresh(Run(start, kind, rows, rate, seed), "fresh", rung, rows_per_step, report)
    plan = step_plan(len(rows), rungs[-1], rows_per_step, seed)
    warmup = max(1, round(WARMUP * rungs[0].steps))
    run, done, spent = Run(start, kind, rows, rate, seed), 0, 0.0
    for rung in rungs:
        begin = time.process_time()
        cool = max(1, round(COOL_DOWN * rung.steps))
        for number in range(done, rung.steps - cool):
            run.step(plan[number], min(1.0, number / warmup))
        done = rung.steps - cool
        spent += time.process_time() - begin
        before, begin = run.state(), time.process_time()
        for number in range(cool):
            run.step(plan[done + number], 1 - (number + 1) / (cool + 1))
        aside = time.process_time() - begin
        report("continued", rung.index, run, spent + aside, False)
        run.back_to(before)
