"""Prompts to look at a checkpoint with: the shipped probes, or the user's own."""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from forkpoint.data.row import Turn
from forkpoint.errors import BadInput, Unreadable
from forkpoint.facts.clean_text import clean
from forkpoint.record import Record

ProbeKind = Literal["request", "dangling", "unsafe", "comfort", "cut_line", "instruction", "own"]
MOST_PROMPTS = 200  # of a file; more is an evaluation, not a look
LONGEST_PROMPT = 20_000  # characters


class Message(Record):
    """One turn of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class Probe(Record):
    """One prompt, and how to see whether it was followed."""

    id: str
    kind: ProbeKind
    text: str  # what is asked, as it stands without a template
    language: Literal["en", "zh"] | None = None
    form: str = ""  # the guides' claim whose form it has
    followed: str | None = None  # regular expression that the answer of a follower matches
    answer: str | None = None  # a finished right answer
    messages: tuple[Message, ...] = ()  # a conversation before, with the question as its end

    @property
    def turns(self) -> list[Turn]:
        """What a template is given."""
        if self.messages:
            return [Turn(message.role, message.content) for message in self.messages]
        return [Turn("user", self.text)]


@cache
def shipped_probes() -> tuple[Probe, ...]:
    """The probes that come with forkpoint, English and Chinese."""
    text = files(__package__).joinpath("probes.toml").read_text(encoding="utf-8")
    return tuple(
        Probe.model_validate({"id": name, **entry}) for name, entry in tomllib.loads(text).items()
    )


def prompts_from(path: str) -> tuple[Probe, ...]:
    """Prompts of a file: a line each (.txt), or JSON lines with `prompt` or `messages`.

    Raises Unreadable or BadInput naming the line.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "UTF-8?"
        raise Unreadable("compare.prompts_unreadable", file=path, reason=reason) from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise BadInput("compare.prompts_empty", file=path)
    if len(lines) > MOST_PROMPTS:
        raise BadInput("compare.prompts_many", file=path, count=len(lines), most=MOST_PROMPTS)
    as_json = file.suffix in (".jsonl", ".json", ".ndjson")
    return tuple(
        _of_json(path, number, line) if as_json else own_prompt(line.strip(), f"line {number}")
        for number, line in lines
    )


def own_prompt(text: str, name: str) -> Probe:
    """A prompt of the user's."""
    if len(text) > LONGEST_PROMPT:
        raise BadInput("compare.prompt_long", name=name, count=len(text), most=LONGEST_PROMPT)
    return Probe(id=name, kind="own", text=str(clean(text)))


def _of_json(path: str, number: int, line: str) -> Probe:
    import orjson

    wrong = BadInput("compare.prompt_line", file=path, line=number)
    try:
        value: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise wrong from None
    if isinstance(value, str):
        return own_prompt(value, f"line {number}")
    if not isinstance(value, dict):
        raise wrong
    asked = value.get("prompt")
    if isinstance(asked, str) and asked.strip():
        return own_prompt(asked, f"line {number}")
    messages = value.get("messages") or (asked if isinstance(asked, list) else None)
    if not isinstance(messages, list):
        raise wrong
    kept = messages[:-1] if _role(messages[-1:]) == "assistant" else messages
    try:
        turns = tuple(Message.model_validate(clean(turn)) for turn in kept)
    except ValueError:
        raise wrong from None
    if not turns or turns[-1].role != "user":
        raise wrong
    probe = own_prompt(turns[-1].content, f"line {number}")
    return probe.model_copy(update={"messages": turns})


def _role(last: list[Any]) -> str | None:
    return last[0].get("role") if last and isinstance(last[0], dict) else None
