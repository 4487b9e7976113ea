"""Ask several checkpoints the same and say what differs, from what they did."""

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from forkpoint.behaviour.difference import Difference, Tally, differences, tallies
from forkpoint.behaviour.features import Features, features
from forkpoint.behaviour.probes import Probe
from forkpoint.behaviour.room import Room, make_room
from forkpoint.behaviour.talker import Decoding, Talker, Way
from forkpoint.facts import read_checkpoint, read_machine
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.models.generation import Answer
from forkpoint.record import Record

PROMPT_TOKENS = 512  # of a prompt, for the memory it needs; longer ones are rare here


class Request(Record):
    """What is compared and how."""

    checkpoints: tuple[str, ...]
    probes: tuple[Probe, ...]
    ways: tuple[Way, ...] = ("template", "raw")
    decoding: Decoding = Decoding()


class Said(Record):
    """One answer."""

    checkpoint: int  # place in the request: the same name may be asked twice
    probe: str
    way: Way
    answer: Answer | None  # None: no template, or it refuses this prompt
    features: Features | None


class Asked(Record):
    """One checkpoint, by name and by what its files say."""

    name: str
    stage: Literal["base", "instruct", "chat"] | None
    identity: str
    template: bool
    needs_bytes: int


class Comparison(Record):
    """Everything that was said and what follows from it."""

    checkpoints: tuple[Asked, ...]
    request: Request
    room: Room
    said: tuple[Said, ...]
    tallies: tuple[Tally, ...]
    differences: tuple[Difference, ...]


class Piece(Record):
    """A bit of text as it is made; `answer` is set with the last bit."""

    checkpoint: int
    probe: str
    way: Way
    text: str = ""
    answer: Answer | None = None
    missing: bool = False  # it cannot be asked this way


Watch = Callable[[Piece], None]


def compare(request: Request, watch: Watch = lambda _: None) -> Comparison:
    """Let every checkpoint answer every prompt; `watch` sees the text as it comes.

    Raises DoesNotFit where not even one at a time fits, BadInput for what cannot be loaded.
    """
    facts = [read_checkpoint(name) for name in request.checkpoints]
    longest = max(len(probe.text) for probe in request.probes)
    context = max(PROMPT_TOKENS, longest) + request.decoding.limit_tokens
    room = make_room(facts, read_machine(), context)
    said: list[Said] = []
    if room.at_once == "all":
        talkers = [Talker(one, room.dtype, room.device) for one in facts]
        for probe in request.probes:
            for place, talker in enumerate(talkers):
                said += _ask(talker, place, [probe], request, watch)
    else:
        for place, one in enumerate(facts):
            talker = Talker(one, room.dtype, room.device)
            said += _ask(talker, place, request.probes, request, watch)
            del talker
            gc.collect()
    return Comparison(
        checkpoints=_asked(facts, room),
        request=request,
        room=room,
        said=tuple(said),
        tallies=tallies(_seen(said)),
        differences=differences(_seen(said), len(facts)),
    )


def _ask(
    talker: Talker, place: int, probes: Sequence[Probe], request: Request, watch: Watch
) -> Iterator[Said]:
    for probe in probes:
        for way in request.ways:
            prompt = talker.prompt(probe, way)
            if not prompt:
                watch(Piece(checkpoint=place, probe=probe.id, way=way, missing=True))
                yield Said(checkpoint=place, probe=probe.id, way=way, answer=None, features=None)
                continue
            answer = None
            for piece in talker.say(prompt, talker.end_ids(way), request.decoding):
                if isinstance(piece, Answer):
                    answer = piece
                    watch(Piece(checkpoint=place, probe=probe.id, way=way, answer=piece))
                else:
                    watch(Piece(checkpoint=place, probe=probe.id, way=way, text=piece))
            if answer is not None:
                yield Said(
                    checkpoint=place, probe=probe.id, way=way, answer=answer,
                    features=features(probe, answer, raw=way == "raw"),
                )  # fmt: skip


def _seen(said: Sequence[Said]) -> dict[tuple[int, str, Way], Features]:
    return {(one.checkpoint, one.probe, one.way): one.features for one in said if one.features}


def _asked(facts: Sequence[CheckpointFacts], room: Room) -> tuple[Asked, ...]:
    return tuple(
        Asked(
            name=one.name,
            stage=one.stage,
            identity=one.identity,
            template=one.template.present and one.template.error is None,
            needs_bytes=needs,
        )
        for one, needs in zip(facts, room.needs_bytes, strict=True)
    )
