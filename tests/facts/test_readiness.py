"""Everything that will bite when a checkpoint is fine-tuned is a notice, and nothing else is."""

from pathlib import Path
from typing import Any

import pytest
from made_checkpoint import CHATML, SPECIALS, make_checkpoint, tokenizer_json, vocabulary

from forkpoint.facts import read_checkpoint
from forkpoint.words import say

QUIET = {"licence-unknown", "no-template", "no-pad", "aligned"}  # true of the folders made here


def codes(folder: Path) -> set[str]:
    """Codes of all notices; each must have its text in both languages."""
    facts = read_checkpoint(str(folder))
    for notice in facts.notices:
        assert say(notice.key, "en", **notice.values) != say(notice.key, "zh", **notice.values)
    return {notice.code for notice in facts.notices} - QUIET


def test_a_sound_checkpoint_has_no_notices(tmp_path: Path) -> None:
    """End of turn among the end ids, own padding, matching sizes: silence."""
    assert set() == codes(make_checkpoint(tmp_path / "sound-Instruct"))


ROWS = len(vocabulary())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends": 0}, "end-of-turn-not-an-end"),
        ({"ends": 2, "eos": "<|endoftext|>"}, "eos-disagree"),
        ({"ends": None}, "no-end-ids"),
        ({"ends": (2, 999_999)}, "end-id-outside"),
        ({"pad": "<|im_end|>"}, "pad-is-eos"),
        ({"eos": "<|nowhere|>"}, "eos-unknown"),
        ({"template": CHATML.partition("{% if add_gen")[0]}, "no-generation-prompt"),
        ({"template": "{{ broken"}, "template-error"),
        ({"template": CHATML.replace("<|im_end|>", "")}, "no-end-of-turn"),
        ({"template": CHATML.replace("im_start|>'", "turn|>'")}, "template-token-unknown"),
        ({"tensors": {"model.embed_tokens.weight": ("BF16", (ROWS - 5, 16))}}, "tokenizer-larger"),
        ({"tensors": {"model.embed_tokens.weight": ("BF16", (ROWS + 64, 16))},
          "config": {"vocab_size": ROWS + 64}}, "matrix-larger"),
        ({"tensors": {"model.embed_tokens.weight": ("BF16", (ROWS + 64, 16))}},
         "matrix-unlike-config"),
        ({"template": "It is {{ strftime_now('%A') }}." + CHATML}, "clock"),
        ({"template": CHATML.replace("message['content']", "message['content'] | trim")},
         "trims-answers"),
        ({"template": "{% if messages[0]['role'] != 'system' %}<|im_start|>system\n"
          "You are a helpful parrot.<|im_end|>\n{% endif %}" + CHATML}, "default-system-prompt"),
        ({"template": "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}"
          "{% endif %}" + CHATML}, "no-system-role"),
        ({"template": CHATML.replace("message['content']",
          "('...' if message['role'] == 'assistant' and not loop.last else message['content'])")},
         "not-prefix-preserving"),
    ],
)  # fmt: skip
def test_each_trouble_is_a_notice(tmp_path: Path, changes: dict[str, Any], code: str) -> None:
    """One thing wrong with the folder, and its notice is there."""
    assert code in codes(make_checkpoint(tmp_path / "c-Instruct", **changes))


def test_bos_twice_is_a_notice(tmp_path: Path) -> None:
    """A template that writes BOS beside a tokenizer that adds it."""
    begin = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    processor = {"type": "TemplateProcessing", "single": [begin, {"Sequence": {"id": "A"}}]}
    folder = make_checkpoint(
        tmp_path / "c-Instruct",
        template="{{ bos_token }}" + CHATML,
        tokenizer=tokenizer_json(post_processor=processor),
        tokenizer_config={"bos_token": "<|endoftext|>"},
    )
    assert {"bos-twice"} == codes(folder)


def test_a_missing_end_is_worse_in_a_tuned_checkpoint(tmp_path: Path) -> None:
    """In a tuned checkpoint it is a fault, in a base one something to arrange."""
    levels = {}
    for name in ("made-Instruct", "made-Base"):
        folder = make_checkpoint(tmp_path / name, ends=0, eos="<|endoftext|>")
        notices = read_checkpoint(str(folder)).notices
        levels[name] = next(n.level for n in notices if n.code == "end-of-turn-not-an-end")
    assert {"made-Instruct": "danger", "made-Base": "warning"} == levels


def test_ends_are_named_by_token(tmp_path: Path) -> None:
    """Ids of generation_config.json are told as tokens; config.json stands in for it."""
    assert ("<|im_end|>", "<|endoftext|>") == read_checkpoint(
        str(make_checkpoint(tmp_path / "a"))
    ).generation_eos
    older = make_checkpoint(tmp_path / "b", ends=None, config={"eos_token_id": 0})
    assert (SPECIALS[0],) == read_checkpoint(str(older)).generation_eos
