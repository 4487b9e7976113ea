"""No trial is started that cannot fit: which arms are raced, how small they start, how many."""

import json
from pathlib import Path

import pytest
from race_records import agreement, facts, profile

from forkpoint.errors import DoesNotFit
from forkpoint.facts.checkpoint_facts import CheckpointFacts, TemplateFacts
from forkpoint.facts.machine import GPU, MachineFacts
from forkpoint.facts.row_reading import RowReading
from forkpoint.ledger import Settings
from forkpoint.race.arm_memory import ROW_COPIES, Fitting, check_fit
from forkpoint.report.plan_memory import memory_lines, unfit_text

APPROACHES = ("lora", "full")
ROWS = tuple(tuple(f"{side}{number}" for number in range(40)) for side in "abc")
SMALL = {
    "model_type": "llama",
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "intermediate_size": 1536,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
    "max_position_embeddings": 8192,
}


def checkpoint(folder: Path, name: str, **changes: object) -> CheckpointFacts:
    """A checkpoint of which only config.json is there."""
    path = folder / name
    path.mkdir()
    (path / "config.json").write_text(json.dumps({**SMALL, **changes}))
    return facts("pocket-base").model_copy(update={"name": name, "path": str(path)})


def machine(free: float, gpu: float = 0.0) -> MachineFacts:
    """A machine with so many bytes free."""
    card = GPU(name="card", memory_bytes=round(gpu), free_bytes=round(gpu))
    return MachineFacts(
        system="Linux x86_64",
        cores=4,
        memory_bytes=64 << 30,
        available_bytes=round(free),
        disk_free_bytes=1 << 40,
        gpus=(card,) if gpu else (),
    )


@pytest.fixture
def settings() -> Settings:
    """Those of the drawn race, for four trials at a time in 16 bits."""
    drawn = agreement(ROWS, lambda text: text).settings
    return drawn.model_copy(update={"dtype": "bfloat16", "workers": 4, "context_tokens": 2048})


def fitted(
    found: dict[str, CheckpointFacts], settings: Settings, here: MachineFacts, longest: float = 90
) -> Fitting:
    """What `check_fit` says of rows of up to `longest` tokens."""
    data = profile(400, lambda text: text)
    spread = data.tokens["pocket-base"].model_copy(update={"largest": longest, "p90": longest})
    data = data.model_copy(update={"tokens": dict.fromkeys(found, spread)})
    return check_fit(found, dict.fromkeys(found, APPROACHES), data, settings, here)


def test_what_fits_is_raced_with_its_estimate(tmp_path: Path, settings: Settings) -> None:
    """In plenty of memory every arm has an interval and starts at its usual size."""
    found = fitted({"small": checkpoint(tmp_path, "small")}, settings, machine(64e9))
    assert {"small": APPROACHES} == found.approaches
    assert () == found.unfit
    for plan in found.memory.values():
        assert plan.low_bytes < plan.estimated_bytes < plan.high_bytes <= plan.free_bytes
        assert ("yes", 0) == (plan.fits, plan.shrink)


def test_trained_rows_are_counted(tmp_path: Path, settings: Settings) -> None:
    """Rows trained beside an adapter cost copies of the whole matrix; full has them anyway."""
    reading = RowReading(
        token="<|im_end|>",
        id=2,
        matrix="embedding",
        trained=False,
        cosine=0.99,
        never_used_low=0.9,
        used_high=0.1,
        never_used_rows=9,
        used_rows=9,
    )
    template = TemplateFacts(present=True, end_of_turn="<|im_end|>")
    found = checkpoint(tmp_path, "small").model_copy(
        update={"special_rows": (reading,), "template": template, "stage": "base"}
    )
    asked = settings.model_copy(update={"template": "own"})
    without, beside = (
        fitted({"small": found}, one, machine(64e9)).memory for one in (settings, asked)
    )
    more = [beside["small", one].estimated_bytes - without["small", one].estimated_bytes
            for one in APPROACHES]  # fmt: skip
    assert [pytest.approx(ROW_COPIES * 49152 * 576 * 2, abs=2), 0] == more


def test_an_arm_that_cannot_fit_is_listed_and_not_raced(tmp_path: Path, settings: Settings) -> None:
    """Full fine-tuning of the larger one is out, with what it needs and the cheapest change."""
    both = {
        "small": checkpoint(tmp_path, "small"),
        "large": checkpoint(tmp_path, "large", hidden_size=1152, num_attention_heads=18),
    }
    here = machine(5e9)
    found = fitted(both, settings, here)
    assert ("large.full",) == tuple(one.name for one in found.unfit)
    assert {"small": APPROACHES, "large": ("lora",)} == found.approaches
    out = found.unfit[0]
    assert out.memory.low_bytes > here.available_bytes
    assert [("approach", "full", "lora")] == [(c.dial, c.before, c.after) for c in out.changes]
    assert out.changed_bytes is not None
    assert out.changed_bytes <= here.available_bytes
    for lang, word in (("en", "not eligible: large.full"), ("zh", "不参赛：large.full")):
        assert word in unfit_text(out, lang)


def test_nothing_is_raced_when_fewer_than_two_arms_fit(tmp_path: Path, settings: Settings) -> None:
    """A sentence with what each needs, and exit code 3."""
    with pytest.raises(DoesNotFit) as raised:
        fitted({"small": checkpoint(tmp_path, "small")}, settings, machine(0.7e9))
    assert 3 == raised.value.exit_code
    for lang in ("en", "zh"):
        assert "small.full" in raised.value.message(lang)


def test_trials_start_smaller_where_only_that_fits(tmp_path: Path, settings: Settings) -> None:
    """Long rows on a small GPU: activations computed twice from the first trial on."""
    on_gpu = settings.model_copy(update={"device": "cuda", "workers": 1})
    one = {"small": checkpoint(tmp_path, "small")}
    assert [0, 0] == [
        plan.shrink for plan in fitted(one, on_gpu, machine(64e9, 80e9), 2000).memory.values()
    ]
    tight = fitted(one, on_gpu, machine(64e9, 6e9), 2000)
    assert all(plan.shrink > 0 and plan.fits == "yes" for plan in tight.memory.values())


def test_no_more_trials_at_a_time_than_fit(tmp_path: Path, settings: Settings) -> None:
    """Side by side they need more; the libraries' pages are counted once."""
    one = {"small": checkpoint(tmp_path, "small")}
    assert 4 == fitted(one, settings, machine(64e9)).workers
    most = max(plan.high_bytes for plan in fitted(one, settings, machine(64e9)).memory.values())
    assert 1 == fitted(one, settings, machine(most)).workers
    assert 1 < fitted(one, settings, machine(2.5 * most)).workers < 4


def test_an_architecture_that_cannot_be_computed_is_tried(
    tmp_path: Path, settings: Settings
) -> None:
    """No estimate is no reason to shut an arm out; the plan says that it is unknown."""
    odd = checkpoint(tmp_path, "odd", model_type="nonesuch")
    found = fitted({"odd": odd}, settings, machine(64e9))
    assert {"odd": APPROACHES} == found.approaches
    assert {} == found.memory


def test_the_plan_shows_every_arm_and_what_is_out(tmp_path: Path, settings: Settings) -> None:
    """Peak with its interval for arms that run, the reason for one that does not."""
    both = {
        "pocket-base": checkpoint(tmp_path, "small"),
        "large": checkpoint(tmp_path, "large", hidden_size=1152, num_attention_heads=18),
    }
    found = fitted(both, settings, machine(5e9))
    agreed = agreement(ROWS, lambda text: text)
    arms = [
        arm.model_copy(update={"memory": found.memory.get((arm.checkpoint, arm.approach))})
        for arm in agreed.arms
    ]
    agreed = agreed.model_copy(update={"arms": tuple(arms), "unfit": found.unfit})
    lines = "\n".join(memory_lines(agreed, "en"))
    assert "pocket-base.lora" in lines
    assert "pocket-chat.lora unknown" in lines
    assert "not eligible: large.full" in lines
