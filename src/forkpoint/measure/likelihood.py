"""How probable a model finds given tokens: answer bits and stop bits, never added."""

import math
from collections.abc import Sequence
from typing import Any

from forkpoint.models.rendering import Rendered

SHORTEST_BYTES = 16  # mean bytes of an answer below which likelihood decides nothing [method]
LOGITS_AT_ONCE = 8_000_000  # values of one batch's logits: 32 MB in 32 bits


def span_bits(model: Any, spans: Sequence[tuple[Sequence[int], int]]) -> list[list[float]]:
    """-log2 p of each token from `start` on, given those before it; a span is (ids, start).

    A token without any token before it has no probability and is left out (start 0 is 1).
    """
    import torch

    order = sorted(range(len(spans)), key=lambda place: len(spans[place][0]))
    bits: dict[int, list[float]] = {}
    vocabulary = model.config.get_text_config().vocab_size
    with torch.inference_mode():
        for batch in _batches(spans, order, vocabulary):
            for place, values in zip(
                batch, _batch_bits(model, [spans[place] for place in batch]), strict=True
            ):
                bits[place] = values
    return [bits[place] for place in range(len(spans))]


def row_bits(model: Any, rows: Sequence[Rendered]) -> list[tuple[float, float]]:
    """Bits of the expected answer and bits of what ends the turn, for each row."""
    found = span_bits(model, [(row.input_ids, len(row.prompt_ids)) for row in rows])
    pairs = []
    for row, values in zip(rows, found, strict=True):
        cut = len(values) - len(row.stop_ids)
        pairs.append((math.fsum(values[:cut]), math.fsum(values[cut:])))
    return pairs


def _batches(
    spans: Sequence[tuple[Sequence[int], int]], order: list[int], vocabulary: int
) -> list[list[int]]:
    """Groups of similar length whose kept logits fit."""
    groups: list[list[int]] = []
    widest = 0
    for place in order:
        ids, start = spans[place]
        kept = len(ids) - max(start, 1) + 1
        widest = max(widest, kept)
        if groups and (len(groups[-1]) + 1) * widest * vocabulary <= LOGITS_AT_ONCE:
            groups[-1].append(place)
        else:
            groups.append([place])
            widest = kept
    return groups


def _batch_bits(model: Any, spans: list[tuple[Sequence[int], int]]) -> list[list[float]]:
    import torch

    width = max(len(ids) for ids, _ in spans)
    keep = max(len(ids) - max(start, 1) for ids, start in spans) + 1
    tokens_B_T = torch.zeros((len(spans), width), dtype=torch.long)
    mask_B_T = torch.zeros((len(spans), width), dtype=torch.long)
    for row, (ids, _) in enumerate(spans):
        tokens_B_T[row, width - len(ids) :] = torch.tensor(list(ids), dtype=torch.long)
        mask_B_T[row, width - len(ids) :] = 1
    tokens_B_T, mask_B_T = tokens_B_T.to(model.device), mask_B_T.to(model.device)
    logits_B_K_V = model(
        input_ids=tokens_B_T,
        attention_mask=mask_B_T,
        position_ids=(mask_B_T.cumsum(-1) - 1).clamp(min=0),
        use_cache=False,
        logits_to_keep=keep,
    ).logits.float()[:, :-1]
    targets_B_K = tokens_B_T[:, width - keep + 1 :]
    chosen_B_K = logits_B_K_V.gather(-1, targets_B_K[..., None]).squeeze(-1)
    bits_B_K = (logits_B_K_V.logsumexp(-1) - chosen_B_K) / math.log(2)
    rows = bits_B_K.tolist()
    return [
        row[len(row) - (len(ids) - max(start, 1)) :] if len(ids) > max(start, 1) else []
        for row, (ids, start) in zip(rows, spans, strict=True)
    ]
