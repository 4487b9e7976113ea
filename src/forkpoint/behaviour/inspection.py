"""Everything that loading a checkpoint's weights adds to its facts."""

from collections.abc import Callable

from forkpoint.behaviour.probing import probe
from forkpoint.behaviour.room import make_room
from forkpoint.behaviour.stop_trial import STEPS, StopTrial, stop_trials
from forkpoint.errors import BadInput
from forkpoint.facts import CheckpointFacts, read_checkpoint, read_machine
from forkpoint.facts.stopping import StopPlan, stop_plan
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.record import Record

CONTEXT_TOKENS = 512  # of prompt and answer together


class Inspection(Record):
    """Facts with behaviour, the plan for stopping, and the short trainings."""

    facts: CheckpointFacts
    stopping: StopPlan
    trials: tuple[StopTrial, ...]


def inspect_behaviour(
    name: str, watch: Callable[..., None] = lambda key, **values: None
) -> Inspection:
    """Ask a checkpoint the probes and train it briefly; safetensors only, no code of its own.

    Raises BadInput where there is nothing to load, DoesNotFit where memory is short.
    """
    facts = read_checkpoint(name)
    if facts.path is None or facts.weights_bytes is None or facts.relation == "adapter":
        raise BadInput("probe.not_loaded", name=name)
    room = make_room([facts], read_machine(), CONTEXT_TOKENS)
    watch("probe.probing", name=name)
    model = load_model(facts.path, dtype=room.dtype, device=room.device)
    seen = probe(facts, model, load_tokenizer(facts.path))
    del model
    facts = read_checkpoint(name, behaviour=seen)
    watch("probe.training", name=name, steps=STEPS)
    trials = stop_trials(facts, room.device)
    return Inspection(facts=facts, stopping=stop_plan(facts), trials=trials)
