"""Where the trials of a planned race run, when that is not this machine alone."""

from forkpoint.estimate.sizes import size_text
from forkpoint.ledger import Agreement, MemoryPlan
from forkpoint.words import say


def engine_lines(agreement: Agreement, lang: str) -> list[str]:
    """The cluster's nodes, how many trials they take side by side, and what one asks for."""
    engine = agreement.engine
    if engine.kind == "local":
        return []
    names = ", ".join(node.name for node in engine.nodes)
    cpus = max(engine.cpus.values(), default=1.0)
    gpus = max(engine.gpus.values(), default=0.0)
    spread = [arm for arm in agreement.arms if arm.memory and arm.memory.devices > 1]
    need = f"{cpus:g} CPU" + (f", {gpus:.3g} GPU" if gpus else "")
    return [
        say(
            "cluster.plan",
            lang,
            nodes=names if engine.address else say("cluster.plan_here", lang),
            cpus=f"{sum(node.cpus for node in engine.nodes):g}",
            gpus=f"{sum(node.gpus for node in engine.nodes):g}",
            workers=agreement.settings.workers,
            need=need,
        ),
        *(_spread(arm.name, arm.memory, lang) for arm in spread if arm.memory),
    ]


def _spread(arm: str, memory: MemoryPlan, lang: str) -> str:
    """Why an arm has several GPUs, and what each of them holds."""
    how = say(f"cluster.spread_{memory.spread}", lang)
    size = size_text(memory.high_bytes)
    return say("cluster.plan_spread", lang, arm=arm, devices=memory.devices, how=how, size=size)
