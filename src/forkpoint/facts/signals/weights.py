"""What single rows of the weights say: whether a token that ends a turn was ever trained."""

from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals
from forkpoint.facts.signals.tokens import TURN_ENDS
from forkpoint.facts.special_rows import untrained

UNTRAINED_END = 3.0  # log-odds for base; a tuned model has seen the end of many turns
TRAINED_END = 1.0  # log-odds against base; some bases had their turn tokens trained on purpose


def weight_signals(reading: Reading) -> Signals:
    """Evidence from the rows of the tokens that end a turn."""
    signals = Signals()
    ends = {reading.template.end_of_turn, *TURN_ENDS} - {None}
    known = {row.token for row in reading.rows if row.trained is not None} & ends
    if not known:
        return signals
    never = untrained(reading.rows)
    for token in sorted(known & set(never)):
        signals.base("weights", UNTRAINED_END, f"{token}: cos {never[token]:.2f}")
        return signals
    signals.base("weights", -TRAINED_END, " ".join(sorted(known)))
    return signals
