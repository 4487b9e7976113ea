"""Greedy answers, the same for every arm: left padding, stop ids, a limit."""

import time
from collections.abc import Collection, Sequence
from typing import Any

from forkpoint.record import Record

ANSWER_BATCH = 32  # prompts answered together; more gains little on two cores


class Answer(Record):
    """What a model said to one prompt."""

    text: str
    tokens: int  # generated, the end token not counted
    stopped: bool  # it ended the turn itself, before the limit
    prompt_tokens: int = 0
    batch: int = 0  # which batch it was answered in
    batch_seconds: float = 0.0  # that the whole batch took


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    stop_ids: Collection[int],
    max_new_tokens: int,
    batch_size: int = ANSWER_BATCH,
) -> list[Answer]:
    """The greedy answer to each prompt, in the order given."""
    import torch

    order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
    answers: dict[int, Answer] = {}
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            begin = time.monotonic()
            written = _greedy(model, [prompts[row] for row in rows], stop_ids, max_new_tokens)
            took = time.monotonic() - begin
            for row, ids in zip(rows, written, strict=True):
                stopped = bool(ids) and ids[-1] in stop_ids
                kept = ids[:-1] if stopped else ids
                text = tokenizer.decode(
                    kept, skip_special_tokens=False, clean_up_tokenization_spaces=False
                )
                answers[row] = Answer(
                    text=text,
                    tokens=len(kept),
                    stopped=stopped,
                    prompt_tokens=len(prompts[row]),
                    batch=start // batch_size,
                    batch_seconds=took,
                )
    return [answers[row] for row in range(len(prompts))]


def _greedy(
    model: Any, prompts: list[Sequence[int]], stop_ids: Collection[int], max_new_tokens: int
) -> list[list[int]]:
    """The new ids of each prompt, the stop id included; finished rows leave the batch."""
    import torch
    from transformers import DynamicCache

    device = model.device
    width = max(len(prompt) for prompt in prompts)
    tokens_B_T = torch.zeros((len(prompts), width), dtype=torch.long)
    mask_B_T = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens_B_T[row, width - len(prompt) :] = torch.tensor(prompt, dtype=torch.long)
        mask_B_T[row, width - len(prompt) :] = 1
    tokens_B_T, mask_B_T = tokens_B_T.to(device), mask_B_T.to(device)
    positions_B_T = (mask_B_T.cumsum(-1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    written: list[list[int]] = [[] for _ in prompts]
    live = list(range(len(prompts)))
    for _ in range(max_new_tokens):
        logits_B_1_V = model(
            input_ids=tokens_B_T,
            attention_mask=mask_B_T,
            position_ids=positions_B_T,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        next_B = logits_B_1_V[:, -1].argmax(-1)
        keep = []
        for place, token in enumerate(next_B.tolist()):
            written[live[place]].append(token)
            if token not in stop_ids:
                keep.append(place)
        if not keep:
            break
        tokens_B_T = next_B[:, None]
        positions_B_T = positions_B_T[:, -1:] + 1
        mask_B_T = torch.cat([mask_B_T, mask_B_T.new_ones((len(live), 1))], dim=-1)
        if len(keep) < len(live):
            chosen = torch.tensor(keep, device=device)
            cache.batch_select_indices(chosen)
            tokens_B_T, mask_B_T = tokens_B_T[chosen], mask_B_T[chosen]
            positions_B_T = positions_B_T[chosen]
            live = [live[place] for place in keep]
    return written
