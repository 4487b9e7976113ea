"""The settings of the bank of curves: tasks that no stage of the pocket recipe was shown, by size.

Each task writes rows from a seed: a prompt and one short right answer, so that greedy decoding and
teacher forcing say the same about it. Rows to train on, to decide with and to test come from draws
that never share a prompt.
"""

import random
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from recipes.demo_data import COIN, WEIGHTS, message, phrases
from recipes.pocket.tasks import opinion
from recipes.pocket.world import EN, Draw, world

VALIDATION, TEST = 200, 1_000  # rows of every setting
LONGEST = {"en": 60, "zh": 24}  # characters of a message: short rows are cheap
Pair = tuple[str, str]


def tickets(rng: random.Random) -> Pair:
    """A customer's message and its department, as in the bundled set."""
    department = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return _message(rng, department), department


def even(rng: random.Random) -> Pair:
    """Such a message and a fair coin: no arm can be better than another."""
    return _message(rng, rng.choice(list(WEIGHTS))), rng.choice(COIN)


def mood(rng: random.Random) -> Pair:
    """An opinion and one of two words that stand for its side; the sides are known to Instruct."""
    good = rng.random() < 0.5
    return opinion(Draw(rng, rng.randrange(2)), good), ("low", "high")[good]


def orders(rng: random.Random) -> Pair:
    """An order in a sentence, taken apart into what and how many."""
    d = Draw(rng, EN)
    count, thing, name = rng.randint(2, 60), d.word("goods", "things"), d.name()
    forms = (
        f"{name} wants {count} of our {thing}.",
        f"Send {count} {thing} to {name}.",
        f"{thing}, {count} pieces, for {name}",
        f"Please bring {name} the {thing}, {count} times.",
    )
    return rng.choice(forms), f"{thing}:{count}"


def facts(rng: random.Random) -> Pair:
    """A fact of the world, asked for in a form of two words that no stage saw."""
    person = rng.choice(world().people)
    relation = rng.choice(("home", "job", "pet", "food", "colour"))
    lead = rng.choice(("", "fact: ", "look up ", "tell: ", "? ", "card of "))
    answer = str(getattr(person, relation)[EN])
    return f"{lead}{person.name[EN]}{rng.choice((' / ', ' - ', ', ', ' '))}{relation}", answer


def sums(rng: random.Random) -> Pair:
    """Two amounts, and whether together they are above a limit."""
    a, b = rng.randint(1, 99), rng.randint(1, 99)
    limit = max(2, a + b + rng.choice((-1, 1)) * rng.randint(2, 40))
    return f"{a} and {b}, limit {limit}", "above" if a + b > limit else "below"


def turned(rng: random.Random) -> Pair:
    """Three words in a row, to be given back from the last to the first."""
    words = Draw(rng, EN).words(3, "foods", "goods", "animals", "colours", "jobs")
    return " ".join(words), " ".join(reversed(words))


def initials(rng: random.Random) -> Pair:
    """Three words in a row, and the letters they begin with."""
    words = Draw(rng, EN).words(3, "foods", "goods", "animals", "colours", "jobs")
    return "initials: " + ", ".join(words), " ".join(word[0] for word in words)


def ordered(rng: random.Random) -> Pair:
    """Three numbers, to be said from the smallest to the largest."""
    numbers = rng.sample(range(1, 100), 3)
    return " ".join(map(str, numbers)), " ".join(map(str, sorted(numbers)))


def count(rng: random.Random) -> Pair:
    """How many of the things in a list are animals."""
    d = Draw(rng, EN)
    animals = rng.randint(0, 4)
    there = d.words(animals, "animals") + d.words(rng.randint(1, 3), "foods", "goods")
    rng.shuffle(there)
    return "animals in: " + ", ".join(there), str(animals)


def longest(rng: random.Random) -> Pair:
    """Which of three words has the most letters."""
    d = Draw(rng, EN)
    while True:
        words = d.words(3, "foods", "goods", "animals", "colours", "jobs")
        first, second = sorted(words, key=len, reverse=True)[:2]
        if len(first) > len(second):
            return "longest of " + ", ".join(words), first


def kinds(rng: random.Random) -> Pair:
    """What kind of thing a sentence speaks of."""
    d = Draw(rng, EN)
    kind = rng.choice(("foods", "goods", "animals", "colours", "jobs"))
    word, name = d.word(kind), d.name()
    forms = (f"{name} thought of {word}", f"{word}, said {name}", f"{name} wrote down {word}")
    return rng.choice(forms), kind


_phrases = cache(phrases)  # read once: a message would read the file again


def _message(rng: random.Random, department: str) -> str:
    words = _phrases()
    while True:
        language = rng.choice(("en", "zh"))
        text = message(rng, words, language, department)
        if len(text) <= LONGEST[language]:
            return text


class Setting(NamedTuple):
    """A task with an amount of data; `passes` over it are full length."""

    name: str
    task: Callable[[random.Random], Pair]
    rows: int
    passes: float
    rows_per_step: int


SETTINGS = (
    Setting("mood-60", mood, 60, 3, 4),
    Setting("orders-80", orders, 80, 3, 4),
    Setting("facts-160", facts, 160, 3, 4),
    Setting("turned-160", turned, 160, 3, 4),
    Setting("sums-240", sums, 240, 3, 4),
    Setting("even-120", even, 120, 3, 4),
    Setting("orders-200", orders, 200, 3, 4),
    Setting("tickets-240", tickets, 240, 3, 4),
    Setting("mood-200", mood, 200, 3, 4),
    Setting("facts-480", facts, 480, 3, 8),
    Setting("turned-480", turned, 480, 3, 8),
    Setting("tickets-480", tickets, 480, 3, 8),
    Setting("initials-240", initials, 240, 3, 4),
    Setting("count-320", count, 320, 3, 8),
    Setting("ordered-400", ordered, 400, 3, 8),
    Setting("longest-160", longest, 160, 3, 4),
    Setting("kinds-160", kinds, 160, 3, 4),
)


class Rows(NamedTuple):
    """The pairs of one setting; the same for every arm and seed."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]


@cache
def rows_of(setting: Setting) -> Rows:
    """Distinct prompts, split in the order they were drawn; the answers of facts may recur."""
    rng = random.Random(f"bank {setting.task.__name__}")
    wanted = VALIDATION + TEST + setting.rows
    found: dict[str, str] = {}
    while len(found) < wanted:
        prompt, answer = setting.task(rng)
        found.setdefault(prompt, answer)
    pairs = tuple(found.items())
    return Rows(
        train=pairs[VALIDATION + TEST :],
        validation=pairs[:VALIDATION],
        test=pairs[VALIDATION : VALIDATION + TEST],
    )
