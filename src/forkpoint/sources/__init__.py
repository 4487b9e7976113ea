"""Claims and figures, each with where it comes from."""

from forkpoint.sources.claims import CLAIMS, Claim, claim
from forkpoint.sources.disagreements import DISAGREEMENTS, Disagreement, Side
from forkpoint.sources.guides import GUIDES, Guide, guide
from forkpoint.sources.studies import STUDIES, bearings_on, study
from forkpoint.sources.study import Study

__all__ = [
    "CLAIMS",
    "DISAGREEMENTS",
    "GUIDES",
    "STUDIES",
    "Claim",
    "Disagreement",
    "Guide",
    "Side",
    "Study",
    "bearings_on",
    "claim",
    "guide",
    "study",
]
