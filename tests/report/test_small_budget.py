"""The plan says when a budget compares no two arms at full length."""

from pathlib import Path

import pytest
from race_records import FULL_TOKENS, agreement

from forkpoint.plan.forecast import comparing_tokens, opening_tokens, reserve_tokens
from forkpoint.report.plan_text import plan_text

IDS = tuple(f"{number:016x}" for number in range(400))


@pytest.mark.parametrize(("lang", "words"), [("en", "rests on short runs"), ("zh", "短训练排序")])
def test_a_budget_that_compares_nobody_is_told(lang: str, words: str, tmp_path: Path) -> None:
    """From the named budget on the reserve takes two arms there, and nothing is said."""
    agreed = agreement((IDS[:240], IDS[240:320], IDS[320:]), lambda text: text)
    parts = agreed.arms, agreed.rungs, agreed.settings
    enough = comparing_tokens(*parts)
    assert enough > opening_tokens(*parts) + FULL_TOKENS
    assert (
        reserve_tokens(*parts, enough) >= 2 * FULL_TOKENS > 0 == reserve_tokens(*parts, enough - 9)
    )
    small = agreed.model_copy(update={"budget_tokens": round(enough) - 9})
    assert words in plan_text(small, lang)
    assert words not in plan_text(small.model_copy(update={"budget_tokens": round(enough)}), lang)
