"""Traces of training in the files: what a trainer leaves behind, where the weights came from."""

import re

from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals
from forkpoint.facts.signals.name import name_signals

LEFT_BEHIND = 2.0  # log-odds against base; publishers of bases rarely ship a trainer's records
NO_CACHE = 1.0  # log-odds against base; gradient checkpointing switches the cache off
INHERITED = 0.8  # share of the parent's name evidence that a copy of its weights has
FROM_TUNED = 2.5  # log-odds against base; what starts from a tuned checkpoint stays tuned

RECORDS = re.compile(
    r"(^|/)(training_args\.bin|trainer_state\.json|train_results\.json|all_results\.json|"
    r"events\.out\.tfevents|runs/|wandb/)|mergekit_config\.yml$|(^|/)optimizer\.pt$"
)
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def training_signals(reading: Reading) -> Signals:
    """Evidence from a trainer's records and from the place that the weights were loaded from."""
    signals = Signals()
    left = next((file for file in reading.files if RECORDS.search(file)), None)
    if left:
        signals.base("training", -LEFT_BEHIND, left[:80])
    if reading.config.get("use_cache") is False:
        signals.base("training", -NO_CACHE, "use_cache false")
    _parent(reading, signals)
    return signals


def _parent(reading: Reading, signals: Signals) -> None:
    """`_name_or_path` of config.json, which older versions of transformers wrote on saving."""
    parent = reading.config.get("_name_or_path")
    if not isinstance(parent, str) or not HUB_ID.fullmatch(parent):
        return
    title = parent.rsplit("/", 1)[-1]
    if title.lower() == reading.title.lower():
        return  # a re-upload under the same name says what the name says
    found = f"_name_or_path {parent}"
    named = name_signals(Reading(name=parent, title=title, config=reading.config)).sold_as
    base = sum(item.weight for item in named if item.says == "base")
    stage = sum(item.weight for item in named if item.says in ("instruct", "it", "chat"))
    if base < 0 or stage > 0:
        signals.base("training", -FROM_TUNED, found)
    elif _copied(reading, title) and base > 0:
        signals.sold_as.append(
            Evidence(signal="training", says="base", weight=INHERITED * base, found=found)
        )


def _copied(reading: Reading, parent: str) -> bool:
    """Whether the weights are the parent's in another format, as far as files and name show it."""
    quantised = any(key.startswith(("quant", "quip", "vptq", "aqlm")) for key in reading.config)
    return quantised or parent.lower() in reading.title.lower()
