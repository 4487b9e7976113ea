"""Is training worth it: known answers on rows that are the same for both arms."""

import numpy as np
import pytest

from forkpoint.verdict.judge import Evidence, Judgement, judge
from forkpoint.verdict.resample import Sample
from forkpoint.verdict.worth import judge_worth

ROWS = 400


def sample(share: float, seed: int, like: Sample | None = None, flips: float = 0.0) -> Sample:
    """Rows right with a chance, or another sample's with a share of them turned round."""
    generator = np.random.default_rng(seed)
    if like is None:
        return Sample((generator.random(ROWS) < share).astype(float))
    turned = generator.random(ROWS) < flips
    return Sample(np.where(turned, 1 - like.scores_N, like.scores_N))


def judged(trained: Sample, trivial: float = 0.1) -> Judgement:
    return judge(
        Evidence(
            samples={"a.lora": [trained, trained, trained]},
            validation_order=["a.lora"],
            others={},
            trivial=sample(trivial, 9),
            serving_cost={"a.lora": (1.0, 1.0)},
            rate_flips=[],
            margin=0.02,
            seed=0,
            known_seed_sd=0.002,
        )
    )


@pytest.mark.parametrize(
    ("trained", "asked", "kind"),
    [(0.9, 0.5, "worth_it"), (0.5, 0.9, "not_worth_it"), (0.7, 0.69, "unclear")],
)
def test_the_interval_decides(trained: float, asked: float, kind: str) -> None:
    """Above 0, below 0, or neither: the difference carries its interval and n."""
    worth = judge_worth(judged(sample(trained, 1)), "a.lora", "a.prompt", sample(asked, 2), 0.02, 0)
    assert kind == worth.kind
    assert ROWS == worth.difference.n
    assert (worth.difference.low or 0) <= worth.difference.value <= (worth.difference.high or 0)
    assert (worth.p_value < 0.05) == (kind != "unclear")


def test_the_same_answers_are_equal_enough() -> None:
    """Paired: two arms that answer alike are equal within the margin, however hard the rows."""
    trained = sample(0.5, 3)
    worth = judge_worth(judged(trained), "a.lora", "a.prompt", trained, 0.02, 0)
    assert "equal_enough" == worth.kind
    assert 0.0 == worth.difference.value


def test_pairing_narrows_the_interval() -> None:
    """Ten rows in a hundred differ: the interval is narrower than that of unrelated answers."""
    trained = sample(0.6, 4)
    near = judge_worth(
        judged(trained), "a.lora", "p", sample(0.0, 5, like=trained, flips=0.1), 0.02, 0
    )
    far = judge_worth(judged(trained), "a.lora", "p", sample(0.6, 6), 0.02, 0)
    width = [(one.difference.high or 0) - (one.difference.low or 0) for one in (near, far)]
    assert width[0] < 0.7 * width[1]


def test_at_the_floor_nothing_is_called_worth_it() -> None:
    """Where neither beats the trivial answer, a difference of the two says nothing."""
    found = judged(sample(0.12, 7), trivial=0.12)
    assert "floor" == found.kind
    assert "floor" == judge_worth(found, "a.lora", "p", sample(0.0, 8), 0.02, 0).kind
    assert "not_worth_it" == judge_worth(found, "a.lora", "p", sample(0.9, 8), 0.02, 0).kind
