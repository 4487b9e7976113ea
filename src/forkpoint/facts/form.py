"""What the form of a checkpoint means for training it: made for running, coarse, no text."""

from forkpoint.facts.checkpoint_facts import Judgement, Notice
from forkpoint.facts.reading import Reading

NO_TEXT = ("embedding", "reward")  # kinds whose output is no text
DYNAMIC = "unsloth-bnb-4bit"  # what Unsloth calls its dynamic 4-bit form [claim A8]


def form_notices(
    reading: Reading, quantisation: str | None, kind: Judgement, parent: str | None
) -> list[Notice]:
    """Notices about what stands in the way of fine-tuning, and where to start instead."""
    known = "known" if parent else "unknown"
    origin = {"parent": parent} if parent else {}
    notices = []
    if reading.gguf is not None:
        notices.append(_notice("gguf", "warning", f"form_gguf_{known}", **origin))
    elif quantisation is not None:
        notices.append(
            _notice(
                "quantised", "warning", f"form_quantised_{known}", method=quantisation, **origin
            )
        )
    if DYNAMIC in reading.title.lower():
        notices.append(_notice("dynamic-4bit", "info", "form_dynamic"))
    if kind.value in NO_TEXT:
        notices.append(_notice("no-text", "warning", f"form_{kind.value}"))
    elif any(item.says == "text" and item.weight < 0 for item in kind.evidence):
        notices.append(_notice("no-text", "warning", "form_classes"))
    elif kind.value == "vision":
        notices.append(_notice("sees", "info", "form_vision"))
    return notices


def _notice(code: str, level: str, key: str, **values: str) -> Notice:
    return Notice.model_validate(
        {"code": code, "level": level, "key": f"facts.{key}", "values": values}
    )
