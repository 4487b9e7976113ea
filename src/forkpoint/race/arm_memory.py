"""Will an arm's trials fit here: estimated from shapes before its checkpoint is even loaded."""

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from forkpoint.data.profile_record import DataProfile
from forkpoint.errors import BadInput, DoesNotFit
from forkpoint.estimate import OURS, OURS_CPU, Setup, Stack, estimate_memory, read_network
from forkpoint.estimate.fitting import answer, remedy
from forkpoint.estimate.memory import CPU_LIBRARIES_BYTES, MemoryEstimate
from forkpoint.estimate.network import Network
from forkpoint.estimate.setup import APPROACHES
from forkpoint.estimate.sizes import size_text
from forkpoint.estimate.states import FLOAT_BYTES, HALF_BYTES
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import MachineFacts
from forkpoint.facts.stopping import stop_plan
from forkpoint.ledger import Correction, DialChange, MemoryPlan, Settings, UnfitArm
from forkpoint.measure.likelihood import LOGITS_AT_ONCE
from forkpoint.models.generation import ANSWER_BATCH
from forkpoint.race.spreading import spread_plan
from forkpoint.train.approach import Method
from forkpoint.train.approach import approach as train_approach
from forkpoint.train.job import BIN_TOKENS, GPU_PACK_TOKENS, PACK_TOKENS

MOST_SHRINK = 2  # times that a trial is made smaller: packs halved, activations computed twice
TEMPLATE_TOKENS = 32  # a row's template around its text, before it is rendered
ROW_COPIES = 2  # of a matrix of which single rows are trained: PEFT writes them into a copy, and
# the gradient of the whole copy comes back [measured: 2.00, tied or not, docs/LOG.md]
NO_CORRECTIONS: Mapping[str, Correction] = {}


class Load(NamedTuple):
    """What a trial asks of memory, beside the network."""

    longest_row: int  # tokens
    largest_step: int  # tokens of one optimizer step
    answer_tokens: int  # limit of an answer
    trained_share: float  # of the tokens that carry loss
    token_rows: bool = False  # single rows of the matrices are trained beside an adapter


class Fitting(NamedTuple):
    """What can be raced in this machine's memory."""

    approaches: dict[str, tuple[str, ...]]  # checkpoint -> approaches that fit
    memory: dict[tuple[str, str], MemoryPlan]  # checkpoint, approach -> what it should take
    unfit: tuple[UnfitArm, ...]
    workers: int  # trials that fit at the same time


def free_bytes(machine: MachineFacts) -> int:
    """Memory that a trial can have: of the GPU where there is one."""
    return machine.gpus[0].free_bytes if machine.gpus else machine.available_bytes


def profile_load(profile: DataProfile, checkpoint: str, settings: Settings) -> Load:
    """The load as the data's profile foresees it, before any row is rendered."""
    tokens = profile.tokens[checkpoint]
    longest = min(settings.context_tokens, round(tokens.largest) + TEMPLATE_TOKENS)
    usual = min(longest, round(tokens.p90) + TEMPLATE_TOKENS)
    answers, prompts = profile.answer_characters, profile.prompt_characters
    share = answers.mean / max(answers.mean + prompts.mean, 1.0)
    return Load(
        longest_row=longest,
        largest_step=max(longest, settings.rows_per_step * usual),
        answer_tokens=max(8, round(longest * answers.largest / max(prompts.largest, 1.0))),
        trained_share=min(1.0, max(0.01, share)),
    )


def trial_setup(approach: str, load: Load, settings: Settings, shrink: int) -> Setup:
    """The dials of a trial as `train` will turn them; raises BadInput for an unknown approach."""
    pack = (PACK_TOKENS if settings.device == "cpu" else GPU_PACK_TOKENS) >> shrink
    width = max(load.longest_row, min(BIN_TOKENS, load.largest_step))
    rows = max(1, min(pack // width, ceil(load.largest_step / width)))
    return Setup(
        approach=method_of(approach, settings) or approach,
        context_tokens=width,
        batch=rows,
        rank=settings.lora_rank,
        half=settings.dtype == "bfloat16",
        checkpointing=shrink > 0,
        passes=max(1, ceil(load.largest_step / (width * rows))),
        trained_share=load.trained_share,
        answer_batch=ANSWER_BATCH,
        answer_tokens=max(1, load.answer_tokens),
        prompt_tokens=load.longest_row,
        scored_logits=LOGITS_AT_ONCE,
    )


def method_of(approach: str, settings: Settings) -> Method | None:
    """How the approach holds and changes weights; None where estimates do not know it.

    Four-bit weights on a CPU have not been measured. Raises BadInput for an unknown approach.
    """
    method = train_approach(approach).METHOD
    measured = method in APPROACHES and (method != "qlora" or settings.device != "cpu")
    return method if measured else None


def reference_bytes(network: Network, approach: str) -> float:
    """The frozen copy of all weights from which preferences are measured."""
    kind = train_approach(approach)
    whole = "preferences" in kind.NEEDS and kind.METHOD == "full"
    return network.parameters * FLOAT_BYTES if whole else 0.0


def row_bytes(network: Network, approach: str, load: Load, settings: Settings) -> float:
    """What training single rows beside an adapter takes; full fine-tuning has them anyway."""
    if not load.token_rows or train_approach(approach).METHOD == "full":
        return 0.0
    element = HALF_BYTES if settings.dtype == "bfloat16" else FLOAT_BYTES
    return float(ROW_COPIES * network.vocabulary * network.hidden * element)


def plan_memory(
    network: Network,
    approach: str,
    load: Load,
    settings: Settings,
    free: int,
    correction: Correction | None = None,
) -> tuple[MemoryPlan, MemoryEstimate]:
    """The least shrunk way to run the arm's trials that may fit into `free` bytes."""
    stack = stack_of(settings)
    factor = correction.factor if correction else 1.0
    beside = reference_bytes(network, approach) + row_bytes(network, approach, load, settings)
    room = free / factor - beside  # in uncorrected bytes
    for shrink in range(MOST_SHRINK + 1):
        estimate = estimate_memory(network, trial_setup(approach, load, settings, shrink), stack)
        if answer(estimate, room) == "yes":
            break
    if answer(estimate, room) == "perhaps":  # the interval straddles: smaller only if that helps
        whole = estimate_memory(network, trial_setup(approach, load, settings, 0), stack)
        if whole.high_bytes <= estimate.high_bytes:
            shrink, estimate = 0, whole
    return (
        MemoryPlan(
            estimated_bytes=round(factor * (estimate.estimated_bytes + beside)),
            low_bytes=round(factor * (estimate.low_bytes + beside)),
            high_bytes=round(factor * (estimate.high_bytes + beside)),
            dominates=estimate.dominates,
            free_bytes=free,
            fits=answer(estimate, room),
            shrink=shrink,
            correction=factor,
            corrected_by=correction.trials if correction else 0,
        ),
        estimate,
    )


def stack_of(settings: Settings) -> Stack:
    """Our own habits on the race's device."""
    return OURS_CPU if settings.device == "cpu" else OURS


def check_fit(
    checkpoints: Mapping[str, CheckpointFacts],
    approaches: Mapping[str, tuple[str, ...]],
    profile: DataProfile,
    settings: Settings,
    machine: MachineFacts,
    corrections: Mapping[str, Correction] = NO_CORRECTIONS,
    most_gpus: int = 1,
) -> Fitting:
    """Which arms fit; raises DoesNotFit when fewer than two do, BadInput for impossible ones.

    `approaches` are by checkpoint; `corrections` by approach, from earlier trials on this machine.
    A trial that one GPU does not hold is spread over up to `most_gpus`.
    """
    fit: dict[str, list[str]] = {}
    memory: dict[tuple[str, str], MemoryPlan] = {}
    unfit: list[UnfitArm] = []
    free = free_bytes(machine)
    for name, found in checkpoints.items():
        network = network_of(found)
        rows = bool(stop_plan(found, settings.template).rows)
        load = profile_load(profile, name, settings)._replace(token_rows=rows)
        for approach in approaches[name]:
            if network is None or method_of(approach, settings) is None:  # not known: it is tried
                fit.setdefault(name, []).append(approach)
                continue
            known = corrections.get(approach)
            plan, estimate = plan_memory(network, approach, load, settings, free, known)
            if plan.fits == "no" and most_gpus > 1:
                dials = [trial_setup(approach, load, settings, n) for n in range(MOST_SHRINK + 1)]
                room = float(free), most_gpus
                plan = spread_plan(network, approach, dials, settings, room, known) or plan
            if plan.fits == "no":
                unfit.append(_unfit(name, approach, plan, estimate, network, settings))
            else:
                fit.setdefault(name, []).append(approach)
                memory[name, approach] = plan
    if unfit and sum(len(chosen) for chosen in fit.values()) < 2:
        raise DoesNotFit(
            "estimate.plan_nothing_fits",
            free=size_text(free),
            arms="; ".join(f"{one.name} {size_text(one.memory.low_bytes)}" for one in unfit),
            changes="; ".join(_change(one) for one in unfit if one.changes) or "-",
        )
    return Fitting(
        approaches={name: tuple(chosen) for name, chosen in fit.items()},
        memory=memory,
        unfit=tuple(unfit),
        workers=_workers(memory, settings, free),
    )


def arm_memory_plans(fitting: Fitting) -> dict[str, MemoryPlan | None]:
    """Checkpoint.approach -> what a trial of it should take; None where that is not known."""
    return {
        f"{name}.{approach}": fitting.memory.get((name, approach))
        for name, approaches in fitting.approaches.items()
        for approach in approaches
    }


def network_of(found: CheckpointFacts) -> Network | None:
    """The checkpoint's network; None where its architecture cannot be computed."""
    try:
        return read_network(str(found.path)).network
    except BadInput:
        return None


def _unfit(
    name: str,
    approach: str,
    plan: MemoryPlan,
    estimate: MemoryEstimate,
    network: Network,
    settings: Settings,
) -> UnfitArm:
    found = remedy(network, estimate.setup, plan.free_bytes, stack_of(settings))
    changes = found.changes if found else ()
    return UnfitArm(
        name=f"{name}.{approach}",
        checkpoint=name,
        approach=approach,
        memory=plan,
        changes=tuple(
            DialChange(dial=one.dial, before=one.before, after=one.after) for one in changes
        ),
        changed_bytes=found.estimate.high_bytes if found else None,
    )


def _change(one: UnfitArm) -> str:
    """A change without words of any language: `base.full: approach full -> lora`."""
    turned = ", ".join(f"{c.dial} {c.before} -> {c.after}" for c in one.changes)
    return f"{one.name}: {turned}"


def _workers(memory: Mapping[tuple[str, str], MemoryPlan], settings: Settings, free: int) -> int:
    """Trials that fit side by side; processes on a CPU share the libraries' pages."""
    if not memory:
        return settings.workers
    largest = max(plan.high_bytes for plan in memory.values())
    shared = CPU_LIBRARIES_BYTES if settings.device == "cpu" else 0.0
    further = max(1.0, largest - shared)
    return max(1, min(settings.workers, 1 + int(max(0.0, free - largest) / further)))
