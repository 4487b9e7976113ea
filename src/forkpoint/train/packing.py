"""The rows of one optimizer step laid end to end, none seeing another."""

from collections.abc import Sequence
from typing import Any

from forkpoint.models.rendering import IGNORED
from forkpoint.train.job import TrainRow

Pack = dict[str, Any]  # input_ids, labels, position_ids: tensors of shape (1, tokens)


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


def pack_step(rows: Sequence[TrainRow], limit: int) -> list[Pack]:
    """The passes of one optimizer step, each of at most `limit` tokens where rows allow it.

    Positions restart at every row: from them, with no attention mask and no cache, attention is
    kept inside each row. The first token of a row is never a target, as nothing precedes it.
    """
    import torch

    packs = []
    for group in bins([len(row.input_ids) for row in rows], limit):
        ids: list[int] = []
        labels: list[int] = []
        positions: list[int] = []
        for place in group:
            row = rows[place]
            ids += row.input_ids
            labels += (IGNORED, *row.labels[1:])
            positions += range(len(row.input_ids))
        packs.append(
            {
                "input_ids": torch.tensor([ids]),
                "labels": torch.tensor([labels]),
                "position_ids": torch.tensor([positions]),
            }
        )
    return packs


def trained_tokens(rows: Sequence[TrainRow]) -> int:
    """Tokens that carry loss."""
    return sum(label != IGNORED for row in rows for label in row.labels[1:])
