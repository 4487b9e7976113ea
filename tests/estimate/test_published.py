"""Estimates against what others measured and what we measured."""

import csv
import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("FORKPOINT_SHARED", ROOT.parent / "shared"))
PUBLISHED = SHARED / "data" / "memory"
CPU_TABLE = ROOT / "docs" / "studies" / "memory_cpu.csv"


def benchmark(name: str) -> ModuleType:
    """A script of benchmarks/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published() -> dict:  # type: ignore[type-arg]
    """The benchmark's output on the published rows."""
    file = PUBLISHED / "published_memory.csv"
    if not file.exists():
        pytest.skip(f"no published rows at {file}; set FORKPOINT_SHARED")
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    return benchmark("memory").run(rows, PUBLISHED / "configs")


def test_core_rows_are_met(published: dict) -> None:  # type: ignore[type-arg]
    """Median error at most 10 %, 90th percentile at most 20 %, every core row answered."""
    core = published["summary"]["core"]
    assert core["n"] == core["n_answered"] > 0
    assert core["median_abs_error"] <= 0.10
    assert core["p90_abs_error"] <= 0.20


def test_estimates_beat_every_rule_of_thumb(published: dict) -> None:  # type: ignore[type-arg]
    """On the same rows in the same run."""
    summary = published["summary"]
    for rule, errors in summary["rules_of_thumb"].items():
        assert summary["core"]["median_abs_error"] < errors["median_abs_error"], rule


def test_errors_are_fractions_of_what_was_measured(published: dict) -> None:  # type: ignore[type-arg]
    """(estimated - measured) / measured; rows without a config stay, with a reason."""
    for row in published["rows"]:
        if row["error"] is None:
            assert row["reason"] or not row["vram_total"]
            continue
        measured = float(row["vram_total"])
        expected = (row["estimated_gb"] - measured) / measured
        assert expected == pytest.approx(row["error"], abs=1e-3)
        assert row["low_gb"] <= row["estimated_gb"] <= row["high_gb"]


def test_an_unanswered_core_row_counts_as_wholly_wrong() -> None:
    """Silence is no way to a better figure."""
    judged = benchmark("memory").judge([0.02, -0.04], asked=4)
    assert 4 == judged["n"]
    assert 2 == judged["n_answered"]
    assert pytest.approx(0.52) == judged["median_abs_error"]
    assert 0.04 == judged["worst_under"]


def test_no_constant_belongs_to_a_model(tmp_path: Path) -> None:
    """A renamed model is estimated as before: only shape, dials and trainer count."""
    memory = benchmark("memory")
    row = {
        "source": "somebody", "kind": "measured", "model": "A", "method": "LoRA",
        "base_bits": "16", "seq_len": "1024", "micro_batch": "2", "grad_ckpt": "True",
        "flash_attn": "True", "lora_r": "16", "lora_targets": "all", "gpus": "1",
        "vram_total": "20", "unit": "GB", "note": "", "quant": "", "config": "c.json",
        "core": "yes",
    }  # fmt: skip
    (tmp_path / "c.json").write_text(
        '{"model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16,'
        ' "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 8192,'
        ' "vocab_size": 128256}'
    )
    rows = [row, {**row, "model": "B", "source": "somebody else"}]
    first, second = memory.run(rows, tmp_path)["rows"]
    assert first["estimated_gb"] == second["estimated_gb"]


def test_measured_trainings_on_a_cpu_are_met() -> None:
    """Held-out runs: median error 5 %, 90th percentile 12 %, nine in ten inside the interval."""
    script = benchmark("memory_cpu")
    held_out = script.judge_table(CPU_TABLE)["held_out"]
    assert held_out["n"] >= 24
    assert held_out["median_abs_error"] <= 0.05
    assert held_out["p90_abs_error"] <= 0.12
    assert held_out["inside_interval"] >= 0.90
    assert held_out["median_width"] <= 0.25
    assert held_out["fits_wrongly"] <= 0.02
