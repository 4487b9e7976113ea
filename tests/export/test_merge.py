"""A merge is written when it says what the adapter says, and not otherwise."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from run_folder import build_run
from simulated_race import race

from forkpoint.errors import BadInput
from forkpoint.export.adapter_facts import lora_share
from forkpoint.export.finished_arm import finished_arm
from forkpoint.export.merged import merge_arm
from forkpoint.export.model_card import model_card
from forkpoint.ledger import AnswersMade, TrialScored
from forkpoint.models.generation import generate
from forkpoint.models.weights import generation_end_ids, load_model, load_tokenizer
from forkpoint.report.wording import named
from forkpoint.run.folder import read_folder
from forkpoint.train import merge as merging
from forkpoint.words import say


def test_a_merged_arm_answers_as_the_adapter_does(trained_run: Path, tmp_path: Path) -> None:
    """Read back from disk: the same distribution and text, the tensors of the checkpoint alone."""
    arm = finished_arm(trained_run / "toy.lora")
    merged = merge_arm(arm, tmp_path / "merged")
    proof = merged.proof
    assert proof.holds
    assert proof.mean_kl < 1e-6
    assert (1.0, 1.0, True, 4) == (proof.top1, proof.same_text, proof.same_shapes, proof.rows)
    assert proof.seconds_ratio is None or proof.seconds_ratio > 0
    model = load_model(tmp_path / "merged")
    base = dict(load_model(arm.rows.path).named_parameters())
    moved = [name for name, weight in model.named_parameters() if not weight.equal(base[name])]
    assert moved
    rendered = arm.rows.rendered(arm.run.agreement.train_ids[0])
    tokenizer = load_tokenizer(tmp_path / "merged")
    said = generate(model, tokenizer, [rendered.prompt_ids], generation_end_ids(model), 6)
    assert (rendered.answer, True) == (said[0].text, said[0].stopped)


def test_sizes_and_share_are_those_of_the_files(trained_run: Path, tmp_path: Path) -> None:
    """The trained share is trained over all parameters; a full arm trains everything."""
    lora = merge_arm(finished_arm(trained_run / "toy.lora"), tmp_path / "a").adapter
    weights = next((trained_run / "arms" / "toy.lora").rglob("adapter_model.safetensors"))
    assert weights.stat().st_size == lora.weights_bytes
    assert lora.trained_share is not None
    assert 0 < lora.trained_share < 0.5
    full = merge_arm(finished_arm(trained_run / "toy.full"), tmp_path / "b")
    assert 1.0 == full.adapter.trained_share
    assert full.proof.seconds_ratio is None


def test_lora_is_set_beside_full_on_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its share of full fine-tuning's score with interval and n; none where one is missing."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    race(tmp_path / "run")
    run = read_folder(tmp_path / "run")
    found = lora_share(run, "pocket-instruct")
    assert found is not None
    both: list[set[str]] = []
    for name in (found.lora, found.full):
        kind = AnswersMade if found.split == "test" else TrialScored
        line = next(line for line in run.lines if isinstance(line, kind) and name in line.answers)
        rows = (run.folder / line.answers).read_text().splitlines()
        both.append({json.loads(row)["row_id"] for row in rows})
    assert len(both[0] & both[1]) == found.share.n
    assert found.share.low is not None and found.share.high is not None
    assert found.share.low < found.share.value < found.share.high
    agreed = run.agreement
    alone = tuple(arm for arm in agreed.arms if arm.approach == "lora")
    without = replace(run, agreement=agreed.model_copy(update={"arms": alone}))
    assert lora_share(without, "pocket-instruct") is None


def test_a_merge_that_says_something_else_is_not_written(
    trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A weight lost on the way to disk is found when it is read back; nothing is left behind."""
    write = merging._write

    def lossy(merged: Any, *rest: Any) -> None:
        with torch.no_grad():
            merged.model.layers[0].mlp.down_proj.weight.mul_(0.0)
        write(merged, *rest)

    monkeypatch.setattr(merging, "_write", lossy)
    with pytest.raises(BadInput, match="does not say what the adapter says"):
        merge_arm(finished_arm(trained_run / "toy.lora"), tmp_path / "merged")
    assert [] == list(tmp_path.iterdir())


def test_a_plain_arm_ships_the_template_it_was_trained_with(
    trained_run: Path, tmp_path: Path
) -> None:
    """A server that uses the merged folder's template writes the prompt of training."""
    arm = finished_arm(trained_run / "toy.full")
    merge_arm(arm, tmp_path / "merged")
    tokenizer = load_tokenizer(tmp_path / "merged")
    for row_id in arm.run.agreement.train_ids:
        row = arm.rows.rows[row_id]
        messages = [{"role": turn.role, "content": turn.content} for turn in row.prompt]
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        prompt = arm.rows.rendered(row_id).prompt_ids
        assert arm.rows.tokenizer.decode(prompt, skip_special_tokens=False) == text
        whole = tokenizer.apply_chat_template(
            [*messages, {"role": "assistant", "content": row.answer}], tokenize=False
        )
        ids = arm.rows.rendered(row_id).input_ids
        assert arm.rows.tokenizer.decode(ids, skip_special_tokens=False) == whole


def test_the_card_says_what_it_came_from(trained_run: Path, tmp_path: Path) -> None:
    """Base model, relation, revision, data hash, licence; no folder of this machine."""
    import yaml

    arm = finished_arm(trained_run / "toy.lora")
    merge_arm(arm, tmp_path / "merged")
    card = (tmp_path / "merged" / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---")[1])
    assert ("toy", "finetune") == (front["base_model"], front["base_model_relation"])
    assert arm.run.agreement.data_sha256 in card
    assert arm.facts.identity in card
    assert str(Path(arm.rows.path).parent) not in card
    kept = json.loads((tmp_path / "merged" / "forkpoint-merge.json").read_text())
    assert "toy.lora" == kept["arm"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_card_holds_scores_with_interval_and_n(tmp_path: Path, lang: str) -> None:
    """Test and validation of the named arm, and the change of each ability."""
    build_run(tmp_path / "run")
    arm = finished_arm(tmp_path / "run")
    verdict = arm.run.verdict
    assert verdict is not None
    result = next(one for one in verdict.results if one.arm == verdict.arm)
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in model_card(arm, None, lang).splitlines() if line.count("|") == 5
    ]  # fmt: skip
    shown = {tuple(cells[1:]) for cells in lines}
    for figure in (result.test, result.validation):
        assert figure is not None and figure.low is not None and figure.high is not None
        span = f"{figure.low:.3f} – {figure.high:.3f}"
        assert (f"{figure.value:.3f}", span, str(figure.n)) in shown
    for change in (one for one in verdict.changes if one.subject == verdict.arm):
        said = say("export.card_change", lang, ability=named("ability", change.ability, lang))
        assert [str(change.difference.n)] == [cells[3] for cells in lines if cells[0] == said]


@pytest.mark.parametrize(
    ("place", "says"),
    [("toy.none", "has no arm toy.none"), ("", "Say which one with --arm: toy.lora, toy.full")],
)
def test_an_arm_that_is_not_there(trained_run: Path, place: str, says: str) -> None:
    """The sentence names those that are."""
    with pytest.raises(BadInput, match=says):
        finished_arm(trained_run / place)


def test_no_folder_is_written_over(trained_run: Path, tmp_path: Path) -> None:
    """A folder that holds something is refused before any work."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="is not empty"):
        merge_arm(finished_arm(trained_run / "toy.lora"), tmp_path)


def test_swept_weights_are_a_sentence(trained_run: Path, tmp_path: Path) -> None:
    """It says which arms can be merged."""
    import shutil

    run = Path(shutil.copytree(trained_run, tmp_path / "run"))
    shutil.rmtree(next((run / "arms" / "toy.lora").rglob("weights")))
    with pytest.raises(BadInput, match="keeps those of its finalists"):
        merge_arm(finished_arm(run / "toy.lora"), tmp_path / "merged")
