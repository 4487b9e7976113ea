"""Rules about what kind of job the model is for (claims B6-B14, B16-B19, B22, B27)."""

from collections.abc import Callable

from forkpoint.facts.checkpoint_facts import Stage
from forkpoint.rules.case import Case
from forkpoint.rules.example import Example
from forkpoint.rules.rule import (
    ALIGNED,
    BASE,
    EITHER,
    INSTRUCT,
    TUNED,
    Finding,
    Rule,
    prefer,
    quote,
    silent,
    unknown,
)

DIALOGUE = ("dialogue", "assistant")
ONE_SHOT = ("summary", "classification", "code", "special_text", "task")


def when(code: str, stages: frozenset[Stage], *wants: str) -> Callable[[Case], Finding]:
    """Prefer `stages` when the job shows any of `wants`, be silent otherwise."""

    def judge(case: Case) -> Finding:
        if not case.knows_the_job:
            return unknown(case, code, "job")
        if not (found := case.signs(*wants)):
            return silent(case, code)
        return prefer(case, code, stages, signs=quote(found))

    return judge


def domain_from_scratch(case: Case) -> Finding:
    """B6."""
    if not case.knows_the_job:
        return unknown(case, "FP-B06", "job")
    scratch, domain = case.signs("from_scratch"), case.signs("domain")
    if not (scratch and domain):
        return silent(case, "FP-B06")
    return prefer(case, "FP-B06", BASE, signs=quote(scratch + domain))


def small_customisation(case: Case) -> Finding:
    """B7."""
    if not case.knows_the_job:
        return unknown(case, "FP-B07", "job")
    small, domain = case.signs("small_change"), case.signs("domain")
    talks = case.signs("knowledge", *DIALOGUE)
    if case.signs("from_scratch") or not (small or (domain and talks)):
        return silent(case, "FP-B07")
    return prefer(case, "FP-B07", TUNED, signs=quote(small or domain + talks))


def domain_questions(case: Case) -> Finding:
    """B8."""
    if case.data is None:
        return unknown(case, "FP-B08", "rows")
    domain, asks = case.signs("domain"), case.data.job in ("task", "knowledge")
    if not (domain and asks):
        return silent(case, "FP-B08")
    return prefer(case, "FP-B08", EITHER, signs=quote((*domain, f"job={case.data.job}")))


def quick_launch(case: Case) -> Finding:
    """B12."""
    if not case.knows_the_job:
        return unknown(case, "FP-B12", "job")
    quick, bot = case.signs("quick"), case.signs("knowledge", "domain", *DIALOGUE)
    if not (quick and bot):
        return silent(case, "FP-B12")
    return prefer(case, "FP-B12", TUNED, signs=quote(quick + bot))


def not_dialogue(case: Case) -> Finding:
    """B14, B16, B18, B27."""
    if not case.knows_the_job:
        return unknown(case, "FP-B14", "job")
    if talks := case.signs(*DIALOGUE):
        return silent(case, "FP-B14", "checkpoint", "dialogue", signs=quote(talks))
    if not (found := case.signs(*ONE_SHOT)):
        return silent(case, "FP-B14")
    return prefer(case, "FP-B14", BASE, signs=quote(found))


def several_hops(case: Case) -> Finding:
    """B17."""
    if not case.knows_the_job:
        return unknown(case, "FP-B17", "job")
    if not (hops := case.signs("multi_hop")):
        return silent(case, "FP-B17")
    if history := case.signs("history"):
        return prefer(case, "FP-B17", TUNED, "history", signs=quote(hops + history))
    return prefer(case, "FP-B17", BASE, signs=quote(hops))


def three_uses(case: Case) -> Finding:
    """B22."""
    if not case.knows_the_job:
        return unknown(case, "FP-B22", "job")
    branches = (
        ("research", BASE, case.signs("from_scratch")),
        ("task", INSTRUCT, case.signs("translation", "extraction", "code")),
        ("assistant", ALIGNED, case.signs(*DIALOGUE)),
    )
    speaking = [one for one in branches if one[2]]
    if not speaking:
        return silent(case, "FP-B22")
    if len(speaking) > 1:
        signs = quote(tuple(one[2][0] for one in speaking))
        return silent(case, "FP-B22", "checkpoint", "mixed", signs=signs)
    variant, stages, found = speaking[0]
    return prefer(case, "FP-B22", stages, variant, signs=quote(found))


RULES = (
    Rule(
        code="FP-B06",
        claims=("B6", "B21"),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=domain_from_scratch,
        examples=(
            Example(
                expects="for",
                stage="base",
                goal=("a legal assistant from scratch", "从零打造法律助手"),
            ),
            Example(
                expects="against",
                stage="chat",
                goal=("a legal assistant from scratch", "从零打造法律助手"),
            ),
            Example(expects="silent", stage="base", goal=("a legal assistant", "法律助手")),
            Example(expects="unknown", stage="base"),
        ),
    ),
    Rule(
        code="FP-B07",
        claims=("B7",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=small_customisation,
        examples=(
            Example(
                expects="for",
                stage="chat",
                goal=("an assistant that knows more law", "更懂法律的助手"),
            ),
            Example(
                expects="against",
                stage="base",
                goal=("change the assistant slightly", "稍微调整一下助手"),
            ),
            Example(
                expects="silent",
                stage="chat",
                goal=("a legal assistant from scratch", "从零打造法律助手"),
            ),
            Example(expects="silent", stage="chat", goal=("an assistant", "一个助手")),
        ),
    ),
    Rule(
        code="FP-B08",
        claims=("B8",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("rows", "job", "stage"),
        judge=domain_questions,
        examples=(
            Example(expects="for", rows=500, stage="base", goal=("medical questions", "医疗问答")),
            Example(expects="for", rows=500, stage="chat", goal=("medical questions", "医疗问答")),
            Example(
                expects="silent",
                rows=500,
                stage="base",
                job="dialogue",
                goal=("medical talks", "医疗咨询"),
            ),
            Example(expects="silent", rows=500, stage="base"),
        ),
    ),
    Rule(
        code="FP-B09",
        claims=("B9", "B19"),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=when("FP-B09", BASE, "raw_text"),
        examples=(
            Example(expects="for", rows=5_000, job="raw_text", format="text", stage="base"),
            Example(expects="against", rows=5_000, job="raw_text", format="text", stage="chat"),
            Example(expects="silent", rows=5_000, job="task", stage="base"),
        ),
    ),
    Rule(
        code="FP-B10",
        claims=("B10",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=when("FP-B10", BASE, "knowledge"),
        examples=(
            Example(expects="for", stage="base", goal=("know our manuals", "掌握我们的手册")),
            Example(expects="against", stage="chat", goal=("know our manuals", "掌握我们的手册")),
            Example(expects="silent", stage="base", goal=("answer politely", "回答要礼貌")),
            Example(expects="unknown", stage="base"),
        ),
    ),
    Rule(
        code="FP-B11",
        claims=("B11",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=when("FP-B11", BASE, "preference"),
        examples=(
            Example(expects="for", rows=900, job="preference", format="preference", stage="base"),
            Example(expects="against", stage="chat", goal=("then DPO", "之后做偏好优化")),
            Example(expects="silent", rows=900, job="task", stage="base"),
        ),
    ),
    Rule(
        code="FP-B12",
        claims=("B12",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=quick_launch,
        examples=(
            Example(
                expects="for",
                stage="chat",
                goal=("quickly launch a bank chatbot", "快速上线一个银行客服"),
            ),
            Example(
                expects="against",
                stage="base",
                goal=("quickly launch a bank chatbot", "快速上线一个银行客服"),
            ),
            Example(expects="silent", stage="chat", goal=("a bank chatbot", "银行客服")),
            Example(
                expects="silent",
                stage="chat",
                goal=("quickly build a classifier", "快速做个分类"),
            ),
        ),
    ),
    Rule(
        code="FP-B13",
        claims=("B13", "B18", "B19"),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=when("FP-B13", TUNED, *DIALOGUE),
        examples=(
            Example(expects="for", rows=500, multi_turn=0.2, stage="chat"),
            Example(expects="against", stage="base", goal=("customer service", "客服")),
            Example(expects="silent", rows=500, multi_turn=0.19, stage="chat"),
            Example(
                expects="silent",
                rows=500,
                job="dialogue",
                stage="chat",
                goal=("not a chatbot", "不是聊天"),
            ),
            Example(expects="unknown", stage="chat"),
        ),
    ),
    Rule(
        code="FP-B14",
        claims=("B14", "B16", "B18", "B27"),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=not_dialogue,
        examples=(
            Example(expects="for", rows=500, answers="label", stage="base"),
            Example(expects="against", stage="instruct", goal=("medical summaries", "医疗摘要")),
            Example(expects="silent", rows=500, job="dialogue", answers="label", stage="base"),
            Example(expects="silent", rows=500, job="knowledge", stage="base"),
        ),
    ),
    Rule(
        code="FP-B17",
        claims=("B17",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("job", "stage"),
        judge=several_hops,
        examples=(
            Example(
                expects="for",
                stage="chat",
                goal=("multi-hop questions over the history", "依赖历史的多跳问答"),
            ),
            Example(expects="against", stage="chat", goal=("multi-hop questions", "多跳问答")),
            Example(expects="for", stage="base", goal=("multi-hop questions", "多跳问答")),
            Example(expects="silent", stage="base", goal=("questions", "问答")),
        ),
    ),
    Rule(
        code="FP-B22",
        claims=("B22",),
        subject="checkpoint",
        chat_means="aligned",
        needs=("job", "stage"),
        judge=three_uses,
        examples=(
            Example(expects="for", stage="instruct", goal=("translate letters", "翻译信函")),
            Example(expects="against", stage="chat", goal=("translate letters", "翻译信函")),
            Example(expects="for", stage="chat", goal=("an assistant", "一个助手")),
            Example(expects="against", stage="instruct", goal=("an assistant", "一个助手")),
            Example(expects="for", stage="base", goal=("for research", "用于研究")),
            Example(
                expects="silent",
                stage="chat",
                goal=("an assistant that translates", "会翻译的助手"),
            ),
            Example(expects="silent", stage="chat", goal=("sort letters", "整理信件")),
        ),
    ),
)
