"""Everything that is read from a checkpoint's files, before anything is concluded from it."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from forkpoint.errors import BadInput, Unreadable
from forkpoint.facts.behaviour import Behaviour
from forkpoint.facts.card import Card, read_card
from forkpoint.facts.checkpoint_facts import TemplateFacts
from forkpoint.facts.checkpoint_files import CheckpointFiles
from forkpoint.facts.clean_text import clean
from forkpoint.facts.gguf_header import GGUFHeader, read_gguf
from forkpoint.facts.gguf_reading import config_of, generation_of, template_of, tokenizer_of
from forkpoint.facts.row_reading import RowReading
from forkpoint.facts.safetensors_header import TensorPlace, read_header
from forkpoint.facts.template_facts import read_template
from forkpoint.facts.tokenizer_files import TokenizerFacts, read_tokenizer

HASHED_FILES = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json",
    "tokenizer.model", "vocab.json", "merges.txt", "adapter_config.json",
    "model.safetensors.index.json",
)  # fmt: skip
PICKLE_ENDINGS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
NOT_WEIGHTS = re.compile(r"training_args|optimizer|scheduler|rng_state|trainer_state|scaler")
ESCAPED_SURROGATE = rb"\ud"  # how JSON writes half a character, mostly beside its other half
SAMPLES, SAMPLE_BYTES = 16, 4_096  # blocks a shard: twins of one shape differ only in their data
SHARD_LIMIT = 1_000  # files; the largest public checkpoints have under 300


@dataclass(frozen=True)
class Reading:
    """The contents of the files of one checkpoint."""

    name: str  # as the user named it
    title: str  # the last part of the name, or of the folder behind it
    files: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    generation: dict[str, Any] = field(default_factory=dict)
    adapter: dict[str, Any] = field(default_factory=dict)
    tokenizer: TokenizerFacts = field(default_factory=TokenizerFacts)
    template_text: str | None = None
    template: TemplateFacts = field(default_factory=lambda: TemplateFacts(present=False))
    card: Card = field(default_factory=Card)
    tensors: dict[str, TensorPlace] = field(default_factory=dict)
    gguf: GGUFHeader | None = None
    weights_bytes: int | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    pickles: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    rows: tuple[RowReading, ...] = ()
    behaviour: Behaviour | None = None  # where weights were loaded and asked


def read_files(files: CheckpointFiles) -> Reading:
    """Read all small files and the headers of the weights."""
    if not files.sizes:
        raise BadInput("facts.no_checkpoint", name=files.name)
    kept: dict[str, bytes] = {}
    for file in HASHED_FILES:
        data = files.read(file)
        if data is not None:
            kept[file] = data
    hashes = {file: hashlib.sha256(data).hexdigest() for file, data in kept.items()}
    config = json_object("config.json", kept)
    gguf = _gguf(files, hashes) if not config else None
    tensors, header_hashes = _headers(files, kept)
    hashes |= header_hashes
    source: str | None
    if gguf is not None:
        config, generation = config_of(gguf), generation_of(gguf)
        tokenizer = tokenizer_of(gguf)
        template_text, source = template_of(gguf), "gguf"
    else:
        generation = json_object("generation_config.json", kept)
        tokenizer = _tokenizer(files, kept)
        template_text, source = _template(kept, tokenizer)
    code = _code(config, json_object("tokenizer_config.json", kept), tuple(files.sizes))
    return Reading(
        name=files.name,
        title=_title(files),
        files=tuple(files.sizes),
        config=config,
        generation=generation,
        adapter=json_object("adapter_config.json", kept),
        tokenizer=tokenizer,
        template_text=template_text,
        template=read_template(template_text, source, tokenizer),
        card=read_card(files.read("README.md"), files.hub_tags),
        tensors=tensors,
        gguf=gguf,
        weights_bytes=_weights_bytes(files),
        hashes=hashes,
        pickles=_pickles(tuple(files.sizes)),
        code=code,
    )


def json_object(file: str, kept: dict[str, bytes]) -> dict[str, Any]:
    """A JSON object from a file, empty when there is no such file."""
    if file not in kept:
        return {}
    try:
        value = json.loads(kept[file].decode("utf-8-sig"))
        value = clean(value) if ESCAPED_SURROGATE in kept[file].lower() else value
    except (ValueError, RecursionError):
        raise Unreadable("facts.bad_json", file=file) from None
    if not isinstance(value, dict):
        raise Unreadable("facts.bad_json", file=file)
    return value


def _title(files: CheckpointFiles) -> str:
    """The name without its folders; in the Hub's cache the folder above the commit has it."""
    name = files.name.rstrip("/").rsplit("/", 1)[-1]
    if files.path is None:
        return name
    path = files.path.resolve()
    if path.parent.name == "snapshots" and path.parent.parent.name.startswith("models--"):
        return path.parent.parent.name.rsplit("--", 1)[-1]
    return path.name if name in ("", ".", "..") else name


def _tokenizer(files: CheckpointFiles, kept: dict[str, bytes]) -> TokenizerFacts:
    other = None
    if "tokenizer.model" in files.sizes:
        other = "sentencepiece"
    elif any(file.endswith(".tiktoken") or file == "tiktoken.model" for file in files.sizes):
        other = "tiktoken"
    vocabulary = {} if "tokenizer.json" in kept else json_object("vocab.json", kept)
    return read_tokenizer(
        kept.get("tokenizer.json"),
        json_object("tokenizer_config.json", kept),
        json_object("special_tokens_map.json", kept),
        json_object("added_tokens.json", kept),
        vocabulary,
        other,
    )


def _template(kept: dict[str, bytes], tokenizer: TokenizerFacts) -> tuple[str | None, str | None]:
    """The chat template and the file it stands in; the jinja file wins, as in transformers."""
    if "chat_template.jinja" in kept:
        text = kept["chat_template.jinja"].decode("utf-8", "replace")
        return text, "chat_template.jinja"
    inside = json_object("chat_template.json", kept).get("chat_template")
    if isinstance(inside, str):
        return inside, "chat_template.json"
    found = tokenizer.template
    if isinstance(found, list):
        named = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = named.get("default") or next(iter(named.values()), None)
    return (found, "tokenizer_config.json") if isinstance(found, str) else (None, None)


def _headers(
    files: CheckpointFiles, kept: dict[str, bytes]
) -> tuple[dict[str, TensorPlace], dict[str, str]]:
    """All tensors of all shards, and one hash a shard over its header's facts."""
    shards = _shards(files, kept)
    tensors: dict[str, TensorPlace] = {}
    hashes: dict[str, str] = {}
    for shard in shards:
        size = files.sizes[shard]
        found = read_header(shard, size, partial(files.read_range, shard))
        tensors |= found
        lines = [f"{size}"] + [
            f"{name} {place.dtype} {place.shape} {place.start}"
            for name, place in sorted(found.items())
        ]
        digest = hashlib.sha256("\n".join(lines).encode())
        if files.path is not None:
            for start in _sample_places(size):
                digest.update(files.read_range(shard, start, SAMPLE_BYTES))
        hashes[f"{shard} (header)"] = digest.hexdigest()
    return tensors, hashes


def _sample_places(size_bytes: int) -> list[int]:
    """Where to look into the weights: training changes all of them, so a few blocks tell."""
    step = max(size_bytes // SAMPLES, SAMPLE_BYTES)
    return list(range(0, size_bytes, step))


def _shards(files: CheckpointFiles, kept: dict[str, bytes]) -> list[str]:
    """The safetensors files that make up the weights; all of an index must be there."""
    index = json_object("model.safetensors.index.json", kept).get("weight_map")
    if isinstance(index, dict):
        named = sorted({str(file) for file in index.values()})
        if len(named) > SHARD_LIMIT:
            raise Unreadable(
                "facts.weights_absurd", file="model.safetensors.index.json", found=f"{len(named):,}"
            )
        missing = [file for file in named if file not in files.sizes]
        present = [file for file in named if file in files.sizes]
        if missing and present:
            raise Unreadable(
                "facts.shards_missing", name=files.name, missing=missing[0][:80], count=len(missing)
            )
        return present
    for single in ("model.safetensors", "adapter_model.safetensors"):
        if single in files.sizes:
            return [single]
    return sorted(file for file in files.sizes if file.endswith(".safetensors"))[:SHARD_LIMIT]


def _gguf(files: CheckpointFiles, hashes: dict[str, str]) -> GGUFHeader | None:
    """The first GGUF file, when there is one; a split file carries its settings in part 1."""
    found = sorted(file for file in files.sizes if file.endswith(".gguf"))
    if not found:
        return None
    file = found[0]
    header = read_gguf(
        file, files.sizes[file], lambda start, length: files.read_range(file, start, length)
    )
    digest = hashlib.sha256(str(files.sizes[file]).encode())
    for start in range(0, header.bytes_read, 1 << 20):
        length = min(1 << 20, header.bytes_read - start)
        digest.update(files.read_range(file, start, length))
    hashes[f"{file} (header)"] = digest.hexdigest()
    return header


def _weights_bytes(files: CheckpointFiles) -> int | None:
    """Bytes of the weights in their best format."""
    for endings in ((".safetensors",), (".gguf",), PICKLE_ENDINGS):
        sizes = [
            size
            for file, size in files.sizes.items()
            if file.endswith(endings) and not NOT_WEIGHTS.search(file)
        ]
        if sizes:
            return sum(sizes) if endings != (".gguf",) else min(sizes)
    return None


def _pickles(files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        file for file in files if file.endswith(PICKLE_ENDINGS) and not NOT_WEIGHTS.search(file)
    )


def _code(
    config: dict[str, Any], tokenizer_config: dict[str, Any], files: tuple[str, ...]
) -> tuple[str, ...]:
    """Python files that the configuration wants to be run."""
    if "auto_map" not in config and "auto_map" not in tokenizer_config:
        return ()
    return tuple(file for file in files if file.endswith(".py")) or ("auto_map",)
