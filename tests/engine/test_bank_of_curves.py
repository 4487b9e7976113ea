"""The bank of curves: what is kept, how it is read back, and races replayed from it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "recipes").is_dir(), reason="needs the repository")
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT)]

ROWS, TESTED, RUNGS = 200, 1_000, 4
ENDS = {"base.full": 0.55, "base.lora": 0.30, "chat.full": 0.95, "chat.lora": 0.40}


def cell(
    kind: str, rung: int, score: float, rng: np.random.Generator, test: bool
) -> dict[str, Any]:
    """A cell of a run whose rows are right with this chance."""
    from bank import packed_bits

    def side(rows: int) -> dict[str, Any]:
        right = rng.random(rows) < score
        return {"n": rows, "right": packed_bits(right.tolist()), "score": float(right.mean()),
                "bits_per_byte": 2 - score, "seconds": 1.0}  # fmt: skip

    found = {"kind": kind, "rung": rung, "tokens": 1_000 * 2**rung, "seconds": 1.0,
             "validation": side(ROWS)}  # fmt: skip
    return {**found, "test": side(TESTED)} if test else found


@pytest.fixture(scope="module")
def bank_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two settings of two tasks: one with a clear winner, one where all arms are equal."""
    rng = np.random.default_rng(0)
    lines: list[dict[str, Any]] = []
    for task, ends in (("orders", ENDS), ("even", dict.fromkeys(ENDS, 0.5))):
        setting = {"setting": f"{task}-99", "task": task, "format": 1, "versions": {}}
        for stage in ("base", "chat"):
            untrained = {"kind": "untrained", "validation": {"score": 0.0}}
            lines.append({**setting, "arm": f"{stage}.untrained", "seed": 0, "cells": [untrained]})
        for arm, end in ends.items():
            for seed in range(3):
                cells = [
                    cell(kind, rung, end * rung / RUNGS, rng, kind == "fresh" and rung == RUNGS)
                    for kind in ("fresh", "continued")
                    for rung in range(1, RUNGS + 1)
                ]
                cells.append(cell("opening", 0, end / 8, rng, test=False))
                lines.append({**setting, "arm": arm, "seed": seed, "cells": cells})
    path = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_rows_come_back_as_they_were() -> None:
    """Right and wrong by row survive the text form, whatever their number."""
    from bank import packed_bits, unpacked

    for rows in (1, 7, 8, 200, 1_000):
        right = (np.arange(rows) % 3 == 0).tolist()
        assert right == unpacked(packed_bits(right), rows).tolist()


def test_a_torn_line_is_trained_again(tmp_path: Path) -> None:
    """What was interrupted while it was written is no line; the whole ones stay."""
    from bank import key_of, lines_of

    path = tmp_path / "bank.jsonl"
    line = {"setting": "s", "arm": "a", "seed": 0, "cells": []}
    path.write_text(json.dumps(line) + "\n" + json.dumps({**line, "seed": 1})[:-9])
    assert [("s", "a", 0)] == [key_of(one) for one in lines_of(path)]
    assert [] == lines_of(tmp_path / "none.jsonl")


def test_a_line_gets_its_opening_later(bank_file: Path, tmp_path: Path) -> None:
    """Lines of one run are joined, what came later standing; a line without an opening has yet to
    be finished, and is in no race."""
    from bank import lines_of, opened
    from bank_curves import read_bank

    lines = [json.loads(text) for text in bank_file.read_text(encoding="utf-8").splitlines()]
    whole = next(line for line in lines if opened(line) and len(line["cells"]) > 1)
    apart = {name: [c for c in whole["cells"] if (c["kind"] == "opening") == later]
             for name, later in (("first", False), ("later", True))}  # fmt: skip
    path = tmp_path / "bank.jsonl"
    halves = [{**whole, "cells": apart["first"]}, {**whole, "cells": apart["later"]}]
    path.write_text("".join(json.dumps(half) + "\n" for half in (*halves, halves[1])))
    assert [whole] == lines_of(path)
    assert not opened(halves[0])
    path.write_text(json.dumps(halves[0]) + "\n")
    assert [] == read_bank(path, fewest_seeds=1)


def test_a_race_begins_with_its_opening(bank_file: Path) -> None:
    """Fresh runs begin at a sixteenth, three of them; continued ones at an eighth."""
    from bank_curves import draw_race, read_bank

    race = draw_race(read_bank(bank_file)[0], np.random.default_rng(0), 4, rates=3)
    assert [1_000, 4_000, 8_000, 16_000] == race.lengths_K("fresh").tolist()
    assert [2_000, 4_000, 8_000, 16_000] == race.lengths_K("continued").tolist()
    assert 3_000 == race.cost(0, 0, "fresh", None)
    assert 6_000 == race.cost(0, 0, "continued", None)


def test_a_bracket_is_asked_what_it_would_choose() -> None:
    """By the likelihood of the runs of one length; where they turn, and whichever rate is taken
    for the centre. A rate that was not run is no choice."""
    from bank_rates import Case, chosen

    def runs(best: int, powers: range) -> dict[int, dict[str, float]]:
        return {power: {"score": 0.0, "bits": 1.0 + (power - best) ** 2} for power in powers}

    case = Case("s", "a.lora", {-1: 0.1, 0: 0.9, 1: 0.2},
                {"scaled": runs(0, range(-2, 3)), "eighth": runs(2, range(-1, 2))})  # fmt: skip
    assert [0, 0, 0] == [chosen(case, "scaled", centre) for centre in (-1, 0, 1)]
    assert 1 == chosen(case, "eighth", 0)


def test_the_plan_is_large_enough_and_in_order() -> None:
    """At least 8 settings, 6 arms, 5 seeds; a setting is whole before the next, a seed too."""
    from bank import SEEDS, UNTRAINED, planned
    from bank_tasks import SETTINGS

    keys = [key for key in planned() if not key[1].endswith(UNTRAINED)]
    assert len(SETTINGS) >= 8 and SEEDS >= 5
    assert len(keys) == len(set(keys)) == len(SETTINGS) * 6 * SEEDS
    assert [setting.name for setting in SETTINGS] == list(dict.fromkeys(key[0] for key in keys))
    assert [0] * 6 + [1] * 6 == [seed for _, _, seed in keys[:12]]


def test_no_prompt_is_on_two_sides() -> None:
    """Rows to train on, to decide with and to test are apart, the same whenever drawn."""
    from bank_tasks import SETTINGS, TEST, VALIDATION, rows_of

    for setting in SETTINGS:
        rows = rows_of(setting)
        prompts = [{prompt for prompt, _ in side} for side in rows]
        assert (setting.rows, VALIDATION, TEST) == tuple(len(side) for side in prompts)
        assert not prompts[0] & prompts[1] and not prompts[2] & (prompts[0] | prompts[1])
    assert rows_of(SETTINGS[0]) == rows_of(SETTINGS[0])


def test_a_continued_run_pays_its_cool_downs(bank_file: Path) -> None:
    """Going on from a rung costs the rest of the way and the tenth that was thrown away."""
    from bank_curves import TRUNK, draw_race, read_bank

    curves = read_bank(bank_file)[0]
    race = draw_race(curves, np.random.default_rng(0), 4)
    assert 16_000 == race.cost(0, 3, "fresh", 1)
    assert 16_000 - TRUNK * 4_000 == race.cost(0, 3, "continued", 1)


def test_replayed_races_find_a_clear_winner(bank_file: Path) -> None:
    """With a clear winner the engine names it at under half of brute force; where all arms are
    equal nothing is lost, and the certainty is judged on every arm of every race."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/bank_races.py"), "--bank", str(bank_file),
         "--races", "12", "--share", "0.45", "--prior", "ruled"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    clear = found["regret"]["above"]
    assert clear["forkpoint, named"]["regret"] <= 0.02 < clear["random"]["regret"]
    assert clear["tokens, fresh"] <= 0.46
    assert found["regret"]["below a margin"]["forkpoint, named"]["regret"] <= 0.02
    assert found["certainty"]["end"]["n"] >= 4 * 8
    ranks = {(line["kind"], line["length"]): line["rank"] for line in found["order"]}
    assert {0.062, 0.125, 0.25, 0.5, 1.0} == {at for kind, at in ranks if kind == "fresh"}
    assert ranks["fresh", 1.0] > 0.8


def test_verdicts_of_replayed_races_are_judged_by_the_truth(bank_file: Path) -> None:
    """Of arms that are equal none is called better; of a clear winner nothing false is said, and
    the chances of all arms of a race sum to one."""
    from bank_curves import read_bank
    from bank_life import brute_tokens, run_race, verdict_of
    from bank_races import races_of
    from bank_verdicts import line_of, table

    from forkpoint.race.live_prior import RULED_PRIOR

    lines = []
    for number, (third, race) in enumerate(races_of(read_bank(bank_file), 24, 0)):
        ended = run_race(race, 0.45 * brute_tokens(race), RULED_PRIOR, "fresh", number, 0.02)
        said = verdict_of(race, ended, number)
        lines.append(line_of(third, race, ended, said))
        assert 1.0 == pytest.approx(sum(lines[-1]["p"].values()), abs=1e-6)
    even = [line for line in lines if line["setting"] == "even-99"]
    assert even
    assert not any(line["kind"] == "better" for line in even)
    assert any(line["kind"] == "better" for line in lines)
    assert 1.0 == table(lines)["all"]["better"]["true"]


def test_certainty_knows_a_right_probability_from_a_wrong_one() -> None:
    """Calibrated draws have an ECE near 0 and a Brier score below the base rate's; the same
    probabilities against a coin do not."""
    from certainty import Cases, judge_certainty

    rng = np.random.default_rng(1)
    said = rng.random(1_500)
    outer = np.array([f"table{n % 4}" for n in range(1_500)])
    inner = np.array([f"arm{n % 7}" for n in range(1_500)])
    right = judge_certainty(Cases(said, rng.random(1_500) < said, outer, inner))
    wrong = judge_certainty(Cases(said, rng.random(1_500) < 0.5, outer, inner))
    assert right["ece"] < 0.05 and right["ece_interval"][0] < right["ece_interval"][1]
    assert right["brier"] < right["rivals"]["base rate"]["brier"]
    assert wrong["ece"] > 0.2 and wrong["brier"] > wrong["rivals"]["base rate"]["brier"]
    low, high = right["said_90"]["interval"]
    assert low < 0.95 < high
