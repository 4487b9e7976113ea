"""The licence of a checkpoint and what it allows; unknown stays unknown."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from forkpoint.facts.card import Card
from forkpoint.facts.checkpoint_facts import Notice

Commercial = Literal["yes", "conditions", "no", "unknown"]

# SPDX licences whose text allows commercial use without more than notices.
PERMISSIVE = frozenset({
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "CC0-1.0",
    "CC-BY-4.0", "CC-BY-3.0", "CC-BY-2.0", "Unlicense", "ISC", "Zlib", "BSL-1.0", "WTFPL",
    "ECL-2.0", "AFL-3.0", "MS-PL", "PostgreSQL", "NCSA", "CDLA-Permissive-2.0", "0BSD",
})  # fmt: skip
# SPDX licences that allow commercial use and ask for the same licence or for source code.
SHARE_ALIKE = frozenset({
    "CC-BY-SA-4.0", "CC-BY-SA-3.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only",
    "GPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later", "LGPL-2.1-only", "LGPL-3.0-only",
    "LGPL-3.0-or-later", "MPL-2.0", "EPL-2.0", "EUPL-1.2", "OSL-3.0", "CDLA-Sharing-1.0",
    "ODbL-1.0",
})  # fmt: skip
NON_COMMERCIAL = re.compile(r"-NC\b|-NC-")


@cache
def licence_table() -> dict[str, dict[str, Any]]:
    """Model licences outside SPDX: id on the Hub -> title, use, conditions, address, date."""
    text = files("forkpoint.facts").joinpath("licences.toml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = tomllib.loads(text)
    return table


def read_licence(card: Card, stated: str | None = None) -> tuple[str | None, Commercial]:
    """The licence's id and whether commercial use is allowed.

    `stated` is a licence from elsewhere (GGUF settings), used when the card names none.
    """
    found = card.licence or stated
    if found in (None, "", "unknown"):
        return None, "unknown"
    if found == "other" and card.licence_name:
        found = card.licence_name
    key = str(found).strip().lower()
    for name in (key, str(card.licence_name or "").lower()):
        entry = licence_table().get(name)
        if entry is not None:
            return name, entry["commercial_use"]
    spdx = _spdx(key)
    if spdx is None:
        return str(found), "unknown"
    return spdx, _commercial(spdx)


def _spdx(key: str) -> str | None:
    """The SPDX spelling of an id, None when SPDX does not list it."""
    from license_expression import get_license_index

    for entry in get_license_index():
        name = entry.get("spdx_license_key") or ""
        names = (name, *(entry.get("other_spdx_license_keys") or ()))
        if not name.startswith("LicenseRef-") and key in [other.lower() for other in names]:
            return str(name)
    return None


def _commercial(spdx: str) -> Commercial:
    if NON_COMMERCIAL.search(spdx):
        return "no"
    if spdx in PERMISSIVE:
        return "yes"
    if spdx in SHARE_ALIKE:
        return "conditions"
    return "unknown"


def licence_notices(licence: str | None, commercial: Commercial) -> list[Notice]:
    """What the licence means for a derived model, in a line."""
    entry = licence_table().get(licence or "")
    if entry is not None:
        return [
            Notice(
                code=f"licence-{licence}",
                level="warning" if commercial in ("conditions", "no") else "info",
                key=f"facts.licence_{entry['say']}",
                values={"title": entry["title"], "address": entry["address"]},
            )
        ]
    if licence is None:
        return [
            Notice(code="licence-unknown", level="warning", key="facts.licence_none", values={})
        ]
    if commercial == "unknown":
        return [
            Notice(
                code="licence-unknown",
                level="warning",
                key="facts.licence_unlisted",
                values={"licence": licence},
            )
        ]
    return []
