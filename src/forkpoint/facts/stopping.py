"""Will it stop? The three causes told apart from files and weights, and the remedy chosen."""

from typing import Literal

from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.special_rows import untrained
from forkpoint.record import Record

Cause = Literal["not_an_end", "no_loss", "untrained_rows"]
Remedy = Literal["own_template", "plain", "train_rows"]

NOT_AN_END = frozenset({"end-of-turn-not-an-end", "no-end-ids", "end-id-outside", "eos-disagree"})
NO_LOSS = frozenset({"pad-is-eos", "no-pad"})


class StopCause(Record):
    """One reason for which a model tuned from this checkpoint might not stop."""

    cause: Cause
    key: str  # catalogue key of what was found
    values: dict[str, str | int | float]


class StopPlan(Record):
    """What may go wrong with stopping, and what to do."""

    causes: tuple[StopCause, ...]
    remedy: Remedy
    align: bool  # the ends have to be made to agree when the tuned model is saved
    rows: tuple[str, ...] = ()  # tokens whose rows have to be trained with `train_rows`
    end: str | None = None  # what ends an answer with the remedy
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]


def stop_plan(facts: CheckpointFacts) -> StopPlan:
    """Causes and remedy from files and single rows of the weights.

    An own template whose turn tokens are trained is the first choice: nothing is to be learned.
    Where they are not, plain text that ends in a trained EOS needs no new token. Where EOS is
    not trained either, the rows themselves have to be [docs/studies/stopping.md].
    """
    template, never = facts.template, untrained(facts.special_rows)
    usable = template.present and template.error is None and template.end_of_turn is not None
    turn = {*template.turn_tokens, template.end_of_turn} - {facts.bos, None}
    rows = tuple(sorted(token for token in never if token in turn)) if usable else ()
    causes = _causes(facts, rows, min((never[token] for token in rows), default=0.0))
    align = any(cause.cause == "not_an_end" for cause in causes)
    if usable and not rows:
        end = template.end_of_turn
        return _plan("own_template", causes, align, end, "own", token=end or "")
    eos = facts.tokenizer_eos
    if eos is not None and eos not in never:
        why = "plain_untrained" if rows else "plain"
        return _plan("plain", causes, align, eos, why, token=eos, tokens=" ".join(rows))
    if usable:
        end = template.end_of_turn
        values = {"tokens": " ".join(rows), "eos": eos or "–"}
        plan = _plan("train_rows", causes, True, end, "train_rows", **values)
        return plan.model_copy(update={"rows": rows})
    plan = _plan("train_rows", causes, align, eos, "train_eos", token=eos or "–")
    return plan.model_copy(update={"rows": (eos,) if eos else ()})


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
