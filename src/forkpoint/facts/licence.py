"""The licence of a checkpoint and what it allows; unknown stays unknown."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from forkpoint.facts.card import Card
from forkpoint.facts.checkpoint_facts import Notice

Commercial = Literal["yes", "conditions", "no", "unknown"]

# SPDX licences that allow commercial use and ask for nothing at all.
UNCONDITIONAL = frozenset({"CC0-1.0", "Unlicense", "WTFPL", "0BSD"})
# SPDX licences whose text allows commercial use without more than notices.
PERMISSIVE = UNCONDITIONAL | {
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "CC-BY-4.0",
    "CC-BY-3.0", "CC-BY-2.0", "ISC", "Zlib", "BSL-1.0", "ECL-2.0", "AFL-3.0", "MS-PL",
    "PostgreSQL", "NCSA", "CDLA-Permissive-2.0",
}  # fmt: skip
# SPDX licences that allow commercial use and ask for the same licence, or for source code too.
SAME_LICENCE = frozenset({"CC-BY-SA-4.0", "CC-BY-SA-3.0", "CDLA-Sharing-1.0", "ODbL-1.0"})
WITH_SOURCE = frozenset({
    "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "AGPL-3.0-only",
    "AGPL-3.0-or-later", "EUPL-1.2", "OSL-3.0",
})  # fmt: skip
CHANGED_PARTS = frozenset({
    "LGPL-2.1-only", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0", "EPL-2.0",
})  # fmt: skip
SHARE_ALIKE = SAME_LICENCE | WITH_SOURCE | CHANGED_PARTS
# Ids of the Hub that name a family of licences and no text.
SEVERAL_TEXTS = frozenset({"openrail", "cc", "gpl", "lgpl", "bsd", "gfdl"})
NO_DERIVATIVES = re.compile(r"-ND\b|-ND-")
NON_COMMERCIAL = re.compile(r"-NC\b|-NC-")
# Cards that name a free licence for the code and ask for more where weights are used commercially.
ASKS_FIRST = re.compile(
    r"[^.\n。]*(commercial (use|uses|usage|license|licence|purposes?)[^.\n]{0,80}"
    r"(appl(y|ication)|registration|written authori[sz]ation|questionnaire)|"
    r"(apply|application|register|registration|written authori[sz]ation)[^.\n]{0,40}"
    r"commercial (use|uses|usage|license|licence|purposes?)|"
    r"商(用|业)[^。\n]{0,30}(申请|登记|书面授权)|申请[^。\n]{0,12}商(用|业)|登记[^。\n]{0,12}商(用|业))"
    r"[^.\n。]{0,80}",
    re.IGNORECASE,
)
SPDX_ADDRESS = "https://spdx.org/licenses/{}.html"
QUOTE_LIMIT = 200  # characters of the card that a notice repeats


@cache
def licence_table() -> dict[str, dict[str, Any]]:
    """Model licences outside SPDX: id on the Hub -> title, use, conditions, address, date."""
    text = files("forkpoint.facts").joinpath("licences.toml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = tomllib.loads(text)
    return table


@cache
def _by_name() -> dict[str, str]:
    """The table's id for each name that cards use."""
    table = licence_table()
    return {name: key for key, entry in table.items() for name in (key, *entry.get("also", ()))}


def asks_first(card: Card) -> str | None:
    """The sentence of a card that asks for a permission before commercial use."""
    found = ASKS_FIRST.search(card.text)
    return " ".join(found[0].split())[:QUOTE_LIMIT] if found else None


def read_licence(card: Card, stated: str | None = None) -> tuple[str | None, Commercial]:
    """The licence's id and whether commercial use is allowed.

    `stated` is a licence from elsewhere (GGUF settings), used when the card names none. A card
    whose text asks for a permission is held to that, whatever licence it names.
    """
    licence, commercial = _named_licence(card, stated)
    if commercial in ("yes", "unknown") and asks_first(card):
        return licence, "conditions"
    return licence, commercial


def _named_licence(card: Card, stated: str | None) -> tuple[str | None, Commercial]:
    found = card.licence or stated
    if found in (None, "", "unknown"):
        return None, "unknown"
    if found == "other" and card.licence_name:
        found = card.licence_name
    key = str(found).strip().lower()
    for name in (key, str(card.licence_name or "").lower()):
        if name in _by_name():
            known = _by_name()[name]
            return known, licence_table()[known]["commercial_use"]
    if key in SEVERAL_TEXTS:
        return key, "unknown"
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
    if spdx in SHARE_ALIKE or NO_DERIVATIVES.search(spdx):
        return "conditions"
    return "unknown"


def _spdx_meaning(spdx: str) -> str | None:
    """Which sentence says what an SPDX licence asks; None where it was not classed."""
    if NON_COMMERCIAL.search(spdx):
        return "non_commercial_no_derivatives" if NO_DERIVATIVES.search(spdx) else "non_commercial"
    if NO_DERIVATIVES.search(spdx):
        return "no_derivatives"
    for licences, meaning in (
        (UNCONDITIONAL, "unconditional"), (PERMISSIVE, "notices"), (SAME_LICENCE, "same_licence"),
        (WITH_SOURCE, "with_source"), (CHANGED_PARTS, "changed_parts"),
    ):  # fmt: skip
        if spdx in licences:
            return meaning
    return None


def licence_notices(
    licence: str | None, commercial: Commercial, card: Card | None = None
) -> list[Notice]:
    """What the licence means for a derived model, in a line."""
    asked = asks_first(card) if card is not None else None
    entry = licence_table().get(licence or "")
    if asked and entry is None:
        return [
            Notice(
                code="licence-asks",
                level="warning",
                key="facts.licence_card_asks",
                values={"licence": licence or "?", "found": asked},
            )
        ]
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
        return [_unknown("licence_none", {})]
    if meaning := _spdx_meaning(licence):
        return [
            Notice(
                code=f"licence-{licence}",
                level="info" if commercial == "yes" else "warning",
                key=f"facts.licence_{meaning}",
                values={"title": licence, "address": SPDX_ADDRESS.format(licence)},
            )
        ]
    if commercial == "unknown":
        return [_unread(licence)]
    return []


def _unread(licence: str) -> Notice:
    """A licence of which nothing is known beyond its name, and what to do about it."""
    if licence in SEVERAL_TEXTS:
        return _unknown("licence_several_texts", {"licence": licence})
    if _spdx(licence.lower()) is not None:
        values: dict[str, str | int | float] = {
            "licence": licence, "address": SPDX_ADDRESS.format(licence),
        }  # fmt: skip
        return _unknown("licence_unclassed", values)
    return _unknown("licence_unlisted", {"licence": licence})


def _unknown(key: str, values: dict[str, str | int | float]) -> Notice:
    return Notice(code="licence-unknown", level="warning", key=f"facts.{key}", values=values)
