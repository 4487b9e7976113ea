"""What approaches need beside rows with answers: preferences, raw text, a twin."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from forkpoint.data.row import Row
from forkpoint.data.splits import Splits
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import IneligibleArm
from forkpoint.race.corpus import read_corpus
from forkpoint.race.request import RaceRequest
from forkpoint.race.twins import find_twins
from forkpoint.race.untrained_arms import trained
from forkpoint.train.approach import approach


@dataclass(frozen=True)
class Needs:
    """What was found for the approaches that were asked for."""

    approaches: Mapping[str, tuple[str, ...]]  # checkpoint -> approaches that it can be trained by
    unmet: tuple[IneligibleArm, ...] = ()
    pair_ids: tuple[str, ...] = ()  # rows with a chosen and a rejected answer
    corpus: tuple[Row, ...] = ()  # pieces of raw text
    corpus_left_out: int = 0  # pieces that hold the prompt of a held-out row
    twins: Mapping[str, CheckpointFacts] = field(default_factory=dict)


def meet_needs(
    request: RaceRequest,
    checkpoints: Mapping[str, CheckpointFacts],
    splits: Splits,
    context_tokens: int,
) -> Needs:
    """Find what the approaches need; raises BadInput where none of their arms could be trained."""
    kinds = {name: approach(name) for name in trained(request)}
    wanted = {need for kind in kinds.values() for need in kind.NEEDS}
    pair_ids: tuple[str, ...] = ()
    if "preferences" in wanted:
        every = (*splits.train, *splits.validation, *splits.test)
        pair_ids = tuple(row.id for row in every if row.rejected is not None)
        if not {row.id for row in splits.train if row.rejected is not None}:
            raise BadInput("race.no_preferences", file=request.data, rows=len(splits.train))
    corpus, left_out = _corpus(request, splits, context_tokens, "corpus" in wanted)
    twins: dict[str, CheckpointFacts] = {}
    if "twin" in wanted:
        twins = find_twins(checkpoints, request.twins)
        if not twins:
            raise BadInput("race.no_twins", models=", ".join(checkpoints))
    elif request.twins:
        raise BadInput("race.twin_unused", twin=request.twins[0])
    unmet = tuple(
        IneligibleArm(
            name=f"{owner}.{name}",
            checkpoint=owner,
            approach=name,
            key="race.unmet_twin",
            values={"checkpoint": owner},
        )
        for owner in checkpoints
        for name, kind in kinds.items()
        if "twin" in kind.NEEDS and owner not in twins
    )
    missing = {one.name for one in unmet}
    return Needs(
        approaches={
            owner: tuple(name for name in kinds if f"{owner}.{name}" not in missing)
            for owner in checkpoints
        },
        unmet=unmet,
        pair_ids=pair_ids,
        corpus=corpus,
        corpus_left_out=left_out,
        twins=twins,
    )


def _corpus(
    request: RaceRequest, splits: Splits, context_tokens: int, wanted: bool
) -> tuple[tuple[Row, ...], int]:
    if not wanted:
        if request.corpus is not None:
            raise BadInput("race.corpus_unused", file=request.corpus)
        return (), 0
    if request.corpus is None:
        raise BadInput("race.no_corpus")
    rows, left_out = read_corpus(request.corpus, splits, context_tokens)
    return tuple(rows), left_out
