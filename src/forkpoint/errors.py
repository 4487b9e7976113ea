"""What can go wrong, as one tree; every message lives in the catalogue in both languages.

    ForkpointError
    ├── BadInput          exit 2   something the user gave cannot be used
    │   └── Unreadable    exit 2   a file or folder cannot be read as what it should be
    ├── DoesNotFit        exit 3   nothing fits into the memory or disk at hand
    ├── BudgetSpent       exit 4   the budget ended before any answer
    └── Diverged          exit 1   a training's loss is no longer a number; the race retries it

`Interrupted` (exit 130) is not a mistake: the ledger is whole and the race can be resumed.
"""

from typing import Any

from forkpoint.words import say


class ForkpointError(Exception):
    """An error whose message is `say(key, lang, **values)`: what, where, and what to do."""

    exit_code = 1

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def message(self, lang: str = "en") -> str:
        """The sentence for the user, in English or Chinese."""
        return say(self.key, lang, **self.values)

    def __str__(self) -> str:
        return self.message("en")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.key, self.values))


def _rebuild(kind: type[ForkpointError], key: str, values: dict[str, Any]) -> ForkpointError:
    return kind(key, **values)


class BadInput(ForkpointError):
    """Something the user gave cannot be used."""

    exit_code = 2


class Unreadable(BadInput):
    """A file or folder cannot be read as what it should be."""


class DoesNotFit(ForkpointError):
    """Nothing fits into the memory or disk at hand."""

    exit_code = 3


class BudgetSpent(ForkpointError):
    """The budget ended before there was any answer."""

    exit_code = 4


class Diverged(ForkpointError):
    """A training's loss or gradient is no longer a number."""


class Interrupted(ForkpointError):
    """The user stopped the work; what was done is kept."""

    exit_code = 130
