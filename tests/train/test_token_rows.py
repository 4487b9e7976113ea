"""Token rows trained beside an adapter, their start, and ends that agree when saved."""

import json
from pathlib import Path

import pytest
import torch

from forkpoint.data.row import Turn
from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.ends import align_ends
from forkpoint.models.generation import generate
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.token_rows import matrices, start_rows
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import ApproachSettings, PreferencePair, TrainJob, TrainRow

EOS, OPENER, END = 0, 1, 2  # <|endoftext|>, <|im_start|>, <|im_end|>
WORDS = ("red", "blue", "green", "black")


@pytest.fixture(scope="module")
def untied(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint with an output layer of its own."""
    from transformers import LlamaForCausalLM

    folder = tmp_path_factory.mktemp("untied")
    tokenizer = load_tokenizer(tiny_checkpoint)
    tokenizer.save_pretrained(str(folder))
    config = load_model(tiny_checkpoint).config
    config.tie_word_embeddings = False
    torch.manual_seed(1)
    LlamaForCausalLM(config).save_pretrained(str(folder))
    return folder


def rows_of(checkpoint: Path) -> list[Rendered]:
    """Conversations of two turns in the checkpoint's ChatML."""
    renderer = Renderer(load_tokenizer(checkpoint), Rendering(kind="chat"))
    found = [renderer.turns((Turn("user", f"Say {w}"), Turn("assistant", w))) for w in WORDS]
    return [row for row in found if isinstance(row, Rendered)]


def trained(checkpoint: Path, folder: Path, **settings: object) -> list[Rendered]:
    """Over-fit the conversations with LoRA on attention only."""
    rows = rows_of(checkpoint)
    fine_tune(
        TrainJob(
            checkpoint=str(checkpoint), approach="lora",
            settings=ApproachSettings.model_validate({"rank": 8, "alpha": 16, **settings}),
            rows=tuple(TrainRow(input_ids=row.input_ids, labels=row.labels) for row in rows),
            steps=((0, 1, 2, 3),) * 60, rate=1e-2, warmup_steps=2, folder=str(folder),
            end_ids=(END,),
        )
    )  # fmt: skip
    return rows


def test_rows_start_where_they_are_told(tiny_checkpoint: Path, untied: Path) -> None:
    """The end starts from EOS, an opener from the mean with the usual length, in both matrices."""
    for folder in (tiny_checkpoint, untied):
        model = load_model(folder)
        before = [matrix.weight.detach().clone() for matrix in matrices(model)]
        start_rows(model, (OPENER, END), (None, EOS))
        for old, matrix in zip(before, matrices(model), strict=True):
            new = matrix.weight.detach()
            assert torch.equal(old[EOS], new[END])
            assert torch.nn.functional.cosine_similarity(new[OPENER], old.mean(0), dim=0) > 0.999
            assert new[OPENER].norm().item() == pytest.approx(old.norm(dim=-1).median().item())
            others = [index for index in range(len(old)) if index not in (OPENER, END)]
            assert torch.equal(old[others], new[others])
    assert [1, 2] == [len(matrices(load_model(one))) for one in (tiny_checkpoint, untied)]


@pytest.mark.parametrize("tied", [True, False])
def test_trained_rows_are_saved_loaded_and_stop(
    tiny_checkpoint: Path, untied: Path, tmp_path: Path, tied: bool
) -> None:
    """What was trained comes back with the adapter: answers stop, and no other row changed."""
    checkpoint = tiny_checkpoint if tied else untied
    rows = trained(checkpoint, tmp_path, targets="attention", token_ids=(OPENER, END),
                   token_starts=(None, EOS))  # fmt: skip
    model = approach("lora").load_for_answers(str(checkpoint), tmp_path)
    answers = generate(
        model, load_tokenizer(checkpoint), [row.prompt_ids for row in rows], {END}, 8
    )
    assert [True] * 4 == [answer.stopped for answer in answers]
    assert list(WORDS) == [answer.text for answer in answers]
    before = matrices(load_model(checkpoint))
    for old, new in zip(before, matrices(model), strict=True):
        changed = (old.weight != new.weight).any(dim=-1).nonzero().flatten().tolist()
        assert [OPENER, END] == changed


@pytest.mark.parametrize("tied", [True, False])
def test_preferences_are_measured_from_the_trained_rows(
    tiny_checkpoint: Path, untied: Path, tmp_path: Path, tied: bool
) -> None:
    """The reference has the rows as trained: before the first step it is the model itself."""
    checkpoint = tiny_checkpoint if tied else untied
    rows = rows_of(checkpoint)
    pairs = tuple(
        PreferencePair(
            prompt_ids=one.prompt_ids, chosen_ids=one.answer_ids + one.stop_ids,
            rejected_ids=other.answer_ids + other.stop_ids,
        )
        for one, other in zip(rows, (*rows[1:], rows[0]), strict=True)
    )  # fmt: skip
    result = fine_tune(
        TrainJob(
            checkpoint=str(checkpoint), approach="dpo",
            settings=ApproachSettings(rank=8, alpha=16, targets="attention",
                                      token_ids=(OPENER, END), token_starts=(None, EOS)),
            rows=tuple(TrainRow(input_ids=row.input_ids, labels=row.labels) for row in rows),
            steps=((0, 1, 2, 3),) * 60, rate=1e-2, warmup_steps=2, folder=str(tmp_path),
            pairs=pairs, pair_steps=((0, 1, 2, 3),) * 3, end_ids=(END,),
        )
    )  # fmt: skip
    assert result.margins[0] == pytest.approx(0.0, abs=1e-3)
    model = approach("dpo").load_for_answers(str(checkpoint), tmp_path)
    prompts = [row.prompt_ids for row in rows]
    answers = generate(model, load_tokenizer(checkpoint), prompts, {END}, 8)
    assert [True] * 4 == [answer.stopped for answer in answers]


def test_an_adapter_says_where_its_answers_end(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """generation_config.json beside the adapter names the checkpoint's EOS and the turn's end."""
    trained(tiny_checkpoint, tmp_path, targets="attention")
    saved = json.loads((tmp_path / "generation_config.json").read_text())
    assert [EOS, END] == saved["eos_token_id"]


def test_attention_only_counts_its_parameters(tiny_checkpoint: Path, untied: Path) -> None:
    """The number said before training is the number trained, matrices tied or not."""
    for folder, tied in ((tiny_checkpoint, True), (untied, False)):
        shape = ShapeFacts.model_construct(
            parameters=0, hidden_size=64, layers=2, heads=4, kv_heads=2, head_dim=16,
            intermediate_size=128, tied_embeddings=tied,
        )  # fmt: skip
        settings = ApproachSettings(rank=4, targets="attention", token_ids=(1, 2))
        model = approach("lora").prepare(load_model(folder), settings)
        count = sum(p.numel() for p in model.parameters() if p.requires_grad)
        assert approach("lora").trainable_parameters(shape, settings) == count


def test_ends_agree_after_aligning(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Tokenizer, config and generation config name the turn's end; padding is not EOS."""
    from forkpoint.facts import read_checkpoint

    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    tokenizer.pad_token = "<|im_end|>"
    align_ends(model, tokenizer, stop_ids=(END,), end_ids=(EOS, END))
    model.save_pretrained(str(tmp_path))
    tokenizer.save_pretrained(str(tmp_path))
    facts = read_checkpoint(str(tmp_path))
    assert "<|im_end|>" == facts.tokenizer_eos
    assert ("<|im_end|>", "<|endoftext|>") == facts.generation_eos
    assert END == json.loads((tmp_path / "config.json").read_text())["eos_token_id"]
    assert "<|pad|>" == facts.pad
    codes = {notice.code for notice in facts.notices}
    assert not codes & {"end-of-turn-not-an-end", "eos-disagree", "pad-is-eos", "no-end-ids"}
