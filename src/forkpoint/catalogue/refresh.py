"""Ask the Hub for the facts of the catalogue's checkpoints; nothing but their names is sent."""

from collections.abc import Callable
from datetime import date
from typing import Any

from forkpoint.catalogue.entry import Entry
from forkpoint.catalogue.shelf import refreshed_path, shipped
from forkpoint.errors import BadInput, ForkpointError, Unreadable
from forkpoint.facts.card import read_card
from forkpoint.facts.hub_files import HubFiles
from forkpoint.facts.reading import json_object
from forkpoint.record import Record

SHAPE_FIELDS = (
    "model_type", "hidden_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size", "tie_word_embeddings",
    "num_experts", "num_local_experts", "num_experts_per_tok", "moe_intermediate_size",
    "sliding_window",
)  # fmt: skip


class Refreshed(Record):
    """What a refresh did."""

    day: date
    updated: tuple[str, ...]
    changed: dict[str, tuple[str, ...]]  # id -> facts that are not what they were
    failed: dict[str, str]  # id -> catalogue key of the reason


def refresh(day: date, watch: Callable[[str], None] = lambda _: None) -> Refreshed:
    """Read card and configuration of every entry anew and keep what was found.

    Raises Unreadable when the Hub cannot be reached at all.
    """
    found: list[Entry] = []
    changed: dict[str, tuple[str, ...]] = {}
    failed: dict[str, str] = {}
    for entry in shipped():
        watch(entry.id)
        try:
            newer = _asked(entry, HubFiles(entry.id), day)
        except ForkpointError as error:
            if error.key == "facts.no_network":
                raise Unreadable("models.no_network") from None
            failed[entry.id] = error.key
            continue
        found.append(newer)
        names = [n for n in ("licence", "context_tokens", "languages", "shape")
                 if getattr(newer, n) != getattr(entry, n)]  # fmt: skip
        if names:
            changed[entry.id] = tuple(names)
    _keep(found)
    return Refreshed(
        day=day, updated=tuple(one.id for one in found), changed=changed, failed=failed
    )


def _asked(entry: Entry, files: HubFiles, day: date) -> Entry:
    """The entry with what its repository says today; what it does not say stays as it was."""
    address = f"https://huggingface.co/{entry.id}/blob/{files.revision}/"
    card = read_card(files.read("README.md"), files.hub_tags)
    kept = {name: files.read(name) for name in ("config.json",)}
    config = json_object("config.json", {k: v for k, v in kept.items() if v is not None})
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    changes: dict[str, Any] = {}
    sources = dict(entry.sources)
    licence = card.licence_name if card.licence == "other" else card.licence
    if licence:
        changes["licence"], sources["licence"] = licence, address + "README.md"
    if entry.shape is not None and isinstance(text, dict) and text.get("hidden_size"):
        shape = {name: text[name] for name in SHAPE_FIELDS if text.get(name) is not None}
        changes["shape"], sources["shape"] = shape, address + "config.json"
    context = text.get("max_position_embeddings") if isinstance(text, dict) else None
    if type(context) is int:
        changes["context_tokens"] = context
        sources["context_tokens"] = address + "config.json"
    return Entry.model_validate({**entry.model_dump(), **changes, "sources": sources, "read": day})


def _keep(found: list[Entry]) -> None:
    """Write what was found where the next look reads it; raises BadInput."""
    from forkpoint.ledger.book import write_whole

    path = refreshed_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "[" + ",\n".join(entry.to_json() for entry in found) + "]\n"
        write_whole(path, text.encode())
    except OSError as error:
        raise BadInput(
            "models.not_kept", file=str(path), problem=error.strerror or str(error)
        ) from None
