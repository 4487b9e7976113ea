"""What the parts of a name say: stage words, methods, precision, and the family's convention."""

import re

from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.families import Family, family_of, own_words
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals

STAGE_WORD = 5.0  # log-odds; a stage word in a name is nearly a definition [A7]
METHOD_WORD = 4.0  # log-odds; -sft, -dpo name the last training step
UNMARKED = 2.5  # log-odds; a convention has exceptions in every family [A7]
UNSIZED = 1.0  # log-odds; a family's word without a size is rarely a publisher's own name
OWN_NAME = 1.5  # log-odds for a name without a stage; continued pre-training has such names too
OWN_NAME_BASE = 0.8  # log-odds against base beside it: together 1.5, as found
COMMUNITY_TUNE = 3.0  # log-odds; names of well-known tuning recipes
KIND_WORD = 4.0  # log-odds; coder, vl, embedding, reward, or a family that is all of one kind
AGAINST = 3.0  # log-odds; a tuning word speaks against base as such

BASE_WORDS = ("base", "pretrain", "pretrained", "foundation", "stage1", "stage2")
INSTRUCT_WORDS = ("instruct", "instruction", "inst", "instructed")
CHAT_WORDS = ("chat", "assistant", "dialogue", "dialog", "chatbot", "chatty")
THINKING_WORDS = ("thinking", "think", "reasoning", "reasoner", "r1", "qwq", "cot", "s1", "o1")
MERGE_WORDS = ("merge", "slerp", "ties", "linear", "stock", "sce", "della", "dare", "mergekit")
TUNING_WORDS = (
    *MERGE_WORDS, "sft", "dpo", "rlhf", "ppo", "orpo", "kto", "simpo", "grpo", "rl", "rlvr", "ipo",
    "rlaif", "aligned", "lora", "merged", "finetuned", "finetune", "ft", "distill", "distilled",
    "abliterated", "uncensored",
)  # fmt: skip
PREFERENCE_WORDS = ("dpo", "rlhf", "ppo", "orpo", "kto", "simpo", "ipo", "rlaif", "aligned")
# Tunes whose names carry no stage word; all are conversational by their own cards.
RECIPES = ("vicuna", "alpaca", "wizardlm", "hermes", "openhermes", "dolphin", "openchat", "zephyr",
           "tulu", "orca", "airoboros", "guanaco", "starling", "koala", "wizardcoder", "magicoder",
           "openorca", "nous", "saiga", "samantha", "mythomax", "neural", "notus", "wizardmath",
           "metamath", "openthinker", "platypus", "camel", "openbuddy")  # fmt: skip
ENCODERS = re.compile(r"\b(bert|roberta|deberta|electra|t5|bge|gte|e5|xlm|opt|bart|albert)\b")
CODE_WORDS = re.compile(r"cod(er|e|ing)|starcoder|stral-code|devstral|codestral|swe\b|sql")
VISION_WORDS = re.compile(
    r"\b(vl|vision|omni|v|multimodal|mm|ocr\d*|\d+v|ovis\d*)\b|internvl|llava|paligemma|vlm\b|"
    r"cog(agent|vlm)|mineru|molmo|florence|fuyu|\bblip"
)
EMBEDDING_WORDS = re.compile(r"embed|2vec|\b(bge|gte|gme|e5|sbert|minilm|retriever|rerank(er)?)\b")
REWARD_WORDS = re.compile(r"reward|\b(rm|prm\w*|orm)\b")
SIZE = re.compile(r"\d(\.\d+)?[bmkt]\b|gpt-?2|bloom|phi-?\d|mpt|opt|pocket", re.IGNORECASE)


def words_of(title: str) -> tuple[str, ...]:
    """The parts of a name in lower case: `Qwen3-4B-Instruct-2507` -> qwen3, 4b, instruct, 2507."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]|RM\b)", "-", title)
    return tuple(part for part in re.split(r"[-_/\s.]+", spaced.lower()) if part)


def name_signals(reading: Reading) -> Signals:
    """Evidence from the name that the publisher, or the user's folder, gives the checkpoint."""
    title = reading.title
    model_type = str(reading.config.get("model_type", ""))
    family = family_of(title, model_type)
    signals = Signals()
    marked = _stage_words(title, family, signals)
    _method_words(title, signals)
    if not marked:
        _convention(title, family, signals)
    _kind_words(title, family, signals)
    _alignment(title, family, signals)
    return signals


def _add(into: list[Evidence], says: str, weight: float, found: str) -> None:
    into.append(Evidence(signal="name", says=says, weight=weight, found=found))


def _stage_words(title: str, family: Family, signals: Signals) -> bool:
    """Stage words; the last one in the name wins, since names grow at the end."""
    words = words_of(title)
    stage, word_found = None, ""
    for place, word in enumerate(words):
        said = _stage_of(word, words[:place], family)
        if said is not None and not (said == "thinking" and stage == "base"):
            stage, word_found = said, word
    if stage is None:
        return False
    _add(signals.sold_as, stage, STAGE_WORD, word_found)
    if stage == "base":
        _add(signals.post_training, "none", METHOD_WORD, word_found)
        _add(signals.post_training, "instruction_rich", METHOD_WORD - 1, word_found)
    return True


def _stage_of(word: str, before: tuple[str, ...], family: Family) -> str | None:
    """The stage that one word names; `pt` is pre-trained in Gemma and PyTorch in ERNIE."""
    if word in BASE_WORDS and not (word == "base" and ENCODERS.search(" ".join(before))):
        return "base"
    if word == "pt" and "gemma" in family.name:
        return "base"
    if word in INSTRUCT_WORDS:
        return "instruct"
    if word == "it":
        return "it"
    if word in CHAT_WORDS:
        return "chat"
    if word in THINKING_WORDS:
        return "thinking"
    return None


def _method_words(title: str, signals: Signals) -> None:
    words = [word.rstrip("0123456789") or word for word in words_of(title)]
    for word in words:
        if word in TUNING_WORDS:
            _add(signals.sold_as, "base", -AGAINST, word)
        if word in PREFERENCE_WORDS:
            _add(signals.post_training, "sft_preference", METHOD_WORD, word)
        elif word == "sft":
            _add(signals.post_training, "sft", METHOD_WORD, word)
        elif word in ("distill", "distilled"):
            _add(signals.post_training, "sft", METHOD_WORD - 1, word)
        elif word in (*THINKING_WORDS, "zero", "rl", "rlvr", "grpo"):
            _add(signals.post_training, "reasoning_rl", METHOD_WORD - 1, word)
    if any(word.startswith(RECIPES) for word in words):
        recipe = next(word for word in words if word.startswith(RECIPES))
        _add(signals.sold_as, "base", -COMMUNITY_TUNE, recipe)
        _add(signals.sold_as, "chat", COMMUNITY_TUNE / 2, recipe)
        _add(signals.post_training, "sft", COMMUNITY_TUNE / 2, recipe)


def _convention(title: str, family: Family, signals: Signals) -> None:
    """What a name without a stage word means in its family."""
    own = own_words(title, family) if family.pattern else ()
    if own:  # somebody's own name on a family's checkpoint: mostly a tune, the files decide
        _add(signals.sold_as, "base", -OWN_NAME_BASE, " ".join(own))
        _add(signals.sold_as, "none", OWN_NAME, " ".join(own))
        _add(signals.post_training, "none", -OWN_NAME, " ".join(own))
    elif family.unmarked == "base":
        weight = UNMARKED if SIZE.search(title) else UNSIZED
        _add(signals.sold_as, "base", weight, f"{family.name}: {title}")
        _add(signals.post_training, "none", weight, f"{family.name}: {title}")
    if family.unmarked == "tuned":
        _add(signals.sold_as, "base", -UNMARKED, f"{family.name}: {title}")
        _add(signals.sold_as, "none", UNMARKED, f"{family.name}: {title}")


def _alignment(title: str, family: Family, signals: Signals) -> None:
    """Tuned checkpoints of most families since 2023 went through preference optimisation."""
    stages = {evidence.says for evidence in signals.sold_as if evidence.weight > UNMARKED - 1}
    if not stages & {"instruct", "chat", "it", "none"}:
        return
    if family.aligned and family.name:
        _add(signals.post_training, "sft_preference", UNMARKED, family.name)
    elif "chat" not in stages:  # Chat says preference training by the word [A3], but not surely
        _add(signals.post_training, "sft", UNMARKED / 2, family.name or title)


def _kind_words(title: str, family: Family, signals: Signals) -> None:
    plain = " ".join(words_of(title))
    if family.kind:
        _add(signals.kind, family.kind, KIND_WORD, family.name)
    for kind, pattern in (
        ("code", CODE_WORDS), ("vision", VISION_WORDS),
        ("embedding", EMBEDDING_WORDS), ("reward", REWARD_WORDS),
    ):  # fmt: skip
        if found := pattern.search(plain):
            _add(signals.kind, kind, KIND_WORD, found[0])
    for word in words_of(title):
        if word in THINKING_WORDS:
            _add(signals.kind, "thinking", KIND_WORD, word)
            break
