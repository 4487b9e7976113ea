"""A model card: its front matter, and what that says about origin and licence."""

import re
from dataclasses import dataclass
from typing import Any

from forkpoint.facts.clean_text import clean

FRONT_MATTER_LIMIT = 200_000  # characters; cards with long result tables have some 60,000
RELATIONS = ("finetune", "adapter", "quantized", "merge")


@dataclass(frozen=True)
class Card:
    """What a card says; empty where it says nothing."""

    base_models: tuple[str, ...] = ()
    relation: str | None = None
    licence: str | None = None
    licence_name: str | None = None
    licence_link: str | None = None
    tags: tuple[str, ...] = ()
    pipeline: str | None = None
    library: str | None = None
    datasets: tuple[str, ...] = ()
    text: str = ""


def read_card(data: bytes | None, hub_tags: tuple[str, ...] = ()) -> Card:
    """Read a README.md; a front matter that is no YAML counts as absent."""
    text = data.decode("utf-8", "replace") if data else ""
    found = _front_matter(text)
    relation = found.get("base_model_relation")
    hub_relation = [
        tag.split(":")[1]
        for tag in hub_tags
        if tag.count(":") == 2 and tag.startswith("base_model:")
    ]
    if relation not in RELATIONS:
        relation = hub_relation[0] if hub_relation and hub_relation[0] in RELATIONS else None
    body = text.split("\n---", 1)[-1] if text.startswith("---") else text
    return Card(
        base_models=_texts(found.get("base_model")),
        relation=relation,
        licence=_one(found.get("license")),
        licence_name=_one(found.get("license_name")),
        licence_link=_one(found.get("license_link")),
        tags=tuple(dict.fromkeys((*_texts(found.get("tags")), *hub_tags))),
        pipeline=_one(found.get("pipeline_tag")),
        library=_one(found.get("library_name")),
        datasets=_texts(found.get("datasets")),
        text=body,
    )


def _front_matter(text: str) -> dict[str, Any]:
    import yaml

    found = re.match(r"---[ \t]*\r?\n(.*?)\r?\n---", text[:FRONT_MATTER_LIMIT], re.DOTALL)
    if not found:
        return {}
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where built
        values = yaml.load(found[1], Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (clean(value),)
    if isinstance(value, list):
        return tuple(clean(item) for item in value if isinstance(item, str))
    return ()


def _one(value: Any) -> str | None:
    texts = _texts(value)
    return texts[0] if texts else None
