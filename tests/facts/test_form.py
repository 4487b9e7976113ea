"""What the form of a checkpoint means for training it is said, with what to do instead."""

from pathlib import Path
from typing import Any

import pytest
from made_checkpoint import make_checkpoint
from test_gguf import make_gguf

from forkpoint.facts import read_checkpoint
from forkpoint.words import say

FORMS = {"gguf", "quantised", "no-text", "sees", "dynamic-4bit"}
GPTQ = {"quantization_config": {"quant_method": "gptq", "bits": 4}}
QUANTISED_CARD = "---\nbase_model: acme/Tiny-Chat\nbase_model_relation: quantized\n---\n"


def told(path: Path) -> dict[str, str]:
    """The notices about the form, as they are read, by code; each has its text in Chinese too."""
    notices = [notice for notice in read_checkpoint(str(path)).notices if notice.code in FORMS]
    for notice in notices:
        assert say(notice.key, "en", **notice.values) != say(notice.key, "zh", **notice.values)
    return {notice.code: say(notice.key, "en", **notice.values) for notice in notices}


def test_a_plain_checkpoint_has_nothing_in_the_way(tmp_path: Path) -> None:
    """Full-precision safetensors of a text model: silence."""
    assert {} == told(make_checkpoint(tmp_path / "plain-Chat"))


def test_a_gguf_file_is_no_start(tmp_path: Path) -> None:
    """It can be run and not trained; full precision does not come back."""
    assert "no trainer starts from it" in told(make_gguf(tmp_path / "Tiny-Q4_K_M.gguf"))["gguf"]


@pytest.mark.parametrize(
    ("card", "start"), [(QUANTISED_CARD, "acme/Tiny-Chat"), (None, "that it was made from")]
)
def test_coarse_weights_name_where_to_start(tmp_path: Path, card: str | None, start: str) -> None:
    """The form by its name, and the original where the card names it."""
    said = told(make_checkpoint(tmp_path / "Tiny-Chat-GPTQ", config=GPTQ, card=card))["quantised"]
    assert "gptq-4bit" in said
    assert start in said


@pytest.mark.parametrize(("ending", "dynamic"), [("unsloth-bnb-4bit", True), ("bnb-4bit", False)])
def test_two_four_bit_forms_are_told_apart(tmp_path: Path, ending: str, dynamic: bool) -> None:
    """Unsloth's dynamic form by its name, plain bitsandbytes without a word [A8]."""
    config = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    said = told(make_checkpoint(tmp_path / f"Llama-3.1-8B-{ending}", config=config))
    assert "bnb-4bit" in said["quantised"]
    assert dynamic == ("dynamic-4bit" in said)


@pytest.mark.parametrize(
    ("config", "code", "part"),
    [
        ({"architectures": ["LlamaModel"]}, "no-text", "vectors"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "no-text", "scores"),
        ({"architectures": ["LlamaForSequenceClassification"],
          "id2label": {"0": "negative", "1": "neutral", "2": "positive"}}, "no-text", "classes"),
        ({"vision_config": {"depth": 2}}, "sees", "images"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_writes_no_text_says_so(
    tmp_path: Path, config: dict[str, Any], code: str, part: str
) -> None:
    """Embedding and reward models are no start for answers; of images only the text is trained."""
    assert part in told(make_checkpoint(tmp_path / "thing", config=config))[code]
