"""Is fine-tuning worth it: the best trained arm against the best that was only asked."""

from collections.abc import Sequence

import numpy as np

from forkpoint.record import Figure
from forkpoint.verdict.contrast import says
from forkpoint.verdict.judge import Judgement
from forkpoint.verdict.resample import Sample, interval, row_weights
from forkpoint.verdict.verdict_record import Worth, WorthKind

_KINDS: dict[str, WorthKind] = {
    "a_better": "worth_it",
    "b_better": "not_worth_it",
    "equal_enough": "equal_enough",
    "unclear": "unclear",
}


def judge_worth(
    judgement: Judgement, trained: str, untrained: str, sample: Sample, margin: float, seed: int
) -> Worth:
    """The paired difference of a trained arm to an untrained one on the same resampled rows.

    The trained arm's draws hold its noise between seeds; asking has none. Both arms were chosen
    on validation. `sample`: the untrained arm's answers, in the order of the draws' rows.
    """
    draws = judgement.draws
    weights_B_N = row_weights(len(sample.scores_N), seed)
    asked_B = sample.value(weights_B_N)
    difference_B = draws.of(trained) - asked_B
    low, high = interval(difference_B)
    point = draws.points_A[draws.arms.index(trained)] - float(sample.value()[0])
    rows = len(sample.scores_N)
    difference = Figure(value=float(point), low=low, high=high, n=rows, origin="measured")
    kind = _KINDS[says(difference, margin)]
    if judgement.kind == "floor":
        asked_low, _ = interval(asked_B)
        kind = "floor" if asked_low <= (judgement.trivial.high or 0.0) else kind
    share = min(float(np.mean(difference_B <= 0)), float(np.mean(difference_B >= 0)))
    return Worth(
        kind=kind,
        trained=trained,
        untrained=untrained,
        difference=difference,
        p_value=min(1.0, 2 * max(share, 1 / len(difference_B))),
    )


def first_tested(order: Sequence[str], tested: Sequence[str]) -> str | None:
    """The first of an order that has test answers."""
    return next((name for name in order if name in tested), None)
