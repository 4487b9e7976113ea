"""What config.json and the list of files say about the kind of checkpoint."""

import re

from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals

DEFINES = 5.0  # log-odds; the head of the network defines what it can be used for
CAUSAL = 1.0  # log-odds for text; most causal language models are that
NO_STAGE = 3.0  # log-odds for `none`; embedding and reward models are sold without a stage
ADAPTER = 1.0  # log-odds against base; an adapter is the result of tuning


def architecture_signals(reading: Reading) -> Signals:
    """Evidence from the architecture's name, nested configurations and marker files."""
    signals = Signals()
    config = reading.config
    names = config.get("architectures")
    name = str(names[0]) if isinstance(names, list) and names else ""
    if "vision_config" in config or "vision_tower" in config or "visual" in config:
        signals.kind.append(_say("vision", DEFINES, "vision_config"))
    if "modules.json" in reading.files or any(f.startswith("1_Pooling") for f in reading.files):
        signals.kind.append(_say("embedding", DEFINES, "modules.json, 1_Pooling"))
        signals.sold_as.append(_say("none", NO_STAGE, "modules.json, 1_Pooling"))
    if re.search(
        r"ForSequenceClassification|RewardModel|ForTokenClassification|WithValueHead", name
    ):
        signals.kind.append(_say("reward", DEFINES, name))
        signals.sold_as.append(_say("none", NO_STAGE, name))
    elif re.search(r"CausalLM|LMHead|ForConditionalGeneration", name):
        signals.kind.append(_say("text", CAUSAL, name))
    if reading.adapter:
        signals.base("architecture", -ADAPTER, "adapter_config.json")
    return signals


def _say(says: str, weight: float, found: str) -> Evidence:
    return Evidence(signal="architecture", says=says, weight=weight, found=found)
