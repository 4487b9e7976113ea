"""Which column of a table is which, as the user says it."""

from collections.abc import Mapping
from typing import Any

from forkpoint.data.bad_row import BadRow, shown
from forkpoint.data.shape import OWN_FIELDS
from forkpoint.errors import BadInput

CANONICAL = (
    "prompt", "answer", "system", "text", "messages", "chosen", "rejected", "tools",
    "instruction", "input", "output", "history", "conversations", "images",
)  # fmt: skip

Columns = Mapping[str, str]  # canonical name -> the file's own name of it


def columns_to_rename(columns: Columns) -> dict[str, str]:
    """The file's own names -> canonical names; raises BadInput for an unknown canonical name."""
    renamed = {}
    for canonical, own in columns.items():
        if canonical not in CANONICAL:
            raise BadInput("data.columns_unknown", name=canonical, known=", ".join(CANONICAL))
        renamed[own] = canonical
    return renamed


def with_names(value: Mapping[str, Any], renamed: Columns) -> dict[str, Any]:
    """A row with the names that the user's columns stand for; raises BadRow."""
    for own in renamed:
        if own not in value:
            raise BadRow("data.fault_column", field=own, fields=shown(", ".join(map(str, value))))
    taken = set(renamed.values())
    # the user's choice hides a field of the same name
    kept = {k: v for k, v in value.items() if k not in renamed and k not in taken}
    if "prompt" in taken or "answer" in taken:
        hidden = {k for k in kept if k in OWN_FIELDS and k not in ("system", "tools", "images")}
        kept = {k: v for k, v in kept.items() if k not in hidden}
    return kept | {canonical: value[own] for own, canonical in renamed.items()}


def columns_named(text: str) -> dict[str, str]:
    """The columns of `prompt=question,answer=answer`; raises BadInput."""
    columns = {}
    for piece in text.split(","):
        canonical, sign, own = (part.strip() for part in piece.partition("="))
        if not (canonical and sign and own):
            raise BadInput("data.columns_form", text=shown(text))
        columns["answer" if canonical == "completion" else canonical] = own
    columns_to_rename(columns)
    return columns
