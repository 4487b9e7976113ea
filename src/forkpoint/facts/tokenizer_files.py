"""A tokenizer as its files describe it: vocabulary, added tokens, begin, end and padding."""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from forkpoint.errors import Unreadable
from forkpoint.facts.clean_text import clean

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
SKIPPED = frozenset({"merges"})  # half of the file, and no fact is in it


@dataclass(frozen=True)
class AddedToken:
    """A token outside the learned vocabulary."""

    content: str
    id: int
    special: bool


@dataclass(frozen=True)
class TokenizerFacts:
    """What the tokenizer's files say; every field is empty when there are none."""

    kind: str | None = None  # "BPE", "Unigram", "WordPiece", "sentencepiece", "tiktoken"
    vocabulary: dict[str, int] = field(default_factory=dict)  # added tokens included
    added: tuple[AddedToken, ...] = ()
    bos: str | None = None
    eos: str | None = None
    pad: str | None = None
    unk: str | None = None
    adds_bos: bool | None = None  # puts BOS before every text by itself
    adds_eos: bool | None = None
    template: Any = None  # chat_template as found in tokenizer_config.json
    token_class: str | None = None
    model_max_length: int | None = None

    @cached_property
    def by_id(self) -> dict[int, str]:
        """Token of each id; added tokens win."""
        names = {index: token for token, index in self.vocabulary.items()}
        return names | {token.id: token.content for token in self.added}

    def id_of(self, token: str | None) -> int | None:
        """Id of a token, None when the vocabulary does not have it."""
        return None if token is None else self.vocabulary.get(token)

    @property
    def size(self) -> int | None:
        """One more than the largest id."""
        return max(self.vocabulary.values()) + 1 if self.vocabulary else None


def read_tokenizer(
    tokenizer_json: bytes | None,
    config: dict[str, Any],
    special_map: dict[str, Any],
    added_json: dict[str, Any],
    vocab_json: dict[str, Any],
    other_kind: str | None,
) -> TokenizerFacts:
    """Put together tokenizer.json, tokenizer_config.json and their older companions."""
    parsed = _members("tokenizer.json", tokenizer_json) if tokenizer_json is not None else {}
    model = parsed.get("model") if isinstance(parsed.get("model"), dict) else {}
    vocabulary = _vocabulary(model.get("vocab")) if model else _vocabulary(vocab_json)
    added = _added(parsed.get("added_tokens"), config.get("added_tokens_decoder"), added_json)
    vocabulary |= {token.content: token.id for token in added}
    bos, eos, pad, unk = (
        _token(config.get(name, special_map.get(name)))
        for name in ("bos_token", "eos_token", "pad_token", "unk_token")
    )
    begins, ends = _adds(parsed.get("post_processor"), eos)
    return TokenizerFacts(
        kind=(model.get("type") if model else None) or other_kind,
        vocabulary=vocabulary,
        added=added,
        bos=bos,
        eos=eos,
        pad=pad,
        unk=unk,
        adds_bos=_flag(config.get("add_bos_token"), begins),
        adds_eos=_flag(config.get("add_eos_token"), ends),
        template=config.get("chat_template"),
        token_class=config.get("tokenizer_class"),
        model_max_length=_length(config.get("model_max_length")),
    )


def _members(file: str, data: bytes) -> Any:
    """The members of a JSON object, the huge ones that hold no fact left out.

    Reading member by member keeps a 35 MB tokenizer.json far below its full size in memory.
    """
    try:
        text = data.decode("utf-8")
        found = _object(text, _skip(text, 0), depth=0)[0]
        return clean(found) if "\\ud" in text or "\\uD" in text else found
    except (ValueError, IndexError, RecursionError):
        raise Unreadable("facts.bad_json", file=file) from None


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    """One object from its brace on; below `model`, reading stops where the merges begin."""
    if text[at] != "{":
        raise ValueError
    members: dict[str, Any] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        if text[at] != '"':
            raise ValueError
        key, at = scanstring(text, at + 1, True)
        at = _skip(text, at)
        if text[at] != ":":
            raise ValueError
        at = _skip(text, at + 1)
        if depth and key in SKIPPED and "vocab" in members:
            return members, at
        if depth == 0 and key == "model" and text[at] == "{":
            members[key], at = _object(text, at, depth + 1)
            if "merges" not in members[key] and text[at] not in "},":
                return members, at  # the merges were left out: nothing after them is read
        else:
            members[key], at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return members, at + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _vocabulary(found: Any) -> dict[str, int]:
    if isinstance(found, dict):
        return {token: index for token, index in found.items() if type(index) is int}
    if isinstance(found, list):  # Unigram: [[piece, log probability], ...] by id
        return {
            entry[0]: index
            for index, entry in enumerate(found)
            if isinstance(entry, list) and entry and isinstance(entry[0], str)
        }
    return {}


def _added(listed: Any, decoder: Any, older: dict[str, Any]) -> tuple[AddedToken, ...]:
    """Added tokens of tokenizer.json, else of tokenizer_config.json, else of added_tokens.json."""
    found: dict[int, AddedToken] = {}
    for name, number in older.items():
        if type(number) is int:
            found[number] = AddedToken(str(name), number, special=True)
    entries: list[tuple[Any, Any]] = []
    if isinstance(decoder, dict):
        entries += list(decoder.items())
    if isinstance(listed, list):
        entries += [(item.get("id"), item) for item in listed if isinstance(item, dict)]
    for index, item in entries:
        if not isinstance(item, dict) or not str(index).isdigit():
            continue
        content = item.get("content")
        if isinstance(content, str):
            special = bool(item.get("special"))
            found[int(index)] = AddedToken(content, int(index), special)
    return tuple(found[index] for index in sorted(found))


def _adds(processor: Any, eos: str | None) -> tuple[bool | None, bool | None]:
    """Whether the post-processor puts BOS before and EOS after a single text."""
    steps = [processor] if isinstance(processor, dict) else []
    if steps and isinstance(processor.get("processors"), list):
        steps = [step for step in processor["processors"] if isinstance(step, dict)]
    for step in steps:
        if step.get("type") == "TemplateProcessing":
            pieces = [next(iter(piece.items())) for piece in step.get("single") or () if piece]
            names = [
                value.get("id") if kind == "SpecialToken" and isinstance(value, dict) else None
                for kind, value in pieces
            ]
            begins = len(names) > 1 and names[0] is not None
            return begins, len(names) > 1 and names[-1] is not None and names[-1] == eos
    return (False, False) if isinstance(processor, dict) else (None, None)


def _flag(stated: Any, measured: bool | None) -> bool | None:
    """The post-processor is what runs; the setting counts where there is none."""
    if measured:
        return True
    return stated if isinstance(stated, bool) and measured is None else measured


def _token(entry: Any) -> str | None:
    if isinstance(entry, dict):
        entry = entry.get("content")
    return entry if isinstance(entry, str) else None


def _length(value: Any) -> int | None:
    """A stated maximum; the 10**30 that stands for 'none stated' is none."""
    return int(value) if isinstance(value, int | float) and 0 < value < 10**12 else None
