"""Rules about which family to take: kind, licence, memory, recency (claims H1-H4)."""

import re

from forkpoint.rules.case import Candidate, Case
from forkpoint.rules.example import GIB, Example
from forkpoint.rules.method import USABLE_SHARE, memory_of
from forkpoint.rules.rule import Finding, Rule, Says, Value, quote, silent, unknown

WEIGHTS_16_BIT = 2  # bytes a parameter
WEIGHTS_4_BIT = 0.5  # bytes a parameter; the least that tuning can start from


def _found(case: Case, code: str, says: Says, variant: str = "says", /, **values: Value) -> Finding:
    return Finding(
        rule=code,
        about=case.candidate.name,
        says=says,
        key=f"rules.{code}_{variant}",
        values=values,
    )


def right_kind(case: Case) -> Finding:
    """H1."""
    if not case.knows_the_job:
        return unknown(case, "FP-H01", "job")
    wanted = next((one for one in ("images", "code") if case.signs(one)), None)
    if wanted is None:
        return silent(case, "FP-H01")
    if case.candidate.facts is None:
        return unknown(case, "FP-H01", "kind")
    kind = case.candidate.facts.kind.value
    right = kind == {"images": "vision", "code": "code"}[wanted]
    return _found(
        case,
        "FP-H01",
        "for" if right else "against",
        wanted,
        signs=quote(case.signs(wanted)),
        kind=kind,
    )


def licence_allows(case: Case) -> Finding:
    """H2."""
    if not case.goal.text:
        return unknown(case, "FP-H02", "job")
    if not (found := case.signs("commercial")):
        return silent(case, "FP-H02")
    facts = case.candidate.facts
    if facts is None or facts.commercial_use == "unknown":
        return unknown(case, "FP-H02", "licence")
    says: dict[str, Says] = {"yes": "for", "no": "against", "conditions": "unknown"}
    return _found(
        case,
        "FP-H02",
        says[facts.commercial_use],
        facts.commercial_use,
        signs=quote(found),
        licence=facts.licence or "?",
    )


def memory_holds(case: Case) -> Finding:
    """H3."""
    memory, parameters = memory_of(case), case.candidate.parameters
    if memory is None:
        return unknown(case, "FP-H03", "machine")
    if parameters is None:
        return unknown(case, "FP-H03", "size")
    usable = memory * USABLE_SHARE
    values = {
        "usable": usable / GIB,
        "full": parameters * WEIGHTS_16_BIT / GIB,
        "quarter": parameters * WEIGHTS_4_BIT / GIB,
    }
    if parameters * WEIGHTS_4_BIT > usable:
        return _found(case, "FP-H03", "against", "too_big", **values)
    if parameters * WEIGHTS_16_BIT > usable:
        return silent(case, "FP-H03", **values)
    return _found(case, "FP-H03", "for", **values)


def _line(candidate: Candidate) -> tuple[str, float] | None:
    """A family's name without its number, and the number: "qwen2.5" is ("qwen", 2.5)."""
    family = candidate.facts.family if candidate.facts else None
    match = re.fullmatch(r"([a-z_]+?)-?(\d+(?:\.\d+)?)", family or "")
    return (match[1], float(match[2])) if match else None


def newest_of_line(case: Case) -> Finding:
    """H4."""
    mine = _line(case.candidate)
    if mine is None:
        return unknown(case, "FP-H04", "family")
    others = [other[1] for one in case.rivals if (other := _line(one)) and other[0] == mine[0]]
    if not others or set(others) == {mine[1]}:
        return silent(case, "FP-H04", family=mine[0])
    newest = max(others) <= mine[1]
    return _found(
        case,
        "FP-H04",
        "for" if newest else "against",
        "says" if newest else "older",
        family=mine[0],
        mine=mine[1],
        other=min(others) if newest else max(others),
    )


RULES = (
    Rule(
        code="FP-H01",
        claims=("H1",),
        subject="checkpoint",
        chat_means="not_used",
        needs=("job", "kind"),
        judge=right_kind,
        examples=(
            Example(expects="for", kind="code", goal=("write Python", "写代码")),
            Example(expects="against", kind="text", goal=("write Python", "写代码")),
            Example(expects="for", kind="vision", rows=90, job="images"),
            Example(expects="against", kind="text", goal=("read screenshots", "看截图")),
            Example(expects="silent", kind="text", goal=("write letters", "写信")),
            Example(expects="unknown", goal=("write Python", "写代码")),
        ),
    ),
    Rule(
        code="FP-H02",
        claims=("H2",),
        subject="checkpoint",
        chat_means="not_used",
        needs=("job", "licence"),
        judge=licence_allows,
        examples=(
            Example(expects="for", commercial_use="yes", goal=("to sell", "商用")),
            Example(
                expects="against",
                commercial_use="no",
                goal=("commercial use", "商用"),
            ),
            Example(expects="unknown", commercial_use="conditions", goal=("SaaS", "商用")),
            Example(expects="unknown", commercial_use="unknown", goal=("SaaS", "商用")),
            Example(expects="silent", commercial_use="no", goal=("homework", "作业")),
        ),
    ),
    Rule(
        code="FP-H03",
        claims=("H3",),
        subject="checkpoint",
        chat_means="not_used",
        needs=("machine", "size"),
        judge=memory_holds,
        thresholds=(
            ("WEIGHTS_16_BIT", WEIGHTS_16_BIT, "bytes"),
            ("WEIGHTS_4_BIT", WEIGHTS_4_BIT, "bytes"),
            ("USABLE_SHARE", USABLE_SHARE, "share"),
        ),
        examples=(
            Example(expects="for", parameters=7_000_000_000, gpu_gib=24),
            Example(expects="silent", parameters=14_000_000_000, gpu_gib=24),
            Example(expects="against", parameters=70_000_000_000, gpu_gib=24),
            Example(expects="unknown", parameters=7_000_000_000),
        ),
    ),
    Rule(
        code="FP-H04",
        claims=("H4",),
        subject="checkpoint",
        chat_means="not_used",
        needs=("family",),
        judge=newest_of_line,
        examples=(
            Example(expects="for", family="qwen3", rival_family="qwen2.5"),
            Example(expects="against", family="qwen2.5", rival_family="qwen3"),
            Example(expects="silent", family="qwen3", rival_family="llama-3.1"),
            Example(expects="silent", family="qwen3", rival_family="qwen3"),
            Example(expects="unknown"),
        ),
    ),
)
