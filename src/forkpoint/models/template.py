"""What a checkpoint's chat template writes around turns, found by rendering probes with it."""

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from forkpoint.data.row import Turn

# What plain text writes before each turn; the answer starts on a line of its own.
PLAIN_OPENINGS = {
    "system": "",
    "tools": "Tools:\n",
    "user": "Question:\n",
    "tool": "Result:\n",
    "assistant": "Answer:\n",
}

# Probe texts: no white space at the ends, found in no data.
USER, ANSWER, AGAIN, SYSTEM = (
    "\u27e6ask\u27e7",
    "\u27e6say\u27e7",
    "\u27e6more\u27e7",
    "\u27e6rule\u27e7",
)

CLOCK_CALL = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")


class TemplateRefused(Exception):
    """A template cannot show a conversation; `reason` goes to the excluded row."""

    def __init__(self, reason: Literal["template_refused", "history_changed"], detail: str) -> None:
        super().__init__(detail)
        self.reason: Literal["template_refused", "history_changed"] = reason


def pinned_template(source: str, clock: str) -> str:
    """The template with each call for the date replaced by the pinned one (ISO date `clock`)."""
    day = date.fromisoformat(clock)
    return CLOCK_CALL.sub(lambda call: json.dumps(day.strftime(call[2])), source)


class ChatTemplate:
    """One tokenizer's chat template with everything around it that must be equal in all arms.

    A built-in system prompt is removed, a system turn is folded into the first user turn where
    the template knows no such role, thinking is off, and answers never pass through the template.
    """

    def __init__(self, tokenizer: Any, clock: str) -> None:
        self._tokenizer = tokenizer
        self._source = pinned_template(str(tokenizer.chat_template), clock)
        self._clock = date.fromisoformat(clock).strftime("%d %b %Y")
        asked = self._text([Turn("user", USER)], open_answer=True)
        answered = self._text([Turn("user", USER), Turn("assistant", ANSWER)])
        before, found, closing = answered.partition(ANSWER)
        if not found:
            raise TemplateRefused("template_refused", "the template does not show an answer")
        self._cuts = not before.startswith(asked)  # it writes no opening for the answer
        opening = "" if self._cuts else before.removeprefix(asked)
        self._forced = opening if opening.strip() else ""  # such as an empty thinking block
        self.lead = "" if opening.strip() else opening
        self.closing_ids = self._end_of_turn(closing)
        self.system_role = self._knows_system()
        self._bos = ""  # what stays when a built-in system turn is removed
        self._default = self._default_system(closing)
        notes = []
        if not self.closing_ids:
            notes.append("template_without_end")
        if self._default:
            notes.append("default_system_removed")
        if self._forced:
            notes.append("answer_opening_added")
        self.notes: tuple[str, ...] = tuple(notes)

    def prompt_text(self, turns: Sequence[Turn], tools: str | None) -> str:
        """The text in front of an answer; raises TemplateRefused."""
        turns = self._fold(list(turns), tools)
        if self._cuts:
            text = self._text([*turns, Turn("assistant", ANSWER)], tools).partition(ANSWER)[0]
        else:
            text = self._text(turns, tools, open_answer=True) + self._forced
        for turn in turns:
            if turn.role == "assistant" and turn.content not in text:
                raise TemplateRefused("history_changed", turn.content[:80])
        if self._default and turns[0].role != "system" and text.startswith(self._default):
            text = self._bos + text.removeprefix(self._default)
        return text

    def _text(
        self, turns: Sequence[Turn], tools: str | None = None, open_answer: bool = False
    ) -> str:
        from jinja2 import TemplateError

        messages = [{"role": turn.role, "content": turn.content} for turn in turns]
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    messages,
                    tools=None if tools is None else json.loads(tools),
                    chat_template=self._source,
                    tokenize=False,
                    add_generation_prompt=open_answer,
                    enable_thinking=False,
                    date_string=self._clock,
                )
            )
        except (TemplateError, TypeError, ValueError, KeyError, IndexError) as error:
            raise TemplateRefused("template_refused", f"{type(error).__name__}: {error}") from error

    def _fold(self, turns: list[Turn], tools: str | None) -> list[Turn]:
        """System text and, where the template ignores them, tools, put where they are shown."""
        system = "\n\n".join(turn.content for turn in turns if turn.role == "system")
        others = [turn for turn in turns if turn.role != "system"]
        if tools is not None and self._text(others, tools) == self._text(others):
            system = "\n\n".join(part for part in (system, PLAIN_OPENINGS["tools"] + tools) if part)
        if not system:
            return others
        if self.system_role:
            return [Turn("system", system), *others]
        if not others or others[0].role != "user":
            return [Turn("user", system), *others]
        return [Turn("user", f"{system}\n\n{others[0].content}"), *others[1:]]

    def _end_of_turn(self, closing: str) -> tuple[int, ...]:
        """The ids after an answer up to and with the first control token; empty if none comes."""
        ids = self._tokenizer(closing, add_special_tokens=False).input_ids
        control = set(self._tokenizer.all_special_ids) | set(self._tokenizer.added_tokens_decoder)
        for place, token in enumerate(ids):
            if token in control:
                return tuple(ids[: place + 1])
        return ()

    def _knows_system(self) -> bool:
        try:
            return SYSTEM in self._text([Turn("system", SYSTEM), Turn("user", USER)])
        except TemplateRefused:
            return False

    def _default_system(self, closing: str) -> str:
        """The text of a built-in system turn with all that stands before it, or nothing.

        It is what a conversation without a system turn starts with and one with a system turn
        does not, up to the opening of the user's turn, which a second user turn shows.
        """
        if not self.system_role:
            return ""
        try:
            twice = self._text([Turn("user", USER), Turn("assistant", ANSWER), Turn("user", AGAIN)])
        except TemplateRefused:
            return ""
        between = twice.partition(ANSWER)[2].partition(AGAIN)[0]
        if not between.startswith(closing):
            return ""
        opening = between.removeprefix(closing)
        before = self._text([Turn("user", USER)]).partition(USER)[0]
        if not opening or not before.endswith(opening):
            return ""
        start = before.removesuffix(opening)
        given = self._text([Turn("system", SYSTEM), Turn("user", USER)])
        bos = self._tokenizer.bos_token
        # SmolLM2's BOS is the token that opens every turn: then it belongs to the system turn.
        if bos and start.startswith(bos) and not opening.startswith(bos):
            self._bos = bos
        if start in ("", self._bos) or given.startswith(start):
            return ""
        return start
