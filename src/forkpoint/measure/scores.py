"""What one scoring of an arm gives: rows, figures, and nothing that is not plain JSON."""

from forkpoint.ledger import AnswerCost, Measured
from forkpoint.record import Record


class RowScore(Record):
    """How one row was answered."""

    id: str  # the row's id
    answer: str
    expected: str
    score: float | None  # primary metric, 0..1 (bits_per_byte: bits); None: no score, see note
    gold: str  # the expected answer as it is compared (macro-F1: its class)
    said: str  # the answer as it is compared
    exact: bool
    stopped: bool  # False: it ran into the limit, and then `score` is 0
    answer_tokens: int
    answer_bytes: int
    expected_bytes: int
    expected_bits: float | None = None  # -log2 p(expected | prompt); None: span not comparable
    stop_bits: float | None = None  # -log2 p(end of turn | prompt, expected)
    preferred: bool | None = None  # chosen found likelier a byte than rejected; None: no pair
    prompt_tokens: int = 0
    note: str = ""  # why there is no score, when there is none


class ArmScores(Record):
    """One arm on one set of rows; every figure with its 95 % interval and n."""

    metric: str
    primary: Measured
    exact_match: Measured
    stop_rate: Measured
    answer_bytes: Measured  # mean length of an answer
    bits_per_byte: Measured  # of the expected answers; value None: not measured
    stop_bits: Measured  # mean per row; value None: not measured
    bits_decide: bool  # False: answers too short for likelihood to mean anything
    rows: tuple[RowScore, ...]
    preferred: Measured | None = None  # share of pairs whose chosen answer is found likelier a byte
    unscored: int  # rows to which the user's scorer gave no score; not part of `primary`
    seconds: float
    generated_tokens: int
    cost: AnswerCost | None = None  # of one answer; None where nothing was answered

    @property
    def secondary(self) -> dict[str, Measured]:
        """What stands beside the primary metric."""
        found = {"exact_match": self.exact_match, "answer_bytes": self.answer_bytes}
        return found if self.preferred is None else {**found, "preferred": self.preferred}
