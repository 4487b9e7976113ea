"""Recipes of QLoRA, CPT, DPO and a twin's delta: every stage holds what the race trained on."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import exported_run
import pytest
import yaml

from forkpoint.errors import BadInput
from forkpoint.export import export_text, running
from forkpoint.export.exported import Exported, export_arm
from forkpoint.export.finished_arm import finished_arm
from forkpoint.export.recipe import Kit, kits_of, stage_folder
from forkpoint.export.tool import TOOLS, tool_named
from forkpoint.race.diet import arm_stages
from forkpoint.train.approach import approach, approaches

LLAMAFACTORY = os.environ.get("FORKPOINT_LLAMAFACTORY", "")
CHECK = Path(__file__).with_name("llamafactory_check.py")
STAGES = {"qlora": ["rows"], "cpt": ["text", "rows"], "dpo": ["rows", "pairs"], "delta": ["rows"]}


def exported(
    run: Path, kind: str, tool: str, folder: Path
) -> tuple[list[tuple[Kit, Path]], Exported]:
    """Every stage's kit with the folder that it was written to."""
    arm = finished_arm(run, f"toy.{kind}")
    made = export_arm(arm, tool, folder)
    kits = kits_of(arm)
    several = len(kits) > 1
    places = [
        folder / stage_folder(kit.recipe, number) if several else folder
        for number, kit in enumerate(kits, start=1)
    ]
    return list(zip(kits, places, strict=True)), made


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def configuration(place: Path) -> dict[str, Any]:
    (file,) = place.glob("*.yaml")
    values: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return values


def test_every_approach_of_ours_has_a_recipe() -> None:
    """None is left out of these tests."""
    assert {*approaches()} == {"lora", "full", *exported_run.STAGED}


@pytest.mark.parametrize("kind", exported_run.STAGED)
def test_stages_hold_what_the_race_trained_on(staged_run: Path, kind: str) -> None:
    """Rows of every stage in the order of the race, tokens as rendered, the stage's own dials."""
    arm = finished_arm(staged_run, f"toy.{kind}")
    kits = kits_of(arm)
    assert STAGES[kind.removesuffix("-full")] == [kit.recipe.stage for kit in kits]
    plan = arm_stages(arm.run.agreement, arm.trial)
    steps = {"text": plan.texts, "rows": plan.rows, "pairs": plan.pairs}
    for number, kit in enumerate(kits):
        recipe = kit.recipe
        visited = list(dict.fromkeys(row for step in steps[recipe.stage] for row in step))
        assert visited == [row.row_id for row in (*kit.train, *kit.pairs)]
        assert len(steps[recipe.stage]) == recipe.steps
        assert (approach(kind).METHOD, number == 0) == (recipe.method, recipe.before is None)
        for row in kit.train:
            assert arm.rows.to_train(row.row_id).input_ids == row.input_ids
        for pair in kit.pairs:
            found = arm.rows.pair(pair.row_id)
            assert (found.prompt_ids, found.chosen_ids) == (pair.prompt_ids, pair.chosen_ids)
            assert pair.rejected.startswith("not ")
    rates = {kit.recipe.stage: kit.recipe.rate for kit in kits}
    expected = {"text": 2e-2, "rows": 2e-2, "pairs": pytest.approx(2e-3)}
    assert {stage: expected[stage] for stage in rates} == rates


@pytest.mark.parametrize("kind", exported_run.STAGED)
@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "torchtune"])
def test_each_trainer_is_told_every_stage(
    staged_run: Path, tmp_path: Path, tool: str, kind: str
) -> None:
    """A configuration a stage that goes on from the stage before, and one command for all."""
    found, made = exported(staged_run, kind, tool, tmp_path / "out")
    onward, adapters = tool_named(tool).ONWARD, not kind.endswith("-full")
    for kit, place in found:
        assert any(place.glob("data/train.json*"))
        text = "".join(path.read_text() for path in [*place.glob("*.yaml"), *place.glob("*.py")])
        if kit.recipe.before and adapters:
            assert f"{kit.recipe.before}/{'tuned' if onward == 'adapter' else 'merged'}" in text
        elif kit.recipe.before:
            assert f"{kit.recipe.before}/tuned" in text
        assert repr(kit.recipe.rate) in text
    run = tmp_path / "out" / "run.sh"
    assert (made.command == "sh run.sh") == run.exists() == (kind != "qlora")
    if run.exists():
        assert 0 == subprocess.run(["sh", "-n", str(run)], check=False).returncode
        assert ("join.py" in run.read_text()) == (tmp_path / "out" / "join.py").exists()
    assert ("export.gap_delta" in made.gaps) == kind.startswith("delta")
    merged = adapters and len(found) > 1 and onward != "adapter"
    assert ("export.gap_merged" in made.gaps) == merged
    for lang in ("en", "zh"):
        told = "".join(export_text.export_text(made, lang).split())
        assert made.command.replace(" ", "") in told


@pytest.mark.parametrize("kind", ["dpo", "dpo-full"])
def test_ms_swift_is_given_the_text_of_the_pairs(
    staged_run: Path, tmp_path: Path, kind: str
) -> None:
    """Encoded as it encodes, side by side, the text gives the tokens of the race."""
    found, _ = exported(staged_run, kind, "ms-swift", tmp_path / "out")
    kit, place = found[-1]
    told = configuration(place)
    assert ("dpo", 0.1, ["sigmoid"], 0.2) == (
        told["rlhf_type"], told["beta"], told["loss_type"], told["rpo_alpha"]
    )  # fmt: skip
    start = f"../1-rows/{'merged' if kind == 'dpo' else 'tuned/last'}"
    assert (start, None if kind == "dpo" else start) == (told["model"], told.get("ref_model"))
    encode = finished_arm(staged_run, f"toy.{kind}").rows.tokenizer
    for row, pair in zip(lines(place / "data" / "train.jsonl"), kit.pairs, strict=True):
        texts = (*(turn["content"] for turn in row["messages"]), row["rejected_response"])
        ids = [tuple(encode(text, add_special_tokens=False).input_ids) for text in texts]
        assert [pair.prompt_ids, pair.chosen_ids, pair.rejected_ids] == ids


def test_an_approach_of_another_package_is_refused(
    staged_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is like LoRA in memory, and still nobody else knows what it trains."""

    class Odd:
        NAME, METHOD, NEEDS = "qlora", "lora", ()

    monkeypatch.setitem(approaches(), "qlora", Odd())  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="which another package adds"):
        export_arm(finished_arm(staged_run, "toy.qlora"), "trl", tmp_path / "out")


def test_trl_quantises_as_the_race_did(
    staged_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own parser makes NF4 with scales quantised again, computing in the race's type."""
    from trl import ModelConfig, ScriptArguments, SFTConfig, TrlParser, get_quantization_config

    _, made = exported(staged_run, "qlora", "trl", tmp_path / "out")
    monkeypatch.chdir(made.folder)
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    _, _, model = parser.parse_args_and_config(["--config", "sft.yaml", "--use_cpu"])
    found = get_quantization_config(model)
    assert (True, "nf4", True) == (
        found.load_in_4bit, found.bnb_4bit_quant_type, found.bnb_4bit_use_double_quant
    )  # fmt: skip
    assert "float32" in str(found.bnb_4bit_compute_dtype)


@pytest.mark.parametrize("kind", ["dpo", "dpo-full"])
def test_trl_learns_the_very_pairs(
    staged_run: Path, tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:  # fmt: skip
    """Its parser takes every key; what its trainer feeds are our tokens; the dials are ours."""
    from trl import DPOConfig, ModelConfig, ScriptArguments, TrlParser

    found, _ = exported(staged_run, kind, "trl", tmp_path / "out")
    kit, place = found[-1]
    start = configuration(place)["model_name_or_path"]
    assert f"../1-rows/{'merged' if kind == 'dpo' else 'tuned'}" == start
    monkeypatch.chdir(place)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    parser = TrlParser((ScriptArguments, DPOConfig, ModelConfig))
    words = ["--config", "dpo.yaml", "--use_cpu", "--model_name_or_path", str(tiny_checkpoint)]
    script, config, model = parser.parse_args_and_config(words)
    told = (config.beta, config.loss_type, config.loss_weights, config.learning_rate)
    assert (0.1, ["sigmoid", "sft"], [1.0, 0.2], kit.recipe.rate) == told
    module: dict[str, Any] = {"__name__": "pairs"}
    exec(compile((place / "pairs.py").read_text(), "pairs", "exec"), module)  # noqa: S102 - ours
    trainer = module["trainer_of"](script, config, model)
    expected = [
        {"prompt_ids": list(one.prompt_ids), "chosen_ids": list(one.chosen_ids),
         "rejected_ids": list(one.rejected_ids)}
        for one in kit.pairs
    ]  # fmt: skip
    assert expected == [dict(row) for row in trainer.train_dataset]
    batch = next(iter(trainer.get_train_dataloader()))
    told_apart = {
        tuple(token for token, is_answer in zip(ids, mask, strict=True) if is_answer)
        for ids, mask in zip(
            batch["input_ids"].tolist(), batch["completion_mask"].tolist(), strict=True
        )
    }
    assert told_apart <= {ids for one in kit.pairs for ids in (one.chosen_ids, one.rejected_ids)}


@pytest.mark.skipif(not LLAMAFACTORY, reason="FORKPOINT_LLAMAFACTORY names no interpreter with it")
@pytest.mark.parametrize("kind", ["qlora", "cpt", "dpo", "dpo-full"])
def test_llamafactory_loads_every_stage(
    staged_run: Path, tmp_path: Path, tiny_checkpoint: Path, kind: str
) -> None:
    """Its own parser, loader and template give our tokens, labels and pairs, stage by stage."""
    found, _ = exported(staged_run, kind, "llamafactory", tmp_path / "out")
    for kit, place in found:
        out = place / "found.json"
        done = subprocess.run(
            [LLAMAFACTORY, str(CHECK), str(place), str(out), str(tiny_checkpoint)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr[-2000:]
        told = json.loads(out.read_text())
        expected: list[dict[str, list[int]]] = [
            {"input_ids": list(row.input_ids), "labels": list(row.labels)} for row in kit.train
        ]
        for one in kit.pairs:
            masked = [-100] * len(one.prompt_ids)
            expected.append({
                "chosen_input_ids": [*one.prompt_ids, *one.chosen_ids],
                "chosen_labels": [*masked, *one.chosen_ids],
                "rejected_input_ids": [*one.prompt_ids, *one.rejected_ids],
                "rejected_labels": [*masked, *one.rejected_ids],
            })  # fmt: skip
        assert sorted(map(str, expected)) == sorted(map(str, told["rows"]))
        dials, recipe = told["dials"], kit.recipe
        assert (recipe.rate, recipe.warmup_steps) == (dials["learning_rate"], dials["warmup_steps"])
        assert (4, True) == (dials["bits"], dials["double"]) or kind != "qlora"
        if recipe.stage == "pairs":
            assert (0.1, 0.2) == (dials["beta"], dials["imitation"])
            tuned = ["../1-rows/tuned"]
            assert (tuned if recipe.adapters else None) == dials["adapter"]
            own = [recipe.model, *tuned] if recipe.adapters else [None, None]
            assert own == dials["reference"]


def test_what_a_stage_left_is_joined_as_the_race_joins_it(
    trained_run: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    """An adapter is merged into the weights; of whole weights the difference is added."""
    import torch

    from forkpoint.models.weights import load_model

    module: dict[str, Any] = {"__name__": "join"}
    exec(compile(running.SCRIPT, "join", "exec"), module)  # noqa: S102 - our own text
    base = str(tiny_checkpoint)
    for kind in ("lora", "full"):
        tuned = str(finished_arm(trained_run, f"toy.{kind}").weights)
        out = tmp_path / kind
        module["join"](base, tuned, str(out), base)
        joined = dict(load_model(str(out)).named_parameters())
        ours = approach(kind).load_for_answers(base, tuned).named_parameters()
        assert all(torch.allclose(weight, joined[name], atol=1e-6) for name, weight in ours)
        assert (out / "tokenizer.json").exists()
