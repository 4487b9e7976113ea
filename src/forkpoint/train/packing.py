"""The rows of one optimizer step laid end to end, none seeing another."""

from collections.abc import Sequence
from typing import Any

from forkpoint.models.rendering import IGNORED
from forkpoint.train.job import TrainRow

Pack = dict[str, Any]  # input_ids, labels, position_ids: tensors of shape (bins, tokens);
# weights too, where a row's tokens do not count as one each


def bins(lengths: Sequence[int], limit: int) -> list[list[int]]:
    """Places of `lengths` in as few groups of at most `limit` as first-fit-decreasing finds.

    A row longer than the limit gets a group of its own. Rows keep their order inside a group.
    """
    groups: list[list[int]] = []
    room: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        for group, free in enumerate(room):
            if lengths[place] <= free:
                groups[group].append(place)
                room[group] -= lengths[place]
                break
        else:
            groups.append([place])
            room.append(limit - lengths[place])
    return [sorted(group) for group in groups]


def pack_step(rows: Sequence[TrainRow], bin_tokens: int, pack_tokens: int) -> list[Pack]:
    """The passes of one optimizer step, each of at most `pack_tokens` tokens where rows allow it.

    Rows are laid end to end in bins of equal length (`bin_tokens`, or the longest row), and bins
    side by side in passes. Positions restart at every row: from them, with no attention mask and
    no cache, attention is kept inside each row. The first token of a row is never a target, as
    nothing precedes it.
    """
    lengths = [len(row.input_ids) for row in rows]
    groups = bins(lengths, max(bin_tokens, *lengths))
    width = max(sum(lengths[place] for place in group) for group in groups)
    at_once = max(1, pack_tokens // width)
    return [
        _pack([[rows[place] for place in group] for group in groups[start : start + at_once]])
        for start in range(0, len(groups), at_once)
    ]


def _pack(groups: Sequence[Sequence[TrainRow]]) -> Pack:
    import torch

    width = max(sum(len(row.input_ids) for row in group) for group in groups)
    ids_B_T, labels_B_T, positions_B_T = [], [], []
    for group in groups:
        ids = [token for row in group for token in row.input_ids]
        labels = [label for row in group for label in (IGNORED, *row.labels[1:])]
        positions = [place for row in group for place in range(len(row.input_ids))]
        tail = width - len(ids)  # a row of its own that is seen by nobody and learned by nobody
        ids_B_T.append(ids + [0] * tail)
        labels_B_T.append(labels + [IGNORED] * tail)
        positions_B_T.append(positions + list(range(tail)))
    pack = {
        "input_ids": torch.tensor(ids_B_T),
        "labels": torch.tensor(labels_B_T),
        "position_ids": torch.tensor(positions_B_T),
    }
    if any(row.weight != 1.0 for group in groups for row in group):
        weights_B_T = torch.ones(len(groups), width)
        for place, group in enumerate(groups):
            start = 0
            for row in group:
                weights_B_T[place, start : start + len(row.input_ids)] = row.weight
                start += len(row.input_ids)
        pack["weights"] = weights_B_T
    return pack


def loss_weight(rows: Sequence[TrainRow]) -> float:
    """What the loss of a step is divided by: its trained tokens, each with its row's weight."""
    return sum(row.weight * trained_tokens([row]) for row in rows)


def trained_tokens(rows: Sequence[TrainRow]) -> int:
    """Tokens that carry loss."""
    return sum(label != IGNORED for row in rows for label in row.labels[1:])
