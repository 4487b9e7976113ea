"""A claim is tested with what it rests on: a subset's random twin, the other shares of replay."""

from pathlib import Path
from typing import Any

from simulated_race import Silent, SimulatedExecutor, make_agreement

from forkpoint.ledger import Agreement, Finalists, SubsetPlan, TrialFailed, read_lines
from forkpoint.race.driver import run_race
from forkpoint.race.state import RaceState
from forkpoint.race.work import TrialWork

BEST, RANDOM, MIXED = "pocket-instruct.full.best", "pocket-instruct.full.random-60", "replay-50"
SCORES = {BEST: 0.9, RANDOM: 0.5, f"{BEST}.{MIXED}": 0.86, f"{RANDOM}.{MIXED}": 0.5}


def truth(arm: str, share: float) -> float:
    """The subset leads from the first rung on."""
    return 0.2 if arm.endswith(".untrained") else SCORES.get(arm, 0.6) * (0.8 + 0.2 * share)


def agreed(folder: Path) -> Agreement:
    """Two ordinary arms, and one arm on a subset, on random rows, and both with replay."""
    plain = make_agreement(folder)
    arms = {arm.name: arm for arm in plain.arms}
    full = arms["pocket-instruct.full"]
    made = [
        full.model_copy(update={"name": f"{full.name}.{subset}{mixed}", "subset": subset,
                                "replay": 0.5 if mixed else 0.0})
        for subset in ("best", "random-60")
        for mixed in ("", f".{MIXED}")
    ]  # fmt: skip
    ids = plain.train_ids
    return make_agreement(
        folder,
        arms=(full, arms["pocket-base.full"], *made),
        budget_tokens=plain.brute_force_tokens,
        subsets={
            "best": SubsetPlan(ids=ids[:60], file="best.jsonl", named_rows=60, null="random-60"),
            "random-60": SubsetPlan(ids=ids[60:120]),
        },
    )


def test_the_random_twin_and_the_other_share_are_finalists(tmp_path: Path) -> None:
    """A subset's lead and replay's price are measured on the test set, whatever their standing."""
    agreement = agreed(tmp_path)
    run_race(tmp_path, SimulatedExecutor(tmp_path, agreement, truth), Silent())
    (chosen,) = [line for line in read_lines(tmp_path) if isinstance(line, Finalists)]
    assert BEST == chosen.roles["winner"]
    assert RANDOM == chosen.roles["null"]
    assert f"{BEST}.{MIXED}" == chosen.roles["replay-50"]
    assert chosen.trials[RANDOM]
    assert f"{RANDOM}.{MIXED}" not in chosen.trials


def test_a_twin_that_fails_at_full_length_is_not_asked_for_again(tmp_path: Path) -> None:
    """What a claim rests on may break too: once, and the race goes on without it."""
    agreement = agreed(tmp_path)
    last = agreement.rungs[-1].index

    def breaks(work: TrialWork) -> dict[str, Any] | None:
        if work.trial.arm == RANDOM and work.trial.rung == last:
            return {"key": "race.crashed_exit", "values": {"code": 3}, "retry": None}
        return None

    executor = SimulatedExecutor(tmp_path, agreement, truth, mishap=breaks)
    run_race(tmp_path, executor, Silent())
    lines = list(read_lines(tmp_path))
    assert [RANDOM] == [line.trial.arm for line in lines if isinstance(line, TrialFailed)]
    place = next(n for n, line in enumerate(lines) if isinstance(line, Finalists))
    state = RaceState(agreement)
    state.read_all(lines[:place])
    assert isinstance(state.next().decision, Finalists)
    assert len(set(state.finishing.ran)) == len(state.finishing.ran)
    assert all(trial.arm != RANDOM for trial in state.finishing.ran)
