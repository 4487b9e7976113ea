"""What is known of a checkpoint without loading its weights."""

from typing import Literal

from forkpoint.facts.behaviour import Behaviour
from forkpoint.facts.row_reading import RowReading
from forkpoint.record import Record

SoldAs = Literal["base", "instruct", "chat", "it", "thinking", "none"]
PostTraining = Literal[
    "none", "instruction_rich", "sft", "sft_preference", "reasoning_rl", "unknown"
]
Kind = Literal["text", "code", "vision", "embedding", "reward", "thinking"]
Stage = Literal["base", "instruct", "chat"]  # the guides' three stages, by a stated mapping


class Evidence(Record):
    """One signal and what it says; `weight` is its log-odds for `says` against the rest."""

    signal: str  # "name", "template", "generation_config", "card", "tokenizer", "weights"
    says: str
    weight: float
    found: str  # what was found, verbatim, e.g. "eos_token_id [151645, 151643]"


class Judgement(Record):
    """A conclusion from several signals, with a probability for every possible value."""

    value: str  # "unknown" when no value reaches one half
    probability: float
    probabilities: dict[str, float]
    evidence: tuple[Evidence, ...]


class Notice(Record):
    """Something a person should know, as a catalogue key and its values."""

    code: str  # a stable short name, e.g. "eos-disagree"
    level: Literal["info", "warning", "danger"]
    key: str
    values: dict[str, str | int | float]


class TemplateFacts(Record):
    """What the chat template of a checkpoint does; all None where there is none."""

    present: bool
    source: str | None = None  # "chat_template.jinja" or "tokenizer_config.json"
    sha256: str | None = None
    turn_tokens: tuple[str, ...] = ()  # special tokens that it emits around a turn
    end_of_turn: str | None = None  # the token that ends an assistant turn
    generation_prompt: bool | None = None
    system_role: bool | None = None
    default_system_prompt: str | None = None
    clock: bool | None = None  # the date or time enters the text
    prefix_preserving: bool | None = None
    trims_answers: bool | None = None
    thinking: bool | None = None  # writes or removes reasoning
    bos_twice: bool | None = None
    error: str | None = None


class ShapeFacts(Record):
    """The shape of the network, from config.json and safetensors headers."""

    architecture: str
    model_type: str
    parameters: int | None
    active_parameters: int | None
    hidden_size: int | None
    layers: int | None
    heads: int | None
    kv_heads: int | None
    head_dim: int | None
    intermediate_size: int | None
    vocabulary: int | None
    context_tokens: int | None
    tied_embeddings: bool | None
    experts: int | None
    dtype: str | None
    quantisation: str | None  # "gptq-4bit", "awq-4bit", "bnb-4bit", "fp8", "gguf", ... or None


class CheckpointFacts(Record):
    """All that is known of one checkpoint without loading weights."""

    name: str  # as the user named it
    path: str | None  # the local folder, None when only the Hub knows it
    family: str | None  # "qwen3", "llama-3.1", "pocket", ...
    kind: Judgement
    sold_as: Judgement
    post_training: Judgement
    stage: Stage | None  # the guides' stage by the stated mapping; None when unknown
    shape: ShapeFacts
    template: TemplateFacts
    tokenizer_eos: str | None
    generation_eos: tuple[str, ...]  # tokens at which generation ends by its own config
    bos: str | None
    pad: str | None
    licence: str | None
    commercial_use: Literal["yes", "conditions", "no", "unknown"]
    weights_bytes: int | None
    revision: str | None
    file_hashes: dict[str, str]  # file name -> sha256 of its bytes (small files, headers)
    identity: str  # one hash over weights' headers and sizes, tokenizer and template
    notices: tuple[Notice, ...] = ()
    base_model: str | None = None  # what it was made from, by card or adapter configuration
    special_rows: tuple[RowReading, ...] = ()  # empty where the weights are not on this machine
    behaviour: Behaviour | None = None  # where a probe loaded the weights
    relation: str | None = None  # to base_model: "finetune", "adapter", "quantized", "merge"
