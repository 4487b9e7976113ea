"""The records of one race: race.json (what was agreed) and ledger.jsonl (what happened)."""

from forkpoint.ledger.agreement import Agreement, ArmPlan, RungPlan, Settings
from forkpoint.ledger.book import Book, read_lines
from forkpoint.ledger.lines import (
    SCHEMA,
    AnswersMade,
    ArmDropped,
    Finalists,
    GeneralMeasured,
    Line,
    Measured,
    RaceEnded,
    RateChosen,
    Resumed,
    TestOpened,
    Trial,
    TrialFailed,
    TrialScored,
    TrialStarted,
)

__all__ = [
    "SCHEMA",
    "Agreement",
    "AnswersMade",
    "ArmDropped",
    "ArmPlan",
    "Book",
    "Finalists",
    "GeneralMeasured",
    "Line",
    "Measured",
    "RaceEnded",
    "RateChosen",
    "Resumed",
    "RungPlan",
    "Settings",
    "TestOpened",
    "Trial",
    "TrialFailed",
    "TrialScored",
    "TrialStarted",
    "read_lines",
]
