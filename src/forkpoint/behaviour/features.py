"""What an answer does, read from its text alone: never from whose answer it is."""

import re
from typing import Literal

from forkpoint.behaviour.probes import Probe
from forkpoint.measure.questions import DECLINES
from forkpoint.models.generation import Answer
from forkpoint.record import Record

Did = Literal["nothing", "declined", "continued", "answered"]
FEATURES = ("continued", "answered", "offered", "declined", "unstopped", "echoed", "repeated")
OPENING = 200  # characters in which a refusal declares itself
ENDING = 240  # characters in which a follow-up is offered
TAIL = 800  # characters looked at for a loop; the pattern's cost grows with their square

ROLE = re.compile(
    r"(?im)^[ \t]*(?:#{1,4}[ \t]*|\*\*|<\|?)?"
    r"(?:user|assistant|human|system|question|answer|instruction|response|用户|助手|人类|系统|问题"
    r"|提问|回答|答案|解答|题目|问|答|q|a)(?:\*\*)?[ \t]*(?:[:：]|\|?>)"
)
TURN_TOKEN = re.compile(
    r"<\|(?:im_start|im_end|user|assistant|system|start_header_id|eot_id|endoftext)[^>|]*\|>"
    r"|<(?:start|end)_of_turn>|\[/?INST\]|<｜(?:User|Assistant)｜>"
)
OFFER = re.compile(
    r"\b(?:would you like|do you want|do you need|shall i|shall we|want me to|let me know|feel free"
    r"|happy to help|glad to help|anything else|if you(?:'d| would) (?:like|prefer))\b"
    r"|要不要|需要我|还需要|还有什么|还想|是否需要|需不需要|如果(?:你|您)(?:需要|想|愿意|希望)"
    r"|告诉我|随时|欢迎(?:继续|提问)|(?:你|您)想(?:要|不想)?[^？\n]{0,20}？",
    re.IGNORECASE,
)
LOOP = re.compile(r"(.{2,80}?)\1{3,}", re.DOTALL)
FINISHED = re.compile(r"[.!?。！？:：…\"”’)）\]】]\s*$")
JOINS = re.compile(r"^[ ]?[,;)]|^[，。、；：！？）”’]")  # marks that only follow other text
LOWER = re.compile(r"^[ ]?[a-z]|^[的了着过地得和与及或而则]")  # as in the middle of a sentence


class Features(Record):
    """What one answer does."""

    did: Did
    stopped: bool  # it ended by itself before the limit
    offered: bool  # a follow-up
    echoed: bool  # it wrote another role's turn, or a turn token
    repeated: bool  # it went round in a loop
    followed: bool | None  # what the probe looks for; None where the probe looks for nothing

    def has(self, name: str) -> bool:
        """Whether a feature of FEATURES holds."""
        if name in ("continued", "answered", "declined"):
            return self.did == name
        return not self.stopped if name == "unstopped" else bool(getattr(self, name))


def features(probe: Probe, answer: Answer, raw: bool) -> Features:
    """What an answer does; `raw` says that the prompt stood without a template."""
    text = answer.text
    followed = None if probe.followed is None else bool(re.search(probe.followed, text))
    return Features(
        did=_did(probe, text, followed, raw),
        stopped=answer.stopped,
        offered=bool(OFFER.search(text.rstrip()[-ENDING:])),
        echoed=echoes(text),
        repeated=bool(LOOP.search(text[-TAIL:])),
        followed=followed,
    )


def _did(probe: Probe, text: str, followed: bool | None, raw: bool) -> Did:
    """The one thing that describes an answer best."""
    if not text.strip():
        return "nothing"
    if DECLINES.search(text[:OPENING]) and not (followed and probe.kind == "comfort"):
        return "declined"
    if JOINS.search(text) or (probe.kind == "cut_line" and (followed or LOWER.search(text))):
        return "continued"
    if followed or not raw or probe.kind == "cut_line":
        return "answered"
    unfinished = not FINISHED.search(probe.text)
    joined = not text.lstrip(" ").startswith("\n")
    return "continued" if LOWER.search(text) or (unfinished and joined) else "answered"


def echoes(text: str) -> bool:
    """Whether a role's turn is written out: a turn token, or a role's name that opens a line.

    >>> echoes("Paris.\\nUser: and Rome?"), echoes("The answer: Paris."), echoes("<|im_start|>x")
    (True, False, True)
    """
    if TURN_TOKEN.search(text):
        return True
    return any(text[: found.start()].strip() for found in ROLE.finditer(text))
