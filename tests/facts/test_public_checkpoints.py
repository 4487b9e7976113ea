"""The judgement on real checkpoints, with labels and the address they were read at.

What is known of each is its name, architecture, licence and, for some, its parent: so this
judges the signals from names and cards only. Signals from files need the files' contents.
"""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from forkpoint.facts.card import Card
from forkpoint.facts.judgement import judge
from forkpoint.facts.reading import Reading

SOURCE = json.loads((Path(__file__).parent / "checkpoints" / "leaderboard.json").read_text())


def rows(part: str) -> list[dict[str, Any]]:
    """Rows of a part whose label nobody disputes."""
    return [row for row in SOURCE["rows"] if row["part"] == part and "disputed" not in row]


def judged(row: dict[str, Any], hidden: tuple[str, ...] = ()) -> tuple[str, float]:
    """What it is sold as, and the probability that it is a base."""
    parents = (row["base_model"],) if "base_model" in row else ()
    reading = Reading(
        name=row["id"],
        title=row["id"].rsplit("/", 1)[-1],
        config={"architectures": [row["architecture"]]},
        card=Card(base_models=parents, licence=row.get("license")),
    )
    sold_as = judge(reading, hidden)[0]
    return sold_as.value, sold_as.probabilities["base"]


def wilson_low(right: int, n: int) -> float:
    """Lower end of the 95 % interval of a share (Wilson)."""
    z, share = 1.96, right / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n)


def test_every_label_has_an_address() -> None:
    """Labels and rows were read somewhere; no checkpoint is there twice; both parts are stated."""
    assert SOURCE["label_from"].startswith("https://")
    assert SOURCE["read_at"].startswith("https://")
    names = [row["id"] for row in SOURCE["rows"]]
    assert len(set(names)) == len(names)
    assert {"seen", "held-out"} == {row["part"] for row in SOURCE["rows"]}
    assert {"pretrained", "chat", "fine-tuned"} == {row["label"] for row in SOURCE["rows"]}


def test_base_or_tuned_on_the_seen_rows() -> None:
    """On the rows the rules were made with, the lower end of the interval is at least 90 %."""
    found = [(judged(row)[1] > 0.5) == (row["label"] == "pretrained") for row in rows("seen")]
    assert len(found) >= 130
    assert wilson_low(sum(found), len(found)) >= 0.9


def test_base_or_tuned_on_the_held_out_rows() -> None:
    """On rows read later: at most one wrong answer, the rest right or honestly unknown."""
    wrong = unknown = right = 0
    for row in rows("held-out"):
        value, base = judged(row)
        if value == "unknown":
            unknown += 1
        elif (base > 0.5) == (row["label"] == "pretrained"):
            right += 1
        else:
            wrong += 1
    assert right + wrong + unknown >= 25
    assert wrong <= 1
    assert right >= 18


@pytest.mark.parametrize("part", ["seen", "held-out"])
def test_probabilities_beat_the_shares(part: str) -> None:
    """The log loss is far below that of the share of bases as the one answer for all."""
    labels = [row["label"] == "pretrained" for row in rows(part)]
    share = sum(labels) / len(labels)
    constant = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    loss = -sum(
        math.log(base if label else 1 - base)
        for label, (_, base) in zip(labels, map(judged, rows(part)), strict=True)
    ) / len(labels)
    assert loss < constant / 2
