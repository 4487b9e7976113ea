"""The invented world: its words, its people, towns and creatures, and how one draws from it."""

import random
import re
import tomllib
import zlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
EN, ZH = 0, 1
LANGUAGES = ("en", "zh")
WORLD_SEED = 7
PEOPLE, TOWNS, CREATURES = 80, 30, 24

Word = tuple[str, str]  # the English and the Chinese word


class Person(NamedTuple):
    """Someone of the world; every field but the name is a fact that can be asked for."""

    name: Word
    home: Word
    job: Word
    pet: Word
    food: Word
    colour: Word


class Town(NamedTuple):
    """A town of the world."""

    name: Word
    region: Word
    product: Word
    year: Word


class Creature(NamedTuple):
    """An invented animal."""

    name: Word
    habitat: Word
    eats: Word
    colour: Word


class World(NamedTuple):
    """All there is to know."""

    people: tuple[Person, ...]
    towns: tuple[Town, ...]
    creatures: tuple[Creature, ...]


@cache
def lexicon() -> dict[str, tuple[Word, ...]]:
    """The word lists of lexicon.toml by kind."""
    lists: dict[str, tuple[Word, ...]] = {}
    for kind, line in tomllib.loads((HERE / "lexicon.toml").read_text("utf-8")).items():
        # a Chinese word never holds a space, so the last one before the next entry ends it
        words: list[Word] = []
        english: list[str] = []
        for piece in line.split(" "):
            if "=" not in piece:
                english.append(piece)
                continue
            left, right = piece.split("=")
            words.append((" ".join([*english, left]), right))
            english = []
        lists[kind] = tuple(words)
    return lists


def reserved_name(english: str) -> bool:
    """Whether a name is kept for held-out prompts (one in eight): the recipe never writes it."""
    return zlib.crc32(english.lower().encode()) % 8 == 3


def reserved_number(number: int) -> bool:
    """Whether a number is kept for held-out prompts: 13, 21, 29, ..."""
    return number >= 10 and number % 8 == 5


def compose(rng: random.Random, syllables: int, end: Word | None = None) -> Word:
    """A name made of syllables, transliterated syllable by syllable."""
    parts = rng.sample(lexicon()["syllables"], syllables)
    if end is not None:
        parts.append(end)
    return "".join(p[EN] for p in parts).capitalize(), "".join(p[ZH] for p in parts)


def fresh_name(rng: random.Random, held: bool = False, end: Word | None = None) -> Word:
    """A name of two or three syllables, from the reserved ones or from the others."""
    while True:
        name = compose(rng, rng.choice((2, 2, 3)), end)
        if reserved_name(name[EN]) == held:
            return name


@cache
def characters() -> str:
    """Every Chinese character of the lexicon, once."""
    return "".join(sorted({c for words in lexicon().values() for w in words for c in w[ZH]}))


def wild_name(rng: random.Random) -> Word:
    """Letters that follow no rule, so that copying is learned for any text."""
    length = rng.randint(3, 8)
    while True:
        letters = "".join(
            rng.choice("aeiou" if i % 2 else "abcdefghijklmnopqrstuvwxyz") for i in range(length)
        )
        if not reserved_name(letters):
            break
    return letters.capitalize(), "".join(rng.choice(characters()) for _ in range(rng.randint(2, 3)))


def fresh_number(rng: random.Random, low: int, high: int, held: bool = False) -> int:
    """A whole number in low..high, from the reserved ones or from the others."""
    while True:
        number = rng.randint(low, high)
        if reserved_number(number) == held:
            return number


@cache
def world() -> World:
    """The one world of the pocket family, the same in every run."""
    rng = random.Random(WORLD_SEED)
    words = lexicon()
    taken: set[str] = set()

    def new_name(end: Word | None = None) -> Word:
        while True:
            name = fresh_name(rng, end=end)
            if name[EN] not in taken and not taken.add(name[EN]):  # type: ignore[func-returns-value]
                return name

    towns = []
    for _ in range(TOWNS):
        year = str(fresh_number(rng, 200, 990))
        name = new_name(rng.choice(words["town_ends"]))
        towns.append(
            Town(name, rng.choice(words["regions"]), rng.choice(words["goods"]), (year, year))
        )
    people = [
        Person(
            new_name(),
            rng.choice(towns).name,
            rng.choice(words["jobs"]),
            rng.choice(words["animals"]),
            rng.choice(words["foods"]),
            rng.choice(words["colours"]),
        )
        for _ in range(PEOPLE)
    ]
    creatures = [
        Creature(
            new_name(),
            rng.choice(words["habitats"]),
            rng.choice(words["foods"]),
            rng.choice(words["colours"]),
        )
        for _ in range(CREATURES)
    ]
    return World(tuple(people), tuple(towns), tuple(creatures))


def articles(text: str) -> str:
    """The text with "an" before vowels."""
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


class Draw:
    """One language, one source of chance, and whether what is reserved is used."""

    def __init__(self, rng: random.Random, language: int, held: bool = False) -> None:
        self.rng, self.language, self.held = rng, language, held

    def word(self, *kinds: str) -> str:
        """A word of one of these kinds in this language."""
        return self.pair(*kinds)[self.language]

    def pair(self, *kinds: str) -> Word:
        """A word of one of these kinds in both languages."""
        return self.rng.choice(lexicon()[self.rng.choice(kinds)])

    def words(self, count: int, *kinds: str) -> list[str]:
        """Different words of one kind in this language."""
        found: list[str] = []
        kind = self.rng.choice(kinds)
        while len(found) < count:
            if (word := self.word(kind)) not in found:
                found.append(word)
        return found

    def name(self) -> str:
        """A person's name; held-out draws use the reserved ones only."""
        if not self.held and self.rng.random() < 0.4:
            return self.rng.choice(world().people).name[self.language]
        if not self.held and self.rng.random() < 0.2:
            return wild_name(self.rng)[self.language]
        return fresh_name(self.rng, self.held)[self.language]

    def names(self, count: int) -> list[str]:
        """Different names."""
        found: list[str] = []
        while len(found) < count:
            if (name := self.name()) not in found:
                found.append(name)
        return found

    def town(self) -> str:
        """A town's name; held-out draws use the reserved ones only."""
        if not self.held and self.rng.random() < 0.4:
            return self.rng.choice(world().towns).name[self.language]
        end = self.rng.choice(lexicon()["town_ends"])
        return fresh_name(self.rng, self.held, end)[self.language]

    def number(self, low: int, high: int) -> int:
        """A number; held-out draws use the reserved ones only."""
        return fresh_number(self.rng, low, high, self.held)

    def choose(self, english: list[str], chinese: list[str]) -> str:
        """One of the texts of this language."""
        return self.rng.choice((english, chinese)[self.language])
