"""What a goal sentence says about the job, in English or Chinese, with the words that said it."""

import re
import tomllib
from functools import cache
from importlib.resources import files

from forkpoint.record import Record

# A sign is denied when one of these stands in front of it: in English with at most two words
# between, in Chinese with at most a verb.
DENIALS_EN = r"(?:not|no|without|never|isn't|don't|doesn't|nor)"
DENIALS_ZH = r"(?:不|不是|不要|不需要|无需|无须|无|没有|非|别|并非)(?:用|做|写|再|有|当|搞|输出)?"
GOAL_CHARACTERS = 2_000  # a goal is a sentence or a few; more is a pasted document


class Sign(Record):
    """One thing the goal says (`want`), the words that said it, and whether it was denied."""

    want: str
    words: tuple[str, ...]  # verbatim
    denied: bool = False


class Goal(Record):
    """A goal sentence and what was understood of it."""

    text: str = ""
    signs: tuple[Sign, ...] = ()

    def words(self, want: str) -> tuple[str, ...]:
        """The words that ask for `want`; empty when it is not mentioned, or denied."""
        return next((s.words for s in self.signs if s.want == want and not s.denied), ())

    def denies(self, want: str) -> bool:
        """Whether the sentence says that `want` is not meant."""
        return any(s.want == want and s.denied for s in self.signs)


def read_goal(text: str) -> Goal:
    """Read a goal sentence; what it does not mention stays unsaid.

    >>> goal = read_goal("classify tickets, not a chatbot")
    >>> goal.words("classification"), goal.denies("dialogue")
    (('classify',), True)
    """
    text = " ".join(text.split())[:GOAL_CHARACTERS]
    signs = []
    for want, pattern in _patterns().items():
        said: list[str] = []
        denied: list[str] = []
        for match in pattern.finditer(text):
            words = match.group("en") or match.group("zh")
            if not words:  # a phrase that uses the word for something else
                continue
            (denied if _is_denied(text, match) else said).append(words)
        if said or denied:
            words = tuple(dict.fromkeys(said or denied))
            signs.append(Sign(want=want, words=words, denied=not said))
    return Goal(text=text, signs=tuple(signs))


def wants() -> tuple[str, ...]:
    """Everything that a goal can be understood to say."""
    return tuple(_patterns())


def _is_denied(text: str, match: re.Match[str]) -> bool:
    before = text[: match.start()]
    if re.search(rf"{DENIALS_ZH}\s*$", before[-8:]):
        return True
    # a comma or the word "but" ends what a denial covers
    english = rf"(?i)\b{DENIALS_EN}\s+(?:(?!but\b|only\b|just\b)[\w'-]+\s+){{0,2}}$"
    return bool(match.group("en") and re.search(english, before[-80:]))


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    text = files(__package__).joinpath("goal_words.toml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    found = {}
    for want, words in entries.items():
        english = "|".join(_english(one) for one in sorted(words["en"], key=len, reverse=True))
        chinese = "|".join(map(re.escape, sorted(words["zh"], key=len, reverse=True)))
        other = "".join(f"{_english(one)}|" for one in words.get("but", ()))
        found[want] = re.compile(
            rf"{other}(?<![A-Za-z])(?P<en>{english})(?![A-Za-z])|(?P<zh>{chinese})", re.IGNORECASE
        )
    return found


def _english(word: str) -> str:
    pattern = r"[\s-]+".join(re.escape(part) for part in word.split())
    return pattern.replace(r"\*", "[a-z]*")
