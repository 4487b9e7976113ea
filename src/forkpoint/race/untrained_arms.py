"""The untrained arms of a race, planned: what each will try, and how long its prompts will be."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forkpoint.data.profile_record import DataProfile
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import DocumentsPlan, Settings, Setup, Speed, UntrainedArm
from forkpoint.plan.forecast import Asking
from forkpoint.race.offers import check_here
from forkpoint.race.request import RaceRequest
from forkpoint.train.approach import approach
from forkpoint.untrained import PROMPT, kind, kinds
from forkpoint.untrained.documents import read_documents, write_documents
from forkpoint.untrained.sources import Usual, Wish


def trained(request: RaceRequest) -> tuple[str, ...]:
    """The approaches that train, in the order in which they were named."""
    return tuple(name for name in request.approaches if name not in kinds())


def asked(request: RaceRequest) -> tuple[str, ...]:
    """The approaches that do not: prompt in every race, then those that were named."""
    named = dict.fromkeys(name for name in request.approaches if name in kinds())
    return tuple(dict.fromkeys([PROMPT, *named]))


def check_approaches(request: RaceRequest) -> None:
    """Refuse names that are no approach, and races in which nothing is trained."""
    for name in trained(request):
        try:
            kind_of_training = approach(name)
        except BadInput as unknown:
            known = ", ".join([*kinds(), str(unknown.values["known"])])
            raise BadInput("train.unknown_approach", name=name, known=known) from None
        check_here(kind_of_training)
    if request.shots and "few-shot" not in request.approaches:
        raise BadInput("untrained.shots_unused", shots=request.shots[0])
    if not trained(request):
        raise BadInput("untrained.only_untrained", approaches=", ".join(request.approaches))


def documents_of(request: RaceRequest, folder: Path) -> DocumentsPlan | None:
    """Read the folder that is retrieved from, and keep its passages; raises BadInput."""
    if request.documents is None:
        return None
    if set(asked(request)) == {PROMPT}:
        raise BadInput("untrained.documents_unused", folder=request.documents)
    found = read_documents(request.documents, request.strict)
    write_documents(folder, found.passages)
    return DocumentsPlan(
        folder=found.folder,
        files=found.files,
        passages=len(found.passages),
        passage_characters=sum(len(one.text) for one in found.passages) / len(found.passages),
        left_out=found.left_out,
    )


def check_setups(
    request: RaceRequest, settings: Settings, rows: int, documents: DocumentsPlan | None
) -> None:
    """Refuse what cannot be asked before any checkpoint is loaded; raises BadInput."""
    names = asked(request)
    if settings.metric == "bits_per_byte" and len(names) > 1:
        raise BadInput("untrained.raw_text", approaches=", ".join(names[1:]))
    for name in names:
        kind(name).setups(_wish(request, rows, documents))


def _wish(request: RaceRequest, rows: int, documents: DocumentsPlan | None) -> Wish:
    return Wish(
        rows=rows,
        passages=documents.passages if documents else 0,
        passage_characters=documents.passage_characters if documents else 0.0,
        shots=request.shots,
    )


def plan_untrained(
    request: RaceRequest,
    checkpoints: Mapping[str, CheckpointFacts],
    surveys: Mapping[str, dict[str, Any]],
    profile: DataProfile,
    settings: Settings,
    held: tuple[int, DocumentsPlan | None],
) -> tuple[UntrainedArm, ...]:
    """Every checkpoint with every way to ask it; `held`: training rows, documents."""
    wish = _wish(request, *held)
    arms = []
    for name, found in checkpoints.items():
        survey = surveys[name]
        for way in asked(request):
            setups, left_out = _setups(way, wish, survey, profile, settings)
            arms.append(
                UntrainedArm(
                    name=f"{name}.{way}",
                    checkpoint=name,
                    approach=way,
                    stage=found.stage,
                    setups=setups,
                    left_out=left_out,
                )
            )
    return tuple(arms)


def _setups(
    way: str, wish: Wish, survey: Mapping[str, Any], profile: DataProfile, settings: Settings
) -> tuple[tuple[Setup, ...], dict[str, str]]:
    """What is tried in each rendering; what no usual row has room for is left out."""
    renderings: Mapping[str, Mapping[str, int]] = survey["renderings"]
    kept: list[Setup] = []
    left_out: dict[str, str] = {}
    for rendering, lengths in renderings.items():
        usual = _usual(lengths, survey["prompt_tokens"][rendering], profile, wish)
        room = settings.context_tokens - survey["answer_tokens"]
        for setup in kind(way).setups(wish):
            several = f"{rendering}-" if len(renderings) > 1 else ""
            tokens = kind(way).prompt_tokens(setup, usual)
            if tokens > room and way != PROMPT:
                left_out[f"{several}{setup.name}"] = "untrained.setup_too_long"
                continue
            changes = {
                "name": f"{several}{setup.name}", "rendering": rendering, "prompt_tokens": tokens
            }  # fmt: skip
            kept.append(setup.model_copy(update=changes))
    return tuple(sorted(kept, key=lambda setup: setup.prompt_tokens or 0.0)), left_out


def _usual(
    lengths: Mapping[str, int], prompt_tokens: float, profile: DataProfile, wish: Wish
) -> Usual:
    """Mean lengths of the rows as one checkpoint reads them."""
    row_tokens = sum(lengths.values()) / max(1, len(lengths))
    characters = profile.prompt_characters.mean + profile.answer_characters.mean
    return Usual(
        prompt_tokens=prompt_tokens,
        row_tokens=row_tokens,
        passage_tokens=wish.passage_characters * row_tokens / max(1.0, characters),
    )


def asking_pieces(arms: Sequence[UntrainedArm], speeds: Mapping[str, Speed]) -> tuple[Asking, ...]:
    """What the untrained arms will ask, as the forecast counts it."""
    found = []
    for arm in arms:
        usual = speeds[arm.checkpoint].prompt_tokens or 0.0
        for setup in arm.setups:
            longer = (setup.prompt_tokens or usual) / usual if usual else 1.0
            found.append(Asking(arm.checkpoint, arm.name, max(1.0, longer)))
    return tuple(found)
