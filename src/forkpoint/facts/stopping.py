"""Will it stop? The three causes told apart from files and weights, and the remedy chosen."""

from typing import Literal

from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.special_rows import untrained
from forkpoint.record import Record

Cause = Literal["not_an_end", "no_loss", "untrained_rows"]
Remedy = Literal["own_template", "plain", "train_rows"]
TemplateWish = Literal["auto", "own", "plain"]  # what a user asks for; auto: by the weights

NOT_AN_END = frozenset({"end-of-turn-not-an-end", "no-end-ids", "end-id-outside", "eos-disagree"})
NO_LOSS = frozenset({"pad-is-eos", "no-pad"})


class StopCause(Record):
    """One reason for which a model tuned from this checkpoint might not stop."""

    cause: Cause
    key: str  # catalogue key of what was found
    values: dict[str, str | int | float]


class TokenRow(Record):
    """A row of the embedding and output matrices that is trained, and where it starts."""

    token: str
    id: int
    start: str | None  # the token whose row it starts from; None: the mean of all rows
    start_id: int | None


class StopPlan(Record):
    """What may go wrong with stopping, and what to do."""

    causes: tuple[StopCause, ...]
    remedy: Remedy
    align: bool  # the ends have to be made to agree when the tuned model is saved
    rows: tuple[TokenRow, ...] = ()  # rows that are trained, with `train_rows` only
    end: str | None = None  # what ends an answer with the remedy
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]


def stop_plan(facts: CheckpointFacts, wish: TemplateWish = "auto") -> StopPlan:
    """Causes and remedy from files and single rows of the weights.

    An own template whose turn tokens are trained is the first choice: nothing is to be learned.
    Where they are not, plain text that ends in a trained EOS needs no new token. Where EOS is
    not trained either, or the user wants the template all the same, the rows themselves have to
    be [docs/studies/stopping.md].
    """
    template, never = facts.template, untrained(facts.special_rows)
    eos = facts.tokenizer_eos
    end = template.end_of_turn or (None if facts.stage == "base" else eos)
    usable = template.present and template.error is None and end is not None
    turn = {*template.turn_tokens, end} - {facts.bos, None}
    rows = tuple(sorted(token for token in never if token in turn)) if usable else ()
    causes = _causes(facts, rows, min((never[token] for token in rows), default=0.0))
    align = any(cause.cause == "not_an_end" for cause in causes)
    taught = not rows or (facts.stage != "base" and end not in never)
    if usable and taught and wish != "plain":
        return _plan("own_template", causes, align, end, "own", token=end or "")
    tokens = " ".join(rows)
    if eos is not None and eos not in never and not (usable and wish == "own"):
        why = "plain_asked" if usable and taught else "plain_untrained" if rows else "plain"
        return _plan("plain", causes, align, eos, why, token=eos, tokens=tokens)
    if usable and wish != "plain":
        why = "rows_asked" if eos and eos not in never else "train_rows"
        plan = _plan("train_rows", causes, True, end, why, tokens=tokens, eos=eos or "–")
        return plan.model_copy(update={"rows": _started(facts, rows, end, set(never))})
    plan = _plan("train_rows", causes, align, eos, "train_eos", token=eos or "–")
    rows = (eos,) if eos else ()
    return plan.model_copy(update={"rows": _started(facts, rows, eos, set(never))})


def _started(
    facts: CheckpointFacts, tokens: tuple[str, ...], end: str | None, never: set[str]
) -> tuple[TokenRow, ...]:
    """The rows with their starts: what ends a turn from EOS, which means the same, others from
    the mean row. An EOS that was never trained itself is no start.
    """
    ids = {row.token: row.id for row in facts.special_rows}
    eos = facts.tokenizer_eos if facts.tokenizer_eos not in never else None
    starts = {token: eos if token == end and eos in ids else None for token in tokens}
    return tuple(
        TokenRow(token=token, id=ids[token], start=start, start_id=ids.get(start or ""))
        for token, start in starts.items()
        if token in ids
    )


def _causes(facts: CheckpointFacts, rows: tuple[str, ...], cosine: float) -> tuple[StopCause, ...]:
    found: list[StopCause] = []
    for notice in facts.notices:
        if notice.code in NOT_AN_END:
            found.append(StopCause(cause="not_an_end", key=notice.key, values=notice.values))
        elif notice.code in NO_LOSS:
            found.append(StopCause(cause="no_loss", key=notice.key, values=notice.values))
    if rows:
        values: dict[str, str | int | float] = {
            "tokens": " ".join(rows), "cosine": f"{cosine:.2f}",
        }  # fmt: skip
        found.append(
            StopCause(cause="untrained_rows", key="probe.cause_untrained_rows", values=values)
        )
    return tuple(found)


def _plan(
    remedy: Remedy, causes: tuple[StopCause, ...], align: bool, end: str | None, why: str,
    **values: str,
) -> StopPlan:  # fmt: skip
    return StopPlan(
        causes=causes, remedy=remedy, align=align, end=end, key=f"probe.remedy_{why}",
        values=dict(values),
    )  # fmt: skip
