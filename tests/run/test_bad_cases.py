"""What went wrong with an answer is named, counted, shown beside training rows, and exported."""

import json
from pathlib import Path

import pytest
from run_folder import build_run

from forkpoint.data import read_rows
from forkpoint.errors import BadInput
from forkpoint.report.bad_cases_text import bad_cases_text
from forkpoint.run.bad_cases import bad_cases, data_file
from forkpoint.run.folder import read_folder
from forkpoint.run.outcome import BAD, Expectations, outcome_of

LABELS = Expectations("macro_f1", frozenset({"billing", "refund"}), frozenset())
TEXT = Expectations("chrf", frozenset(), frozenset())
JSON = Expectations("json_f1", frozenset(), frozenset({"name", "city", "city.code"}))
NUMBER = Expectations("numeric_match", frozenset(), frozenset())
LONG = "The parcel left the warehouse on Monday and should reach you within three working days."


@pytest.mark.parametrize(
    ("said", "gold", "form", "outcome"),
    [
        ("billing", "refund", LABELS, "wrong"),
        ("Refund", "billing", LABELS, "wrong"),
        ("It is about money", "refund", LABELS, "format"),
        ("", "refund", LABELS, "empty"),
        ("I'm sorry, but I can't help with that.", LONG, TEXT, "refused"),
        ("抱歉，我无法回答这个问题。", "包裹周一已经发出，三天内会送到您手里。", TEXT, "refused"),
        ("I'm sorry, but I can't help with that.", "I'm sorry, I can't help with that.", TEXT,
         "partly"),
        ("包裹星期一已经从仓库发出，三个工作日之内会送到您手里。", LONG, TEXT, "language"),
        (LONG + " " + LONG + " " + LONG + " " + LONG, LONG, TEXT, "too_long"),
        ("yes, it is", "yes", TEXT, "partly"),
        ('{"name": "Ann"', '{"name": "Ann"}', JSON, "format"),
        ('{"name": "Ann", "age": 3}', '{"name": "Ann"}', JSON, "invented"),
        ('{"name": "Ann", "city": {"zip": 1}}', '{"name": "Ann"}', JSON, "invented"),
        ('{"name": "Bob"}', '{"name": "Ann"}', JSON, "partly"),
        ("forty-two", "42", NUMBER, "format"),
        ("41", "42", NUMBER, "partly"),
    ],
)  # fmt: skip
def test_what_went_wrong_is_named(said: str, gold: str, form: Expectations, outcome: str) -> None:
    """The most specific cause that holds; a wrong answer of the right form is wrong."""
    score = 0.0 if form is LABELS else 0.4
    answer = {"text": said, "stopped": True, "score": score, "expected": gold}
    assert outcome == outcome_of(answer, form)


def test_right_answers_are_never_bad() -> None:
    """Whatever they look like: the metric has said that they are right."""
    answer = {"text": "I'm sorry, I can't help.", "stopped": True, "score": 1.0, "expected": "no"}
    assert "right" == outcome_of(answer, TEXT)
    assert "endless" == outcome_of({**answer, "stopped": False}, TEXT)
    assert "unscored" == outcome_of({**answer, "score": None}, TEXT)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished race of drawn answers."""
    return build_run(tmp_path_factory.mktemp("bad") / "run", rows=150)


def test_every_bad_answer_is_counted_once(run: Path) -> None:
    """The counts of an arm add up to its answers, and every bad one is among the cases."""
    found = bad_cases(read_folder(run))
    assert "test" == found.split
    for arm in found.arms:
        assert arm.n == sum(arm.outcomes.values())
        bad = sum(count for kind, count in arm.outcomes.items() if kind in BAD)
        assert bad == sum(case.arm == arm.arm for case in found.cases)


def test_nearest_rows_are_training_rows_that_are_alike(run: Path) -> None:
    """Most alike first; never the row itself, which is a test row."""
    folder = read_folder(run)
    found = bad_cases(folder)
    train = set(folder.agreement.train_ids)
    for case in found.cases:
        assert 3 == len(case.nearest)
        assert {row.row_id for row in case.nearest} <= train
        likeness = [row.similarity for row in case.nearest]
        assert sorted(likeness, reverse=True) == likeness
    english = next(c for c in found.cases if "charged twice" in c.prompt[-1][1])
    assert "charged twice" in english.nearest[0].prompt


def test_the_file_can_be_corrected_and_fed_back(run: Path, tmp_path: Path) -> None:
    """Every line is a row that forkpoint reads, with the expected answer and what went wrong."""
    found = bad_cases(read_folder(run))
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in data_file(found)))
    rows = list(read_rows(path))
    assert len(found.cases) == len(rows)
    assert found.cases[0].expected == rows[0].answer
    assert found.cases[0].outcome == rows[0].extra["went_wrong"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_terminal_shows_counts_and_cases(run: Path, lang: str) -> None:
    """Every arm has a line; hostile text does nothing."""
    found = bad_cases(read_folder(run))
    hostile = found.cases[0].model_copy(update={"said": "\x1b[2J\u202eabc"})
    text = bad_cases_text(found.model_copy(update={"cases": (hostile, *found.cases[1:])}), lang)
    assert all(arm.arm in text for arm in found.arms)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_an_unknown_arm_is_a_sentence(run: Path) -> None:
    """It names those that answered."""
    with pytest.raises(BadInput, match="There are answers of"):
        bad_cases(read_folder(run), ["nobody"])
