"""Families of checkpoints: how they are recognised and what an unmarked name means in each.

The convention is what a publisher calls the checkpoint that has no stage word in its name
[claim A7: `Qwen3-4B` is tuned and its base is marked, `Llama-2-7b` is the base].
"""

import re
from dataclasses import dataclass
from typing import Literal

Unmarked = Literal["base", "tuned", "open"]


@dataclass(frozen=True)
class Family:
    """One family, its pattern on a lower-case name and its convention."""

    name: str
    pattern: str
    unmarked: Unmarked
    aligned: bool = True  # its tuned checkpoints went through preference optimisation
    kind: str | None = None  # of all its checkpoints, whether or not their names say so


# The first pattern that matches decides, so newer and longer names stand first.
FAMILIES = (
    Family("pocket", r"^pocket-", "open", aligned=False),
    Family("deepseek-r1", r"deepseek-r1", "tuned"),
    Family("deepseek-v3", r"deepseek-v3", "tuned"),
    Family("deepseek-v2", r"deepseek-(coder-)?v2", "tuned"),
    Family("deepseek-coder", r"deepseek-coder", "open", aligned=False),
    Family("deepseek-prover", r"deepseek-prover", "tuned", kind="thinking"),
    Family("deepseek-math", r"deepseek-math", "open"),
    Family("deepseek", r"deepseek", "open"),
    Family("gpt-oss", r"gpt-oss", "tuned", kind="thinking"),
    Family("qvq", r"qvq", "tuned", kind="vision"),
    Family("qwq", r"qwq", "tuned"),
    Family("qwen3.5", r"qwen-?3\.[5-9]", "tuned", kind="vision"),
    Family("qwen3-vl", r"qwen-?3-vl", "tuned"),
    Family("qwen3-coder", r"qwen-?3-coder", "tuned"),
    Family("qwen3", r"qwen-?3", "tuned"),
    Family("qwen2.5-coder", r"qwen-?2\.5-coder", "base"),
    Family("qwen2.5-math", r"qwen-?2\.5-math", "base"),
    Family("qwen2.5-vl", r"qwen-?2\.5-(vl|omni)", "tuned"),
    Family("qwen2.5", r"qwen-?2\.5", "base"),
    Family("qwen2-vl", r"qwen-?2-vl", "tuned"),
    Family("qwen2", r"qwen-?2", "base"),
    Family("qwen1.5", r"qwen-?1\.5", "base"),
    Family("codeqwen1.5", r"codeqwen", "base"),
    Family("qwen", r"qwen", "base"),
    Family("codellama", r"code-?llama", "base", aligned=False),
    Family("tinyllama", r"tiny-?llama", "base"),
    Family("open-llama", r"open-?llama", "base"),
    Family("llama-4", r"llama-?4", "base"),
    Family("llama-3.3", r"llama-?3\.3", "tuned"),
    Family("llama-3.2-vision", r"llama-?3\.2.*vision", "base"),
    Family("llama-3.2", r"llama-?3\.2", "base"),
    Family("llama-3.1", r"llama-?3[._]1", "base"),
    Family("llama-3", r"llama-?3", "base"),
    Family("llama-2", r"llama-?2", "base"),
    Family("llama", r"llama", "base"),
    Family("codegemma", r"codegemma", "base"),
    Family("medgemma", r"medgemma", "open"),
    Family("recurrentgemma", r"recurrentgemma", "base"),
    Family("paligemma", r"paligemma", "open"),
    Family("gemma-3n", r"gemma-?3n", "base"),
    Family("gemma-3", r"gemma-?3", "base"),
    Family("gemma-2", r"gemma-?2", "base"),
    Family("gemma", r"gemma", "base"),
    Family("mixtral", r"mixtral", "base"),
    Family("ministral", r"ministral", "open"),
    Family("mistral-nemo", r"mistral-?nemo", "open"),
    Family("mistral-small", r"mistral-small", "open"),
    Family("codestral", r"codestral", "tuned"),
    Family("mistral", r"mistral", "base", aligned=False),
    Family("phi-4", r"phi-?4", "tuned"),
    Family("phi-3", r"phi-?3", "tuned"),
    Family("phi-2", r"phi-?2", "base"),
    Family("phi-1.5", r"phi-?1[._-]5", "base"),
    Family("phi-1", r"phi-?1", "base"),
    Family("codegeex", r"codegeex", "open"),
    Family("chatglm", r"chatglm", "tuned"),
    Family("glm-4.5", r"glm-4\.[5-9]|glm-[5-9]", "tuned"),
    Family("glm-z1", r"glm-z1", "tuned", kind="thinking"),
    Family("glm-4-0414", r"glm-4-.*0414", "tuned"),
    Family("glm-4", r"glm-?4", "base"),
    Family("glm", r"glm", "base"),
    Family("yi-coder", r"^yi-coder", "base"),
    Family("yi-1.5", r"^yi-1\.5", "base"),
    Family("yi", r"^yi-", "base"),
    Family("baichuan2", r"baichuan-?2", "open"),
    Family("baichuan", r"baichuan", "base"),
    Family("internlm3", r"internlm3", "tuned"),
    Family("internlm2.5", r"internlm2[._]5", "base"),
    Family("internlm2", r"internlm2", "base"),
    Family("internlm", r"internlm", "base", aligned=False),
    Family("minicpm", r"minicpm", "tuned"),
    Family("ernie-4.5", r"ernie", "tuned"),
    Family("hunyuan", r"hunyuan", "open"),
    Family("kimi-k2.5", r"kimi-?k2\.5", "tuned", kind="vision"),
    Family("kimi", r"kimi|moonlight", "open"),
    Family("mimo", r"mimo", "tuned"),
    Family("seed-oss", r"seed-oss", "open"),
    Family("ring", r"^ring-", "tuned", kind="thinking"),
    Family("ling", r"^ling-", "tuned"),
    Family("aquila", r"aquila", "base", aligned=False),
    Family("xverse", r"xverse", "base", aligned=False),
    Family("skywork", r"skywork", "open"),
    Family("telechat", r"telechat", "tuned"),
    Family("falcon3", r"falcon-?3", "open"),
    Family("falcon-h1", r"falcon-h1", "open"),
    Family("falcon", r"falcon", "base", aligned=False),
    Family("smollm3", r"smollm-?3(?!\d)", "tuned"),
    Family("smollm2", r"smollm-?2", "base"),
    Family("smollm", r"smollm", "base"),
    Family("olmo-3", r"olmo-?3", "open"),
    Family("olmo-2", r"olmo-?2", "base"),
    Family("olmoe", r"olmoe", "base"),
    Family("olmo", r"olmo", "base"),
    Family("tulu", r"tulu", "tuned"),
    Family("granite", r"granite", "open"),
    Family("command-r", r"command-?r|c4ai|aya", "tuned"),
    Family("jamba", r"jamba", "open"),
    Family("stablelm", r"stable-?(lm|code)", "open"),
    Family("starcoder", r"starcoder", "base", aligned=False),
    Family("exaone", r"exaone", "tuned"),
    Family("solar", r"solar", "open"),
    Family("nemotron", r"nemotron", "open"),
    Family("lfm2", r"lfm-?2", "tuned"),
    Family("mpt", r"^mpt-", "base", aligned=False),
    Family("bloomz", r"bloomz", "tuned", aligned=False),
    Family("bloom", r"bloom", "base"),
    Family("pythia", r"pythia", "base"),
    Family("gpt-neox", r"gpt-?neox", "base"),
    Family("gpt-neo", r"gpt-?neo", "base"),
    Family("gpt-j", r"gpt-?j\b", "base"),
    Family("gpt2", r"gpt-?2", "base"),
    Family("opt", r"^opt-", "base"),
    Family("rwkv", r"rwkv", "open"),
    Family("mamba", r"mamba", "base"),
    Family("flan-t5", r"flan-(t5|ul2)", "tuned", aligned=False),
    Family("t5", r"\bt5\b", "base"),
)

# Parts of a name that say size, version, length, precision or format, and nothing of training.
_PLAIN_WORD = re.compile(
    r"v?\d+(\.\d+)*[a-z]?|\d+(\.\d+)?[bmkt]|\d+x\d+(\.\d+)?b|[ae]\d+(\.\d+)?b|hf|meta|mini|small|"
    r"medium|large|tiny|nano|micro|x+l|lite|moe|dense|mamba|preview|intermediate|step|deduped|"
    r"multilingual|code|coder|math|vl|vision|audio|omni|text|long|ctx|unsloth|bnb|\d(\.\d+)?bits?|"
    r"gptq|awq|gguf|mlx|exl[23]|hqq|vptq|quip|qtip|aqlm|e8p(rvq)?|fp8|fp16|bf16|nf4|int[48]|ov|onnx|"
    r"w\d+a\d+|q\d|k|m|s|dynamic|static|quantized|marlin|safetensors|sharded|pt|base|"
    r"(re)?upload(ed)?|copy|mirror|clone|backup|fix(ed)?|tokfix"
)
_UNKNOWN = Family("", "", "open", aligned=False)


def own_words(title: str, family: Family) -> tuple[str, ...]:
    """Words of a name beyond family, size, version and precision: a derived checkpoint's own name.

    >>> own_words("Llama-3.1-8B", family_of("Llama-3.1-8B"))
    ()
    >>> own_words("Llama-3-8B-Synthia-v3.5", family_of("Llama-3-8B-Synthia-v3.5"))
    ('synthia',)
    """
    rest = re.sub(family.pattern, " ", title.lower().replace("_", "-"), count=1)
    words = re.split(r"[-/\s]+|(?<!\d)\.|\.(?!\d)", rest)
    return tuple(word for word in words if word and not _PLAIN_WORD.fullmatch(word))


def family_of(title: str, model_type: str = "") -> Family:
    """The family by the name, else by config.json's model_type with an open convention."""
    lowered = title.lower().replace("_", "-")
    for family in FAMILIES:
        if re.search(family.pattern, lowered):
            return family
    if model_type and model_type != "unknown":
        return Family(model_type, "", "open", aligned=False)
    return _UNKNOWN
