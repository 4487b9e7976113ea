"""`forkpoint estimate`: will it fit, what decides, and what would have to change."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.estimate import Fit, MemoryEstimate, Network, Setup, Stack
    from forkpoint.estimate.reading import Measured

CHECKPOINTING = ("auto", "on", "off")
DEFAULT_CONTEXT = 2048  # tokens, long enough for most instruction data


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"estimate.option_{key}", lang))

    def estimate(
        checkpoint: list[str] = typer.Argument(..., help=say("estimate.option_checkpoint", lang)),
        approach: str = option("lora", "--approach"),
        context: int = option(None, "--context"),
        batch: int = option(1, "--batch"),
        rank: int = option(16, "--rank"),
        gpu: str = option(None, "--gpu"),
        cpu: bool = option(False, "--cpu"),
        devices: int = option(1, "--devices"),
        sharding: str = option("none", "--sharding"),
        offload: str = option("none", "--offload"),
        optimizer: str = option("adamw", "--optimizer"),
        attention: str = option("sdpa", "--attention"),
        checkpointing: str = option("auto", "--checkpointing"),
        stack: str = option("forkpoint", "--stack"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.estimate import read_network

        dials: dict[str, Any] = {
            "approach": approach, "context_tokens": context, "batch": batch, "rank": rank,
            "devices": devices, "sharding": sharding, "offload": offload,
            "optimizer": optimizer, "attention": attention,
            "checkpointing": _checkpointing(checkpointing),
        }  # fmt: skip
        habits = _stack(stack, cpu)
        memory_bytes = _memory_bytes(gpu, cpu)
        found = []
        for name in checkpoint:
            measured = read_network(name)
            setup = _setup(dials, measured.network, habits)
            answer = _answer(measured.network, setup, habits, memory_bytes)
            if checkpointing == "auto" and answer[1] is not None and answer[1].answer != "yes":
                tighter = setup.model_copy(update={"checkpointing": True})  # as a race would
                answer = _answer(measured.network, tighter, habits, memory_bytes)
            found.append((measured, *answer))
        if json or format == "json":
            _print_json(found)
        else:
            _print_text(found, lang)

    return estimate


def _checkpointing(text: str) -> bool:
    """Whether activations are computed twice; `auto` begins as a race does, with all kept."""
    from forkpoint.errors import BadInput

    if text not in CHECKPOINTING:
        known = ", ".join(CHECKPOINTING)
        raise BadInput("estimate.bad-choice", option="checkpointing", found=text, known=known)
    return text == "on"


def _stack(name: str, cpu: bool) -> "Stack":
    from forkpoint.errors import BadInput
    from forkpoint.estimate import OURS_CPU, STACKS

    if cpu:
        return OURS_CPU
    if name not in STACKS:
        known = ", ".join(STACKS)
        raise BadInput("estimate.bad-choice", option="stack", found=name, known=known)
    return STACKS[name]


def _memory_bytes(gpu: str | None, cpu: bool) -> float | None:
    """What was asked for, else this machine's GPU, or its memory for a CPU; None: no fit asked."""
    if gpu is not None:
        from forkpoint.estimate.sizes import size_bytes

        return size_bytes(gpu)
    from forkpoint.facts import read_machine

    machine = read_machine()
    if cpu:
        return float(machine.available_bytes)
    return float(min(one.memory_bytes for one in machine.gpus)) if machine.gpus else None


def _setup(dials: dict[str, Any], network: "Network", stack: "Stack") -> "Setup":
    """The dials as a checked record; raises BadInput naming the option."""
    from pydantic import ValidationError

    from forkpoint.errors import BadInput
    from forkpoint.estimate import Setup

    if dials["context_tokens"] is None:
        context = min(DEFAULT_CONTEXT, network.context_tokens or DEFAULT_CONTEXT)
        dials = {**dials, "context_tokens": context}
    if stack.device == "cpu" and dials["approach"] == "qlora":
        raise BadInput("estimate.qlora-needs-gpu")
    try:
        return Setup.model_validate(dials)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        option = name.removesuffix("_tokens")
        if first["type"] == "literal_error":
            known = str(first["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
            raise BadInput(
                "estimate.bad-choice", option=option, found=dials[name], known=known
            ) from None
        limits = {
            one: Setup.model_json_schema()["properties"][name].get(one)
            for one in ("minimum", "maximum")
        }
        raise BadInput(
            "estimate.bad-dial", option=option, found=dials[name],
            limits=f"{limits['minimum']} - {limits['maximum']}",
        ) from None  # fmt: skip


def _answer(
    network: "Network", setup: "Setup", stack: "Stack", memory_bytes: float | None
) -> tuple["MemoryEstimate", "Fit | None"]:
    from forkpoint.estimate import estimate_memory, fit

    estimate = estimate_memory(network, setup, stack)
    if memory_bytes is None:
        return estimate, None
    return estimate, fit(network, setup, memory_bytes, stack)


def _print_json(found: list[tuple["Measured", "MemoryEstimate", "Fit | None"]]) -> None:
    import orjson

    document = [
        {
            "checkpoint": measured.name,
            "network": measured.network.model_dump(mode="json"),
            "parameters_in_files": measured.parameters_in_files,
            "origin": "estimated",
            "estimate": estimate.model_dump(mode="json"),
            "fit": fit.model_dump(mode="json") if fit is not None else None,
        }
        for measured, estimate, fit in found
    ]
    body = document[0] if len(document) == 1 else {"checkpoints": document}
    print(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())


def _print_text(found: list[tuple["Measured", "MemoryEstimate", "Fit | None"]], lang: str) -> None:
    from forkpoint.report.estimate_text import estimate_text, largest_text

    print("\n".join(estimate_text(*one, lang) for one in found), end="")
    if len(found) > 1 and found[0][2] is not None:
        print("\n" + largest_text(found, lang), end="")
