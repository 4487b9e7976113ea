"""Which checkpoints of the catalogue suit a wish, and whether they fit."""

from collections.abc import Iterable
from typing import Literal

from forkpoint.catalogue.entry import Entry, Kind
from forkpoint.errors import BadInput
from forkpoint.estimate import Setup, estimate_memory, network_from_config
from forkpoint.estimate.fitting import Answer, answer
from forkpoint.estimate.setup import Approach
from forkpoint.facts.card import Card
from forkpoint.facts.checkpoint_facts import Stage
from forkpoint.facts.licence import Commercial, read_licence
from forkpoint.record import Record

DEFAULT_CONTEXT = 2048  # tokens, long enough for most instruction data

Permission = Literal["commercial", "free", "any"]
ALLOWED: dict[str, tuple[Commercial, ...]] = {
    "commercial": ("yes", "conditions"), "free": ("yes",),
}  # fmt: skip


class Wish(Record):
    """What is looked for; None: no matter."""

    memory_bytes: int | None = None
    approach: Approach = "lora"
    context_tokens: int = DEFAULT_CONTEXT
    licence: str | None = None  # "commercial", "free" (no conditions), or a licence's id
    language: str | None = None
    task: Kind | None = None
    stage: Stage | None = None
    family: str | None = None


class Chosen(Record):
    """An entry with what follows from it."""

    entry: Entry
    licence: str | None  # as SPDX or our table writes it
    commercial: Commercial
    parameters: int | None  # estimated from the shape
    active_parameters: int | None
    fits: Answer | None  # None: not asked, or the network is not one that can be estimated
    low_bytes: int | None
    high_bytes: int | None


class Choice(Record):
    """What suits, and what could not be judged."""

    wish: Wish
    of: int  # entries in the catalogue
    found: tuple[Chosen, ...]
    unjudged: tuple[Chosen, ...]  # suit otherwise; their memory cannot be estimated


def choose(wish: Wish, among: Iterable[Entry]) -> Choice:
    """Entries that suit, the latest first; a fact that is absent never meets a wish."""
    entries = tuple(among)
    suiting = [entry for entry in entries if _suits(entry, wish)]
    judged = [_judged(entry, wish) for entry in suiting]
    found = [
        one
        for one in judged
        if _allowed(one, wish) and (wish.memory_bytes is None or one.fits in ("yes", "perhaps"))
    ]
    unjudged = [
        one
        for one in judged
        if wish.memory_bytes is not None and one.fits is None and _allowed(one, wish)
    ]
    return Choice(
        wish=wish, of=len(entries), found=tuple(sorted(found, key=_order)),
        unjudged=tuple(sorted(unjudged, key=_order)),
    )  # fmt: skip


def _suits(entry: Entry, wish: Wish) -> bool:
    if wish.stage is not None and entry.stage != wish.stage:
        return False
    if wish.task is not None and entry.kind != wish.task:
        return False
    if wish.family is not None and not entry.family.startswith(wish.family.lower()):
        return False
    return wish.language is None or wish.language in entry.languages


def _allowed(one: Chosen, wish: Wish) -> bool:
    if wish.licence is None:
        return True
    if wish.licence in ALLOWED:
        return one.commercial in ALLOWED[wish.licence]
    names = {(one.licence or "").lower(), (one.entry.licence or "").lower()}
    return wish.licence.lower() in names


def _judged(entry: Entry, wish: Wish) -> Chosen:
    licence, commercial = read_licence(Card(licence=entry.licence))
    parameters = active = low = high = None
    fits: Answer | None = None
    if entry.shape is not None:
        config = {"max_position_embeddings": entry.context_tokens, **entry.shape}
        network = network_from_config(config, entry.id)
        parameters, active = network.parameters, network.active_parameters
        context = min(wish.context_tokens, entry.context_tokens or wish.context_tokens)
        setup = Setup(approach=wish.approach, context_tokens=context, checkpointing=True)
        try:
            estimate = estimate_memory(network, setup)
            low, high = estimate.low_bytes, estimate.high_bytes
            if wish.memory_bytes is not None:
                fits = answer(estimate, wish.memory_bytes)
        except BadInput:
            fits = None
    return Chosen(
        entry=entry, licence=licence, commercial=commercial, parameters=parameters,
        active_parameters=active, fits=fits, low_bytes=low, high_bytes=high,
    )  # fmt: skip


def _order(one: Chosen) -> tuple[str, str, int]:
    """The latest release first, then by family and size."""
    released = one.entry.released or "0000"
    latest = "".join(chr(0x10FFFF - ord(letter)) for letter in released)
    return latest, one.entry.family, one.parameters or 0
