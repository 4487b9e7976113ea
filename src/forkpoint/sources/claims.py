"""Every claim of the guides by its id; the texts, in our own words, are in words/sources.toml."""

from typing import Literal

from forkpoint.record import Record
from forkpoint.sources.guides import GUIDES

# Why a claim is documented and not coded; the sentence is `sources.reason_NAME`.
Reason = Literal[
    "definition",
    "probe",
    "file_signal",
    "wording",
    "no_condition",
    "unsupported",
    "by_hand",
    "measured_rows",
    "measured_race",
    "method",
    "names",
]


class Claim(Record):
    """One claim: who makes it, and why it is no rule if it is none."""

    id: str
    guides: tuple[str, ...]
    documented: Reason | None = None  # None: a rule rests on it
    dated: str | None = None  # year-month of an example that grows old

    @property
    def text(self) -> str:
        """The catalogue key of what it says."""
        return f"sources.{self.id}"


TABLE, QA, NOTES, UNSLOTH, ALGIEBA = (one.key for one in GUIDES)
ALL = tuple(one.key for one in GUIDES)


def _claim(
    name: str, *guides: str, documented: Reason | None = None, dated: str | None = None
) -> Claim:
    return Claim(id=name, guides=guides, documented=documented, dated=dated)


CLAIMS = (
    _claim("A1", TABLE, NOTES, ALGIEBA, documented="definition"),
    _claim("A2", NOTES, ALGIEBA, documented="definition"),
    _claim("A3", NOTES, ALGIEBA, documented="definition"),
    _claim("A4", NOTES, ALGIEBA, documented="definition"),
    _claim("A5", NOTES, documented="probe"),
    _claim("A6", ALGIEBA, documented="probe"),
    _claim("A7", ALGIEBA, QA, documented="file_signal"),
    _claim("A8", UNSLOTH, documented="file_signal"),
    _claim("A9", ALGIEBA, documented="definition"),
    _claim("A10", *ALL, documented="wording"),
    _claim("A11", ALGIEBA, documented="probe"),
    _claim("A12", ALGIEBA, documented="probe"),
    _claim("A13", UNSLOTH, documented="file_signal"),
    _claim("A14", QA, UNSLOTH, documented="no_condition"),
    _claim("B1", UNSLOTH),
    _claim("B2", UNSLOTH),
    _claim("B3", UNSLOTH),
    _claim("B4", ALGIEBA),
    _claim("B5", ALGIEBA),
    _claim("B6", TABLE),
    _claim("B7", TABLE),
    _claim("B8", TABLE),
    _claim("B9", TABLE),
    _claim("B10", TABLE),
    _claim("B11", TABLE),
    _claim("B12", TABLE),
    _claim("B13", QA),
    _claim("B14", QA),
    _claim("B15", QA),
    _claim("B16", QA),
    _claim("B17", QA),
    _claim("B18", QA),
    _claim("B19", QA),
    _claim("B20", QA),
    _claim("B21", QA),
    _claim("B22", NOTES),
    _claim("B23", UNSLOTH),
    _claim("B24", TABLE),
    _claim("B25", QA),
    _claim("B26", QA, documented="unsupported"),
    _claim("B27", QA),
    _claim("B28", ALGIEBA),
    _claim("B29", UNSLOTH),
    _claim("C1", ALGIEBA),
    _claim("C2", ALGIEBA),
    _claim("C3", ALGIEBA),
    _claim("C4", ALGIEBA),
    _claim("C5", ALGIEBA),
    _claim("C6", ALGIEBA),
    _claim("D1", NOTES),
    _claim("D2", NOTES),
    _claim("D3", NOTES),
    _claim("D4", NOTES, documented="by_hand"),
    _claim("D5", NOTES),
    _claim("D6", NOTES),
    _claim("D7", NOTES, documented="no_condition"),
    _claim("E1", NOTES, documented="measured_rows"),
    _claim("E2", NOTES, documented="measured_rows"),
    _claim("E3", NOTES, documented="measured_rows"),
    _claim("E4", NOTES, documented="measured_rows"),
    _claim("E5", NOTES, documented="measured_rows"),
    _claim("E6", UNSLOTH),
    _claim("F1", ALGIEBA, documented="measured_race"),
    _claim("F2", ALGIEBA, documented="measured_race"),
    _claim("G1", NOTES, documented="method"),
    _claim("G2", UNSLOTH, documented="method"),
    _claim("H1", UNSLOTH),
    _claim("H2", UNSLOTH, QA),
    _claim("H3", UNSLOTH),
    _claim("H4", UNSLOTH, dated="2025-01"),
    _claim("H5", *ALL, documented="names"),
)


def claim(name: str) -> Claim:
    """The claim with this id; raises KeyError when there is none."""
    for one in CLAIMS:
        if one.id == name:
            return one
    raise KeyError(name)
