"""The approaches on the start page: all there are, with those that cannot be raced said."""

from functools import cache

from forkpoint.data import DataProfile
from forkpoint.errors import ForkpointError
from forkpoint.facts import read_checkpoint
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.race.offers import Offer, offers
from forkpoint.train.approach import approaches
from forkpoint.untrained import kinds
from forkpoint.web.candidates import Candidate


def known() -> tuple[str, ...]:
    """The names that a form may send."""
    return (*approaches(), *kinds())


def offered(profile: DataProfile, found: list[Candidate]) -> tuple[Offer, ...]:
    """Every approach, held against the data and the checkpoints that are listed."""
    facts = {one.title: read for one in found if (read := _facts(one.name))}
    return offers(profile, facts)


@cache
def _facts(name: str) -> CheckpointFacts | None:
    try:
        return read_checkpoint(name)
    except ForkpointError:
        return None
