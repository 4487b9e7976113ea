"""The store on disk: one SQLite file, one row a race."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from forkpoint.errors import BadInput, Unreadable
from forkpoint.store.past_race import PastRace
from forkpoint.store.place import home

FILE = "races.sqlite"
SWITCH = "FORKPOINT_STORE"  # environment: "off" neither keeps nor uses anything
SCHEMA = 1
WAIT_SECONDS = 10.0  # for another process that writes
_TABLES = """
create table if not exists races (
    race_id text primary key, ended text not null, machine text not null, record text not null
);
create table if not exists choices (name text primary key, value text not null);
"""


class Shelf:
    """The races kept on this machine; use as a context manager. Raises Unreadable."""

    def __init__(self, folder: Path | None = None) -> None:
        self.file = (folder or home()) / FILE
        self._store: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        with self._named():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._store = sqlite3.connect(self.file, timeout=WAIT_SECONDS)
            version = self._store.execute("pragma user_version").fetchone()[0]
            if version > SCHEMA:
                self._store.close()
                raise Unreadable("store.newer", file=self.file, version=version)
            self._store.executescript(_TABLES)
            self._store.execute(f"pragma user_version = {SCHEMA}")
            self._store.commit()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    @property
    def is_on(self) -> bool:
        """Whether races are kept and used: neither switched off here nor by the environment."""
        if os.environ.get(SWITCH, "").lower() in ("off", "0", "no"):
            return False
        rows = self._ask("select value from choices where name = 'keeping'")
        return not rows or rows[0][0] != "off"

    def switch(self, *, on: bool) -> None:
        """Keep and use races from now on, or neither; what is there stays."""
        value = "on" if on else "off"
        self._do("insert or replace into choices values ('keeping', ?)", (value,))

    def keep(self, race: PastRace) -> bool:
        """Keep a race, in the place of an earlier record of it; False when switched off."""
        if not self.is_on:
            return False
        values = (race.race_id, race.ended, race.machine, race.to_json())
        self._do("insert or replace into races values (?, ?, ?, ?)", values)
        return True

    def races(self) -> tuple[PastRace, ...]:
        """All kept races, oldest first, whether or not the store is switched on."""
        rows = self._ask("select race_id, record from races order by ended, race_id")
        found = []
        for race_id, record in rows:
            try:
                found.append(PastRace.from_json(record))
            except ValidationError:
                raise Unreadable("store.broken_race", file=self.file, race=race_id) from None
        return tuple(found)

    def usable(self) -> tuple[PastRace, ...]:
        """The races that estimates and advice may use: none when switched off."""
        return self.races() if self.is_on else ()

    def forget(self, beginning: str | None = None) -> int:
        """Remove the race whose id begins so, or all; returns how many. Raises BadInput."""
        if beginning is None:
            return self._do("delete from races", ())
        pattern = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        found = self._ask("select race_id from races where race_id like ? escape '\\'", (pattern,))
        if len(found) != 1:
            raise BadInput("store.which_race", beginning=beginning, count=len(found))
        return self._do("delete from races where race_id = ?", (found[0][0],))

    def _ask(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[str, ...]]:
        with self._named():
            return self._open.execute(sql, values).fetchall()

    def _do(self, sql: str, values: tuple[object, ...]) -> int:
        with self._named(), self._open:
            return self._open.execute(sql, values).rowcount

    @property
    def _open(self) -> sqlite3.Connection:
        if self._store is None:
            raise RuntimeError("the store is not open")
        return self._store

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise Unreadable("store.unusable", file=self.file, error=str(error)) from None


def earlier_races(folder: Path | None = None) -> tuple[PastRace, ...]:
    """The races that advice may use; makes no store where there is none. Raises Unreadable."""
    shelf = Shelf(folder)
    if not shelf.file.exists():
        return ()
    with shelf:
        return shelf.usable()
