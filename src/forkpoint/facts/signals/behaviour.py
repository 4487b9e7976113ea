"""What a checkpoint did when it was asked: only there where a probe loaded its weights."""

from forkpoint.facts.behaviour import Behaviour
from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals

# Probabilities of the end of a turn after a finished answer: 0.74 and more on tuned checkpoints,
# under 0.01 on bases [docs/studies/pocket-behaviour.md; two real tuned ones, one real base]
ENDS, NEVER_ENDS = 0.5, 0.05
ENDS_TURN = 4.0  # log-odds against base, and for it where the end is as good as impossible
PLAIN_SHARE = 0.4  # of these weights where the end is EOS: texts of pre-training end in it too
RENDERED = {"chat": "own template", "borrowed": "borrowed template", "plain": "plain text"}
STOPS, GOES_ON = 0.9, 0.4  # shares of answers
STOPPING = 2.0  # log-odds
FOLLOWS, IGNORES = 0.5, 0.2  # shares of instructions
FOLLOWING = 2.0  # log-odds
ROLES, PLAYS_ROLES = 0.3, 1.5  # share of answers; log-odds for base
OFFERS, SILENT = 0.4, 0.15  # shares of answers that offer a follow-up
OFFERING = 3.0  # log-odds for chat and for preference training
DIRECT = 1.5  # log-odds for instruct: it stops, follows and leaves it at that
DECLINES, DECLINING = 0.4, 2.0  # share of unsafe requests; log-odds for preference training


def behaviour_signals(reading: Reading) -> Signals:
    """Evidence from the behaviour probe."""
    signals = Signals()
    seen = reading.behaviour
    if seen is None:
        return signals
    _endings(signals, seen)
    tuned = seen.end_probability >= ENDS and seen.followed.share >= IGNORES
    if seen.followed.share >= FOLLOWS:
        signals.base("behaviour", -FOLLOWING, _told("followed", seen))
    elif seen.followed.share <= IGNORES:
        signals.base("behaviour", FOLLOWING, _told("followed", seen))
    if seen.echoed.share >= ROLES:
        signals.base("behaviour", PLAYS_ROLES, _told("echoed", seen))
    if seen.offered.share >= OFFERS:
        _say(signals, "chat", "sft_preference", OFFERING, _told("offered", seen))
    elif tuned and seen.offered.share <= SILENT:
        _say(signals, "instruct", "sft", DIRECT, _told("offered", seen))
    if tuned and seen.declined.share >= DECLINES:
        _say(signals, "chat", "sft_preference", DECLINING, _told("declined", seen))
    return signals


def _endings(signals: Signals, seen: Behaviour) -> None:
    """Whether it ends its turns: by probability, and by what it wrote."""
    share = PLAIN_SHARE if seen.rendering == "plain" else 1.0
    found = f"P(end of turn) {seen.end_probability:.2f}, {RENDERED[seen.rendering]}"
    if seen.end_probability >= ENDS:
        signals.base("behaviour", -ENDS_TURN * share, found)
    elif seen.end_probability <= NEVER_ENDS:
        signals.base("behaviour", ENDS_TURN * share, found)
    if seen.stopped.share >= STOPS:
        signals.base("behaviour", -STOPPING * share, _told("stopped", seen))
    elif seen.stopped.share <= GOES_ON and seen.end_probability < ENDS:
        # who ends its turns when an answer is finished has just not finished in so few tokens
        signals.base("behaviour", STOPPING * share, _told("stopped", seen))


def _told(name: str, seen: Behaviour) -> str:
    count = getattr(seen, name)
    return f"{name} {count.hits}/{count.n}"


def _say(signals: Signals, sold: str, training: str, weight: float, found: str) -> None:
    signals.sold_as.append(Evidence(signal="behaviour", says=sold, weight=weight, found=found))
    signals.post_training.append(
        Evidence(signal="behaviour", says=training, weight=weight, found=found)
    )
