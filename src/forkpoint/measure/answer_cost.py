"""What an answer costs: tokens read and written, and the time of it."""

import time
from collections.abc import Collection, Sequence
from typing import Any

from forkpoint.ledger import AnswerCost, Measured
from forkpoint.measure.interval import mean, ratio
from forkpoint.models.generation import Answer, generate
from forkpoint.plan.forecast import ALONE_ROWS, ALONE_SECONDS

FEWEST_ALONE = 2  # for an interval


def cost_of(answers: Sequence[Answer]) -> AnswerCost | None:
    """The mean cost of answers made in batches; None without any."""
    if not answers:
        return None
    batches: dict[int, list[Answer]] = {}
    for answer in answers:
        batches.setdefault(answer.batch, []).append(answer)
    return AnswerCost(
        prompt_tokens=mean([float(one.prompt_tokens) for one in answers], "tokens", "lower"),
        generated_tokens=mean([float(one.tokens) for one in answers], "tokens", "lower"),
        seconds=ratio(
            [found[0].batch_seconds for found in batches.values()],
            [float(len(found)) for found in batches.values()],
            unit="s",
        ),
        answers=len(answers),
    )


def time_alone(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    stop_ids: Collection[int],
    max_new_tokens: int,
) -> Measured:
    """Seconds of one answer asked by itself, over rows spread evenly; the first one warms up."""
    step = max(1, len(prompts) // ALONE_ROWS)
    chosen = [prompts[at] for at in range(0, len(prompts), step)][:ALONE_ROWS]
    begin = time.monotonic()
    generate(model, tokenizer, chosen[:1], stop_ids, min(2, max_new_tokens))
    seconds: list[float] = []
    for prompt in chosen:
        if len(seconds) >= FEWEST_ALONE and time.monotonic() - begin > ALONE_SECONDS:
            break
        at = time.monotonic()
        generate(model, tokenizer, [prompt], stop_ids, max_new_tokens)
        seconds.append(time.monotonic() - at)
    found = mean(seconds, "s", "lower")
    low = None if found.low is None else max(0.0, found.low)  # no time is below none
    return found.model_copy(update={"low": low})
