"""The catalogue's entries: those that ship, with what the user's own refresh found over them."""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from forkpoint.catalogue.entry import Entry
from forkpoint.errors import Unreadable
from forkpoint.store.place import home

REFRESHED = "catalogue.json"  # in the user's own folder


@cache
def shipped() -> tuple[Entry, ...]:
    """The entries that come with forkpoint."""
    text = files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    shared = table["source"]
    found = []
    for item in table["model"]:
        sources = {fact: shared.get(where, where) for fact, where in item.pop("from").items()}
        found.append(Entry.model_validate({**item, "sources": sources}))
    return tuple(found)


def entries() -> tuple[Entry, ...]:
    """All entries, refreshed facts in place of shipped ones; raises Unreadable."""
    newer = {entry.id: entry for entry in refreshed()}
    return tuple(newer.get(entry.id, entry) for entry in shipped())


def refreshed_path() -> Path:
    """Where `forkpoint models refresh` keeps what it found."""
    return home() / REFRESHED


def refreshed() -> tuple[Entry, ...]:
    """What the last refresh found, nothing when there was none."""
    import orjson

    path = refreshed_path()
    try:
        rows = orjson.loads(path.read_bytes())
        return tuple(Entry.model_validate(row) for row in rows)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, ValidationError) as error:
        raise Unreadable(
            "models.refreshed_unreadable", file=str(path), reason=str(error).splitlines()[0][:160]
        ) from None
