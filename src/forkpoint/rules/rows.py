"""Rules about the rows: how many there are, and their form (claims B1-B5, B15, B29)."""

from forkpoint.data.profile_record import DataProfile
from forkpoint.rules.case import Case
from forkpoint.rules.example import Example
from forkpoint.rules.job import DIALOGUE
from forkpoint.rules.rule import BASE, EITHER, TUNED, Finding, Rule, prefer, quote, silent, unknown

FEW_ROWS = 300  # rows; below: Instruct [B1]
MANY_ROWS = 1_000  # rows; above: Base [B3]
TENS_OF_THOUSANDS = 20_000  # rows, the least that the words can mean [B4]
POOR_SHARE = 0.1  # of all rows faulty or exact copies; more is not "good rows" [ruled: a tenth]


def few_rows(case: Case) -> Finding:
    """B1."""
    if case.data is None:
        return unknown(case, "FP-B01", "rows")
    if case.data.job == "raw_text":
        return silent(case, "FP-B01", "checkpoint", "raw")
    if case.data.rows >= FEW_ROWS:
        return silent(case, "FP-B01", rows=case.data.rows, limit=FEW_ROWS)
    if changed := case.signs("new_function"):
        return silent(case, "FP-B01", "checkpoint", "changed", signs=quote(changed))
    return prefer(case, "FP-B01", TUNED, rows=case.data.rows, limit=FEW_ROWS)


def middling_rows(case: Case) -> Finding:
    """B2, B29."""
    if case.data is None:
        return unknown(case, "FP-B02", "rows")
    rows, poor = case.data.rows, _poor_share(case.data)
    if case.data.job == "raw_text" or not FEW_ROWS <= rows <= MANY_ROWS:
        return silent(case, "FP-B02", rows=rows, low=FEW_ROWS, high=MANY_ROWS)
    if poor > POOR_SHARE:
        return Finding(
            rule="FP-B02",
            about=case.candidate.name,
            says="unknown",
            key="rules.FP-B02_poor",
            values={"rows": rows, "share": poor, "limit": POOR_SHARE},
        )
    return prefer(case, "FP-B02", EITHER, rows=rows, low=FEW_ROWS, high=MANY_ROWS)


def _poor_share(data: DataProfile) -> float:
    bad = data.fault_count + data.exact_duplicates
    return bad / max(1, data.rows + data.fault_count)


def many_rows(case: Case) -> Finding:
    """B3."""
    if case.data is None:
        return unknown(case, "FP-B03", "rows")
    if case.data.job == "raw_text" or case.data.rows <= MANY_ROWS:
        return silent(case, "FP-B03", rows=case.data.rows, limit=MANY_ROWS)
    return prefer(case, "FP-B03", BASE, rows=case.data.rows, limit=MANY_ROWS)


def new_way_of_talking(case: Case) -> Finding:
    """B4."""
    if case.data is None:
        return unknown(case, "FP-B04", "rows")
    found = case.signs("new_way")
    values = {"rows": case.data.rows, "limit": TENS_OF_THOUSANDS}
    if not found:
        return silent(case, "FP-B04")
    if case.data.rows < TENS_OF_THOUSANDS:
        return silent(case, "FP-B04", "checkpoint", "few", **values)
    return prefer(case, "FP-B04", BASE, signs=quote(found), **values)


def rules_of_a_domain(case: Case) -> Finding:
    """B5."""
    if case.data is None:
        return unknown(case, "FP-B05", "rows")
    found = case.signs("format", "style", "domain")
    values = {"rows": case.data.rows, "limit": TENS_OF_THOUSANDS}
    if case.data.rows >= TENS_OF_THOUSANDS:
        return silent(case, "FP-B05", "checkpoint", "many", **values)
    if not found or case.data.job == "raw_text":
        return silent(case, "FP-B05")
    return prefer(case, "FP-B05", TUNED, signs=quote(found), **values)


def alpaca_rows(case: Case) -> Finding:
    """B15."""
    if case.data is None:
        return unknown(case, "FP-B15", "rows")
    if case.data.format != "alpaca":
        return silent(case, "FP-B15", format=case.data.format)
    if talks := case.signs(*DIALOGUE):
        return prefer(case, "FP-B15", TUNED, "dialogue", signs=quote(talks))
    return prefer(case, "FP-B15", EITHER)


RULES = (
    Rule(
        code="FP-B01",
        claims=("B1",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("rows", "stage"),
        judge=few_rows,
        thresholds=(("FEW_ROWS", FEW_ROWS, "rows"),),
        examples=(
            Example(expects="for", rows=299, stage="instruct"),
            Example(expects="against", rows=299, stage="base"),
            Example(expects="silent", rows=300, stage="instruct"),
            Example(expects="silent", rows=299, job="raw_text", format="text", stage="base"),
            Example(
                expects="silent",
                rows=299,
                stage="instruct",
                goal=("repurpose it as a compiler", "改变它的功能，当编译器用"),
            ),
            Example(expects="unknown", stage="instruct"),
        ),
    ),
    Rule(
        code="FP-B02",
        claims=("B2", "B29"),
        subject="checkpoint",
        chat_means="tuned",
        needs=("rows", "stage"),
        judge=middling_rows,
        thresholds=(
            ("FEW_ROWS", FEW_ROWS, "rows"),
            ("MANY_ROWS", MANY_ROWS, "rows"),
            ("POOR_SHARE", POOR_SHARE, "share"),
        ),
        examples=(
            Example(expects="for", rows=300, stage="base"),
            Example(expects="for", rows=1_000, stage="instruct"),
            Example(expects="silent", rows=299, stage="base"),
            Example(expects="silent", rows=1_001, stage="base"),
            Example(expects="unknown", rows=600, duplicates=90, stage="base"),
        ),
    ),
    Rule(
        code="FP-B03",
        claims=("B3",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("rows", "stage"),
        judge=many_rows,
        thresholds=(("MANY_ROWS", MANY_ROWS, "rows"),),
        examples=(
            Example(expects="for", rows=1_001, stage="base"),
            Example(expects="against", rows=1_001, stage="chat"),
            Example(expects="silent", rows=1_000, stage="base"),
            Example(expects="unknown", rows=1_001, stage=None),
        ),
    ),
    Rule(
        code="FP-B04",
        claims=("B4",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("rows", "job", "stage"),
        judge=new_way_of_talking,
        thresholds=(("TENS_OF_THOUSANDS", TENS_OF_THOUSANDS, "rows"),),
        examples=(
            Example(
                expects="for",
                rows=20_000,
                stage="base",
                goal=("speak our dialect", "说我们的方言"),
            ),
            Example(
                expects="against",
                rows=20_000,
                stage="instruct",
                goal=("speak our dialect", "说我们的方言"),
            ),
            Example(
                expects="silent",
                rows=19_999,
                stage="base",
                goal=("speak our dialect", "说我们的方言"),
            ),
            Example(expects="silent", rows=20_000, stage="base"),
        ),
    ),
    Rule(
        code="FP-B05",
        claims=("B5",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("rows", "job", "stage"),
        judge=rules_of_a_domain,
        thresholds=(("TENS_OF_THOUSANDS", TENS_OF_THOUSANDS, "rows"),),
        examples=(
            Example(expects="for", rows=800, answers="json", stage="instruct"),
            Example(
                expects="against",
                rows=19_999,
                stage="base",
                goal=("letters in legal format", "法律文书格式的信函"),
            ),
            Example(expects="silent", rows=20_000, answers="json", stage="instruct"),
            Example(expects="silent", rows=800, stage="instruct"),
        ),
    ),
    Rule(
        code="FP-B15",
        claims=("B15",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("rows", "job", "stage"),
        judge=alpaca_rows,
        examples=(
            Example(expects="for", rows=500, format="alpaca", stage="base"),
            Example(expects="against", rows=500, format="alpaca", multi_turn=0.4, stage="base"),
            Example(expects="for", rows=500, format="alpaca", multi_turn=0.4, stage="chat"),
            Example(expects="silent", rows=500, format="messages", stage="base"),
        ),
    ),
)
