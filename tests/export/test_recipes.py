"""An exported recipe trains the rows of the race, by the trainer's own parser where it is there."""

import ast
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import exported_run
import pytest
import yaml

from forkpoint.errors import BadInput
from forkpoint.export import torchtune
from forkpoint.export.export_text import export_text
from forkpoint.export.exported import export_arm
from forkpoint.export.finished_arm import finished_arm
from forkpoint.export.recipe import Kit, kits_of
from forkpoint.export.tool import TOOLS

LLAMAFACTORY = os.environ.get("FORKPOINT_LLAMAFACTORY", "")
CHECK = Path(__file__).with_name("llamafactory_check.py")
ARMS = ("toy.lora", "toy.full")


def exported(run: Path, arm: str, tool: str, folder: Path) -> tuple[Kit, Path]:
    found = finished_arm(run, arm)
    export_arm(found, tool, folder / tool)
    (kit,) = kits_of(found)
    return kit, folder / tool


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def expected(kit: Kit) -> list[dict[str, list[int]]]:
    return [{"input_ids": list(row.input_ids), "labels": list(row.labels)} for row in kit.train]


@pytest.mark.parametrize("arm", ARMS)
def test_trl_parses_the_recipe_and_trains_the_very_tokens(
    trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arm: str
) -> None:
    """TrlParser takes every key; SFTTrainer's own preparation leaves tokens and labels as ours."""
    from datasets import load_dataset
    from trl import ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser, get_peft_config

    kit, folder = exported(trained_run, arm, "trl", tmp_path)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    script, config, model = parser.parse_args_and_config(["--config", "sft.yaml", "--use_cpu"])
    recipe = kit.recipe
    told = (config.learning_rate, config.num_train_epochs, config.seed, config.warmup_steps)
    assert (recipe.rate, recipe.passes, recipe.seed, recipe.warmup_steps) == told
    at_once = config.per_device_train_batch_size * config.gradient_accumulation_steps
    assert recipe.rows_per_step == at_once
    adapter = get_peft_config(model)
    if arm == "toy.lora":
        assert (4, 8, 0.0) == (adapter.r, adapter.lora_alpha, adapter.lora_dropout)
    else:
        assert adapter is None
    rows = load_dataset(script.dataset_name, cache_dir=str(tmp_path / "cache"))
    trainer = SFTTrainer(
        model=model.model_name_or_path, args=config,
        train_dataset=rows[script.dataset_train_split],
        eval_dataset=rows[script.dataset_test_split], peft_config=adapter,
    )  # fmt: skip
    prepared = [{key: row[key] for key in ("input_ids", "labels")} for row in trainer.train_dataset]
    assert expected(kit) == prepared
    batch = next(iter(trainer.get_train_dataloader()))
    learned = {
        tuple(label for label in labels.tolist() if label >= 0) for labels in batch["labels"]
    }
    assert learned <= {tuple(x for x in row.labels if x >= 0) for row in kit.train}


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("tool", ["llamafactory", "axolotl", "ms-swift"])
def test_text_recipes_hold_the_text_of_the_race(
    trained_run: Path, tmp_path: Path, tool: str, arm: str
) -> None:
    """Laid end to end the stretches are the decoded row byte for byte, masked as it was."""
    kit, folder = exported(trained_run, arm, tool, tmp_path)
    tokenizer = finished_arm(trained_run, arm).rows.tokenizer
    file = "train.json" if tool == "llamafactory" else "train.jsonl"
    text = (folder / "data" / file).read_text(encoding="utf-8")
    rows = json.loads(text) if tool == "llamafactory" else lines(folder / "data" / file)
    for row, found in zip(kit.train, rows, strict=True):
        pieces = stretches(tool, found)
        assert tokenizer.decode(row.input_ids, skip_special_tokens=False) == "".join(
            text for text, _ in pieces
        )
        ids, labels = [], []
        for text, trained in pieces:
            made = tokenizer(text, add_special_tokens=False).input_ids if text else []
            ids += made
            labels += made if trained else [-100] * len(made)
        assert (list(row.input_ids), list(row.labels)) == (ids, labels)


def stretches(tool: str, row: dict[str, Any]) -> list[tuple[str, bool]]:
    """What a tool's row holds, as text and whether it carries loss."""
    if tool == "axolotl":
        return [(part["text"], part["label"]) for part in row["segments"]]
    if tool == "llamafactory":
        return [(turn["value"], turn["from"] == "gpt") for turn in row["conversations"]]
    return [(turn["content"], turn["role"] == "assistant") for turn in row["messages"]]


def test_every_answer_carries_loss_where_the_race_says_so(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    """With loss on all turns a conversation of two answers has four stretches, in turn."""
    run = exported_run.build(tmp_path / "run", tiny_checkpoint, loss_turns="all")
    kit, folder = exported(run, "toy.lora", "axolotl", tmp_path)
    long = [row for row in lines(folder / "data" / "train.jsonl") if len(row["segments"]) == 4]
    assert long
    assert [[False, True, False, True]] * len(long) == [
        [part["label"] for part in row["segments"]] for row in long
    ]
    assert 0 == kit.retokenised


@pytest.mark.skipif(not LLAMAFACTORY, reason="FORKPOINT_LLAMAFACTORY names no interpreter with it")
@pytest.mark.parametrize("arm", ARMS)
def test_llamafactory_loads_the_very_tokens(trained_run: Path, tmp_path: Path, arm: str) -> None:
    """Its own parser takes every key; its own loader and template give our tokens and labels."""
    kit, folder = exported(trained_run, arm, "llamafactory", tmp_path)
    out = tmp_path / "found.json"
    done = subprocess.run(
        [LLAMAFACTORY, str(CHECK), str(folder), str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr[-2000:]
    found = json.loads(out.read_text())
    assert sorted(map(str, expected(kit))) == sorted(map(str, found["rows"]))
    assert kit.recipe.rate == found["dials"]["learning_rate"]
    assert len(kit.validation) == found["dials"]["eval_rows"]


def test_the_script_for_unsloth_is_python_with_the_same_dials(
    trained_run: Path, tmp_path: Path
) -> None:
    """It parses; what it is told stands in its calls."""
    kit, folder = exported(trained_run, "toy.lora", "unsloth", tmp_path)
    calls = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id: {
            word.arg: ast.literal_eval(word.value)
            for word in node.keywords if isinstance(word.value, ast.Constant)
        }
        for node in ast.walk(ast.parse((folder / "train.py").read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }  # fmt: skip
    assert kit.recipe.model == calls["from_pretrained"]["model_name"]
    assert (4, 8) == (calls["get_peft_model"]["r"], calls["get_peft_model"]["lora_alpha"])
    assert kit.recipe.rate == calls["SFTConfig"]["learning_rate"]
    assert expected(kit) == lines(folder / "data" / "train.jsonl")


def test_torchtune_is_written_for_networks_that_it_has(trained_run: Path, tmp_path: Path) -> None:
    """A network without a builder is refused by name, and one with a builder gets its own."""
    kit, _ = exported(trained_run, "toy.lora", "trl", tmp_path)
    with pytest.raises(BadInput, match="has none for toy"):
        torchtune.settings(kit)
    known = kit.recipe.model_copy(update={"model_type": "qwen2", "hidden_size": 896, "layers": 24})
    values = torchtune.settings(kit.model_copy(update={"recipe": known}))
    assert "torchtune.models.qwen2_5.lora_qwen2_5_0_5b" == values["model"]["_component_"]
    module: dict[str, Any] = {}
    source = tmp_path / "rows.jsonl"
    source.write_text('{"input_ids": [1, 2], "labels": [-100, 2]}\n')
    exec(compile(torchtune.MODULE, "forkpoint_rows", "exec"), module)  # noqa: S102 - our own text
    rows = module["Rows"](module["Padding"](0), str(source))
    assert [{"tokens": [1, 2], "labels": [-100, 2]}] == [rows[0]]


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "torchtune"])
def test_an_export_says_where_answers_end_and_what_is_missing(
    trained_run: Path, tmp_path: Path, tool: str
) -> None:
    """End tokens, a card, the plain template; test rows are in no file."""
    arm = finished_arm(trained_run, "toy.full")
    made = export_arm(arm, tool, tmp_path / tool)
    ends = json.loads((tmp_path / tool / "generation_config.json").read_text())["eos_token_id"]
    assert list(arm.rows.renderer.end_ids) == ends
    assert "export.gap_template" in made.gaps
    assert "Question:" in (tmp_path / tool / "chat_template.jinja").read_text()
    card = (tmp_path / tool / "README.md").read_text()
    assert "base_model: toy" in card
    for name in ("sft.yaml", "axolotl.yaml"):
        if (tmp_path / tool / name).exists():
            assert isinstance(yaml.safe_load((tmp_path / tool / name).read_text()), dict)
    asked = [arm.rows.rows[row].turns[-2].content for row in arm.run.agreement.test_ids]
    every = "".join(p.read_text(errors="replace") for p in (tmp_path / tool).rglob("*.json*"))
    assert not any(json.dumps(text)[1:-1] in every for text in asked)


def test_an_unknown_trainer_is_a_sentence(trained_run: Path, tmp_path: Path) -> None:
    """It names those there are."""
    with pytest.raises(BadInput, match="There are: trl, llamafactory"):
        export_arm(finished_arm(trained_run, "toy.lora"), "nemo", tmp_path / "x")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_rows_that_a_trainer_does_not_train_are_said(
    trained_run: Path, tmp_path: Path, lang: str
) -> None:
    """Token rows of the race are named among what the trainer cannot be told."""
    run = Path(shutil.copytree(trained_run, tmp_path / "run"))
    agreed = json.loads((run / "race.json").read_text())
    row = {"token": "<|im_end|>", "id": 2, "start": None, "start_id": None}
    agreed["stopping"] = {
        "toy": {
            "causes": [],
            "remedy": "train_rows",
            "align": True,
            "rows": [row],
            "key": "probe.remedy_own",
            "values": {},
        }
    }
    (run / "race.json").write_text(json.dumps(agreed))
    told = export_arm(finished_arm(run, "toy.lora"), "trl", tmp_path / "trl", lang)
    assert "export.gap_rows" in told.gaps
    assert "<|im_end|>" in export_text(told, lang)
