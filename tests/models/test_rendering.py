"""Rendering: what is trained is what is rendered when answering, byte for byte."""

import json
from pathlib import Path
from typing import Any

import pytest

from forkpoint.data.row import Row, Turn
from forkpoint.models.rendering import IGNORED, Rendered, Renderer, Rendering, RowExcluded
from forkpoint.models.template import ChatTemplate, TemplateRefused, pinned_template
from forkpoint.models.weights import load_tokenizer

ASK = Turn("user", "What is 3 plus 4?")
TALK = (ASK, Turn("assistant", "seven"), Turn("user", "And 1?"), Turn("assistant", " eight 八\n"))

DEFAULT_SYSTEM = (
    "{%- if messages[0].role != 'system' %}<|im_start|>system\nBe a bot.<|im_end|>\n{% endif %}"
    "{%- for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{%- if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{%- for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n"
    "{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPACED = (
    "{%- for m in messages %}{% if m.role == 'user' %}[Q] {{ m.content }} [/Q]"
    "{% else %} {{ m.content | trim }}<|im_end|>{% endif %}{% endfor %}"
)
THINKING = (
    "{%- for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def tokenizer(tiny_checkpoint: Path) -> Any:
    return load_tokenizer(tiny_checkpoint)


def rendered(renderer: Renderer, turns: tuple[Turn, ...], tools: str | None = None) -> Rendered:
    found = renderer.turns(turns, tools)
    assert isinstance(found, Rendered), found
    return found


@pytest.mark.parametrize("kind", ["chat", "plain"])
def test_training_prompt_is_the_answering_prompt(tokenizer: Any, kind: Any) -> None:
    """A model is asked with exactly the tokens in front of the answers it was trained on."""
    renderer = Renderer(tokenizer, Rendering(kind=kind))
    row = rendered(renderer, TALK)
    assert renderer.prompt(TALK[:-1]) == row.prompt_ids
    assert row.input_ids == row.prompt_ids + row.answer_ids + row.stop_ids


@pytest.mark.parametrize("kind", ["chat", "plain"])
@pytest.mark.parametrize(
    "answer", ["7", " eight\n", "八，对。", '{"a": 1}\n\n', "\u00a0x\t", "👍🏽"]
)
def test_scored_span_decodes_to_the_answer(tokenizer: Any, kind: Any, answer: str) -> None:
    """The trained answer decodes byte for byte, white space and emoji included."""
    row = rendered(Renderer(tokenizer, Rendering(kind=kind)), (ASK, Turn("assistant", answer)))
    assert tokenizer.decode(row.answer_ids, skip_special_tokens=False) == answer
    assert row.scored


def test_mask_shows_what_is_learned(tokenizer: Any) -> None:
    """Loss lies on the last answer and its end only, or on all answers when asked for."""
    last = Renderer(tokenizer, Rendering(kind="chat"))
    learned = [text for text, trained in last.mask(rendered(last, TALK)) if trained]
    assert learned == [" eight 八\n<|im_end|>"]
    every = Renderer(tokenizer, Rendering(kind="chat", loss_on="all"))
    learned = [text for text, trained in every.mask(rendered(every, TALK)) if trained]
    assert learned == ["seven<|im_end|>", " eight 八\n<|im_end|>"]
    assert rendered(every, TALK).input_ids == rendered(last, TALK).input_ids


def test_plain_rendering_ends_in_the_tokenizers_own_end(tokenizer: Any) -> None:
    """A Base learns to stop with an end token whose row is trained already."""
    renderer = Renderer(tokenizer, Rendering(kind="plain"))
    row = rendered(renderer, (Turn("system", "Be brief."), *TALK))
    assert row.stop_ids == (tokenizer.eos_token_id,)
    assert renderer.end_ids == (tokenizer.eos_token_id,)
    text = tokenizer.decode(row.input_ids)
    assert text.startswith(
        "Be brief.\n\nQuestion:\nWhat is 3 plus 4?\n\nAnswer:\nseven<|endoftext|>"
    )


@pytest.mark.parametrize("bos", [None, "<|im_start|>"])
def test_built_in_system_prompt_is_removed(tokenizer: Any, bos: str | None) -> None:
    """No arm is told more than the others: a template's own system prompt goes, and it is said.

    SmolLM2's BOS is the token that opens a turn; it must not stay behind.
    """
    tokenizer.chat_template = DEFAULT_SYSTEM
    if bos is not None:
        tokenizer.add_special_tokens({"bos_token": bos})
    renderer = Renderer(tokenizer, Rendering(kind="chat"))
    row = rendered(renderer, (ASK, Turn("assistant", "7")))
    assert tokenizer.decode(row.prompt_ids) == (
        "<|im_start|>user\nWhat is 3 plus 4?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert row.notes == ("default_system_removed",)
    own = Renderer(tokenizer, Rendering(kind="chat"), system="Be kind.")
    text = tokenizer.decode(own.prompt([ASK]))
    assert text.startswith("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n")


def test_missing_system_role_is_folded(tokenizer: Any) -> None:
    """Without a system role, the system text opens the first user turn."""
    tokenizer.chat_template = NO_SYSTEM
    renderer = Renderer(tokenizer, Rendering(kind="chat"), system="Be kind.")
    text = tokenizer.decode(renderer.prompt([ASK]))
    assert text.startswith("<|im_start|>user\nBe kind.\n\nWhat is 3 plus 4?<|im_end|>")


def test_template_never_changes_an_answer(tokenizer: Any) -> None:
    """A trimming template leaves the trained answer whole; trimmed history excludes the row."""
    tokenizer.chat_template = NO_SYSTEM
    renderer = Renderer(tokenizer, Rendering(kind="chat"))
    assert rendered(renderer, (ASK, Turn("assistant", " 7 "))).answer == " 7 "
    kept = renderer.turns((ASK, Turn("assistant", " 7 "), ASK, Turn("assistant", "8")))
    assert isinstance(kept, RowExcluded)
    assert kept.reason == "history_changed"


def test_space_before_answers_belongs_to_the_completion(tokenizer: Any) -> None:
    """Where a template writes a space before answers the model writes it, unscored."""
    tokenizer.chat_template = SPACED
    renderer = Renderer(tokenizer, Rendering(kind="chat"))
    row = rendered(renderer, (ASK, Turn("assistant", "seven")))
    assert row.lead == " "
    assert tokenizer.decode(row.input_ids) == "[Q] What is 3 plus 4? [/Q] seven<|im_end|>"
    if row.scored:
        assert tokenizer.decode(row.answer_ids) == "seven"


def test_forced_opening_is_part_of_the_prompt(tokenizer: Any) -> None:
    """An empty thinking block that a template puts before answers is given, not generated."""
    tokenizer.chat_template = THINKING
    renderer = Renderer(tokenizer, Rendering(kind="chat"))
    row = rendered(renderer, (ASK, Turn("assistant", "7")))
    assert tokenizer.decode(row.prompt_ids).endswith("assistant\n<think>\n\n</think>\n\n")
    assert row.notes == ("answer_opening_added",)


def test_clock_is_pinned() -> None:
    """A template that asks for the date gets the same one every day."""
    source = "Today is {{ strftime_now('%d %b %Y') }}, {{ strftime_now(\"%Y\") }}."
    assert pinned_template(source, "2024-07-26") == 'Today is {{ "26 Jul 2024" }}, {{ "2024" }}.'


def test_tools_are_shown_even_where_the_template_ignores_them(tokenizer: Any) -> None:
    """Every arm is told of the same tools."""
    tools = json.dumps([{"type": "function", "function": {"name": "look", "parameters": {}}}])
    for kind in ("chat", "plain"):
        renderer = Renderer(tokenizer, Rendering(kind=kind))
        assert '"look"' in tokenizer.decode(renderer.prompt([ASK], tools)), kind


def test_bos_once(tokenizer: Any) -> None:
    """A template that writes BOS does not get a second one from the tokenizer."""
    tokenizer.add_special_tokens({"bos_token": "<|im_start|>"})
    renderer = Renderer(tokenizer, Rendering(kind="chat"))
    assert renderer.prompt([ASK]).count(tokenizer.bos_token_id) == 2  # one a turn, none added


def test_raw_text_is_learned_whole(tokenizer: Any) -> None:
    """Raw text carries loss on every byte and on the end."""
    row = Renderer(tokenizer, Rendering(kind="plain")).row(Row("x", "f", 1, text="Once. 从前。"))
    assert isinstance(row, Rendered)
    assert tokenizer.decode(row.answer_ids) == "Once. 从前。"
    assert row.labels[1:] == row.input_ids[1:]
    assert row.labels[0] == IGNORED


def test_rows_without_an_answer_are_named(tokenizer: Any) -> None:
    """A row that cannot be used comes back with a reason, not as an empty mask."""
    renderer = Renderer(tokenizer, Rendering(kind="plain"))
    for turns in ((ASK,), (ASK, Turn("assistant", "")), ()):
        found = renderer.turns(turns)
        assert isinstance(found, RowExcluded)
        assert found.reason == "no_answer"


def test_template_that_refuses_is_a_reason(tokenizer: Any) -> None:
    """A broken template is reported, not a traceback."""
    tokenizer.chat_template = "{{ raise_exception('broken') }}"
    with pytest.raises(TemplateRefused, match="broken"):
        ChatTemplate(tokenizer, "2024-07-26")


def test_a_row_cut_to_the_context_is_not_taught_to_end_there() -> None:
    """The prompt stays whole, the answer loses its tail, the end of the turn has no loss."""
    row = Rendered(
        prompt_ids=(1, 2, 3),
        prompt_labels=(IGNORED,) * 3,
        answer_ids=(4, 5, 6),
        stop_ids=(9,),
        answer="abc",
        lead="",
        scored=True,
    )
    assert row.within(7) is row
    cut = row.within(5)
    assert cut is not None
    assert ((1, 2, 3, 4, 5), (IGNORED, IGNORED, IGNORED, 4, 5)) == (cut.input_ids, cut.labels)
    assert not cut.scored
    assert row.within(3) is None
