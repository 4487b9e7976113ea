"""One loaded checkpoint that answers prompt by prompt, a piece at a time."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal

from forkpoint.behaviour.probes import Probe
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.models.generation import Answer
from forkpoint.models.rendering import Renderer, Rendering
from forkpoint.models.template import TemplateRefused
from forkpoint.models.weights import Dtype, generation_end_ids, load_model, load_tokenizer
from forkpoint.record import Record

Way = Literal["template", "raw"]  # asked through its own chat template, or the bare text


class Decoding(Record):
    """How the next token is chosen: the same for every checkpoint."""

    limit_tokens: int = 64
    temperature: float = 0.0  # 0: greedy
    top_p: float = 1.0
    seed: int = 0


class Talker:
    """A checkpoint in memory."""

    def __init__(self, facts: CheckpointFacts, dtype: Dtype, device: str) -> None:
        path = facts.path or facts.name
        self.name = facts.name
        self.tokenizer = load_tokenizer(path)
        self.model = load_model(path, dtype=dtype, device=device)
        self.renderer: Renderer | None = None
        if facts.template.present and facts.template.error is None:
            try:
                self.renderer = Renderer(self.tokenizer, Rendering(kind="chat"))
            except TemplateRefused:
                self.renderer = None
        self._own_ends = generation_end_ids(self.model)

    def prompt(self, probe: Probe, way: Way) -> tuple[int, ...] | None:
        """The ids of a prompt, None where there is no template or it refuses the prompt."""
        if way == "template":
            if self.renderer is None:
                return None
            try:
                return self.renderer.prompt(probe.turns)
            except TemplateRefused:
                return None
        ids = list(self.tokenizer(probe.text).input_ids)
        if len(ids) > 1 and ids[-1] == self.tokenizer.eos_token_id:
            ids.pop()  # some tokenizers close every text
        return tuple(ids)

    def end_ids(self, way: Way) -> tuple[int, ...]:
        """Where an answer is over: its own end ids, EOS, and the template's end of turn."""
        eos = self.tokenizer.eos_token_id
        ends = {*self._own_ends, *([] if eos is None else [int(eos)])}
        if way == "template" and self.renderer is not None:
            ends |= set(self.renderer.end_ids)
        return tuple(sorted(ends))

    def say(
        self, prompt: Sequence[int], ends: Collection[int], decoding: Decoding
    ) -> Iterator[str | Answer]:
        """Pieces of text as they are made, then the whole Answer."""
        ids: list[int] = []
        shown = ""
        for token in tokens(self.model, prompt, decoding):
            if token in ends:
                yield Answer(text=self._text(ids), tokens=len(ids), stopped=True)
                return
            ids.append(token)
            text = self._text(ids)
            if not text.endswith("\ufffd") and len(text) > len(shown):
                yield text[len(shown) :]
                shown = text
        yield Answer(text=self._text(ids), tokens=len(ids), stopped=False)

    def _text(self, ids: list[int]) -> str:
        return str(
            self.tokenizer.decode(
                ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )


def tokens(model: Any, prompt: Sequence[int], decoding: Decoding) -> Iterator[int]:
    """New tokens one by one up to the limit."""
    import torch
    from transformers import DynamicCache

    generator = torch.Generator(device="cpu").manual_seed(decoding.seed)
    cache = DynamicCache(config=model.config)
    ids_1_T = torch.tensor([list(prompt)], dtype=torch.long, device=model.device)
    with torch.inference_mode():
        for _ in range(decoding.limit_tokens):
            logits_V = model(
                input_ids=ids_1_T, past_key_values=cache, use_cache=True, logits_to_keep=1
            ).logits[0, -1]
            token = _choose(logits_V.float().cpu(), decoding, generator)
            yield token
            ids_1_T = torch.tensor([[token]], dtype=torch.long, device=model.device)


def _choose(logits_V: Any, decoding: Decoding, generator: Any) -> int:
    import torch

    if decoding.temperature <= 0:
        return int(logits_V.argmax())
    chances_V, order_V = torch.softmax(logits_V / decoding.temperature, -1).sort(descending=True)
    before_V = chances_V.cumsum(-1) - chances_V
    chances_V = torch.where(before_V < decoding.top_p, chances_V, 0.0)
    place = torch.multinomial(chances_V, 1, generator=generator)
    return int(order_V[place])
