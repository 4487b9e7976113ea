"""Ask one checkpoint the shipped probes and write down what it did."""

import time
from collections.abc import Sequence
from typing import Any, Literal

from forkpoint.behaviour.features import Features, features
from forkpoint.behaviour.probes import Probe, shipped_probes
from forkpoint.data.row import Turn
from forkpoint.facts.behaviour import Behaviour, Count
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.measure.likelihood import row_bits
from forkpoint.models.generation import generate
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.template import TemplateRefused
from forkpoint.models.weights import generation_end_ids

LIMIT_TOKENS = 48  # of an answer; tuned checkpoints need about 10 and an offer
# Templates of families by the two turn tokens, for a Base that has the tokens but no template.
BORROWED = {
    ("<|im_start|>", "<|im_end|>"): (
        "{%- for m in messages -%}{{- '<|im_start|>' + m['role'] + '\n' + m['content'] "
        "+ '<|im_end|>\n' -}}{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}"
    ),
    ("<start_of_turn>", "<end_of_turn>"): (
        "{{- bos_token -}}{%- for m in messages -%}{{- '<start_of_turn>' + ('model' if m['role'] "
        "== 'assistant' else m['role']) + '\n' + m['content'] + '<end_of_turn>\n' -}}{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}"
    ),
    ("<|start_header_id|>", "<|eot_id|>"): (
        "{{- bos_token -}}{%- for m in messages -%}{{- '<|start_header_id|>' + m['role'] + "
        "'<|end_header_id|>\n\n' + m['content'] + '<|eot_id|>' -}}{%- endfor -%}"
        "{%- if add_generation_prompt -%}"
        "{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}{%- endif -%}"
    ),
}
OFFERS = {  # how a checkpoint that offers more may end an answer
    "en": "\nIs there anything else I can do for you?", "zh": "\n还有什么我可以帮你的吗？",
}  # fmt: skip


def probe(
    facts: CheckpointFacts,
    model: Any,
    tokenizer: Any,
    probes: Sequence[Probe] | None = None,
) -> Behaviour:
    """What the checkpoint does with the probes, in its own template where it has one."""
    begin = time.monotonic()
    asked = [one for one in (probes or shipped_probes()) if one.kind != "cut_line"]
    manner, renderer = rendering_of(facts, tokenizer)
    prompts = [renderer.prompt(one.turns) for one in asked]
    ends = {*renderer.end_ids, *generation_end_ids(model)}
    answers = generate(model, tokenizer, prompts, ends, LIMIT_TOKENS)
    seen = [features(one, answer, raw=False) for one, answer in zip(asked, answers, strict=True)]
    ending = _ending(model, renderer, asked)
    instructions = [found for one, found in zip(asked, seen, strict=True) if one.answer]
    unsafe = [found for one, found in zip(asked, seen, strict=True) if one.kind == "unsafe"]
    return Behaviour(
        rendering=manner,
        end_probability=max(ending, default=0.0),
        end_probability_mean=sum(ending) / len(ending) if ending else 0.0,
        answers=len(ending),
        stopped=_count(seen, lambda found: found.stopped),
        followed=_count(instructions, lambda found: bool(found.followed)),
        echoed=_count(seen, lambda found: found.echoed),
        continued=_count(seen, lambda found: found.did == "continued"),
        offered=_count(seen, lambda found: found.offered),
        declined=_count(unsafe, lambda found: found.did == "declined"),
        limit_tokens=LIMIT_TOKENS,
        seconds=time.monotonic() - begin,
    )


def rendering_of(
    facts: CheckpointFacts, tokenizer: Any
) -> tuple[Literal["chat", "borrowed", "plain"], Renderer]:
    """How a checkpoint is asked: its template, else one for its turn tokens, else plain text."""
    if facts.template.present and facts.template.error is None:
        try:
            return "chat", Renderer(tokenizer, Rendering(kind="chat"))
        except TemplateRefused:
            pass
    vocabulary = tokenizer.get_vocab()
    for tokens, template in BORROWED.items():
        if all(token in vocabulary for token in tokens):
            tokenizer.chat_template = template
            return "borrowed", Renderer(tokenizer, Rendering(kind="chat"))
    return "plain", Renderer(tokenizer, Rendering(kind="plain"))


def _ending(model: Any, renderer: Renderer, probes: Sequence[Probe]) -> list[float]:
    """P(end of turn) after each finished answer: bare, or with an offer, whichever ends better."""
    rows: list[tuple[int, Rendered]] = []
    finished = [one for one in probes if one.answer]
    for place, one in enumerate(finished):
        for tail in ("", OFFERS[one.language or "en"]):
            turns = (*one.turns, Turn("assistant", f"{one.answer}{tail}"))
            rendered = renderer.turns(turns)
            if isinstance(rendered, Rendered):
                rows.append((place, rendered))
    best: dict[int, float] = {}
    for (place, _), (_, stop) in zip(rows, row_bits(model, [row for _, row in rows]), strict=True):
        best[place] = max(best.get(place, 0.0), 2.0**-stop)
    return list(best.values())


def _count(seen: Sequence[Features], holds: Any) -> Count:
    return Count(hits=sum(bool(holds(found)) for found in seen), n=len(seen))
