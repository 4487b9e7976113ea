"""Prompts of untrained arms: the same rendering as everyone's, inside the context, no test row."""

from pathlib import Path

import pytest
from simulated_race import make_agreement

from forkpoint.data.row import Row, Turn
from forkpoint.facts import read_checkpoint
from forkpoint.ledger import Agreement, Setup, Sides, UntrainedArm
from forkpoint.measure.arm import ScoringRow
from forkpoint.race.arm_rows import ArmRows
from forkpoint.race.asked_rows import Asked, AskedRows
from forkpoint.race.rows_file import write_rows

NAME = "pocket-instruct"
SETUPS = (
    Setup(name="plain", rendering="chat"),
    Setup(name="3-near", rendering="chat", values={"shots": 3, "how": "near"}),
    Setup(name="3-random-1", rendering="chat", values={"shots": 3, "how": "random-1"}),
)


def row(number: int) -> Row:
    asked = f"ticket {number}: the lamp number {number} is broken, what now?"
    turns = (Turn("user", asked), Turn("assistant", f"repair {number}"))
    return Row(id=f"{number:016x}", file="rows.jsonl", line=number, turns=turns)


def plan(folder: Path, context: int = 512, folds: int = 0, system: str | None = None) -> Agreement:
    """Forty rows: twenty to train on, ten to decide with, ten to test."""
    ids = [f"{number:016x}" for number in range(40)]
    parts = [ids[at::folds] for at in range(folds)] if folds else []
    sides = tuple(
        Sides(
            train_ids=tuple(key for key in ids if key not in part),
            rung_validation_ids=(ids[20],),
            test_ids=tuple(part),
        )
        for part in parts
    )
    write_rows(folder, [row(number) for number in range(40)])
    return make_agreement(
        folder,
        train_ids=sides[0].train_ids if folds else tuple(ids[:20]),
        rung_validation_ids=tuple(ids[20:30]),
        test_ids=tuple(ids) if folds else tuple(ids[30:]),
        folds=sides,
        checkpoints={NAME: read_checkpoint(NAME)},
        settings={"context_tokens": context, "answer_tokens": {NAME: 16}, "system_prompt": system},
    )


def asked(
    folder: Path, agreed: Agreement, approach: str, setup: Setup, split: str = "test"
) -> tuple[list[Asked], AskedRows]:
    arm = UntrainedArm(
        name=f"{NAME}.{approach}", checkpoint=NAME, approach=approach, stage=None, setups=SETUPS
    )
    rows = AskedRows(folder, agreed, arm, setup)
    ids = agreed.test_ids if split == "test" else agreed.rung_validation_ids
    return rows.to_score(ids, split), rows


def test_the_prompt_arm_reads_what_a_trained_arm_reads(tmp_path: Path) -> None:
    """Token for token: what differs between the two is training and nothing else."""
    agreed = plan(tmp_path, system="Answer shortly.")
    found, _ = asked(tmp_path, agreed, "prompt", SETUPS[0])
    trained: list[ScoringRow] = ArmRows(tmp_path, NAME, "chat").to_score(agreed.test_ids)
    assert [one.rendered.prompt_ids for one in trained] == [
        one.row.rendered.prompt_ids for one in found
    ]


def test_examples_go_through_the_same_renderer(tmp_path: Path) -> None:
    """The prompt ends as the bare prompt ends, and holds the system prompt once."""
    agreed = plan(tmp_path, system="Answer shortly.")
    found, rows = asked(tmp_path, agreed, "few-shot", SETUPS[1])
    text = rows.rows.tokenizer.decode(found[0].row.rendered.prompt_ids)
    bare = rows.rows.tokenizer.decode(rows.rows.rendered(agreed.test_ids[0]).prompt_ids)
    last = bare[bare.index("ticket") :]
    assert text.endswith(last)
    assert 1 == text.count("Answer shortly.")
    assert 4 == text.count("ticket")
    assert 3 == found[0].pieces == found[0].wanted


@pytest.mark.parametrize("setup", SETUPS[1:], ids=lambda setup: setup.name)
def test_no_test_or_validation_row_is_ever_an_example(tmp_path: Path, setup: Setup) -> None:
    """Examples are training rows, by what they ask."""
    agreed = plan(tmp_path)
    for split in ("test", "validation"):
        found, rows = asked(tmp_path, agreed, "few-shot", setup, split)
        for one in found:
            text = rows.rows.tokenizer.decode(one.row.rendered.prompt_ids)
            for number in range(20, 40):
                own = row(number).id == one.row.row.id
                assert own or f"ticket {number}:" not in text


def test_where_every_row_is_tested_once_its_own_fold_gives_the_examples(tmp_path: Path) -> None:
    """A row of the second fold's test trains the first: it must not be shown its own answer."""
    agreed = plan(tmp_path, folds=4)
    found, rows = asked(tmp_path, agreed, "few-shot", SETUPS[1])
    tested = {key: set(fold.test_ids) for fold in agreed.folds for key in fold.test_ids}
    assert list(agreed.test_ids) == [one.row.row.id for one in found]
    for one in found:
        text = rows.rows.tokenizer.decode(one.row.rendered.prompt_ids)
        for number in range(40):
            key = row(number).id
            if key in tested[one.row.row.id] and key != one.row.row.id:
                assert f"ticket {number}:" not in text


def test_a_prompt_longer_than_the_context_takes_fewer_examples(tmp_path: Path) -> None:
    """The nearest ones are kept; the prompt with its answer fits."""
    whole, _ = asked(tmp_path, plan(tmp_path), "few-shot", SETUPS[1])
    longest = max(len(one.row.rendered.prompt_ids) for one in whole)
    tight = plan(tmp_path, context=longest - 10 + 16)
    found, _ = asked(tmp_path, tight, "few-shot", SETUPS[1])
    assert all(one.pieces < one.wanted for one in found if one.pieces != 3)
    assert any(one.pieces == 2 for one in found)
    assert all(len(one.row.rendered.prompt_ids) <= longest - 10 for one in found)
    none, _ = asked(tmp_path, plan(tmp_path, context=60), "few-shot", SETUPS[1])
    assert {(0, 3)} == {(one.pieces, one.wanted) for one in none}


def test_long_prompts_are_answered_in_smaller_batches(tmp_path: Path) -> None:
    """What is read together stays bounded, however long the prompts."""
    found, rows = asked(tmp_path, plan(tmp_path), "prompt", SETUPS[0])
    assert 32 == rows.batch_size(found)
    long = found[0].row.rendered.__class__(
        prompt_ids=(1,) * 5_000, prompt_labels=(1,) * 5_000, answer_ids=(1,), stop_ids=(2,),
        answer="x", lead="", scored=True,
    )  # fmt: skip
    assert 3 == rows.batch_size([Asked(ScoringRow(row(1), long), 0, 0)])
