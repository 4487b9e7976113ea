"""Will it stop? Three causes are told apart from files and weights, and a remedy is chosen."""

from pathlib import Path
from typing import Any

import pytest
from made_checkpoint import make_checkpoint
from test_special_rows import folder_with, matrix

from forkpoint.facts import read_checkpoint
from forkpoint.facts.stopping import StopPlan, TemplateWish, stop_plan
from forkpoint.models.rendering import choose_renderings
from forkpoint.report.checkpoint_text import checkpoint_text
from forkpoint.words import say

TURN = ("<|im_start|>", "<|im_end|>")
EOS = "<|endoftext|>"


def planned(folder: Path) -> StopPlan:
    """The plan of a folder; each of its sentences must be there in both languages."""
    plan = stop_plan(read_checkpoint(str(folder)))
    for key, values in [(plan.key, plan.values), *((c.key, c.values) for c in plan.causes)]:
        assert say(key, "en", **values) != say(key, "zh", **values)
    return plan


@pytest.mark.parametrize(
    ("changes", "causes", "remedy", "align"),
    [
        ({}, set(), "own_template", False),
        ({"ends": 0}, {"not_an_end"}, "own_template", True),
        ({"ends": None}, {"not_an_end"}, "own_template", True),
        ({"pad": "<|im_end|>"}, {"no_loss"}, "own_template", False),
        ({"pad": None}, {"no_loss"}, "own_template", False),
        ({"ends": 0, "pad": "<|im_end|>"}, {"not_an_end", "no_loss"}, "own_template", True),
        ({"template": None, "eos": "<|endoftext|>", "ends": 0}, set(), "plain", False),
        ({"template": "{{ broken", "eos": "<|endoftext|>", "ends": 0}, set(), "plain", False),
    ],
)  # fmt: skip
def test_causes_from_files(
    tmp_path: Path, changes: dict[str, Any], causes: set[str], remedy: str, align: bool
) -> None:
    """An end that is none, an end without loss, both or neither; each with its remedy."""
    plan = planned(make_checkpoint(tmp_path / "made-Instruct", **changes))
    assert causes == {cause.cause for cause in plan.causes}
    assert (remedy, align) == (plan.remedy, plan.align)


@pytest.mark.parametrize(
    ("eos", "never", "remedy", "end", "rows"),
    [
        ("<|endoftext|>", ("<|im_start|>", "<|im_end|>"), "plain", "<|endoftext|>", ()),
        ("<|endoftext|>", (), "own_template", "<|im_end|>", ()),
        ("<|im_end|>", ("<|im_start|>", "<|im_end|>"), "train_rows", "<|im_end|>",
         ("<|im_end|>", "<|im_start|>")),
    ],
)  # fmt: skip
def test_causes_from_weights(
    tmp_path: Path, eos: str, never: tuple[str, ...], remedy: str, end: str, rows: tuple[str, ...]
) -> None:
    """Turn tokens never trained: plain text where EOS is trained, else the rows themselves."""
    folder = folder_with(tmp_path / "made", embedding=matrix(1, never, 1.0))
    make_checkpoint(tmp_path / "other", eos=eos)
    for name in ("tokenizer_config.json",):
        (folder / name).write_bytes((tmp_path / "other" / name).read_bytes())
    plan = planned(folder)
    assert bool(never) == ("untrained_rows" in {cause.cause for cause in plan.causes})
    assert (remedy, end, rows) == (plan.remedy, plan.end, tuple(row.token for row in plan.rows))
    assert all(row.start is None for row in plan.rows)  # no EOS that could be a start


@pytest.mark.parametrize(
    ("stage", "never", "wish", "remedy", "rows", "kinds"),
    [
        ("base", (), "auto", "own_template", {}, ("chat", "plain")),
        ("base", (), "own", "own_template", {}, ("chat",)),
        ("base", (), "plain", "plain", {}, ("plain",)),
        ("base", TURN, "auto", "plain", {}, ("plain",)),
        ("base", TURN, "own", "train_rows", {TURN[0]: None, TURN[1]: EOS}, ("chat",)),
        ("base", TURN, "plain", "plain", {}, ("plain",)),
        ("base", TURN[:1], "auto", "plain", {}, ("plain",)),
        ("instruct", (), "auto", "own_template", {}, ("chat",)),
        ("instruct", TURN[:1], "auto", "own_template", {}, ("chat",)),
        ("instruct", TURN, "auto", "plain", {}, ("plain",)),
        ("instruct", TURN, "own", "train_rows", {TURN[0]: None, TURN[1]: EOS}, ("chat",)),
    ],
)
def test_the_race_renders_as_the_plan_says(
    tmp_path: Path, stage: str, never: tuple[str, ...], wish: TemplateWish, remedy: str,
    rows: dict[str, str | None], kinds: tuple[str, ...],
) -> None:  # fmt: skip
    """Plan and renderings agree; an end that was never trained is no template to keep unasked."""
    folder = folder_with(tmp_path / "made", embedding=matrix(1, never, 1.0))
    make_checkpoint(tmp_path / "other", eos=EOS)
    (folder / "tokenizer_config.json").write_bytes(
        (tmp_path / "other" / "tokenizer_config.json").read_bytes()
    )
    facts = read_checkpoint(str(folder)).model_copy(update={"stage": stage})
    plan = stop_plan(facts, wish)
    assert (remedy, rows) == (plan.remedy, {row.token: row.start for row in plan.rows})
    assert kinds == tuple(one.kind for one in choose_renderings(facts, wish))
    assert say(plan.key, "en", **plan.values) != say(plan.key, "zh", **plan.values)


@pytest.mark.parametrize(
    ("name", "remedy", "end"),
    [("pocket-base", "plain", "<|endoftext|>"), ("pocket-instruct", "own_template", "<|im_end|>"),
     ("pocket-chat", "own_template", "<|im_end|>")],
)  # fmt: skip
def test_the_pocket_family_gets_its_remedies(name: str, remedy: str, end: str) -> None:
    """Base: plain text that ends in EOS; tuned siblings: their own template."""
    plan = stop_plan(read_checkpoint(name))
    assert (remedy, end) == (plan.remedy, plan.end)


def test_a_base_with_its_familys_template_is_warned(tmp_path: Path) -> None:
    """pocket-base given the template of its siblings: cause (c) with its rows, and plain text."""
    import shutil

    from forkpoint.pocket import checkpoint_path

    folder = Path(shutil.copytree(checkpoint_path("pocket-base"), tmp_path / "pocket-copy"))
    tuned = Path(checkpoint_path("pocket-instruct"))
    shutil.copy(tuned / "chat_template.jinja", folder / "chat_template.jinja")
    facts = read_checkpoint(str(folder))
    plan = stop_plan(facts)
    assert {"untrained_rows", "not_an_end"} == {cause.cause for cause in plan.causes}
    assert ("plain", "<|endoftext|>") == (plan.remedy, plan.end)
    for lang, words in (("en", "Will it stop?"), ("zh", "微调后能停下吗？")):
        assert words in checkpoint_text(facts, lang)
