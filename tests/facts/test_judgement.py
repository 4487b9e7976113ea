"""Stage, post-training and kind follow from all signals, with their weights; conflicts are said."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from made_checkpoint import make_checkpoint

from forkpoint.facts import CheckpointFacts, judgement, read_checkpoint
from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.judgement import SOLD_AS_PRIOR, judge, weigh
from forkpoint.facts.reading import Reading
from forkpoint.words import say


def named(title: str, **config: Any) -> Reading:
    """A reading of nothing but a name."""
    return Reading(name=title, title=title, config=config)


def facts_of(folder: Path) -> CheckpointFacts:
    """The facts of a folder."""
    return read_checkpoint(str(folder))


@pytest.mark.parametrize(
    ("title", "sold_as"),
    [
        ("Qwen3-4B-Base", "base"),
        ("Qwen3-4B-Instruct-2507", "instruct"),
        ("Qwen3-30B-A3B-Thinking-2507", "thinking"),
        ("Qwen3-4B", "none"),  # unmarked is tuned in Qwen3 [A7]
        ("Qwen2.5-7B", "base"),  # and base in Qwen2.5
        ("Qwen2.5-7B-Instruct-GPTQ-Int4", "instruct"),
        ("Llama-2-7b-hf", "base"),
        ("Llama-2-7b-chat-hf", "chat"),
        ("Meta-Llama-3-8B-Instruct", "instruct"),
        ("llama-3.1-8b-unsloth-bnb-4bit", "base"),
        ("gemma-3-270m-it", "it"),
        ("gemma-3-270m-pt", "base"),
        ("ERNIE-4.5-0.3B-Base-PT", "base"),  # PT is PyTorch here
        ("ERNIE-4.5-0.3B-PT", "none"),
        ("glm-4-9b", "base"),
        ("glm-4-9b-chat", "chat"),
        ("chatglm3-6b", "none"),
        ("Yi-1.5-9B-Chat", "chat"),
        ("DeepSeek-V3-Base", "base"),
        ("pocket-base", "base"),
        ("pocket-chat", "chat"),
    ],
)
def test_names_are_read_by_family(title: str, sold_as: str) -> None:
    """A suffix decides, and where there is none the family's convention does."""
    assert sold_as == judge(named(title))[0].value


def test_nothing_to_go_by_is_unknown() -> None:
    """A name that says nothing and no files: unknown, not a guess."""
    sold_as, post_training, _ = judge(named("checkpoint-1200"))
    assert ("unknown", "unknown") == (sold_as.value, post_training.value)
    assert () == sold_as.evidence


def test_a_hidden_group_leaves_no_trace(tmp_path: Path) -> None:
    """With the name hidden, no evidence of it is left, and the files still decide."""
    from forkpoint.facts.checkpoint_files import LocalFiles
    from forkpoint.facts.reading import read_files

    folder = make_checkpoint(tmp_path / "made-Base")
    reading = read_files(LocalFiles(str(folder), folder))
    hidden = judge(reading, hidden=("name", "card"))[0]
    assert {"generation_config", "template", "tokenizer"} == {e.signal for e in hidden.evidence}
    assert hidden.probabilities["base"] < judge(reading)[0].probabilities["base"] / 10


def test_probabilities_are_log_odds_added_to_the_prior() -> None:
    """One clue of weight w multiplies the odds of its value against each other by e**w."""
    clue = Evidence(signal="name", says="base", weight=2.0, found="x")
    after = weigh([clue], SOLD_AS_PRIOR).probabilities
    for value in set(SOLD_AS_PRIOR) - {"base"}:
        before = SOLD_AS_PRIOR["base"] / SOLD_AS_PRIOR[value]
        assert math.exp(2) * before == pytest.approx(after["base"] / after[value])
    assert 1 == pytest.approx(sum(after.values()))


def test_a_conflict_is_said(tmp_path: Path) -> None:
    """A folder called Base with the files of a tuned checkpoint gets a warning, both sides told."""
    notices = {n.code: n for n in facts_of(make_checkpoint(tmp_path / "made-Base")).notices}
    told = notices["stage-conflict"].values
    assert ("name", "base") == (told["base_signal"], told["base_found"])
    assert "<|im_end|>" in str(told["tuned_found"])
    agreeing = facts_of(make_checkpoint(tmp_path / "made-Instruct"))
    assert "stage-conflict" not in {notice.code for notice in agreeing.notices}


def test_a_base_with_a_template_is_still_a_base(tmp_path: Path) -> None:
    """Qwen2.5's way: a template is there, but generation ends at the document's end [A6, E6]."""
    folder = make_checkpoint(
        tmp_path / "x", eos="<|endoftext|>", ends=0, generation={"do_sample": False}
    )
    facts = facts_of(folder)
    assert ("base", "base") == (facts.sold_as.value, facts.stage)
    assert "base-with-template" in {notice.code for notice in facts.notices}


@pytest.mark.parametrize(
    ("card", "stage", "relation"),
    [
        ("base_model: acme/made-7B\nbase_model_relation: finetune", "chat", "finetune"),
        ("base_model: acme/made-Instruct\nbase_model_relation: quantized", "instruct", "quantized"),
        ("tags: [chat, dpo]", "chat", None),
    ],
)
def test_cards_speak(tmp_path: Path, card: str, stage: str, relation: str | None) -> None:
    """Parents, relations and tags of the card count."""
    folder = make_checkpoint(
        tmp_path / "thing", card=f"---\n{card}\n---\nTuned with DPO on our data.\n"
    )
    facts = facts_of(folder)
    assert relation == facts.relation
    assert stage == facts.stage


@pytest.mark.parametrize(
    ("title", "config", "kind"),
    [
        ("Qwen2.5-Coder-7B", {"architectures": ["Qwen2ForCausalLM"]}, "code"),
        ("Qwen2.5-VL-7B-Instruct", {"vision_config": {}}, "vision"),
        ("bge-m3", {"architectures": ["XLMRobertaModel"]}, "embedding"),
        ("Skywork-Reward-Llama-3.1-8B", {"architectures": ["LlamaForSequenceClassification"]},
         "reward"),
        ("QwQ-32B", {"architectures": ["Qwen2ForCausalLM"]}, "thinking"),
        ("Mistral-7B-v0.1", {"architectures": ["MistralForCausalLM"]}, "text"),
    ],
)  # fmt: skip
def test_kinds(title: str, config: dict[str, Any], kind: str) -> None:
    """Text, code, vision, embedding, reward and thinking are told apart."""
    assert kind == judge(named(title, **config))[2].value


def test_an_instruct_trained_with_preferences_is_said_to_be_more(tmp_path: Path) -> None:
    """What is sold as Instruct today is mostly what the guides call Chat."""
    folder = make_checkpoint(tmp_path / "Qwen2.5-0.5B-Instruct")
    facts = facts_of(folder)
    assert ("instruct", "sft_preference") == (facts.stage, facts.post_training.value)
    assert "aligned" in {notice.code for notice in facts.notices}


def test_every_voice_can_be_spoken_of() -> None:
    """The text names each group of signals in both languages; a new group brings its word."""
    folder = Path(judgement.__file__).parent / "signals"
    source = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    spoken = set(re.findall(r"signal=\"(\w+)\"", source))
    spoken |= set(re.findall(r"signals\.base\(\s*\"(\w+)\"", source))
    assert {"name", "card", "training", "weights"} <= spoken
    for signal in spoken:
        for lang in ("en", "zh"):
            assert say(f"facts.signal_{signal}", lang)


@pytest.mark.parametrize(
    ("config", "files", "found"),
    [
        ({"use_cache": False}, (), "use_cache false"),
        ({"_name_or_path": "acme/Llama-3-8B-Instruct"}, (),
         "_name_or_path acme/Llama-3-8B-Instruct"),
        ({}, ("training_args.bin",), "training_args.bin"),
        ({}, ("runs/Jan01/events.out.tfevents.1",), "runs/Jan01/events.out.tfevents.1"),
    ],
)  # fmt: skip
def test_traces_of_training_speak_against_base(
    config: dict[str, Any], files: tuple[str, ...], found: str
) -> None:
    """A trainer's records, a cache switched off and a tuned parent are said and count."""
    silent = Reading(name="x", title="x")
    reading = Reading(name="x", title="x", config=config, files=files)
    assert judge(reading)[0].probabilities["base"] < judge(silent)[0].probabilities["base"]
    assert (found, "training") in {(e.found, e.signal) for e in judge(reading)[0].evidence}


def test_a_copy_of_a_base_in_another_format_stays_one() -> None:
    """Quantised weights inherit what the name that they were loaded from says."""
    config = {"_name_or_path": "meta-llama/Llama-2-7b-hf", "quantization_config": {"bits": 2}}
    judged = judge(Reading(name="l2-2bit", title="l2-2bit", config=config))[0]
    assert "base" == judged.value


def test_a_tuned_checkpoint_without_a_stage_is_said_to_be_tuned(tmp_path: Path) -> None:
    """Nothing names its stage, but the signs of tuning are clear: that much is said."""
    facts = facts_of(make_checkpoint(tmp_path / "thing"))
    assert "unknown" == facts.sold_as.value
    assert "tuned-unnamed" in {notice.code for notice in facts.notices}
