"""What earlier races teach: corrections of estimates, who won, noise between seeds."""

from pathlib import Path

import pytest
from past_races import past_arm, past_race

from forkpoint.race.keeping import seed_noise_known
from forkpoint.report.foreseen import own_seed_text
from forkpoint.report.store_text import store_text
from forkpoint.store import Shelf, experience, seed_sd, stage_differences, stage_tally
from forkpoint.store.experience import MOST_FACTOR
from forkpoint.verdict.contrast import KNOWN_SEED_SD

HERE = past_race().machine


def test_without_experience_nothing_is_corrected() -> None:
    """No race, or none on this machine: no entry at all."""
    assert {} == experience((), HERE, "seconds")
    assert {} == experience((past_race(machine="another"),), HERE, "seconds")


def test_one_race_moves_an_estimate_a_little_and_many_nearly_whole() -> None:
    """Measured twice the predicted: one race says 1.26, twenty say 1.88."""
    one = experience((past_race(1),), HERE, "seconds")["lora"]
    assert 2 ** (1 / 3) == pytest.approx(one.factor)
    assert (20, 1) == (one.trials, one.races)
    many = experience([past_race(number) for number in range(20)], HERE, "seconds")["lora"]
    assert 2 ** (20 / 22) == pytest.approx(many.factor)
    assert 400 == many.trials


def test_one_race_under_load_does_not_carry_the_rest() -> None:
    """The median over races stands against one that took twenty times as long."""
    slow = past_race(9, arms=(past_arm("pocket-base.lora", seconds=200.0),))
    right = [
        past_race(number, arms=(past_arm("pocket-base.lora", seconds=10.0),)) for number in range(4)
    ]
    assert 1.0 == pytest.approx(experience([slow, *right], HERE, "seconds")["lora"].factor)
    alone = experience([slow] * 50, HERE, "seconds")["lora"]
    assert alone.factor <= MOST_FACTOR


def test_memory_and_approaches_are_corrected_apart() -> None:
    """Each approach by its own trials; arms without an estimate say nothing."""
    arms = (
        past_arm("pocket-base.lora", predicted_bytes=550_000_000),
        past_arm("pocket-base.full", predicted_bytes=None),
    )
    found = experience((past_race(1, arms=arms),), HERE, "bytes")
    assert {"lora"} == set(found)
    assert 1.0 == pytest.approx(found["lora"].factor)


def test_a_tally_counts_races_of_the_kind_in_which_stages_of_like_size_competed() -> None:
    """Another job, one stage alone, and a winner five times as large count for nothing."""
    large = past_arm("pocket-instruct.full", parameters=6_000_000)
    races = (
        *(past_race(number) for number in range(5)),
        past_race(5, fork_point="pocket-base", arm="pocket-base.full", stage="base"),
        past_race(6, job="dialogue"),
        past_race(7, arms=(past_arm("pocket-instruct.full"), past_arm("pocket-instruct.lora"))),
        past_race(8, arms=(large, past_arm("pocket-base.full"))),
        past_race(9, arm=None, fork_point=None, stage=None),
    )
    tally = stage_tally(races, "task", "label")
    assert (6, {"instruct": 5, "base": 1}) == (tally.races, tally.wins)


def test_stages_are_compared_by_their_test_scores_race_by_race() -> None:
    """Each race counts once, by the best tested arm of either side; no test, no difference."""
    arms = (
        past_arm("pocket-base.lora", test=0.70),
        past_arm("pocket-base.full", test=0.75),
        past_arm("pocket-instruct.lora", test=None),
        past_arm("pocket-instruct.full", test=0.80),
    )
    untested = (past_arm("pocket-base.full", test=None), past_arm("pocket-instruct.full"))
    races = (past_race(1, arms=arms), past_race(2, arms=untested), past_race(3, job="dialogue"))
    found = stage_differences(races, ("task", "label"), {"instruct", "chat"}, {"base"})
    assert (pytest.approx(0.05),) == found


def test_seed_noise_is_pooled_over_repeats_of_the_same_metric() -> None:
    """Variances weigh by their repeats; nothing measured is None, not 0."""
    races = (past_race(1, seed_sd=0.01, seed_repeats=2), past_race(2, seed_sd=0.03, seed_repeats=6))
    found = seed_sd(races, "macro_f1")
    assert found is not None
    assert ((2 * 0.01**2 + 6 * 0.03**2) / 8) ** 0.5 == pytest.approx(found.sd)
    assert (8, 2) == (found.repeats, found.races)
    assert seed_sd(races, "exact_match") is None


def test_own_repeats_weigh_beside_published_studies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 repeats at .03 beside the studies' 4 at .02; many repeats never weigh more than 12."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path))
    assert (KNOWN_SEED_SD, None) == seed_noise_known("macro_f1")
    with Shelf() as shelf:
        shelf.keep(past_race(1, seed_sd=0.03, seed_repeats=8))
    sd, own = seed_noise_known("macro_f1")
    assert ((8 * 0.03**2 + 4 * KNOWN_SEED_SD**2) / 12) ** 0.5 == pytest.approx(sd)
    assert own is not None
    assert (8, 1, 12.0) == (own.repeats, own.races, own.freedom)
    assert 8 / 12 == pytest.approx(own.weight)
    told = own_seed_text(own, "macro_f1", "en")
    assert "1 earlier races on macro_f1 here measured an SD of 0.03 (8 repeats)" in told
    assert "67%" in told and "67%" in own_seed_text(own, "macro_f1", "zh")
    with Shelf() as shelf:
        shelf.keep(past_race(2, seed_sd=0.03, seed_repeats=100))
    _, more = seed_noise_known("macro_f1")
    assert more is not None and 12 / 16 == more.weight
    monkeypatch.setenv("FORKPOINT_STORE", "off")
    assert (KNOWN_SEED_SD, None) == seed_noise_known("macro_f1")


def test_the_store_says_what_follows_from_it() -> None:
    """Seed noise with its repeats, and whom races of several stages named, in both languages."""
    races = tuple(past_race(number) for number in range(3))
    told = store_text(races, "races.sqlite", "en", is_on=True)
    assert "Noise between training seeds of macro_f1: SD 0.02 (repeats: 12, races: 3)" in told
    assert "(n = 3): Instruct was named on 3" in told
    assert "Instruct 胜出 3 场" in store_text(races, "races.sqlite", "zh", is_on=True)
    assert "SD 0.02" not in store_text(races, "races.sqlite", "en", is_on=False)
