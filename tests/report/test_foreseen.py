"""Estimates stand beside what came: memory, money, corrections, and what was never started."""

import pytest
from race_records import ARMS, agreement

from forkpoint.ledger import Correction, DialChange, MemoryPlan, UnfitArm
from forkpoint.report import View
from forkpoint.report.foreseen import memory_text, notes
from forkpoint.report.page import html
from forkpoint.report.plan_text import plan_text
from forkpoint.report.text import text
from forkpoint.report.view_record import Foreseen

PLAN = MemoryPlan(
    estimated_bytes=570_000_000,
    low_bytes=510_000_000,
    high_bytes=630_000_000,
    dominates="framework",
    free_bytes=4_000_000_000,
    fits="yes",
    correction=1.1,
    corrected_by=12,
)
UNFIT = UnfitArm(
    name="big.full",
    checkpoint="big",
    approach="full",
    memory=PLAN.model_copy(update={"low_bytes": 9_000_000_000, "fits": "no"}),
    changes=(DialChange(dial="approach", before="full", after="lora"),),
    changed_bytes=3_000_000_000,
)
FORESEEN = Foreseen(
    memory={ARMS[0]: PLAN},
    stations={"bracket": 60.0, "racing": 90.0},
    corrections={"lora": Correction(factor=1.12, trials=6, races=1)},
    unfit=(UNFIT,),
    price="$2.5/h",
)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("$0.50", "corrected by 1.12 from 6 earlier trials", "not eligible: big.full")),
        ("zh", ("$0.50", "修正 1.12 倍", "不参赛：big.full")),
    ],
)
def test_notes_say_money_corrections_and_what_could_not_fit(
    lang: str, said: tuple[str, ...]
) -> None:
    """In both languages; nothing where there is nothing to say."""
    found = " ".join(notes(FORESEEN, 720.0, 600.0, lang))
    for words in said:
        assert words in found
    assert [] == notes(Foreseen(), 720.0, 600.0, lang)


def test_memory_is_an_interval() -> None:
    """Never a point alone; a dash where none was estimated."""
    assert "570 MB (510 MB – 630 MB)" == memory_text(PLAN)
    assert "–" == memory_text(None)


def test_page_and_terminal_show_estimates_beside_measurements(finished: View) -> None:
    """The estimated peak in the table of costs, the notes below it."""
    view = finished.model_copy(update={"foreseen": FORESEEN})
    page = html(view, "en")
    assert "570 MB (510 MB – 630 MB)" in page
    assert "not eligible: big.full" in page
    assert "not eligible: big.full" in text(view, "en", width=200, colour=False)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_plan_says_where_time_goes_and_what_it_costs(lang: str) -> None:
    """Stations, corrections and money in the plan, before anything runs."""
    rows = tuple(tuple(f"{side}{number}" for number in range(40)) for side in "abc")
    agreed = agreement(rows, lambda words: words)
    agreed = agreed.model_copy(
        update={
            "stations": FORESEEN.stations,
            "corrections": FORESEEN.corrections,
            "price": "$2.5/h",
            "predicted_seconds": 720.0,
            "unfit": (UNFIT,),
            "arms": (agreed.arms[0].model_copy(update={"memory": PLAN}), *agreed.arms[1:]),
        }
    )
    found = plan_text(agreed, lang)
    for words in ("$0.50", "1.12", "1.10", "big.full", "570 MB"):
        assert words in found
