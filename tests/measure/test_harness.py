"""Tasks of lm-evaluation-harness: local files run offline, rejected ones are named."""

import json
from pathlib import Path

import pytest

from forkpoint.errors import BadInput
from forkpoint.measure.harness import check_asked, reject, run_tasks, task_name
from forkpoint.models.weights import load_model, load_tokenizer

TASK = """\
task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
doc_to_choice: "{{{{choices}}}}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a task of twelve questions, and others that are wrong in some way."""
    folder = tmp_path_factory.mktemp("tasks")
    rows = [
        {"question": f"What is {n} plus four?", "choices": [" seven", " zebra"], "answer": n % 2}
        for n in range(12)
    ]
    (folder / "sums.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    text = TASK.format(name="pocket_sums", data=folder / "sums.jsonl")
    (folder / "sums.yaml").write_text(text)
    (folder / "other").mkdir()
    (folder / "other" / "gone.yaml").write_text(
        TASK.format(name="pocket_gone", data=folder / "no_such_file.jsonl")
    )
    (folder / "nameless.yaml").write_text("output_type: multiple_choice\n")
    (folder / "broken.yaml").write_text("task: [\n")
    return folder


def test_a_local_task_is_run_and_paired_by_question(tiny_checkpoint: Path, tasks: Path) -> None:
    """Scores with interval and n; the same questions carry the same names each time."""
    pytest.importorskip("lm_eval", reason="tasks need the extra 'eval'")
    asked = [str(tasks / "sums.yaml"), str(tasks / "other" / "gone.yaml")]
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    found = run_tasks(model, tokenizer, asked, chat=False, limit=10)
    score = found.scores["pocket_sums"]
    assert 10 == score.n == len(found.outcomes)
    assert score.low is not None and score.low < (score.value or 0.0) < (score.high or 0.0)
    assert [f"pocket_sums:{n}" for n in range(10)] == [one.question for one in found.outcomes]
    assert {0.0, 1.0} >= {one.score for one in found.outcomes}
    assert [asked[1]] == list(found.failed)
    assert "no_such_file" in found.failed[asked[1]] or "find" in found.failed[asked[1]]


def test_what_the_harness_rejects_is_said_without_a_model(tasks: Path) -> None:
    """A good file passes; a name that nothing has is named."""
    pytest.importorskip("lm_eval", reason="tasks need the extra 'eval'")
    assert reject(str(tasks / "sums.yaml")) is None
    assert reject(str(tasks / "other" / "gone.yaml")) is not None


def test_a_file_that_is_no_task_is_refused_at_once(
    tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, broken, without a name, and a harness that is not installed."""
    assert "pocket_sums" == task_name(str(tasks / "sums.yaml"))
    assert "mmlu" == task_name("mmlu")
    for file, words in (
        (tasks / "none.yaml", "No such file"),
        (tasks / "broken.yaml", "cannot be read"),
        (tasks / "nameless.yaml", "task: NAME"),
    ):
        with pytest.raises(BadInput, match=words):
            task_name(str(file))
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(BadInput, match="eval"):
        check_asked([str(tasks / "sums.yaml")])
