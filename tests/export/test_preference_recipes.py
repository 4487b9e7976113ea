"""Preferences for trainers that are not installed here, and what a configuration may name there."""

import ast
import importlib.util
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from forkpoint.export import axolotl, torchtune, torchtune_networks
from forkpoint.export.exported import export_arm
from forkpoint.export.finished_arm import finished_arm
from forkpoint.export.recipe import Kit, kits_of, stage_folder
from forkpoint.export.tool import tool_named

KNOWN = json.loads(Path(__file__).with_name("trainer_keys.json").read_text(encoding="utf-8"))
KINDS = ("lora", "full", "qlora", "cpt", "dpo", "dpo-full", "delta")
PAIRS = ("dpo", "dpo-full")


@pytest.fixture
def small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchtune gets a builder for the tests' two-layer Llama."""
    found = ("llama3_2.llama3_2_1b", "LLAMA3_2")
    monkeypatch.setitem(torchtune_networks.BUILDERS, ("llama", 64, 2, None), found)


def exported(run: Path, kind: str, tool: str, folder: Path) -> list[tuple[Kit, Path]]:
    """Every stage's kit with its folder."""
    arm = finished_arm(run, f"toy.{kind}")
    export_arm(arm, tool, folder)
    kits = kits_of(arm)
    places = [folder / stage_folder(kit.recipe, number) for number, kit in enumerate(kits, start=1)]
    return list(zip(kits, places if len(kits) > 1 else [folder], strict=True))


def pairs_of(kit: Kit) -> list[dict[str, list[int]]]:
    return [
        {"prompt_ids": list(one.prompt_ids), "chosen_ids": list(one.chosen_ids),
         "rejected_ids": list(one.rejected_ids)}
        for one in kit.pairs
    ]  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def configured(place: Path) -> dict[str, Any]:
    (file,) = place.glob("*.yaml")
    values: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return values


@pytest.fixture
def runs(trained_run: Path, staged_run: Path) -> dict[str, Path]:
    """Approach -> a race that has it."""
    return {kind: trained_run if kind in ("lora", "full") else staged_run for kind in KINDS}


@pytest.mark.parametrize("tool", ["axolotl", "ms-swift", "torchtune", "unsloth"])
def test_recipes_were_held_against_the_recorded_version(tool: str) -> None:
    """What is known of a trainer is known of the version that the command names."""
    assert tool_named(tool).CHECKED == KNOWN[tool]["version"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tool", ["axolotl", "ms-swift"])
def test_every_key_is_one_that_the_trainer_has(
    runs: dict[str, Path], tmp_path: Path, tool: str, kind: str
) -> None:
    """Read from the trainer's own schema (scripts/trainer_keys.py), beside transformers' dials."""
    known = set(KNOWN[tool]["fields"].split())
    if tool == "ms-swift":  # its arguments add to those of transformers
        from transformers import TrainingArguments

        known |= set(TrainingArguments.__dataclass_fields__)
    for _, place in exported(runs[kind], kind, tool, tmp_path / "out"):
        assert set() == set(configured(place)) - known


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("kind", KINDS)
def test_torchtune_is_told_all_that_its_recipe_reads(
    runs: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """Nothing that it reads is missing; what is called takes the arguments that it is given."""
    calls = {name: words.split() for name, words in KNOWN["torchtune"]["calls"].items()}
    for kit, place in exported(runs[kind], kind, "torchtune", tmp_path / "out"):
        told = configured(place)
        recipe = torchtune.command(kit.recipe).split(" --config")[0].split()[-1]
        assert set() == set(KNOWN["torchtune"]["needs"][recipe].split()) - set(told)
        for name, given in components(told):
            known = calls.get(name) or calls.get(f"{name.split('.')[-1]}.__init__")
            assert name.startswith(("forkpoint_rows", "torch.", "transformers.")) or known, name
            assert known is None or set(given) <= {*known, "enabled"}, name


def components(told: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Last two words of what is called, and the names of what it is given."""
    for value in told.values():
        if isinstance(value, dict) and "_component_" in value:
            path = value["_component_"]
            given = [key for key in value if key != "_component_"]
            ours = path.startswith("torchtune.") and "loss" not in path
            yield ".".join(path.split(".")[-2:]) if ours else f"torch.{path}", given


@pytest.mark.parametrize("kind", KINDS)
def test_unsloth_is_called_with_what_it_takes(
    runs: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """The script's calls have arguments of Unsloth's own functions, or of TRL's dials."""
    from trl import DPOConfig, SFTConfig

    known = {
        "from_pretrained": KNOWN["unsloth"]["calls"]["FastLanguageModel.from_pretrained"],
        "get_peft_model": KNOWN["unsloth"]["calls"]["FastLlamaModel.get_peft_model"],
    }
    dials = {"SFTConfig": SFTConfig, "DPOConfig": DPOConfig}
    for _, place in exported(runs[kind], kind, "unsloth", tmp_path / "out"):
        tree = ast.parse((place / "train.py").read_text(encoding="utf-8"))
        seen = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                given = {word.arg for word in node.keywords}
                if name in known:
                    assert given <= set(known[name].split()), name
                if name in dials:
                    assert given <= set(dials[name].__dataclass_fields__), name
                seen.add(name)
        assert "from_pretrained" in seen
        assert {"SFTConfig", "DPOConfig"} & seen


@pytest.mark.parametrize("kind", PAIRS)
def test_axolotl_learns_the_very_pairs(
    staged_run: Path, tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:  # fmt: skip
    """Its trainer is TRL's; the class that the configuration names leaves our tokens alone."""
    from datasets import load_dataset
    from trl import DPOConfig, DPOTrainer

    kit, place = exported(staged_run, kind, "axolotl", tmp_path / "out")[-1]
    told = configured(place)
    dials = (told["rl"], told["rl_beta"], told["dpo_loss_type"], told["dpo_loss_weights"])
    assert ("dpo", 0.1, ["sigmoid", "sft"], [1.0, 0.2]) == dials
    assert (told["trainer_cls"], True) == (
        f"{axolotl.MODULE}.TokenTrainer",
        told["skip_prepare_dataset"],
    )
    start = f"../1-rows/{'merged' if kind == 'dpo' else 'tuned'}"
    assert (start, kit.recipe.rate) == (told["base_model"], told["learning_rate"])
    assert pairs_of(kit) == lines(place / "data" / "train.jsonl")
    stand_in = ModuleType("axolotl.core.trainers.dpo.trainer")
    stand_in.AxolotlDPOTrainer = DPOTrainer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    trainer = loaded(place / f"{axolotl.MODULE}.py").TokenTrainer(
        model=str(tiny_checkpoint),
        args=DPOConfig(output_dir=str(tmp_path / "tuned"), use_cpu=True, report_to="none"),
        train_dataset=load_dataset(
            "json", data_files=str(place / "data" / "train.jsonl"), split="train",
            cache_dir=str(tmp_path / "cache"),
        ),
    )  # fmt: skip
    assert pairs_of(kit) == [dict(row) for row in trainer.train_dataset]


def loaded(path: Path) -> Any:
    """A file that was written, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FastLanguageModel:
    """Stands in for Unsloth's loading, which needs a GPU: the rest of the script is TRL's."""

    checkpoint = ""

    @classmethod
    def from_pretrained(cls, model_name: str, full_finetuning: bool, **_: Any) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        model = AutoModelForCausalLM.from_pretrained(cls.checkpoint)
        return model, AutoTokenizer.from_pretrained(cls.checkpoint)

    @staticmethod
    def get_peft_model(model: Any, r: int, lora_alpha: int, target_modules: list[str],
                       **_: Any) -> Any:  # fmt: skip
        from peft import LoraConfig, get_peft_model

        return get_peft_model(
            model, LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=target_modules)
        )


@pytest.mark.parametrize("kind", PAIRS)
def test_the_script_for_unsloth_learns_the_very_pairs(
    staged_run: Path, tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:  # fmt: skip
    """Run to its end with Unsloth's loading replaced: our tokens, our dials, weights at the end."""
    import trl

    kit, place = exported(staged_run, kind, "unsloth", tmp_path / "out")[-1]
    stand_in = ModuleType("unsloth")
    monkeypatch.setattr(FastLanguageModel, "checkpoint", str(tiny_checkpoint))
    stand_in.FastLanguageModel = FastLanguageModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unsloth", stand_in)
    monkeypatch.setattr("trl.DPOConfig", partial(trl.DPOConfig, use_cpu=True, bf16=False))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(place)
    trainer = loaded(place / "train.py").trainer
    assert pairs_of(kit) == [dict(row) for row in trainer.train_dataset]
    assert pairs_of(kit) == lines(place / "data" / "train.jsonl")
    args = trainer.args
    told = (args.beta, args.loss_type, args.loss_weights, args.learning_rate)
    assert (0.1, ["sigmoid", "sft"], [1.0, 0.2], kit.recipe.rate) == told
    assert (trainer.ref_model is None) == (kind == "dpo")
    assert kit.recipe.steps == trainer.state.global_step
    assert list((place / "tuned").glob("*.safetensors"))
    assert list(kit.recipe.end_ids) == trainer.model.generation_config.eos_token_id


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("kind", PAIRS)
def test_torchtune_goes_on_from_the_last_pass_over_the_rows(
    staged_run: Path, tmp_path: Path, kind: str
) -> None:
    """The race made two passes; a file is found under the name that it was saved by."""
    (rows, first), (pairs, second) = exported(staged_run, kind, "torchtune", tmp_path / "out")
    assert 2.0 == rows.recipe.passes
    assert ["model.safetensors"] == configured(first)["checkpointer"]["checkpoint_files"]
    told = configured(second)
    assert "../1-rows/tuned/epoch_1" == told["checkpointer"]["checkpoint_dir"]
    assert ["model-00001-of-00001.safetensors"] == told["checkpointer"]["checkpoint_files"]
    reference = told.get("ref_checkpointer")
    assert (None if kind == "dpo" else told["checkpointer"]) == reference
    run = (tmp_path / "out" / "run.sh").read_text(encoding="utf-8")
    assert ("lora_dpo_single_device" if kind == "dpo" else "full_dpo_distributed") in run
    made = loaded(second / "forkpoint_rows.py")
    found = made.Pairs(made.Padding(0), str(second / told["dataset"]["source"]))
    for place, pair in enumerate(pairs.pairs):
        masked = [-100] * len(pair.prompt_ids)
        assert {
            "chosen_input_ids": [*pair.prompt_ids, *pair.chosen_ids],
            "chosen_labels": [*masked, *pair.chosen_ids],
            "rejected_input_ids": [*pair.prompt_ids, *pair.rejected_ids],
            "rejected_labels": [*masked, *pair.rejected_ids],
        } == found[place]


@pytest.mark.usefixtures("small_network")
def test_torchtune_is_given_the_loss_of_the_race(staged_run: Path, tmp_path: Path) -> None:
    """DPO plus a share of the chosen answer's own loss a token; no policy moved means log 2."""
    import torch

    kit, place = exported(staged_run, "dpo", "torchtune", tmp_path / "out")[-1]
    told = configured(place)["loss"]
    tokens = [len(pair.chosen_ids) for pair in kit.pairs]
    assert told["answer_tokens"] == pytest.approx(sum(tokens) / len(tokens))
    loss = loaded(place / "forkpoint_rows.py").Preference(
        **{key: value for key, value in told.items() if key != "_component_"}
    )
    chosen, rejected = torch.tensor([-8.0]), torch.tensor([-6.0])
    same, gained, lost = loss(chosen, rejected, chosen, rejected)
    own = 0.2 * 8.0 / told["answer_tokens"]
    assert float(same) == pytest.approx(0.693147 + own, abs=1e-5)
    assert (0.0, 0.0) == (float(gained), float(lost))
    better, gained, _ = loss(chosen + 1.0, rejected, chosen, rejected)
    expected = torch.nn.functional.softplus(torch.tensor(-0.1)) + own * 7.0 / 8.0
    assert float(better) == pytest.approx(float(expected), abs=1e-5)
    assert float(gained) == pytest.approx(0.1)


def test_a_level_rate_is_a_schedule_that_torchtune_can_build(tmp_path: Path) -> None:
    """It tells every schedule the number of steps, which transformers' own does not take."""
    import torch

    place = tmp_path / "forkpoint_rows.py"
    place.write_text(torchtune.MODULE, encoding="utf-8")
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = loaded(place).constant(
        optimizer, num_warmup_steps=2, num_training_steps=9, last_epoch=-1
    )
    rates = []
    for _ in range(5):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert [0.0, 0.5, 1.0, 1.0, 1.0] == rates
