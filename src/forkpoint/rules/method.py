"""Rules about how to train: full, LoRA, QLoRA, CPT, preferences (claims D1-D6, B9-B11, B19)."""

from forkpoint.rules.case import Case
from forkpoint.rules.example import GIB, Example
from forkpoint.rules.rule import Finding, Rule, Value, choose, quote, silent, unknown

MANY_FOR_ADAPTERS = 50_000  # rows, from which adapters fall behind [D3]
FULL_BYTES = 16  # a parameter: 16-bit weights and gradients, 32-bit master and two moments [ruled]
USABLE_SHARE = 0.8  # of memory; the rest holds activations and the system [ruled: a fifth]


def memory_of(case: Case) -> int | None:
    """Bytes that training could use: all GPUs together, else main memory; None when unknown."""
    if case.machine is None:
        return None
    return sum(gpu.memory_bytes for gpu in case.machine.gpus) or case.machine.memory_bytes


def full_or_value(case: Case) -> Finding:
    """D1."""
    memory, parameters = memory_of(case), case.candidate.parameters
    if memory is None:
        return unknown(case, "FP-D01", "machine", "approach")
    if parameters is None:
        return unknown(case, "FP-D01", "size", "approach")
    needed = parameters * FULL_BYTES
    values: dict[str, Value] = {
        "name": case.candidate.name,
        "needed": needed / GIB,
        "usable": memory * USABLE_SHARE / GIB,
    }
    if needed <= memory * USABLE_SHARE:
        return choose(case, "FP-D01", ("full",), (), "ample", **values)
    return choose(case, "FP-D01", ("lora", "qlora"), ("full",), **values)


def adapters_suffice(case: Case) -> Finding:
    """D2."""
    if case.data is None:
        return unknown(case, "FP-D02", "rows", "approach")
    rows, far = case.data.rows, case.signs("new_way")
    if rows >= MANY_FOR_ADAPTERS or far:
        return silent(case, "FP-D02", "approach", rows=rows, limit=MANY_FOR_ADAPTERS)
    return choose(case, "FP-D02", ("lora", "qlora"), rows=rows, limit=MANY_FOR_ADAPTERS)


def adapters_fall_behind(case: Case) -> Finding:
    """D3."""
    if case.data is None:
        return unknown(case, "FP-D03", "rows", "approach")
    rows, far = case.data.rows, case.signs("new_way")
    if rows >= MANY_FOR_ADAPTERS:
        return choose(
            case, "FP-D03", ("full",), ("lora", "qlora"), rows=rows, limit=MANY_FOR_ADAPTERS
        )
    if far:
        return choose(case, "FP-D03", ("full",), ("lora", "qlora"), "far", signs=quote(far))
    return silent(case, "FP-D03", "approach", rows=rows, limit=MANY_FOR_ADAPTERS)


def adapters_forget_less(case: Case) -> Finding:
    """D5."""
    if not case.goal.text:
        return unknown(case, "FP-D05", "job", "approach")
    if not (found := case.signs("keep")):
        return silent(case, "FP-D05", "approach")
    return choose(case, "FP-D05", ("lora", "qlora"), ("full",), signs=quote(found))


def preferences_after(case: Case) -> Finding:
    """D6, B11."""
    if not case.knows_the_job:
        return unknown(case, "FP-D06", "job", "approach")
    if not (found := case.signs("preference")):
        return silent(case, "FP-D06", "approach")
    return choose(case, "FP-D06", ("dpo",), ("lora", "qlora", "full"), signs=quote(found))


def pre_train_first(case: Case) -> Finding:
    """B9, B10, B19."""
    if not case.knows_the_job:
        return unknown(case, "FP-B19", "job", "approach")
    if not (found := case.signs("raw_text", "knowledge")):
        return silent(case, "FP-B19", "approach")
    return choose(case, "FP-B19", ("cpt",), signs=quote(found))


RULES = (
    Rule(
        code="FP-B19",
        claims=("B9", "B10", "B19"),
        subject="approach",
        chat_means="not_used",
        needs=("job",),
        judge=pre_train_first,
        examples=(
            Example(expects="for", rows=4_000, job="raw_text", format="text", approach="cpt"),
            Example(expects="silent", rows=4_000, job="task", approach="cpt"),
            Example(expects="silent", rows=4_000, job="raw_text", format="text", approach="lora"),
            Example(expects="unknown", approach="cpt"),
        ),
    ),
    Rule(
        code="FP-D01",
        claims=("D1",),
        subject="approach",
        chat_means="not_used",
        needs=("machine", "size"),
        judge=full_or_value,
        thresholds=(
            ("FULL_BYTES", FULL_BYTES, "bytes"),
            ("USABLE_SHARE", USABLE_SHARE, "share"),
        ),
        examples=(
            Example(expects="for", parameters=1_000_000_000, gpu_gib=24, approach="full"),
            Example(expects="against", parameters=7_000_000_000, gpu_gib=24, approach="full"),
            Example(expects="for", parameters=7_000_000_000, gpu_gib=24, approach="lora"),
            Example(expects="silent", parameters=1_000_000_000, gpu_gib=24, approach="lora"),
            Example(expects="unknown", gpu_gib=24, approach="full"),
            Example(expects="unknown", parameters=1_000_000_000, approach="full"),
        ),
    ),
    Rule(
        code="FP-D02",
        claims=("D2",),
        subject="approach",
        chat_means="not_used",
        needs=("rows", "job"),
        judge=adapters_suffice,
        thresholds=(("MANY_FOR_ADAPTERS", MANY_FOR_ADAPTERS, "rows"),),
        examples=(
            Example(expects="for", rows=49_999),
            Example(expects="silent", rows=50_000),
            Example(expects="silent", rows=500, goal=("speak our dialect", "说我们的方言")),
            Example(expects="silent", rows=49_999, approach="full"),
            Example(expects="unknown"),
        ),
    ),
    Rule(
        code="FP-D03",
        claims=("D3",),
        subject="approach",
        chat_means="not_used",
        needs=("rows", "job"),
        judge=adapters_fall_behind,
        thresholds=(("MANY_FOR_ADAPTERS", MANY_FOR_ADAPTERS, "rows"),),
        examples=(
            Example(expects="against", rows=50_000),
            Example(expects="for", rows=50_000, approach="full"),
            Example(expects="silent", rows=49_999),
            Example(expects="against", rows=500, goal=("speak our dialect", "说我们的方言")),
        ),
    ),
    Rule(
        code="FP-D05",
        claims=("D5",),
        subject="approach",
        chat_means="not_used",
        needs=("job",),
        judge=adapters_forget_less,
        examples=(
            Example(
                expects="for", goal=("label mail, keep general ability", "标注邮件，保留通用能力")
            ),
            Example(
                expects="against",
                approach="full",
                goal=("label mail, keep general ability", "标注邮件，保留通用能力"),
            ),
            Example(expects="silent", goal=("label mail", "标注邮件")),
            Example(expects="unknown"),
        ),
    ),
    Rule(
        code="FP-D06",
        claims=("D6", "B11"),
        subject="approach",
        chat_means="not_used",
        needs=("job",),
        judge=preferences_after,
        examples=(
            Example(
                expects="for",
                rows=900,
                job="preference",
                format="preference",
                approach="dpo",
            ),
            Example(expects="against", rows=900, job="preference", format="preference"),
            Example(expects="silent", rows=900, approach="dpo"),
            Example(expects="unknown", approach="dpo"),
        ),
    ),
)
