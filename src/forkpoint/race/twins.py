"""The twin of a tuned checkpoint: the Base it was made from, which can be trained in its place."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from forkpoint.catalogue import entries
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.checkpoint_files import locate
from forkpoint.facts.reading import read_files
from forkpoint.race.checkpoints import read_local

SHOWN = 3  # tensors or tokens that are named when two checkpoints do not match


def find_twins(
    checkpoints: Mapping[str, CheckpointFacts], named: Iterable[str]
) -> dict[str, CheckpointFacts]:
    """Checkpoint -> its twin, verified; checkpoints without one are left out.

    A twin is named by the user, or it is another checkpoint of the race that the model card or
    the catalogue relates to it. Raises BadInput for a named one that is nobody's twin.
    """
    found: dict[str, CheckpointFacts] = {}
    for name in named:
        given = read_local(name)
        why: dict[str, str] = {}
        for owner, checkpoint in checkpoints.items():
            if checkpoint.identity == given.identity:
                continue
            if reason := mismatch(checkpoint, given):
                why[owner] = reason
            else:
                found[owner] = given
        if given.identity in {twin.identity for twin in found.values()}:
            continue
        reasons = "; ".join(f"{owner}: {reason}" for owner, reason in why.items()) or "-"
        raise BadInput("race.twin_of_none", twin=name, reasons=reasons)
    for owner, checkpoint in checkpoints.items():
        if owner in found:
            continue
        for other in checkpoints.values():
            if _related(checkpoint, other, checkpoints) and not mismatch(checkpoint, other):
                found[owner] = other
                break
    return found


def mismatch(checkpoint: CheckpointFacts, twin: CheckpointFacts) -> str | None:
    """Why the difference of one cannot be added to the other: tensors or tokens that differ.

    Names of tensors and tokens only, words of no language.
    """
    one, other = (read_files(locate(str(found.path))) for found in (checkpoint, twin))
    shapes = [{name: place.shape for name, place in read.tensors.items()} for read in (one, other)]
    unlike = sorted(
        name for name in {*shapes[0], *shapes[1]} if shapes[0].get(name) != shapes[1].get(name)
    )
    if unlike:
        return ", ".join(
            f"{name} {shapes[0].get(name, '-')} / {shapes[1].get(name, '-')}"
            for name in unlike[:SHOWN]
        )
    first, second = one.tokenizer.vocabulary, other.tokenizer.vocabulary
    moved = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
    if moved:
        return "tokenizer.json: " + ", ".join(repr(name) for name in moved[:SHOWN])
    return None


def _related(
    checkpoint: CheckpointFacts, other: CheckpointFacts, known: Mapping[str, CheckpointFacts]
) -> bool:
    """Whether `other` is the Base that `checkpoint` was made from, over steps in between too."""
    if other.stage != "base" or checkpoint.stage == "base":
        return False
    if _names(other) & _catalogue_twins(checkpoint):
        return True
    parent, seen = checkpoint.base_model, set[str]()
    while parent and parent not in seen:
        seen.add(parent)
        if _short(parent) in _names(other):
            return True
        between = next((one for one in known.values() if _short(parent) in _names(one)), None)
        parent = between.base_model if between else None
    return False


def _catalogue_twins(checkpoint: CheckpointFacts) -> set[str]:
    names = _names(checkpoint)
    return {
        _short(twin) for entry in entries() if _short(entry.id) in names for twin in entry.twins
    }


def _names(found: CheckpointFacts) -> set[str]:
    return {_short(found.name), _short(str(found.path))}


def _short(name: str) -> str:
    return Path(name).name.lower()
