"""How a conversation becomes tokens: the same for training and for answering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from forkpoint.data.row import Row, Turn
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.stopping import TemplateWish, stop_plan
from forkpoint.models.template import PLAIN_OPENINGS, ChatTemplate, TemplateRefused
from forkpoint.record import Record

IGNORED = -100  # label of a token without loss, as torch's cross entropy skips it
ANCHOR = "\n"  # text in front of an answer while it is encoded, so that no dummy space is added

Excluded = Literal["template_refused", "span_changed", "history_changed", "no_answer", "no_end"]


class Rendering(Record):
    """One arm's way from turns to tokens; it is saved in the ledger."""

    kind: Literal["chat", "plain"]  # the checkpoint's own template, or plain text ended by EOS
    loss_on: Literal["last", "all"] = "last"  # assistant turns that carry loss
    clock: str = "2024-07-26"  # the date shown to every template that asks for one


class RowExcluded(Record):
    """Why a row cannot be used with a rendering; then it is left out of every arm."""

    reason: Excluded
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as tokens; `prompt_ids` is exactly what a model is given when it has to answer."""

    prompt_ids: tuple[int, ...]
    prompt_labels: tuple[int, ...]  # IGNORED, except earlier answers when all turns carry loss
    answer_ids: tuple[int, ...]
    stop_ids: tuple[int, ...]  # what ends the turn; the first of them is "does it stop?"
    answer: str
    lead: str  # white space that the template writes before an answer, part of the completion
    scored: bool  # `answer_ids` decodes to `answer` byte for byte: its likelihood is comparable
    notes: tuple[str, ...] = ()

    @property
    def input_ids(self) -> tuple[int, ...]:
        """All tokens of the row, as trained."""
        return self.prompt_ids + self.answer_ids + self.stop_ids

    @property
    def labels(self) -> tuple[int, ...]:
        """The token to learn at each place of `input_ids`, or IGNORED."""
        return self.prompt_labels + self.answer_ids + self.stop_ids

    def within(self, tokens: int) -> Rendered | None:
        """The row cut to so many tokens; None when nothing of the answer would be left.

        A cut answer carries no end of turn: it did not end there, and would teach to stop early.
        """
        left = tokens - len(self.prompt_ids)
        if left >= len(self.answer_ids) + len(self.stop_ids):
            return self
        if left < 1:
            return None
        return replace(self, answer_ids=self.answer_ids[:left], stop_ids=(), scored=False)


def choose_renderings(facts: CheckpointFacts, wish: TemplateWish = "auto") -> tuple[Rendering, ...]:
    """The renderings to try on a checkpoint by its stop plan; several are decided on validation.

    A Base whose template is trained may do better without it: then both are tried, unless the
    user has decided.
    """
    chat, plain = Rendering(kind="chat"), Rendering(kind="plain")
    plan = stop_plan(facts, wish)
    template = facts.template.present and facts.template.error is None
    if plan.remedy == "plain" or not template or wish == "plain":
        return (plain,)
    both = plan.remedy == "own_template" and facts.stage == "base" and wish == "auto"
    return (chat, plain) if both else (chat,)


class Renderer:
    """Renders rows for one tokenizer; `system` is given to every row that has no system turn."""

    def __init__(self, tokenizer: Any, rendering: Rendering, system: str | None = None) -> None:
        self.tokenizer = tokenizer
        self.rendering = rendering
        self.system = system
        self._chat = ChatTemplate(tokenizer, rendering.clock) if rendering.kind == "chat" else None
        self._lead = self._chat.lead if self._chat else ""
        self._anchor_ids = self._encode(ANCHOR)
        if self._chat and self._chat.closing_ids:
            self.stop_ids: tuple[int, ...] = self._chat.closing_ids
        else:
            eos = tokenizer.eos_token_id
            self.stop_ids = () if eos is None else (int(eos),)

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Every id at which an answer is over: the end of the turn and the tokenizer's EOS."""
        eos = self.tokenizer.eos_token_id
        return tuple(sorted({self.stop_ids[-1], *([] if eos is None else [int(eos)])}))

    def row(self, row: Row) -> Rendered | RowExcluded:
        """A data row as tokens, or why it cannot be used."""
        if row.text is not None:
            return self._raw_text(row.text)
        return self.turns(row.turns, row.tools)

    def rejected(self, row: Row) -> Rendered | RowExcluded:
        """The same row with its worse answer."""
        return self.turns((*row.prompt, Turn("assistant", row.rejected or "")), row.tools)

    def turns(self, turns: Sequence[Turn], tools: str | None = None) -> Rendered | RowExcluded:
        """A conversation that ends in an answer as tokens, or why it cannot be used."""
        if not turns or turns[-1].role != "assistant" or not turns[-1].content:
            return RowExcluded(reason="no_answer")
        if not self.stop_ids:
            return RowExcluded(reason="no_end")
        try:
            if self.rendering.loss_on == "all":
                prompt = self._labelled_prompt(turns, tools)
            else:
                ids = self.prompt(turns[:-1], tools)
                prompt = (ids, (IGNORED,) * len(ids))
        except TemplateRefused as refusal:
            return RowExcluded(reason=refusal.reason, detail=str(refusal))
        answer = turns[-1].content
        answer_ids, lead_ids, exact = self._answer(answer)
        if not exact and not self._lead:
            return RowExcluded(reason="span_changed", detail=self._decode_after(answer_ids)[:80])
        return Rendered(
            prompt_ids=prompt[0] + lead_ids,
            prompt_labels=prompt[1] + lead_ids,
            answer_ids=answer_ids,
            stop_ids=self.stop_ids,
            answer=answer,
            lead=self._lead,
            scored=exact,
            notes=self._chat.notes if self._chat else (),
        )

    def prompt(self, turns: Sequence[Turn], tools: str | None = None) -> tuple[int, ...]:
        """The tokens given to a model that has to answer; raises TemplateRefused."""
        turns = self._with_system(turns)
        if self._chat is not None:
            return self._encode(self._chat.prompt_text(turns, tools))
        return self._plain_prompt(turns, tools)

    def mask(self, rendered: Rendered) -> list[tuple[str, bool]]:
        """The decoded row in stretches, each with whether it carries loss."""
        stretches: list[tuple[str, bool]] = []
        run: list[int] = []
        trained = False
        for token, label in zip(rendered.input_ids, rendered.labels, strict=True):
            if run and (label != IGNORED) != trained:
                stretches.append((self._decode(run), trained))
                run = []
            trained = label != IGNORED
            run.append(token)
        return [*stretches, (self._decode(run), trained)]

    def _labelled_prompt(
        self, turns: Sequence[Turn], tools: str | None
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The prompt's ids and labels with every earlier answer trained as it was answered."""
        ids = self.prompt(turns[:-1], tools)
        labels = [IGNORED] * len(ids)
        for place, turn in enumerate(turns[:-1]):
            if turn.role != "assistant":
                continue
            start = self.prompt(turns[:place], tools)
            answer_ids, lead_ids, _ = self._answer(turn.content)
            target = lead_ids + answer_ids + self.stop_ids
            end = len(start) + len(target)
            if ids[: len(start)] != start or ids[len(start) : end] != target:
                raise TemplateRefused("history_changed", turn.content[:80])
            labels[len(start) : end] = target
        return ids, tuple(labels)

    def _answer(self, answer: str) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
        """Ids of the answer, ids of the lead where a token ends between the two, and exactness."""
        ids = self._encode_after(self._lead + answer)
        for cut in range(len(ids) if self._lead else 1):
            lead, rest = ids[:cut], ids[cut:]
            if self._decode_after(lead) == self._lead and self._decode_after(rest) == answer:
                return rest, lead, True
        return ids, (), False

    def _plain_prompt(self, turns: Sequence[Turn], tools: str | None) -> tuple[int, ...]:
        """Plain text: a line that names who speaks, then what was said; EOS after each answer."""
        ids: list[int] = []
        text = ""
        if tools is not None:
            text += PLAIN_OPENINGS["tools"] + tools + "\n\n"
        for turn in turns:
            text += PLAIN_OPENINGS[turn.role]
            if turn.role == "assistant":
                ids += [*self._encode(text), *self._encode_after(turn.content), *self.stop_ids]
                text = "\n\n"
            else:
                text += turn.content + "\n\n"
        ids += self._encode(text + PLAIN_OPENINGS["assistant"])
        return (*self._bos(), *ids)

    def _raw_text(self, text: str) -> Rendered | RowExcluded:
        """Raw text: every byte is trained, then EOS."""
        eos = self.tokenizer.eos_token_id
        if not text or eos is None:
            return RowExcluded(reason="no_answer" if not text else "no_end")
        ids = self._encode(text)
        start = self._bos() or (int(eos),)
        return Rendered(
            prompt_ids=start,
            prompt_labels=(IGNORED,) * len(start),
            answer_ids=ids,
            stop_ids=(int(eos),),
            answer=text,
            lead="",
            scored=self._decode(ids) == text,
        )

    def _with_system(self, turns: Sequence[Turn]) -> tuple[Turn, ...]:
        if self.system is None or any(turn.role == "system" for turn in turns):
            return tuple(turns)
        return (Turn("system", self.system), *turns)

    def _bos(self) -> tuple[int, ...]:
        """The BOS id, if this tokenizer puts one before ordinary text."""
        bos = self.tokenizer.bos_token_id
        if bos is None:
            return ()
        started = self.tokenizer("a").input_ids
        return (int(bos),) if started and started[0] == bos else ()

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False).input_ids)

    def _encode_after(self, text: str) -> tuple[int, ...]:
        """Ids of `text` where it follows other text, so that no tokenizer adds a space to it."""
        ids = self._encode(text)
        if self._decode(ids) == text:
            return ids
        anchored = self._encode(ANCHOR + text)
        width = len(self._anchor_ids)
        return anchored[width:] if anchored[:width] == self._anchor_ids else ids

    def _decode(self, ids: Sequence[int]) -> str:
        return str(
            self.tokenizer.decode(
                list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    def _decode_after(self, ids: Sequence[int]) -> str:
        """The text that `ids` add where they follow other text."""
        return self._decode((*self._anchor_ids, *ids)).removeprefix(self._decode(self._anchor_ids))
