"""What one scoring of an arm gives: rows, figures, and nothing that is not plain JSON."""

from forkpoint.record import Figure, Record


class RowScore(Record):
    """How one row was answered."""

    id: str  # the row's id
    answer: str
    expected: str
    score: float | None  # primary metric, 0..1; None: the user's scorer gave none
    exact: bool
    stopped: bool  # False: it ran into the limit, and then `score` is 0
    answer_tokens: int
    answer_bytes: int
    answer_bits: float | None = None  # -log2 p(expected answer | prompt); None: span not comparable
    expected_bytes: int = 0
    stop_bits: float | None = None  # -log2 p(end of turn | prompt, expected answer)
    label: str | None = None  # the class that the answer was read as (macro-F1)
    note: str = ""  # why there is no score, when there is none


class ArmScores(Record):
    """One arm on one set of rows; every figure with its 95 % interval and n."""

    metric: str
    primary: Figure
    exact_match: Figure
    stop_rate: Figure
    answer_bytes: Figure  # mean length
    bits_per_byte: Figure | None  # of the expected answers; None: not measured
    stop_bits: Figure | None  # mean per row
    bits_decide: bool  # False: answers too short for likelihood to mean anything
    rows: tuple[RowScore, ...]
    seconds: float
    generated_tokens: int
