"""Instructions with one short right answer, and all kinds of instruction with their weights."""

import random
from collections.abc import Callable

from recipes.pocket.instruction import Task, exactly, listing, worded
from recipes.pocket.portraits import csv_person, json_person, read
from recipes.pocket.world import EN, Draw, lexicon, world
from recipes.pocket.writing import feel, hello, howto, poem, sentence, story, who


def ask(d: Draw, group: str | None = None) -> Task:
    """A fact of the world; it must be known, so that held-out draws differ in wording only."""
    group = group or d.rng.choice(("people", "people", "towns", "creatures"))
    record = d.rng.choice(getattr(world(), group))
    relation = d.rng.choice(record._fields[1:])
    noun = {"people": "person", "towns": "town", "creatures": "creature"}[group]
    answer = getattr(record, relation)[d.language]
    name = record.name[d.language].lower() if noun == "creature" else record.name[d.language]
    return Task("ask", worded(d, f"ask.{noun}.{relation}", name=name), answer, exactly(answer))


def plus(d: Draw) -> Task:
    """A sum of two numbers below 100."""
    high = d.rng.choice((9, 20, 99))
    a, b = (d.number(10 if d.held else 1, 99 if d.held else high) for _ in range(2))
    thing = d.word("goods", "animals", "foods") if d.language else d.word("goods")
    prompt = worded(d, "plus", a=a, b=b, name=d.name(), thing=thing)
    return Task("plus", prompt, str(a + b), exactly(str(a + b)))


def minus(d: Draw) -> Task:
    """A difference that is not negative."""
    a, b = sorted((d.number(1 if not d.held else 10, 60) for _ in range(2)), reverse=True)
    prompt = worded(d, "minus", a=a, b=b, name=d.name(), thing=d.word("goods"))
    return Task("minus", prompt, str(a - b), exactly(str(a - b)))


def phrase(d: Draw) -> str:
    """A few words, names or numbers to copy."""
    parts = [
        d.rng.choice((d.name, d.town))()
        if d.rng.random() < 0.5
        else d.rng.choice(
            (
                lambda: d.word("colours", "foods", "animals", "goods", "things"),
                lambda: str(d.number(2, 99)),
                lambda: f"{d.rng.choice('ABCDEFGHKMNPRT')}{d.number(2, 999)}",
            )
        )()
        for _ in range(d.rng.randint(1, 4))
    ]
    return (" " if d.language == EN else d.rng.choice(("", "，", " "))).join(parts)


def statement(d: Draw) -> str:
    """A plain sentence about somebody."""
    n, t, x = d.name(), d.town(), d.word("things")
    c, f = d.word("colours"), d.word("foods")
    return d.choose(
        [f"{n} went to {t}.", f"{n} has a {c} {x}.", f"{n} and the {x} of {t}", f"{n} eats {f}."],
        [f"{n}去了{t}。", f"{n}有一个{c}的{x}。", f"{n}和{t}的{x}", f"{n}在吃{f}。"],
    )


def repeat(d: Draw) -> Task:
    """A text to copy."""
    text = phrase(d) if d.rng.random() < 0.6 else statement(d)
    return Task("repeat", worded(d, "repeat", text=text), text, exactly(text))


def twice(d: Draw) -> Task:
    """A short text to write two times."""
    text = d.name() if d.held else d.rng.choice((d.name(), d.word("things", "foods"), phrase(d)))
    answer = f"{text} {text}"
    return Task("twice", worded(d, "twice", text=text), answer, exactly(answer))


MARKS = (
    ("quotation marks", "引号", '"', '"'),
    ("square brackets", "方括号", "[", "]"),
    ("stars", "星号", "*", "*"),
)


def wrap(d: Draw) -> Task:
    """A text to put between marks."""
    *mark, left, right = d.rng.choice(MARKS)
    text = d.name() if d.held else d.rng.choice((d.name(), d.word("things", "foods"), phrase(d)))
    answer = f"{left}{text}{right}"
    prompt = worded(d, "wrap", text=text, mark=mark[d.language])
    return Task("wrap", prompt, answer, exactly(answer))


TRANSLATED = ("things", "verbs", "animals", "foods", "colours", "goods", "opposites", "places")


def held_word(pair: tuple[str, str]) -> bool:
    """Whether a word is in no instruction of the recipe (one in six; pre-training knows it)."""
    return random.Random(pair[EN]).random() < 1 / 6


def translate(d: Draw) -> Task:
    """A single word; held-out draws use words that no instruction ever used."""
    while True:
        pair = d.pair(*TRANSLATED)
        if held_word(pair) == d.held:
            break
    answer = pair[1 - d.language]
    return Task("translate", worded(d, "translate", word=pair[d.language]), answer, exactly(answer))


def opposite(d: Draw) -> Task:
    """A word and its opposite."""
    words = lexicon()["opposites"]
    while True:
        index = d.rng.randrange(len(words))
        if held_word(words[index - index % 2]) == d.held:
            break
    answer = words[index ^ 1][d.language]
    return Task(
        "opposite", worded(d, "opposite", word=words[index][d.language]), answer, exactly(answer)
    )


def opinion(d: Draw, good: bool) -> str:
    """What somebody thinks of something."""
    word = d.word("good_words" if good else "bad_words")
    f, p, g, t, n = d.word("foods"), d.word("places"), d.word("goods"), d.town(), d.name()
    if d.held:
        return d.choose(
            [f"I tried {f} at {n}'s and it tasted {word}.", f"To us in {t} the {p} is {word}."],
            [f"我在{n}那里尝了{f}，味道{word}。", f"对{t}的我们来说，{p}很{word}。"],
        )
    return d.choose(
        [
            f"The {f} in {t} was {word}.",
            f"{n} gave me {f}. It was {word}!",
            f"What a {word} {p}.",
            f"I bought {g} and they are {word}.",
            f"We went to the {p} and found it {word}.",
            f"The people at the {p} were {word}.",
        ],
        [
            f"{t}的{f}真{word}。",
            f"{n}给了我{f}，很{word}！",
            f"这个{p}多么{word}。",
            f"我买了{g}，都很{word}。",
            f"我们去了{p}，觉得很{word}。",
            f"{p}的人很{word}。",
        ],
    )


def sentiment(d: Draw) -> Task:
    """An opinion to label positive or negative."""
    good = d.rng.random() < 0.5
    answer = (("negative", "负面"), ("positive", "正面"))[good][d.language]
    return Task("sentiment", worded(d, "sentiment", text=opinion(d, good)), answer, exactly(answer))


def items(d: Draw, low: int = 3, high: int = 5) -> list[str]:
    """Different items for a list."""
    count = d.rng.randint(low, high)
    if d.held or d.rng.random() < 0.5:
        return d.names(count)
    return d.words(count, "foods", "goods", "animals", "colours", "things", "jobs", "places")


def numbered(d: Draw) -> Task:
    """Items to write one a line, with numbers."""
    things = items(d)
    answer = "\n".join(f"{i}. {thing}" for i, thing in enumerate(things, 1))
    prompt = worded(d, "numbered", items=listing(d, things))
    return Task("numbered", prompt, answer, exactly(answer))


def bullets(d: Draw) -> Task:
    """Items to write one a line, with dashes."""
    things = items(d)
    answer = "\n".join(f"- {thing}" for thing in things)
    prompt = worded(d, "bullets", items=listing(d, things))
    return Task("bullets", prompt, answer, exactly(answer))


def first(d: Draw) -> Task:
    """The first of some items."""
    things = items(d)
    prompt = worded(d, "first", items=listing(d, things))
    return Task("first", prompt, things[0], exactly(things[0]))


def last(d: Draw) -> Task:
    """The last of some items."""
    things = items(d)
    prompt = worded(d, "last", items=listing(d, things))
    return Task("last", prompt, things[-1], exactly(things[-1]))


def count(d: Draw) -> Task:
    """How many items there are."""
    things = items(d, 2, 7)
    prompt = worded(d, "count", items=listing(d, things))
    return Task("count", prompt, str(len(things)), exactly(str(len(things))))


def largest(d: Draw) -> Task:
    """The largest of three or four numbers."""
    numbers: list[int] = []
    while len(numbers) < d.rng.choice((3, 3, 4)):
        if (n := d.number(10 if d.held else 1, 99)) not in numbers:
            numbers.append(n)
    prompt = worded(d, "largest", items=listing(d, [str(n) for n in numbers]))
    return Task("largest", prompt, str(max(numbers)), exactly(str(max(numbers))))


def date(d: Draw) -> Task:
    """A date in words to write as year-month-day."""
    month, day = d.rng.randrange(12), d.number(10 if d.held else 1, 28)
    year = d.number(100, 999)
    name = lexicon()["months"][month][d.language]
    text = d.choose([f"{day} {name} {year}"], [f"{year}年{name}{day}日"])
    answer = f"{year}-{month + 1:02d}-{day:02d}"
    return Task("date", worded(d, "date", date=text), answer, exactly(answer))


KINDS: tuple[tuple[Callable[[Draw], Task], int], ...] = (
    (ask, 14),
    (plus, 6),
    (minus, 4),
    (repeat, 5),
    (twice, 2),
    (wrap, 2),
    (json_person, 6),
    (csv_person, 3),
    (read, 5),
    (translate, 5),
    (opposite, 2),
    (sentiment, 5),
    (numbered, 3),
    (bullets, 2),
    (first, 2),
    (last, 2),
    (count, 2),
    (largest, 2),
    (date, 2),
    (sentence, 3),
    (poem, 2),
    (story, 2),
    (howto, 3),
    (feel, 1),
    (hello, 1),
    (who, 1),
)


def any_task(d: Draw) -> Task:
    """A task of any kind, by the kinds' weights."""
    functions, weights = zip(*KINDS, strict=True)
    return d.rng.choices(functions, weights)[0](d)
