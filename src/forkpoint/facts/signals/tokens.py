"""What the tokenizer says: which token it calls the end, and what was added to it."""

from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals
from forkpoint.facts.signals.generation import document_end

TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|eot|>", "<|user|>",
             "<|END_OF_TURN_TOKEN|>", "<|end_of_turn|>", "<turn|>", "<|return|>", "[|endofturn|]",
             "<|end_of_role|>", "<|role_end|>", "<|hy_place▁holder▁no▁2|>")  # fmt: skip

EOS_ENDS_TURN = 2.5  # log-odds against base; vendors switch the EOS when they tune
EOS_ENDS_DOCUMENT = 1.5  # log-odds for base; there is a turn token, and it is not the EOS


def token_signals(reading: Reading) -> Signals:
    """Evidence from the tokenizer's own end token."""
    signals = Signals()
    eos = reading.tokenizer.eos
    turn_ends = [token for token in TURN_ENDS if token in reading.tokenizer.vocabulary]
    if eos in TURN_ENDS:
        signals.base("tokenizer", -EOS_ENDS_TURN, f"eos_token {eos}")
    elif eos is not None and turn_ends and eos == document_end(reading):
        signals.base("tokenizer", EOS_ENDS_DOCUMENT, f"eos_token {eos}; {turn_ends[0]}")
    return signals
