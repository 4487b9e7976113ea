"""Which arms keep to the user's limits: licence, memory and time of an answer."""

from collections.abc import Mapping, Sequence

from forkpoint.catalogue.choice import ALLOWED
from forkpoint.errors import BadInput, DoesNotFit
from forkpoint.estimate import OURS, OURS_CPU, estimate_memory
from forkpoint.estimate import Setup as Dials
from forkpoint.estimate.sizes import size_bytes, size_text
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import ArmPlan, IneligibleArm, Limits, Settings, Setup, Speed, UntrainedArm
from forkpoint.race.arm_memory import network_of
from forkpoint.race.request import RaceRequest
from forkpoint.race.untrained_arms import asked, trained

Reason = tuple[str, dict[str, str | int | float]]


def limits_of(request: RaceRequest) -> Limits:
    """The limits of a request; raises BadInput for what is no time or size."""
    latency = request.max_latency
    if latency is not None and not 0 < latency < float("inf"):
        raise BadInput("untrained.bad_latency", found=latency)
    return Limits(
        latency_seconds=latency,
        memory_bytes=round(size_bytes(request.max_memory)) if request.max_memory else None,
        licence=request.licence,
    )


def licensed(
    request: RaceRequest, checkpoints: Mapping[str, CheckpointFacts]
) -> tuple[dict[str, CheckpointFacts], tuple[IneligibleArm, ...]]:
    """The checkpoints whose licence allows what is wished, and the arms of the others."""
    kept: dict[str, CheckpointFacts] = {}
    out: list[IneligibleArm] = []
    for name, found in checkpoints.items():
        reason = _licence_reason(found, request.licence)
        if reason is None:
            kept[name] = found
            continue
        approaches = (*asked(request), *trained(request))
        out += [_ineligible(name, approach, reason) for approach in approaches]
    if not kept:
        _refuse(out)
    return kept, tuple(out)


def _licence_reason(found: CheckpointFacts, wanted: str | None) -> Reason | None:
    if wanted is None:
        return None
    licence = found.licence or "-"
    if wanted in ALLOWED:
        if found.commercial_use in ALLOWED[wanted]:
            return None
        key = "unknown" if found.commercial_use == "unknown" else "forbids"
        return f"untrained.licence_{key}", {"licence": licence, "wanted": wanted}
    if licence.lower() == wanted.lower():
        return None
    return "untrained.licence_other", {"licence": licence, "wanted": wanted}


def eligible(
    request: RaceRequest,
    arms: Sequence[ArmPlan],
    untrained: Sequence[UntrainedArm],
    speeds: Mapping[str, Speed],
    checkpoints: Mapping[str, CheckpointFacts],
    settings: Settings,
) -> tuple[tuple[ArmPlan, ...], tuple[UntrainedArm, ...], tuple[IneligibleArm, ...]]:
    """The arms that keep to the limits, and those that do not; raises DoesNotFit.

    An untrained arm keeps the setups that do, and is out when none does.
    """
    limits = limits_of(request)
    out: list[IneligibleArm] = []
    kept: list[ArmPlan] = []
    for arm in arms:
        speed, found = speeds[arm.checkpoint], checkpoints[arm.checkpoint]
        reason = _over(limits, speed, found, settings, arm.approach)
        if reason is None:
            kept.append(arm)
        else:
            out.append(_ineligible(arm.checkpoint, arm.approach, reason, arm.name))
    kept_untrained: list[UntrainedArm] = []
    for one in untrained:
        speed, found = speeds[one.checkpoint], checkpoints[one.checkpoint]
        reasons = {
            setup.name: _over(limits, speed, found, settings, one.approach, setup)
            for setup in one.setups
        }
        setups = tuple(setup for setup in one.setups if reasons[setup.name] is None)
        left_out = {name: reason[0] for name, reason in reasons.items() if reason is not None}
        if setups:
            changes = {"setups": setups, "left_out": {**one.left_out, **left_out}}
            kept_untrained.append(one.model_copy(update=changes))
        else:
            over = [reason for reason in reasons.values() if reason is not None]
            no_room: Reason = ("untrained.no_room", {"context": settings.context_tokens})
            first = over[0] if over else no_room
            out.append(_ineligible(one.checkpoint, one.approach, first))
    if not kept:
        _refuse(out)
    return tuple(kept), tuple(kept_untrained), tuple(out)


def _over(
    limits: Limits,
    speed: Speed,
    found: CheckpointFacts,
    settings: Settings,
    approach: str,
    setup: Setup | None = None,
) -> Reason | None:
    """Why an arm is over a limit; None when it keeps to all."""
    seconds = answer_alone_seconds(speed, setup.prompt_tokens if setup else None)
    most = limits.latency_seconds
    if most is not None and seconds is not None and seconds > most:
        return "untrained.too_slow", {"seconds": float(f"{seconds:.3g}"), "limit": most}
    if limits.memory_bytes is not None:
        needs = answer_bytes(found, settings, approach, setup.prompt_tokens if setup else None)
        if needs is not None and needs > limits.memory_bytes:
            return (
                "untrained.too_large",
                {"needs": size_text(needs), "limit": size_text(limits.memory_bytes)},
            )
    return None


def answer_alone_seconds(speed: Speed, prompt_tokens: float | None) -> float | None:
    """Seconds of one answer asked by itself, by the speed probe; None where it did not look."""
    if speed.alone_prompt_seconds is None or speed.alone_step_seconds is None:
        return None
    usual = speed.prompt_tokens or 1.0
    reading = speed.alone_prompt_seconds * (prompt_tokens or usual) / usual
    return reading + speed.answer_tokens * speed.alone_step_seconds


def answer_bytes(
    found: CheckpointFacts, settings: Settings, approach: str, prompt_tokens: float | None
) -> int | None:
    """Memory of answering one prompt at a time, estimated; None for an unknown architecture."""
    network = network_of(found)
    if network is None:
        return None
    dials = Dials(
        approach="prompt",  # whatever it was trained in, an arm answers in the race's own type
        context_tokens=settings.context_tokens,
        half=settings.dtype == "bfloat16",
        rank=settings.lora_rank,
        answer_batch=1,
        prompt_tokens=max(1, round(prompt_tokens)) if prompt_tokens else None,
    )
    estimate = estimate_memory(network, dials, OURS_CPU if settings.device == "cpu" else OURS)
    return next(phase.bytes for phase in estimate.phases if phase.name == "answers")


def _ineligible(
    checkpoint: str, approach: str, reason: Reason, name: str | None = None
) -> IneligibleArm:
    return IneligibleArm(
        name=name or f"{checkpoint}.{approach}",
        checkpoint=checkpoint,
        approach=approach,
        key=reason[0],
        values=reason[1],
    )


def _refuse(out: Sequence[IneligibleArm]) -> None:
    """No arm that is trained keeps to the limits: nothing to race."""
    raise DoesNotFit("untrained.none_eligible", arms="; ".join(map(_short, out)))


def _short(one: IneligibleArm) -> str:
    """An arm and its reason without words of any language: `base.full 3.2 s > 2 s`."""
    values = one.values
    match one.key:
        case "untrained.too_slow":
            return f"{one.name} {values['seconds']:g} s > {values['limit']:g} s"
        case "untrained.too_large":
            return f"{one.name} {values['needs']} > {values['limit']}"
    return " ".join([one.name, *(str(value) for value in values.values())])
