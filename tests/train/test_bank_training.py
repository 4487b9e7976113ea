"""The loop of the bank of curves trains and scores as the product does."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "recipes").is_dir(), reason="needs the repository")
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT)]

PAIRS = [(f"{count} {thing}", f"{thing}:{count}") for count, thing in enumerate("abcdefghijkl", 2)]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """As the bank is trained."""
    import torch

    torch.set_num_threads(1)


@pytest.mark.parametrize("kind", ["full", "lora"])
def test_the_losses_are_those_of_the_product(kind: str, tmp_path: Path) -> None:
    """Same rows, rate, seed and schedule: the same loss at every step."""
    from bank_training import Run, checkpoint, linear

    from forkpoint.pocket import __file__ as pocket
    from forkpoint.train.fine_tune import fine_tune
    from forkpoint.train.job import ApproachSettings, TrainJob, TrainRow

    start = checkpoint("pocket-base")
    rows = tuple(
        TrainRow(input_ids=row.input_ids, labels=row.labels)
        for row in (start.rendered(pair) for pair in PAIRS)
    )
    steps = tuple(tuple(range(at, at + 4)) for at in (0, 4, 8) * 3)
    found = fine_tune(
        TrainJob(
            checkpoint=str(Path(pocket).parent / "pocket-base"), approach=kind,
            settings=ApproachSettings(), rows=rows, steps=steps, rate=3e-3, warmup_steps=1,
            seed=3, end_ids=start.renderer.end_ids, folder=str(tmp_path),
        )
    )  # fmt: skip
    run = Run(start, kind, rows, 3e-3, 3)
    for number, places in enumerate(steps):
        run.step(places, linear(number, len(steps)))
    assert list(found.losses) == pytest.approx(run.losses, rel=2e-3)
    assert found.tokens == run.tokens


def test_right_means_that_greedy_decoding_gives_the_answer_and_ends() -> None:
    """Teacher forcing and generation agree row by row, on rows that are partly learned."""
    from bank_training import Run, checkpoint, scored

    from forkpoint.models.generation import generate
    from forkpoint.models.weights import load_tokenizer
    from forkpoint.train.job import TrainRow

    start = checkpoint("pocket-instruct")
    told = [start.rendered(pair) for pair in PAIRS]
    rows = [TrainRow(input_ids=row.input_ids, labels=row.labels) for row in told]
    run = Run(start, "full", rows, 1e-3, 0)
    for number in range(12):
        run.step([number % 6, 6 + number % 4], 1.0)
    said = scored(start, run.model, PAIRS)
    run.model.eval()
    tokenizer = load_tokenizer(str(run.model.config.name_or_path))
    prompts = [row.prompt_ids for row in told]
    answers = generate(run.model, tokenizer, prompts, start.renderer.end_ids, 12)
    exact = [a.stopped and a.text == row.answer for a, row in zip(answers, told, strict=True)]
    assert exact == said.right
    assert 0 < sum(exact) < len(exact)


def test_a_cool_down_leaves_no_trace() -> None:
    """A run that went aside and came back goes on as one that never did."""
    from bank_training import Run, checkpoint

    from forkpoint.train.job import TrainRow

    start = checkpoint("pocket-base")
    told = [start.rendered(pair) for pair in PAIRS]
    rows = [TrainRow(input_ids=row.input_ids, labels=row.labels) for row in told]
    straight, aside = (Run(start, "lora", rows, 3e-3, 1) for _ in range(2))
    for run in (straight, aside):
        run.step([0, 1], 1.0)
    state = aside.state()
    aside.step([2, 3], 0.5)
    aside.back_to(state)
    straight.step([4, 5], 1.0)
    aside.step([4, 5], 1.0)
    assert straight.losses[-1] == aside.losses[-1]
    assert straight.tokens == aside.tokens
