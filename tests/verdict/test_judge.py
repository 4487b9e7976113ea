"""The verdict's statistics on answers that are known."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from forkpoint.verdict.contrast import Standing, draw, p_best, seed_noise, with_validation
from forkpoint.verdict.judge import Evidence, judge
from forkpoint.verdict.resample import Sample, row_weights

ROWS = 400


def answers(share: float, rows: int = ROWS, like: Sample | None = None) -> Sample:
    """A sample with this share of right answers; `like` shares its luck with another."""
    drawn = np.random.default_rng([7, rows, round(1000 * share)]).random(rows)
    luck = drawn if like is None else np.where(like.scores_N > 0, 0.0, 1.0)
    right = np.zeros(rows)
    right[np.argsort(luck, kind="stable")[: round(share * rows)]] = 1.0
    return Sample(right)


def evidence(samples: dict[str, list[Sample]], **changes: object) -> Evidence:
    arms = list(samples)
    values = {
        "samples": samples,
        "validation_order": arms,
        "others": {},
        "trivial": answers(0.2),
        "serving_cost": {arm: (float(place), 1.0) for place, arm in enumerate(reversed(arms))},
        "rate_flips": (),
        "margin": 0.02,
        "seed": 0,
        "known_seed_sd": 0.005,
    }
    return Evidence(**{**values, **changes})  # type: ignore[arg-type]


def test_a_clear_winner_is_better() -> None:
    """The interval of the headline difference is above 0."""
    judgement = judge(evidence({"a": [answers(0.9)] * 3, "b": [answers(0.6)] * 3}))
    assert ("better", "a") == (judgement.kind, judgement.arm)
    assert judgement.headline is not None
    assert judgement.headline.difference.low > 0
    assert judgement.p_best["a"] > 0.99


def test_an_arm_that_was_not_taken_to_its_end_is_not_beaten() -> None:
    """What it would have become is not known, so nothing is better than it yet."""
    samples = {"a": [answers(0.9)] * 3, "b": [answers(0.6)] * 3}
    judgement = judge(evidence(samples, cut_short=("b",)))
    assert ("not_enough_evidence", "a") == (judgement.kind, judgement.arm)
    assert "verdict.cut_short" == judgement.reasons[0][0]
    assert "better" == judge(evidence(samples, cut_short=("a",))).kind


def test_better_is_likelier_than_not_the_best_of_all() -> None:
    """An untested arm that is believed to end higher leaves the answer open."""
    samples = {"a": [answers(0.9)] * 3, "b": [answers(0.6)] * 3}
    judgement = judge(evidence(samples, others={"c": (0.95, 0.05)}))
    assert ("not_enough_evidence", "a") == (judgement.kind, judgement.arm)
    assert ("verdict.others_open", "c") == (
        judgement.reasons[0][0],
        judgement.reasons[0][1]["rival"],
    )
    assert "better" == judge(evidence(samples, others={"c": (0.8, 0.05)})).kind


def test_the_same_answers_are_equal_enough_and_the_cheaper_is_named() -> None:
    """Identical answers of repeated seeds: the interval lies inside the margin."""
    same = answers(0.8)
    judgement = judge(evidence({"a": [same] * 3, "b": [same] * 3}, known_seed_sd=0.001))
    assert ("equal_enough", "b") == (judgement.kind, judgement.arm)


def test_few_rows_are_not_enough_evidence() -> None:
    """A difference that the rows cannot carry is not claimed."""
    judgement = judge(evidence({"a": [answers(0.62, 60)], "b": [answers(0.58, 60)]},
                               trivial=answers(0.1, 60)))  # fmt: skip
    assert "not_enough_evidence" == judgement.kind
    assert 0.3 < judgement.p_best["a"] < 0.95


def test_the_floor_is_said() -> None:
    """Arms that cannot be told from the trivial answer name no winner."""
    judgement = judge(evidence({"a": [answers(0.21)], "b": [answers(0.19)]}))
    assert ("floor", None) == (judgement.kind, judgement.arm)


def test_the_ceiling_is_said() -> None:
    """All right everywhere: the cheapest is named."""
    judgement = judge(evidence({"a": [answers(1.0)], "b": [answers(1.0)]}))
    assert ("ceiling", "b") == (judgement.kind, judgement.arm)


def test_a_winner_that_flips_with_the_rate_depends_on_it() -> None:
    """The rate is named as what decides, though the difference is clear."""
    samples = {"a": [answers(0.9)], "b": [answers(0.5)]}
    assert "depends_on_rate" == judge(evidence(samples, rate_flips=["a"])).kind


def test_seed_noise_widens_the_interval() -> None:
    """Noise between seeds is part of certainty: more of it, a wider difference."""
    samples = {"a": [answers(0.8)], "b": [answers(0.7)]}
    widths = []
    for sd in (0.001, 0.03, 0.1):
        difference = draw(samples, seed_noise({}, known_sd=sd), 0).difference("a", "b")
        widths.append(difference.high - difference.low)
    assert widths == sorted(widths)
    assert widths[2] > 2 * widths[0]


def test_measured_seeds_replace_what_was_known() -> None:
    """Twenty repeats of an arm outweigh the published figure."""
    scores = list(0.8 + 0.05 * np.random.default_rng(7).standard_normal(21))
    assert 0.05 == pytest.approx(seed_noise({"a": scores}, known_sd=0.001).sd, rel=0.35)


def test_macro_f1_is_that_of_scikit_learn() -> None:
    """The resampled metric at weight one equals the reference."""
    classes = ["x", "y", "z"]
    rng = np.random.default_rng(7)
    gold, said = (tuple(rng.choice(classes, 300)) for _ in range(2))
    expected = f1_score(gold, said, average="macro", labels=classes)
    assert expected == pytest.approx(Sample(np.zeros(300), gold, said).value()[0])


def test_intervals_cover_the_truth() -> None:
    """Of 200 simulated pairs with a true difference of .1, about 95 % of intervals hold it."""
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        a = Sample((rng.random(300) < 0.8).astype(float))
        b = Sample((rng.random(300) < 0.7).astype(float))
        noise = seed_noise({}, known_sd=1e-6)
        difference = draw({"a": [a], "b": [b]}, noise, seed).difference("a", "b")
        covered += difference.low <= 0.1 <= difference.high
    assert 0.90 <= covered / 200 <= 0.99


def test_p_best_of_equals_is_even() -> None:
    """Two arms with the same answers share the chance; a hopeless third has none."""
    same = answers(0.8)
    draws = draw({"a": [same], "b": [same]}, seed_noise({}), 0)
    chances = p_best(draws, {"c": (0.1, 0.01)}, 0)
    assert 0.5 == pytest.approx(chances["a"], abs=0.05)
    assert 0.0 == chances["c"]


def test_row_weights_are_counts() -> None:
    """Every resample draws as many rows as there are."""
    assert (row_weights(50, 0, 20).sum(axis=1) == 50).all()


def test_the_named_arm_stands_first_in_the_headline() -> None:
    """When test prefers the other leader, the difference is told from its side."""
    b = answers(0.60, 200)
    a = answers(0.58, 200)
    judgement = judge(evidence({"a": [a], "b": [b]}, trivial=answers(0.1, 200)))
    assert ("not_enough_evidence", "b") == (judgement.kind, judgement.arm)
    assert judgement.headline is not None
    assert ("b", "a") == (judgement.headline.a, judgement.headline.b)
    assert judgement.headline.difference.value > 0
    assert judgement.p_best["b"] > judgement.p_best["a"]


def test_who_leads_is_believed_from_validation_and_test_together() -> None:
    """A small lead on test does not outweigh a larger one on as many validation rows; the claim
    stays the test's, and the verdict says that test alone has the other ahead.
    """
    samples = {"a": [answers(0.60, 200)], "b": [answers(0.61, 200)]}
    stood = {"a": Standing(0.66, 0.034, 200), "b": Standing(0.60, 0.034, 200)}
    judgement = judge(evidence(samples, trivial=answers(0.1, 200), validation=stood))
    assert ("not_enough_evidence", "a") == (judgement.kind, judgement.arm)
    assert "verdict.leads_with_validation" == judgement.reasons[0][0]
    assert judgement.headline is not None
    assert "a" == judgement.headline.a
    assert -0.01 == pytest.approx(judgement.headline.difference.value)
    assert judgement.p_best["a"] > judgement.p_best["b"]
    few = {arm: Standing(one.value, 0.15, 10) for arm, one in stood.items()}
    told = judge(evidence(samples, trivial=answers(0.1, 200), validation=few))
    assert "b" == told.arm
    assert "verdict.not_enough_evidence" == told.reasons[0][0]


def test_validation_rows_make_no_claim_and_no_seeds() -> None:
    """Intervals are the test's own; belief gets narrower by rows, not by noise between seeds."""
    samples = {"a": [answers(0.9)] * 3, "b": [answers(0.6)] * 3}
    stood = {"a": Standing(0.5, 0.02, 400), "b": Standing(0.9, 0.02, 400)}
    plain, told = judge(evidence(samples)), judge(evidence(samples, validation=stood))
    assert plain.headline is not None
    assert told.headline is not None
    assert plain.headline.difference == told.headline.difference
    assert ("better", "a") == (plain.kind, plain.arm)
    assert ("not_enough_evidence", "a") == (told.kind, told.arm)
    assert "verdict.validation_disagrees" == told.reasons[0][0]
    draws = draw(samples, seed_noise({}, known_sd=0.1), 0)
    believed = with_validation(draws, stood, 0)
    assert 0.7 == pytest.approx(believed.points_A[0])
    assert believed.rows_A_B[0].std() < draws.rows_A_B[0].std()
    assert (believed.seeds_A_B == draws.seeds_A_B).all()


def test_arms_without_test_answers_are_believed_on_the_test_rows() -> None:
    """Validation rows that were easier for the finalists were easier for the others too."""
    samples = {"a": [answers(0.85)] * 3, "b": [answers(0.84)] * 3}
    behind = {"c": (0.88, 0.02)}  # the finalists were predicted .95: c is behind, not ahead
    seen = {"a": 0.95, "b": 0.94}
    plain = judge(evidence(samples, others=behind)).p_best["c"]
    told = judge(evidence(samples, others=behind, foreseen=seen)).p_best["c"]
    assert told < 0.05 < plain
