"""What config.json and the list of files say about the kind of checkpoint."""

import re
from typing import Any

from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals

DEFINES = 5.0  # log-odds; the head of the network defines what it can be used for
SEES = 4.0  # log-odds for vision; the class is named after what goes in [studies/stages.md]
HEADLESS = 4.0  # log-odds for embedding; without a head a network gives vectors
CAUSAL = 1.0  # log-odds for text; most causal language models are that
SORTS = 5.0  # log-odds against text; a head with several labels sorts and writes nothing
NO_STAGE = 3.0  # log-odds for `none`; embedding and reward models are sold without a stage
ADAPTER = 1.0  # log-odds against base; an adapter is the result of tuning

TOWERS = ("vision_config", "vision_tower", "mm_vision_tower", "visual")  # fields of config.json
SCORES = re.compile(r"ForSequenceClassification|RewardModel|ForTokenClassification|WithValueHead")
EMBEDS = re.compile(r"Embed|Bidirectional|Retrieval|ColBERT|ColPali")
# Classes that transformers stores without a head; remote ones (ChatGLMModel) may well write.
BARE = re.compile(
    r"(\w*(Bert|BERT|Roberta|Electra)\w*|MPNet|Ernie|XLM|T5Encoder|Llama|Mistral|Qwen[23](Moe)?|"
    r"Gemma\d?(Text)?|Phi3?)Model"
)
WRITES = re.compile(r"CausalLM|LMHead|ForConditionalGeneration")
# `...ForConditionalGeneration` answers from more than text, except encoder-decoders of text
# [transformers 5.23, models/auto/modeling_auto.py: the lists of both].
ANSWERS = re.compile(r"ForConditionalGeneration$|VisionText2Text$")
TEXT_PAIRS = re.compile(
    r"(M|UM|Long)?T5(Gemma)?For|(ML|M|PL)?BartFor|(BigBird)?Pegasus|Blenderbot|FSMT|LEDFor|M2M100|"
    r"MvpFor|NllbMoe|ProphetNet|SwitchTransformers|(Chat)?GLMFor"
)
HEARS = re.compile(
    r"Audio|Speech|Whisper|A[Ss][Rr]|T[Tt][Ss]|Voice|Voxtral|Transcribe|Moonshine|Canary|Music"
)
NAMED_FOR_IMAGES = re.compile(
    r"V[Ll](?![a-z])|V[Ll]M|Vision|Visual|Llava|O[Cc][Rr]|Multi[Mm]odal|Omni|MM(?=For)|Fuyu|"
    r"(?<!RWK)V(?=For|Chat|$)"
)
UNNAMED_LABEL = re.compile(r"LABEL_\d+")  # what transformers calls a label that nobody named


def architecture_signals(reading: Reading) -> Signals:
    """Evidence from the architecture's name, nested configurations and marker files."""
    signals = Signals()
    config = reading.config
    names = config.get("architectures")
    name = str(names[0]) if isinstance(names, list) and names else ""
    sees = _sees(config, name, signals)
    _gives(reading, name, sees, signals)
    if reading.adapter:
        signals.base("architecture", -ADAPTER, "adapter_config.json")
    return signals


def _sees(config: dict[str, Any], name: str, signals: Signals) -> bool:
    """Whether images go in: the configuration has a tower, or the class says so."""
    tower = next((field for field in TOWERS if config.get(field) is not None), None)
    if tower:
        signals.kind.append(_say("vision", DEFINES, tower))
        return True
    if not HEARS.search(name) and (
        NAMED_FOR_IMAGES.search(name) or (ANSWERS.search(name) and not TEXT_PAIRS.match(name))
    ):
        signals.kind.append(_say("vision", SEES, name))
        return True
    return False


def _gives(reading: Reading, name: str, sees: bool, signals: Signals) -> None:
    """What comes out: scores, vectors or text."""
    pooling = "modules.json" in reading.files or any(
        file.startswith("1_Pooling") for file in reading.files
    )
    if pooling or EMBEDS.search(name):
        found = "modules.json, 1_Pooling" if pooling else name
        _unstaged("embedding", DEFINES, found, signals)
    elif BARE.fullmatch(name) and "AutoModelForCausalLM" not in _remote(reading.config):
        signals.kind.append(_say("embedding", HEADLESS, name))
    if SCORES.search(name):
        labels = reading.config.get("id2label")
        if isinstance(labels, dict) and _sorts(list(map(str, labels.values())), name):
            found = f"{name}: {', '.join(map(str, list(labels.values())[:4]))}"
            signals.kind.append(_say("text", -SORTS, found))
        else:
            _unstaged("reward", DEFINES, name, signals)
    elif WRITES.search(name) and not sees:
        signals.kind.append(_say("text", CAUSAL, name))


def _sorts(labels: list[str], name: str) -> bool:
    """Whether the labels of a head are classes and no score.

    A reward is one number; a process reward may be two labels that nobody named, one a step.
    """
    named = any(not UNNAMED_LABEL.fullmatch(label) for label in labels)
    most = 2 if "ForTokenClassification" in name else 1
    return len(labels) > most or (named and len(labels) > 1)


def _remote(config: dict[str, Any]) -> dict[str, Any]:
    """Classes of the checkpoint's own, by what they are used for."""
    found = config.get("auto_map")
    return found if isinstance(found, dict) else {}


def _unstaged(kind: str, weight: float, found: str, signals: Signals) -> None:
    signals.kind.append(_say(kind, weight, found))
    signals.sold_as.append(_say("none", NO_STAGE, found))


def _say(says: str, weight: float, found: str) -> Evidence:
    return Evidence(signal="architecture", says=says, weight=weight, found=found)
