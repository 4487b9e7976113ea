"""Every approach there is, and which of them these data and checkpoints can feed."""

from collections.abc import Collection, Mapping

from forkpoint.data.profile_record import DataProfile
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.race.twins import find_twins
from forkpoint.record import Record
from forkpoint.train.approach import Approach, approaches
from forkpoint.untrained import PROMPT, Kind, kinds
from forkpoint.untrained.sources import Wish


class Offer(Record):
    """One approach, as a person may choose it."""

    name: str
    trained: bool
    always: bool = False  # it is in every race
    needs: tuple[str, ...] = ()  # beside rows: "preferences", "corpus", "twin"
    twins: tuple[str, ...] = ()  # checkpoints that it is for, when it needs a twin
    key: str | None = None  # catalogue key: why it cannot be raced here; None: it can
    values: dict[str, str | int | float] = {}  # noqa: RUF012 - pydantic copies it


def offers(profile: DataProfile, checkpoints: Mapping[str, CheckpointFacts]) -> tuple[Offer, ...]:
    """Those that are trained, then those that are asked; what needs only rows comes first."""
    twins = tuple(find_twins(checkpoints, ()))
    ours = sorted(approaches().values(), key=lambda one: bool(one.NEEDS))
    return (
        *(_to_train(one, profile, twins) for one in ours),
        *(_to_ask(one, profile) for one in kinds().values()),
    )


def _to_train(one: Approach, profile: DataProfile, twins: Collection[str]) -> Offer:
    found = Offer(
        name=one.NAME, trained=True, needs=one.NEEDS,
        twins=tuple(twins) if "twin" in one.NEEDS else (),
    )  # fmt: skip
    if "preferences" in one.NEEDS and profile.format != "preference":
        return _not(found, BadInput("race.offer_no_preferences"))
    if "twin" in one.NEEDS and not twins:
        return _not(found, BadInput("race.offer_no_twins"))
    try:
        check_here(one)
    except BadInput as why:
        return _not(found, why)
    return found


def _to_ask(one: Kind, profile: DataProfile) -> Offer:
    found = Offer(name=one.NAME, trained=False, always=one.NAME == PROMPT)
    if profile.job == "raw_text" and not found.always:
        return _not(found, BadInput("untrained.raw_text", approaches=one.NAME))
    try:
        one.setups(Wish(rows=profile.rows))
    except BadInput as why:
        return _not(found, why)
    return found


def check_here(one: Approach) -> None:
    """Raises BadInput where the approach itself says that this machine lacks something for it."""
    if check := getattr(one, "check", None):
        check()


def _not(offer: Offer, why: BadInput) -> Offer:
    values = {name: value if isinstance(value, int | float) else str(value)
              for name, value in why.values.items()}  # fmt: skip
    return offer.model_copy(update={"key": why.key, "values": values})
