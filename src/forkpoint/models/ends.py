"""Make tokenizer, configuration and generation configuration agree on where an answer ends."""

from collections.abc import Sequence
from typing import Any


def align_ends(model: Any, tokenizer: Any, stop_ids: Sequence[int], end_ids: Sequence[int]) -> None:
    """Set the same end in all three, so that every program stops a saved model at its turn's end.

    `stop_ids` is what the rendering writes after an answer; its last id becomes EOS. `end_ids`
    are all ids at which an answer is over. Padding that would be EOS moves to another special
    token, so that a later training does not mask the end away.
    """
    turn_end = int(stop_ids[-1])
    others = [int(index) for index in end_ids if index != turn_end]
    model.generation_config.eos_token_id = [turn_end, *others]
    model.config.get_text_config().eos_token_id = turn_end
    model.config.eos_token_id = turn_end
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(turn_end)
    if tokenizer.pad_token_id in (None, turn_end):
        tokenizer.pad_token = _spare_token(tokenizer, {turn_end, *others})
    model.generation_config.pad_token_id = tokenizer.pad_token_id


def _spare_token(tokenizer: Any, taken: set[int]) -> str | None:
    """A special token that ends nothing: one that says padding, else a former end, else none."""
    special = [
        token.content
        for index, token in sorted(tokenizer.added_tokens_decoder.items())
        if token.special and index not in taken
    ]
    named = [token for token in special if "pad" in token.lower()]
    unused = [token for token in special if "unused" in token or "reserved" in token]
    return next(iter([*named, *unused]), None)
