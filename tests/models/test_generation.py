"""Generation: greedy, and the same whatever the batch."""

from pathlib import Path

import torch

from forkpoint.data.row import Turn
from forkpoint.models.generation import Answer, generate
from forkpoint.models.rendering import Renderer, Rendering
from forkpoint.models.weights import generation_end_ids, load_model, load_tokenizer

PROMPTS = [
    "a",
    "What is three plus four?",
    "问题和答案" * 6,
    "one two three four five six",
    "b c d",
]


def said(answer: Answer) -> tuple[str, int, bool]:
    """What was said, whatever the time it took."""
    return answer.text, answer.tokens, answer.stopped


def test_batch_of_one_equals_batch_of_eight(tiny_checkpoint: Path) -> None:
    """Left padding does not leak into an answer."""
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    renderer = Renderer(tokenizer, Rendering(kind="chat"))
    prompts = [renderer.prompt([Turn("user", text)]) for text in PROMPTS]
    alone = generate(model, tokenizer, prompts, renderer.end_ids, 24, batch_size=1)
    together = generate(model, tokenizer, prompts, renderer.end_ids, 24, batch_size=8)
    assert [said(one) for one in alone] == [said(one) for one in together]


def test_equals_the_librarys_greedy_search(tiny_checkpoint: Path) -> None:
    """Our loop says what transformers' own greedy search says."""
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    prompts = [tuple(tokenizer(text).input_ids) for text in PROMPTS]
    ours = generate(model, tokenizer, prompts, (), 16)
    for prompt, answer in zip(prompts, ours, strict=True):
        theirs = model.generate(
            torch.tensor([prompt]), max_new_tokens=16, do_sample=False, eos_token_id=None
        )
        assert tokenizer.decode(theirs[0, len(prompt) :]) == answer.text
        assert (answer.tokens, answer.stopped) == (16, False)


def test_stops_at_an_end_id_and_says_so(tiny_checkpoint: Path) -> None:
    """An answer ends before the end id; one that runs into the limit is marked."""
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    prompt = tuple(tokenizer(PROMPTS[1]).input_ids)
    free = generate(model, tokenizer, [prompt], (), 12)[0]
    ids = tokenizer(free.text).input_ids
    written = model.generate(
        torch.tensor([prompt]), max_new_tokens=12, do_sample=False, eos_token_id=None
    )[0, len(prompt) :].tolist()
    end = written[4]
    cut = generate(model, tokenizer, [prompt], (end,), 12)[0]
    assert cut.stopped
    assert cut.tokens == written.index(end)
    assert cut.text == tokenizer.decode(written[: written.index(end)])
    assert ids


def test_only_end_ids_survive_of_the_generation_config(tiny_checkpoint: Path) -> None:
    """Sampling defaults of a checkpoint play no part."""
    model = load_model(tiny_checkpoint)
    assert generation_end_ids(model) == (0,)
    assert not model.generation_config.do_sample
