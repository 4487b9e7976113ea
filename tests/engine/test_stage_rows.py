"""The grid of rows by stage by approach: its plan, its lines, its tables."""

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "recipes").is_dir(), reason="needs the repository")
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT)]


def line(stage: str, approach: str, seed: int, score: float, **more: Any) -> dict[str, Any]:
    """A line as the packed file holds it."""
    about = {"source": "bank", "task": "orders", "rows": 80, "visits": 240, "seed": seed}
    return {**about, "stage": stage, "approach": approach, "score": score, "bits": 1.0, **more}


def test_the_plan_has_every_cell_once() -> None:
    """50 to 10,000 rows of two tasks, three stages, two approaches, at least three seeds; the
    edges of the bracket of rates at one size."""
    from stage_rows import APPROACHES, STAGES, TASKS, Cell, planned

    cells = list(planned())
    assert len(cells) == len(set(cells))
    for rows in (50, 200, 800, 3_200, 10_000):
        wanted = {
            Cell(task, rows, stage, approach, seed)
            for task in TASKS
            for stage in STAGES
            for approach in APPROACHES
            for seed in range(3)
        }
        assert wanted <= set(cells)
    assert {0.333, 3.0} == {one.factor for one in cells} - {1.0}


def test_test_rows_are_never_trained_on() -> None:
    """A seed's prompts are distinct, so no test row is among the rows to train on."""
    from stage_rows import LARGEST, TASKS, TEST, drawn

    for task in TASKS:
        draw = drawn(task, 0)
        assert (TEST, LARGEST) == (len(draw.test), len(draw.train))
        assert TEST + LARGEST == len({prompt for prompt, _ in (*draw.test, *draw.train)})
        assert draw.test != drawn(task, 1).test


def test_interrupted_work_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A torn line is measured again, whole ones are not, and two processes share the rest."""
    import stage_rows

    asked: list[stage_rows.Cell] = []

    def trained(cell: stage_rows.Cell) -> tuple[None, dict[str, Any]]:
        asked.append(cell)
        return None, {"steps": 1}

    cells = [stage_rows.Cell("orders", 50, "base", "lora", seed) for seed in range(4)]
    monkeypatch.setattr(stage_rows, "planned", lambda: iter(cells))
    monkeypatch.setattr(stage_rows, "trained", trained)
    monkeypatch.setattr(stage_rows, "looked", lambda *_: {"score": 0.5})
    monkeypatch.setattr(stage_rows, "general", lambda *_: {"knowledge": [1, 2]})
    path = tmp_path / "lines.jsonl"
    stage_rows.run(path, "1/2")
    assert [cells[0], cells[2]] == asked
    path.write_text(path.read_text()[:-2])  # the last brace is gone, an inner one ends it
    stage_rows.run(path, "1/1")
    assert sorted([cells[1], cells[2], cells[3]]) == sorted(asked[2:])
    assert set(cells) == {stage_rows.key_of(one) for one in stage_rows.lines_of(path)}
    stage_rows.run(path, "1/1")
    assert 5 == len(asked)


@pytest.mark.parametrize("approach", ["lora", "full"])
def test_a_cell_is_really_trained(approach: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps lower the bits of the answers; the figures say what was measured on what."""
    import stage_rows
    from bank_training import checkpoint

    monkeypatch.setattr(stage_rows, "LEAST_STEPS", 4)
    monkeypatch.setattr(stage_rows, "QUESTIONS", 1)
    cell = stage_rows.Cell("orders", 8, "instruct", approach, 0)
    test = stage_rows.drawn("orders", 0).test[:6]
    before = stage_rows.looked(cell, checkpoint("pocket-instruct").model.eval(), test)
    model, cost = stage_rows.trained(cell)
    after = stage_rows.looked(cell, model, test)
    assert after["bits"] < before["bits"]
    assert 4 == cost["steps"] and cost["tokens"] > 0
    assert {"knowledge", "two_turn"} < set(stage_rows.general("instruct", model))


def test_differences_are_paired_by_seed() -> None:
    """A stage is compared with Base of the same seed only; LoRA with full of the same stage."""
    from stage_tables import Setting, approach_differences, differences, points

    every = points(
        [
            line("base", "lora", 0, 0.2), line("instruct", "lora", 0, 0.6),
            line("base", "lora", 1, 0.1), line("instruct", "lora", 1, 0.7),
            line("instruct", "lora", 2, 0.9), line("instruct", "full", 1, 0.8),
        ]
    )  # fmt: skip
    setting = Setting("bank", "orders", 80, 240)
    found, over_rows = differences(every, setting, "lora", "instruct")
    assert pytest.approx([0.4, 0.6]) == found
    assert over_rows is None
    assert pytest.approx([0.7 - 0.95 * 0.8]) == approach_differences(every, setting, 0.95)


def test_a_lone_seed_is_judged_by_its_rows() -> None:
    """With one seed the interval is over the same test rows, and no verdict is given."""
    from bank import packed_bits
    from stage_tables import TEST, Setting, differences, points, told

    right = [packed_bits([n % k == 0 for n in range(TEST)]) for k in (4, 2)]
    every = points(
        [
            line("base", "full", 0, 0.25, right=right[0]),
            line("chat", "full", 0, 0.5, right=right[1]),
        ]
    )
    found, over_rows = differences(every, Setting("bank", "orders", 80, 240), "full", "chat")
    assert over_rows is not None and over_rows.n == TEST
    assert 0.25 == pytest.approx(over_rows.value)
    assert "one seed" in told(found, over_rows)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.001, 0.3, "better"),
        (-0.3, -0.001, "worse"),
        (-0.019, 0.019, "equal enough"),
        (-0.019, 0.021, "cannot be told"),
    ],
)
def test_a_verdict_is_that_of_a_race(low: float, high: float, said: str) -> None:
    """Outside 0 it is decided, inside the margin equal, else it cannot be told."""
    from stage_tables import verdict

    assert said == verdict(low, high)


def test_a_sign_is_judged_by_the_pairs_it_orders() -> None:
    """Pairs that tuning leaves within the margin do not count; an even sign orders nothing."""
    from stage_ranks import ranked
    from stage_tables import before, points

    lines = [
        line("base", "lora", 0, 0.2), line("instruct", "lora", 0, 0.6),
        line("chat", "lora", 0, 0.61),
        *(
            line(stage, "untrained", 0, 0.0, rows=0, bits=bits)
            for stage, bits in (("base", 3.0), ("instruct", 5.0), ("chat", 2.0))
        ),
    ]  # fmt: skip
    by_bits = ranked(points(lines), before(lines), "likelihood")
    assert (1, 1, 0) == (by_bits.agree, by_bits.oppose, by_bits.silent)
    assert pytest.approx([0.0]) == list(by_bits.regret)
    by_score = ranked(points(lines), before(lines), "score")
    assert (0, 0, 2) == (by_score.agree, by_score.oppose, by_score.silent)


def test_forgetting_compares_the_same_cells() -> None:
    """A cell without its twin of the other approach says nothing about approaches."""
    from stage_tables import ABILITIES, kept

    def cell(approach: str, rows: int, right: int) -> dict[str, Any]:
        general = {name: [right, 10] for name in ABILITIES}
        return line("chat", approach, 0, 0.5, rows=rows, factor=1.0, general=general)

    cells = [cell("lora", 50, 8), cell("full", 50, 5), cell("lora", 800, 1)]
    assert [(0.8, 0.5)] == kept(cells, "chat", "all four")
