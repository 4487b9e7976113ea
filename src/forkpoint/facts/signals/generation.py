"""What generation_config.json says: where generation ends and how it samples."""

from typing import Any

from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals

ENDS_TURN = 3.0  # log-odds against base; only a tuned model is stopped at the end of a turn
IGNORES_TURN = 1.5  # log-odds for base; a template is there, but its end id does not stop
SAMPLING = 0.8  # log-odds against base; some bases ship sampling defaults too (Llama 3)
SEVERAL_ENDS = 1.0  # log-odds against base; lists of end ids are made for turns
GREEDY_STATED = 1.0  # log-odds for base; `do_sample: false` is written for bases (Qwen2.5)


def end_ids(config: dict[str, Any], generation: dict[str, Any]) -> tuple[int, ...]:
    """Ids at which generation ends: generation_config.json, else config.json."""
    for holder in (generation, config):
        found = holder.get("eos_token_id")
        if type(found) is int:
            return (found,)
        if isinstance(found, list):
            return tuple(index for index in found if type(index) is int)
    return ()


def document_end(reading: Reading) -> str | None:
    """The token that ends documents in pre-training, as far as the vocabulary shows it."""
    for token in ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<｜end▁of▁sentence｜>"):
        if token in reading.tokenizer.vocabulary:
            return token
    return None


def generation_signals(reading: Reading) -> Signals:
    """Evidence from end ids and sampling defaults."""
    signals = Signals()
    ids = end_ids(reading.config, reading.generation)
    end = reading.template.end_of_turn
    end_id = reading.tokenizer.id_of(end)
    written = reading.generation and not reading.generation.get("_from_model_config")
    if end_id is not None and end != document_end(reading):
        if end_id in ids:
            signals.base(
                "generation_config",
                -ENDS_TURN,
                f"eos_token_id {list(ids)}, {end} = {end_id}",
            )
        elif ids:
            signals.base(
                "generation_config",
                IGNORES_TURN,
                f"eos_token_id {list(ids)}, {end} = {end_id}",
            )
    if len(ids) > 1:
        signals.base("generation_config", -SEVERAL_ENDS, f"eos_token_id {list(ids)}")
    if written:
        sampling = sorted(
            {"temperature", "top_p", "top_k", "repetition_penalty"} & set(reading.generation)
        )
        if reading.generation.get("do_sample") is True or len(sampling) > 1:
            signals.base(
                "generation_config",
                -SAMPLING,
                ", ".join(sampling) or "do_sample true",
            )
        if reading.generation.get("do_sample") is False:
            signals.base("generation_config", GREEDY_STATED, "do_sample false")
    return signals
