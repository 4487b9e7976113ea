"""A finding as a sentence in the user's language."""

import re

from forkpoint.rules.rule import Finding
from forkpoint.words import say

# What the data or the machine show travels as `name=value`, the same in both languages.
SIGN = re.compile(r"(job|answers|multi_turn|images|system_prompts|prompt_characters|gpu)=(.+)")


def sentence(finding: Finding, lang: str) -> str:
    """The finding's sentence, with what the data show put into words."""
    values = dict(finding.values)
    for name in ("signs", "found"):
        if name in values:
            parts = [_words(one, lang) for one in str(values[name]).split(", ")]
            values[name] = say("rules.comma", lang).join(parts)
    return say(finding.key, lang, **values)


def _words(sign: str, lang: str) -> str:
    match = SIGN.fullmatch(sign)
    if not match:
        return sign
    name, value = match.groups()
    if name in ("job", "answers") or value == "0":
        return say(f"rules.sign_{name}_{value}", lang)
    return say(f"rules.sign_{name}", lang, value=value)
