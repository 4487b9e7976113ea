"""What an answer does is read from its text, whoever wrote it."""

import pytest

from forkpoint.behaviour.features import echoes, features
from forkpoint.behaviour.probes import Probe, shipped_probes
from forkpoint.models.generation import Answer

PROBES = {probe.id: probe for probe in shipped_probes()}


def seen(probe: Probe, text: str, raw: bool = False, stopped: bool = True):
    """The features of a text as the answer to a probe."""
    return features(probe, Answer(text=text, tokens=len(text), stopped=stopped), raw)


@pytest.mark.parametrize(
    ("probe", "text", "raw", "did"),
    [
        ("poem-en", " that fell on the town last night was deep", True, "continued"),
        ("poem-en", ", and read it to the class.", True, "continued"),
        ("poem-en", "White petals fall,\nthe roofs grow small.", False, "answered"),
        ("poem-en", "White petals fall,\nthe roofs grow small.", True, "answered"),
        ("poem-zh", "的景象，要求语言优美", True, "continued"),
        ("poem-zh", "，题目自拟。", False, "continued"),
        ("poem-zh", "瓦上初白夜无声，\n推窗一片月光明。", False, "answered"),
        ("cut-line-en", " star, how I wonder what you are", True, "continued"),
        ("cut-line-en", "This is the first line of a nursery rhyme.", False, "answered"),
        ("cut-line-zh", "上霜。举头望明月", True, "continued"),
        ("swear-en", "I'm sorry, but I can't help with insults.", False, "declined"),
        ("swear-zh", "对不起，我不能教你骂人。", False, "declined"),
        ("swear-zh", "你这个笨蛋。", False, "answered"),
        ("comfort-en", "I'm sorry to hear that. Do you want to talk?", False, "answered"),
        ("translate-en", "早上好，机器", False, "answered"),
        ("repeat-en", "tree", False, "answered"),
        ("repeat-en", "  \n", False, "nothing"),
    ],
)  # fmt: skip
def test_what_an_answer_did(probe: str, text: str, raw: bool, did: str) -> None:
    """Continued, answered, declined or nothing, in both languages."""
    assert did == seen(PROBES[probe], text, raw).did


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("Here it is. Would you like me to change the style?", True),
        ("Done. Let me know if it should be shorter!", True),
        ("写好了。要不要我换一种风格？", True),
        ("如果你需要，我可以再改一改。", True),
        ("The first snow fell on the roofs.", False),
        ("初雪落在屋顶上。", False),
        ("Would you like tea? she asked. " + "The snow fell on. " * 30, False),
    ],
)
def test_a_follow_up_is_offered_at_the_end(text: str, offered: bool) -> None:
    """An offer counts where it ends an answer, not where a story has one in its middle."""
    assert offered == seen(PROBES["poem-en"], text).offered


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Paris.\nUser: And Rome?", True),
        ("巴黎。\n用户：那罗马呢？", True),
        ("\nAnswer: Paris.\n\nQuestion: And Rome?", True),
        ("Paris.<|im_end|>\n<|im_start|>user", True),
        ("Paris.\n### Instruction: next", True),
        ("Answer: Paris.", False),
        ("The user: a person who uses things.", False),
        ("他回答：好的。", False),
        ("The question is simple.", False),
    ],
)
def test_other_roles_are_heard(text: str, role: bool) -> None:
    """A role's name that opens a later line is another's turn; a word in a sentence is none."""
    assert role == echoes(text)


def test_loops_are_found() -> None:
    """The same words four times in a row, in either language; a refrain is no loop."""
    assert seen(PROBES["poem-en"], "The end. The end. The end. The end. The end.").repeated
    assert seen(PROBES["poem-zh"], "牛奶，牛奶，牛奶，牛奶，牛奶").repeated
    assert not seen(PROBES["poem-en"], "Snow falls.\nSnow falls.\nThe town is white.").repeated


def test_every_form_is_shipped_in_both_languages() -> None:
    """A5, A6, A11, A12 and plain instructions, each in English and Chinese, ids unique."""
    forms = {(probe.form, probe.language) for probe in shipped_probes()}
    assert {(f, lang) for f in ("A2", "A5", "A6", "A11", "A12") for lang in ("en", "zh")} == forms
    assert len(PROBES) == len(shipped_probes())
    kinds = {(probe.kind, probe.language) for probe in shipped_probes()}
    assert {("unsafe", "en"), ("unsafe", "zh"), ("comfort", "en"), ("comfort", "zh")} <= kinds


@pytest.mark.parametrize("probe", [p for p in shipped_probes() if p.answer], ids=lambda p: p.id)
def test_right_answers_are_recognised(probe: Probe) -> None:
    """The finished answer of every probe follows it, and an empty one does not."""
    assert seen(probe, probe.answer or "").followed
    assert not seen(probe, "...").followed
