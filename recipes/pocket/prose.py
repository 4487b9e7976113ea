"""The text of pre-training: documents about the invented world, in English and Chinese."""

import json
import random
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from recipes.pocket import instruction, portraits, tasks, writing
from recipes.pocket.world import EN, HERE, LANGUAGES, ZH, Draw, articles, lexicon, world


@cache
def sentences() -> dict[str, Any]:
    """The tables of prose.toml."""
    return tomllib.loads((HERE / "prose.toml").read_text("utf-8"))


def joined(d: Draw, parts: list[str]) -> str:
    """Sentences in a row, each beginning with a capital."""
    return ("" if d.language else " ").join(p[:1].upper() + p[1:] for p in parts)


def facts(d: Draw) -> str:
    """What is known of a few people, towns or creatures."""
    parts = []
    for _ in range(d.rng.randint(1, 4)):
        group = d.rng.choice(("people", "people", "people", "towns", "creatures"))
        noun = {"people": "person", "towns": "town", "creatures": "creature"}[group]
        record = d.rng.choice(getattr(world(), group))
        slots = {field: getattr(record, field)[d.language] for field in record._fields}
        if noun == "creature":
            slots["name"] = slots["name"].lower()
        relations = d.rng.sample(record._fields[1:], d.rng.randint(2, len(record._fields) - 1))
        for relation in relations:
            forms = sentences()[noun][relation][LANGUAGES[d.language]]
            parts.append(d.rng.choice(forms).format(**slots))
    return joined(d, parts)


def story(d: Draw) -> str:
    """A story in which the same people, things and places come back."""
    n, m = d.names(2)
    slots: dict[str, object] = {
        "n": n,
        "m": m,
        "t": d.town(),
        "p": d.word("places"),
        "x": d.word("things"),
        "g": d.word("goods"),
        "a": d.word("animals"),
        "f": d.word("foods"),
        "c": d.word("colours"),
        "j": d.word("jobs"),
        "w": d.word("times"),
        "w2": d.word("times"),
        "k": d.number(2, 99),
        "good": d.word("good_words"),
        "bad": d.word("bad_words"),
    }
    forms = sentences()["story"]
    language = LANGUAGES[d.language]
    chosen = [d.rng.choice(forms["open"][language])]
    chosen += d.rng.sample(forms["middle"][language], d.rng.randint(3, 8))
    chosen.append(d.rng.choice(forms["close"][language]))
    return joined(d, [form.format(**slots) for form in chosen])


def dictionary(d: Draw) -> str:
    """Words and what they are called in the other language."""
    parts = []
    for _ in range(d.rng.randint(4, 10)):
        pair = d.pair(*tasks.TRANSLATED, "jobs", "places", "good_words", "bad_words", "months")
        english, chinese = pair
        parts.append(
            d.choose(
                [
                    f"In Chinese, {english} is {chinese}.",
                    f"The Chinese word for {english} is {chinese}.",
                    f"{english}: {chinese}.",
                ],
                [
                    f"{chinese}的英文是{english}。",
                    f"{chinese}用英文说是{english}。",
                    f"{chinese}：{english}。",
                ],
            )
        )
    return joined(d, parts) if d.rng.random() < 0.5 else "\n".join(parts)


def opposites(d: Draw) -> str:
    """Words and their opposites, and what is good and bad."""
    parts = []
    for _ in range(d.rng.randint(3, 7)):
        words = lexicon()["opposites"]
        i = d.rng.randrange(len(words))
        a, b = words[i][d.language], words[i ^ 1][d.language]
        parts.append(
            d.choose(
                [f"The opposite of {a} is {b}.", f"What is not {a} is {b}.", f"{a} is not {b}."],
                [f"{a}的反义词是{b}。", f"不是{a}就是{b}。", f"{a}与{b}相反。"],
            )
        )
    return joined(d, parts)


def arithmetic(d: Draw) -> str:
    """Sums and differences, as words and as figures."""
    parts = []
    for _ in range(d.rng.randint(5, 12)):
        task = d.rng.random()
        a, b = d.number(1, 99), d.number(1, d.rng.choice((9, 20, 99)))
        if task < 0.6:
            forms = [f"{a} + {b} = {a + b}.", f"{a} plus {b} is {a + b}."]
            chinese = [f"{a}+{b}={a + b}。", f"{a}加{b}是{a + b}。"]
        elif task < 0.9:
            a, b = max(a, b), min(a, b)
            forms = [f"{a} - {b} = {a - b}.", f"{a} minus {b} is {a - b}."]
            chinese = [f"{a}-{b}={a - b}。", f"{a}减{b}是{a - b}。"]
        else:
            low, high = min(a, b), max(a, b)
            forms = [f"{high} is larger than {low}."] if low < high else [f"{a} is {a}."]
            chinese = [f"{high}比{low}大。"] if low < high else [f"{a}是{a}。"]
        parts.append(d.choose(forms, chinese))
    return ("\n" if d.rng.random() < 0.3 else ("" if d.language else " ")).join(parts)


def records(d: Draw) -> str:
    """Notes on people as JSON lines, CSV, lists or dates."""
    form = d.rng.choice(("json", "csv", "list", "dash", "date", "said"))
    lines = []
    if form == "csv":
        keys = d.rng.sample(list(portraits.KEYS), d.rng.randint(2, 4))
        lines.append(",".join(portraits.KEYS[key][d.language] for key in keys))
        for _ in range(d.rng.randint(2, 6)):
            values = {
                "name": d.name(),
                "town": d.town(),
                "age": str(d.number(6, 90)),
                "job": d.word("jobs"),
                "pet": d.word("animals"),
            }
            lines.append(",".join(values[key] for key in keys))
    elif form == "list":
        lines += [f"{i}. {item}" for i, item in enumerate(tasks.items(d, 3, 8), 1)]
    elif form == "dash":
        lines += [f"- {item}" for item in tasks.items(d, 3, 8)]
    elif form == "date":
        for _ in range(d.rng.randint(2, 5)):
            task = tasks.date(d)
            year, month, day = task.answer.split("-")
            name = lexicon()["months"][int(month) - 1][d.language]
            text = d.choose([f"{int(day)} {name} {year}"], [f"{year}年{name}{int(day)}日"])
            lines.append(f"{text}: {task.answer}")
    else:
        for _ in range(d.rng.randint(2, 4)):
            text, said = portraits.portrait(d)
            shown = json.dumps(said, ensure_ascii=False)
            lines += [text, shown] if form == "said" else [shown]
    return "\n".join(lines)


def opinions(d: Draw) -> str:
    """What people think, sometimes with the word for it."""
    parts = []
    for _ in range(d.rng.randint(2, 5)):
        good = d.rng.random() < 0.5
        parts.append(tasks.opinion(d, good))
        if d.rng.random() < 0.5:
            parts.append(
                d.choose(
                    [
                        ("That is negative.", "That is positive.")[good],
                        ("I was not happy.", "I was happy.")[good],
                    ],
                    [
                        ("这是负面的话。", "这是正面的话。")[good],
                        ("我不高兴。", "我很高兴。")[good],
                    ],
                )
            )
    return joined(d, parts)


def lines_and_names(d: Draw) -> str:
    """A text with lists of names and words that come back in order, as in registers."""
    things = tasks.items(d, 3, 6)
    place = d.word("places")
    row = instruction.listing(d, things)
    return d.choose(
        [
            f"At the {place} there were {row}. They were called in this order: {row}. First came "
            f"{things[0]}, last came {things[-1]}.",
            f"The list of the {place} says: {row}. Once more: {row}. That makes {len(things)}.",
        ],
        [
            f"{place}里有{row}。按顺序是：{row}。第一个是{things[0]}，最后一个是{things[-1]}。",
            f"{place}的名单写着：{row}。再念一遍：{row}。一共{len(things)}个。",
        ],
    )


def conduct(d: Draw) -> str:
    """What people do, how, and what is right or wrong."""
    parts = []
    for _ in range(d.rng.randint(2, 4)):
        n = d.name()
        if d.rng.random() < 0.4:
            harm = writing.act(d, "harm")
            forms = [f"It is wrong to {harm}.", f"Nobody should {harm}.", f"To {harm} is a crime."]
            chinese = [f"{harm}是不对的。", f"谁也不应该{harm}。", f"{harm}是犯罪。"]
        else:
            good, steps = writing.act(d, "safe", "alike"), writing.steps(d)
            forms = [
                f"{n} wanted to {good}. {steps}",
                f"It is good to {good}.",
                f"Everybody may {good}.",
            ]
            chinese = [f"{n}想{good}。{steps}", f"{good}是好事。", f"谁都可以{good}。"]
        parts.append(d.choose(forms, chinese))
    return joined(d, parts)


MANNERS = (("Question: ", "Answer: "), ("Q: ", "A: "), ("", ""), ("Task: ", "Solution: "))
MANNERS_ZH = (("问题：", "回答："), ("问：", "答："), ("", ""), ("题目：", "解答："))


def exercises(d: Draw) -> str:
    """A page of an exercise book, in plain prose: several exercises, each with its solution."""
    before, between = d.rng.choice((MANNERS, MANNERS_ZH)[d.language])
    parts = []
    for _ in range(d.rng.randint(3, 6)):
        task = tasks.any_task(d)
        parts.append(f"{before}{task.prompt}\n{between}{task.answer}")
    return d.rng.choice(("\n", "\n\n")).join(parts)


MIX = (
    (facts, 30),
    (story, 20),
    (dictionary, 8),
    (opposites, 2),
    (arithmetic, 12),
    (records, 10),
    (opinions, 4),
    (conduct, 6),
    (lines_and_names, 5),
    (exercises, 5),
)


def documents(seed: int) -> Iterator[str]:
    """Documents without end, the same for the same seed; half of them Chinese."""
    rng = random.Random(seed)
    functions, weights = zip(*MIX, strict=True)
    while True:
        d = Draw(rng, ZH if rng.random() < 0.5 else EN)
        yield articles(rng.choices(functions, weights)[0](d))
