"""What the model card says: parents and relation, tags, data sets, sentences."""

import re

from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals
from forkpoint.facts.signals.name import name_signals

CHILD = 2.0  # log-odds against base; a tuned child names its parent
SAME_TUNING = 0.8  # share of the parent's name evidence that a quantised copy inherits
TAG = 2.0  # log-odds; tags such as "chat" or "pretrained" are written by the publisher
TRAINER_TAG = 2.0  # log-odds against base; trainers write these, seldom for pre-training
METHOD_TAG = 3.5  # log-odds against base; the method of post-training by its name
INSTRUCTION_DATA = 2.5  # log-odds against base; a set of instructions or conversations is named
TEXT_DATA = 1.5  # log-odds for base; a corpus of pre-training is named
SENTENCE = 2.5  # log-odds; a sentence that defines the checkpoint
PREFERENCE_DATA = 2.0  # log-odds; a preference data set is named

BASE_SENTENCES = re.compile(
    r"(do not|don't|not) recommend using base (language )?models? for conversation|"
    r"Training Stage: Pretraining\s*$|is a pretrained (generative|language|base)|"
    r"repo(sitory)? contains the base|this is the base model|has not been (fine-?tuned|aligned|"
    r"instruction)|base model[^.\n]{0,40}(without|no) (any )?(instruction|moderation|fine)|"
    r"raw,? pre-?trained|continu(ed|al|ous(ly)?) pre-?train|foundation language model",
    re.IGNORECASE | re.MULTILINE,
)
TUNED_SENTENCES = re.compile(
    r"Pretraining (\(.*\) )?& Post-?training|repo(sitory)? contains the (instruct|chat)|"
    r"(is|are) (an? )?(instruction|instruct|chat)[- ](fine-?)?tuned|apply_chat_template|"
    r"(is|are) (an? )?fine-?tuned? (\(\w+\) )?(version )?of|has been fine-?tuned (on|for|to)|"
    r"fine-?tuned from|post-?trained on|supervised fine-?tuned|\bDPO (phase|step|stage)\b|"
    r"trained to (act as|be) (a )?helpful",
    re.IGNORECASE | re.MULTILINE,
)
PREFERENCE_SENTENCES = re.compile(
    r"\b(DPO|RLHF|PPO|direct preference|preference (optimi[sz]ation|alignment|tuning)|"
    r"reinforcement learning (from|with) human)", re.IGNORECASE
)  # fmt: skip
SUPERVISED_SENTENCES = re.compile(r"\b(SFT|supervised fine-?tuning)\b", re.IGNORECASE)
REASONING_SENTENCES = re.compile(
    r"\b(GRPO|RLVR|reinforcement learning (with|from) verifiable|long chain-of-thought|"
    r"reasoning model)", re.IGNORECASE
)  # fmt: skip
TRAINER_TAGS = frozenset({
    "generated_from_trainer", "trl", "axolotl", "llama-factory", "autotrain", "merge", "mergekit",
    "alignment-handbook", "finetune", "finetuned", "fine-tuned", "lora",
})  # fmt: skip
METHOD_TAGS = frozenset({"sft", "dpo", "orpo", "kto", "rlhf", "ppo", "grpo", "simpo", "chatml"})
INSTRUCTION_SETS = re.compile(
    r"alpaca|instruct|orca|chat|guanaco|sharegpt|oasst|dolly|hermes|feedback|dpo|rlhf|hh-|capybara|"
    r"conversation|preference|sft|tulu|magpie|self-?oss|wizard|vicuna"
)
TEXT_SETS = re.compile(
    r"refinedweb|fineweb|redpajama|\bpile\b|the-stack|starcoderdata|dolma|olmo-mix|dolmino|"
    r"slimpajama|culturax|oscar|wikipedia|smollm-corpus|\bc4\b|cosmopedia|madlad"
)
TAG_WORDS = {
    "base": "base", "pretrained": "base", "chat": "chat", "instruct": "instruct",
    "instruction-tuned": "instruct", "reasoning": "thinking",
}  # fmt: skip


def card_signals(reading: Reading) -> Signals:
    """Evidence from the front matter and the text of the card."""
    signals = Signals()
    _parents(reading, signals)
    _tags(reading, signals)
    _sentences(reading.card.text, signals)
    return signals


def _parents(reading: Reading, signals: Signals) -> None:
    card = reading.card
    if not card.base_models:
        return
    parent = card.base_models[0]
    if card.relation == "quantized":
        inherited = name_signals(
            Reading(name=parent, title=parent.rsplit("/", 1)[-1], config=reading.config)
        )
        for ours, theirs in (
            (signals.sold_as, inherited.sold_as), (signals.post_training, inherited.post_training),
            (signals.kind, inherited.kind),
        ):  # fmt: skip
            ours.extend(
                _say(item.says, SAME_TUNING * item.weight, f"quantized {parent}: {item.found}")
                for item in theirs
            )
        return
    found = f"base_model {parent}" + (f" ({card.relation})" if card.relation else "")
    signals.base("card", -CHILD, found)


def _tags(reading: Reading, signals: Signals) -> None:
    for tag in reading.card.tags:
        lowered = tag.lower()
        if lowered in TAG_WORDS:
            signals.sold_as.append(_say(TAG_WORDS[lowered], TAG, f"tags: {tag}"))
        if lowered in ("dpo", "rlhf", "orpo", "kto"):
            signals.post_training.append(_say("sft_preference", TAG, f"tags: {tag}"))
        if lowered == "sft":
            signals.post_training.append(_say("sft", TAG, f"tags: {tag}"))
        if lowered == "grpo":
            signals.post_training.append(_say("reasoning_rl", TAG, f"tags: {tag}"))
        if lowered in ("code", "coding"):
            signals.kind.append(_say("code", TAG, f"tags: {tag}"))
        if lowered in ("sentence-similarity", "feature-extraction", "sentence-transformers"):
            signals.kind.append(_say("embedding", TAG, f"tags: {tag}"))
        if lowered in ("reward-model", "reward"):
            signals.kind.append(_say("reward", TAG, f"tags: {tag}"))
    _training_tags(reading.card.tags, signals)
    _datasets(reading.card.datasets, signals)
    if reading.card.pipeline in ("image-text-to-text", "visual-question-answering"):
        signals.kind.append(_say("vision", TAG, f"pipeline_tag {reading.card.pipeline}"))
    if reading.card.pipeline in ("sentence-similarity", "feature-extraction"):
        signals.kind.append(_say("embedding", TAG, f"pipeline_tag {reading.card.pipeline}"))


def _training_tags(tags: tuple[str, ...], signals: Signals) -> None:
    """One voice for all tags that a trainer writes: they come together."""
    method = next((tag for tag in tags if tag.lower() in METHOD_TAGS), None)
    trainer = next((tag for tag in tags if tag.lower() in TRAINER_TAGS), None)
    if method:
        signals.base("card", -METHOD_TAG, f"tags: {method}")
    elif trainer:
        signals.base("card", -TRAINER_TAG, f"tags: {trainer}")


def _datasets(datasets: tuple[str, ...], signals: Signals) -> None:
    """One voice for each kind of data set, however many are named."""
    lowered = {dataset: dataset.lower() for dataset in datasets}
    instruct = next((d for d, name in lowered.items() if INSTRUCTION_SETS.search(name)), None)
    corpus = next((d for d, name in lowered.items() if TEXT_SETS.search(name)), None)
    if instruct:
        signals.base("card", -INSTRUCTION_DATA, f"datasets: {instruct}")
    elif corpus:
        signals.base("card", TEXT_DATA, f"datasets: {corpus}")
    for dataset, name in lowered.items():
        if re.search(r"feedback|preference|dpo|rlhf|hh-", name):
            signals.post_training.append(
                _say("sft_preference", PREFERENCE_DATA, f"datasets: {dataset}")
            )
            return


def _sentences(text: str, signals: Signals) -> None:
    if found := BASE_SENTENCES.search(text):
        signals.base("card", SENTENCE, _quote(found))
    if found := TUNED_SENTENCES.search(text):
        signals.base("card", -SENTENCE, _quote(found))
    if found := PREFERENCE_SENTENCES.search(text):
        signals.post_training.append(_say("sft_preference", SENTENCE, _quote(found)))
    elif found := SUPERVISED_SENTENCES.search(text):
        signals.post_training.append(_say("sft", SENTENCE / 2, _quote(found)))
    if found := REASONING_SENTENCES.search(text):
        signals.post_training.append(_say("reasoning_rl", SENTENCE / 2, _quote(found)))


def _say(says: str, weight: float, found: str) -> Evidence:
    return Evidence(signal="card", says=says, weight=weight, found=found)


def _quote(found: re.Match[str]) -> str:
    return " ".join(found[0].split())[:120]
