"""Instruction-following difficulty: the same answer tokens with and without their instruction."""

import json
from pathlib import Path

import pytest

from forkpoint.data import load
from forkpoint.measure.difficulty import Difficulty, difficulties, start_id
from forkpoint.measure.likelihood import span_bits
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.selecting.score_file import ScoreFile, read_scores
from forkpoint.selecting.scoring import Cost, score_header, score_ifd


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six rows, one of them longer than the checkpoint's context."""
    path = tmp_path / "rows.jsonl"
    rows = [
        {"prompt": f"What is {n} plus four?", "completion": f"It is {n + 4}."} for n in range(5)
    ]
    rows.append({"prompt": "three plus " * 400, "completion": "seven"})
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_both_losses_are_of_the_answer_alone(tiny_checkpoint: Path, data: Path) -> None:
    """With it: after the rendered prompt; alone: after the token that begins a text."""
    tokenizer, model = load_tokenizer(tiny_checkpoint), load_model(tiny_checkpoint)
    row = Renderer(tokenizer, Rendering(kind="chat")).row(load(data).rows[0])
    assert isinstance(row, Rendered)
    start = start_id(tokenizer)
    assert start is not None
    (found,) = difficulties(model, [row], start)
    (told,) = span_bits(model, [((*row.prompt_ids, *row.answer_ids), len(row.prompt_ids))])
    (alone,) = span_bits(model, [((start, *row.answer_ids), 1)])
    assert len(row.answer_ids) == len(told) == len(alone)
    assert pytest.approx((sum(told), sum(alone)), rel=1e-4) == tuple(found)
    assert found.ratio == found.with_prompt_bits / found.alone_bits
    assert Difficulty(1.0, 0.0).ratio is None


class Heard:
    """An audience that keeps the costs."""

    def __init__(self) -> None:
        self.costs: list[Cost] = []

    def begins(self, cost: Cost) -> None:
        self.costs.append(cost)

    def progressed(self, scorer: str, done: int, rows: int) -> None:
        """Not looked at."""


def test_difficulty_is_scored_once_and_says_what_it_could_not_read(
    tiny_checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    """The cost comes first, a row that is too long says so, and a second run has nothing to do."""
    dataset = load(data)
    path = tmp_path / "scores.jsonl"
    heard = Heard()
    for _ in range(2):
        with ScoreFile(path, score_header(dataset)) as file:
            found = score_ifd(dataset, str(tiny_checkpoint), file, heard)
    assert [6, 0] == [cost.rows for cost in heard.costs]
    assert heard.costs[0].tokens
    assert heard.costs[0].seconds is not None
    assert 0 == found.scored
    assert 5 == len(read_scores(path)[1])
    assert 1 == path.read_text().count('"note":"too_long"')
