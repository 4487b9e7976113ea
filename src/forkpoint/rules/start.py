"""Rules about where to start in general: the template argument and the decision tree."""

from forkpoint.rules.case import Case
from forkpoint.rules.compute import compute_of
from forkpoint.rules.example import Example
from forkpoint.rules.job import DIALOGUE
from forkpoint.rules.rule import BASE, TUNED, Finding, Rule, prefer, silent, unknown


def template_works(case: Case) -> Finding:
    """B23, E6."""
    if case.candidate.stage is None:
        return unknown(case, "FP-B23", "stage")
    if case.candidate.facts is None:
        return prefer(case, "FP-B23", TUNED, "general")
    present, tuned = case.candidate.facts.template.present, case.candidate.stage in TUNED
    if present and not tuned:
        return silent(case, "FP-B23", "checkpoint", "base_template")
    if tuned and not present:
        return silent(case, "FP-B23", "checkpoint", "no_template")
    return prefer(case, "FP-B23", TUNED, "says" if tuned else "bare")


def decision_tree(case: Case) -> Finding:
    """B21."""
    if not case.knows_the_job:
        return unknown(case, "FP-B21", "job")
    compute, _ = compute_of(case)
    if compute is None:
        return unknown(case, "FP-B21", "machine")
    answers = {
        "dialogue": "Chat" if case.signs(*DIALOGUE) else "Base",
        "domain": "Base" if case.signs("domain", "special_text") else "Chat",
        "resources": "Chat" if compute == "ample" else "Base",
    }
    if len(set(answers.values())) > 1:
        return silent(case, "FP-B21", **answers)
    return prefer(case, "FP-B21", TUNED if answers["dialogue"] == "Chat" else BASE, **answers)


RULES = (
    Rule(
        code="FP-B21",
        claims=("B21",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "machine", "stage"),
        judge=decision_tree,
        examples=(
            Example(
                expects="for",
                stage="base",
                gpu_gib=8,
                goal=("classify medical reports", "医疗报告分类"),
            ),
            Example(
                expects="against",
                stage="base",
                gpu_gib=80,
                goal=("chat", "聊天"),
            ),
            Example(
                expects="silent",
                stage="base",
                gpu_gib=8,
                goal=("customer service", "客服"),
            ),
            Example(expects="unknown", stage="base", goal=("customer service", "客服")),
        ),
    ),
    Rule(
        code="FP-B23",
        claims=("B23", "E6"),
        subject="checkpoint",
        chat_means="tuned",
        needs=("stage", "template"),
        judge=template_works,
        examples=(
            Example(expects="for", stage="instruct", template=True),
            Example(expects="against", stage="base", template=False),
            Example(expects="silent", stage="base", template=True),
            Example(expects="silent", stage="instruct", template=False),
            Example(expects="for", stage="chat"),
            Example(expects="unknown", stage=None),
        ),
    ),
)
