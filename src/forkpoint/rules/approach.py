"""Rules about whether to fine-tune at all (claims C1-C6, B28)."""

from forkpoint.rules.case import MULTI_TURN_SHARE, Case
from forkpoint.rules.example import Example
from forkpoint.rules.rule import TUNED, Finding, Rule, choose, quote, silent, unknown

FEW_DOZEN = 24  # rows, the least that "a few dozen" can mean [B28, C4]
LONG_PROMPT_CHARACTERS = 2_000  # median; longer is paid for on every call [C3; ruled: a page]
ROLE_SHARE = 0.5  # of rows with a system prompt, from which a role matters [C3; ruled: half]


def order_to_try(case: Case) -> Finding:
    """C1, C6."""
    if case.candidate.stage is None:
        return unknown(case, "FP-C01", "stage", "approach")
    if case.candidate.stage not in TUNED:
        return silent(case, "FP-C01", "approach")
    return choose(case, "FP-C01", ("prompt", "few_shot", "rag"))


def knowledge_by_retrieval(case: Case) -> Finding:
    """C2, C5."""
    if not case.knows_the_job:
        return unknown(case, "FP-C02", "job", "approach")
    if not (found := case.signs("knowledge", "fresh", "service")):
        return silent(case, "FP-C02", "approach")
    return choose(case, "FP-C02", ("rag",), ("lora", "qlora", "full"), signs=quote(found))


def behaviour_by_tuning(case: Case) -> Finding:
    """C2, C5."""
    if not case.knows_the_job:
        return unknown(case, "FP-C03", "job", "approach")
    if not (found := case.signs("style", "format", "logic", "imitate")):
        return silent(case, "FP-C03", "approach")
    return choose(case, "FP-C03", ("lora", "qlora", "full"), ("rag",), signs=quote(found))


def limits_of_prompts(case: Case) -> Finding:
    """C3, C4."""
    if case.data is None:
        return unknown(case, "FP-C04", "rows", "approach")
    limits = []
    role = case.data.system_prompt_share >= ROLE_SHARE
    if role and case.data.multi_turn_share >= MULTI_TURN_SHARE:
        limits.append(f"system_prompts={case.data.system_prompt_share:.0%}")
        limits.append(f"multi_turn={case.data.multi_turn_share:.0%}")
    if case.data.prompt_characters.median >= LONG_PROMPT_CHARACTERS:
        limits.append(f"prompt_characters={case.data.prompt_characters.median:.0f}")
    limits += case.signs("format")
    if not limits:
        return silent(case, "FP-C04", "approach")
    return choose(
        case,
        "FP-C04",
        ("lora", "qlora", "full"),
        ("prompt", "few_shot"),
        signs=quote(tuple(limits)),
    )


def style_from_dozens(case: Case) -> Finding:
    """B28, C4."""
    if not case.knows_the_job:
        return unknown(case, "FP-B28", "job", "approach")
    if not (found := case.signs("imitate", "style")):
        return silent(case, "FP-B28", "approach")
    if case.data is None:
        return unknown(case, "FP-B28", "rows", "approach")
    if case.data.rows < FEW_DOZEN:
        return silent(case, "FP-B28", "approach", "few", rows=case.data.rows, limit=FEW_DOZEN)
    return choose(
        case,
        "FP-B28",
        ("lora", "qlora", "full"),
        ("prompt", "few_shot"),
        signs=quote(found),
        rows=case.data.rows,
        limit=FEW_DOZEN,
    )


RULES = (
    Rule(
        code="FP-B28",
        claims=("B28", "C4"),
        subject="approach",
        chat_means="not_used",
        needs=("job", "rows"),
        judge=style_from_dozens,
        thresholds=(("FEW_DOZEN", FEW_DOZEN, "rows"),),
        examples=(
            Example(expects="for", rows=24, goal=("write like our founder", "模仿创始人")),
            Example(
                expects="against",
                rows=24,
                approach="prompt",
                goal=("write like our founder", "模仿创始人"),
            ),
            Example(expects="silent", rows=23, goal=("write like our founder", "模仿创始人")),
            Example(expects="silent", rows=24),
        ),
    ),
    Rule(
        code="FP-C01",
        claims=("C1", "C6"),
        subject="approach",
        chat_means="tuned",
        needs=("stage",),
        judge=order_to_try,
        examples=(
            Example(expects="for", stage="instruct", approach="prompt"),
            Example(expects="silent", stage="instruct", approach="lora"),
            Example(expects="silent", stage="base", approach="prompt"),
            Example(expects="unknown", stage=None, approach="prompt"),
        ),
    ),
    Rule(
        code="FP-C02",
        claims=("C2", "C5"),
        subject="approach",
        chat_means="not_used",
        needs=("job",),
        judge=knowledge_by_retrieval,
        examples=(
            Example(expects="for", approach="rag", goal=("know our catalogue", "掌握产品资料")),
            Example(
                expects="against", approach="lora", goal=("know our catalogue", "掌握产品资料")
            ),
            Example(expects="for", approach="rag", goal=("customer service", "客服")),
            Example(expects="silent", approach="rag", goal=("answer politely", "回答要礼貌")),
            Example(expects="unknown", approach="rag"),
        ),
    ),
    Rule(
        code="FP-C03",
        claims=("C2", "C5"),
        subject="approach",
        chat_means="not_used",
        needs=("job",),
        judge=behaviour_by_tuning,
        examples=(
            Example(expects="for", rows=400, answers="json"),
            Example(expects="against", approach="rag", goal=("our house tone", "我们的语气")),
            Example(expects="silent", rows=400),
            Example(expects="unknown"),
        ),
    ),
    Rule(
        code="FP-C04",
        claims=("C3", "C4"),
        subject="approach",
        chat_means="not_used",
        needs=("rows",),
        judge=limits_of_prompts,
        thresholds=(
            ("LONG_PROMPT_CHARACTERS", LONG_PROMPT_CHARACTERS, "characters"),
            ("ROLE_SHARE", ROLE_SHARE, "share"),
            ("MULTI_TURN_SHARE", MULTI_TURN_SHARE, "share"),
        ),
        examples=(
            Example(expects="against", rows=400, prompt_characters=2_000, approach="prompt"),
            Example(expects="silent", rows=400, prompt_characters=1_999, approach="prompt"),
            Example(expects="for", rows=400, system_prompts=0.5, multi_turn=0.2),
            Example(expects="silent", rows=400, system_prompts=0.49, multi_turn=0.2),
            Example(expects="unknown", approach="prompt"),
        ),
    ),
)
