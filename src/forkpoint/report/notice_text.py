"""A notice about a checkpoint in the reader's language."""

from forkpoint.facts.checkpoint_facts import Notice
from forkpoint.words import say

SIGNALS = ("base_signal", "tuned_signal")  # values that name a group of evidence


def notice_text(notice: Notice, lang: str) -> str:
    """The sentence, with groups of evidence called by their words."""
    words = {
        name: say(f"facts.signal_{value}", lang) if name in SIGNALS else value
        for name, value in notice.values.items()
    }
    return say(notice.key, lang, **words)
