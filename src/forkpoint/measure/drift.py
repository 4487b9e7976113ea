"""How far a training has moved what a model says to general prompts."""

from collections.abc import Collection, Sequence
from typing import Any

from forkpoint.data.row import Turn
from forkpoint.ledger import Measured
from forkpoint.measure.interval import mean, nothing
from forkpoint.models.generation import ANSWER_BATCH, generate
from forkpoint.models.rendering import Renderer
from forkpoint.models.template import TemplateRefused

ANSWER_TOKENS = 32  # of each answer of the start: drift shows in the first ones
KEPT_LOGITS = 64_000_000  # floats of the start's distributions kept for comparison: 256 MB
UNIT = "nats/token"


class Spoken:
    """What the start says to the prompts: spans of tokens, and its distribution at each."""

    def __init__(self) -> None:
        self.spans: list[tuple[tuple[int, ...], int]] = []  # ids, and where the answer begins
        self.logprobs_R_K_V: list[Any] = []


def speak(
    model: Any,
    tokenizer: Any,
    renderer: Renderer,
    prompts: Sequence[Sequence[Turn]],
    end_ids: Collection[int],
) -> Spoken:
    """The greedy answers of the start; prompts that its template refuses are left out."""
    asked = []
    for turns in prompts:
        try:
            asked.append(renderer.prompt(turns))
        except TemplateRefused:
            continue
    answers = generate(model, tokenizer, asked, end_ids, ANSWER_TOKENS, ANSWER_BATCH)
    spoken = Spoken()
    room = KEPT_LOGITS
    vocabulary = model.config.get_text_config().vocab_size
    for prompt, answer in zip(asked, answers, strict=True):
        said = tokenizer(answer.text, add_special_tokens=False).input_ids
        if not said:
            continue
        room -= len(said) * vocabulary
        if room < 0 and spoken.spans:
            break
        span = ((*prompt, *(int(token) for token in said)), len(prompt))
        spoken.spans.append(span)
        spoken.logprobs_R_K_V.append(_logprobs(model, span))
    return spoken


def drift(spoken: Spoken, tuned: Any) -> Measured:
    """Mean KL divergence of the start's distribution from the tuned one's, by answer.

    In nats a token over the start's own answers; n counts answers.
    """
    found = []
    for span, before_K_V in zip(spoken.spans, spoken.logprobs_R_K_V, strict=True):
        after_K_V = _logprobs(tuned, span)
        kl_K = (before_K_V.exp() * (before_K_V - after_K_V)).sum(-1)
        found.append(max(0.0, float(kl_K.mean())))
    return mean(found, UNIT, "lower") if found else nothing(UNIT, "lower")


def _logprobs(model: Any, span: tuple[tuple[int, ...], int]) -> Any:
    """Log-probabilities at every token of the answer, in nats."""
    import torch

    ids, start = span
    with torch.inference_mode():
        tokens = torch.tensor([list(ids)], device=model.device)
        logits_K_V = model(input_ids=tokens, logits_to_keep=len(ids) - start + 1).logits[0, :-1]
        return torch.log_softmax(logits_K_V.float(), dim=-1).cpu()
