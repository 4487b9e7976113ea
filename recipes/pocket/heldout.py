"""Held-out prompts: reserved names and numbers, wordings and kinds the recipe never generates."""

import random
from collections.abc import Callable

from recipes.pocket import instruction, portraits, talk, tasks, writing
from recipes.pocket.instruction import Task, exactly
from recipes.pocket.talk import Talk
from recipes.pocket.world import EN, ZH, Draw, articles

SEED = 90_001


def of(function: Callable[[Draw], Task]) -> Callable[[Draw], Talk]:
    """A kind of task as a conversation of one turn."""

    def draw(d: Draw) -> Talk:
        task = function(d)
        turns = (("user", articles(task.prompt)),)
        return Talk(task.kind, turns, articles(task.answer), task.check)

    return draw


def round_brackets(d: Draw) -> Talk:
    """A kind that is in no recipe: marks that no instruction names."""
    text = d.name()
    prompt = d.choose(
        [f"Put {text} in round brackets.", f"Write {text} in round brackets."],
        [f"把{text}放在圆括号里。", f"在{text}外面加上圆括号。"],
    )
    answer = f"({text})"
    check = {"type": "regex", "value": rf"^\s*[(（]{text}[)）]\s*(\n|$)"}
    return Talk("new: round brackets", (("user", prompt),), answer, check)


def three_times(d: Draw) -> Talk:
    """A kind that is in no recipe: the recipe writes things once or twice."""
    text = d.name()
    prompt = d.choose([f"Write {text} three times."], [f"把{text}写三遍。"])
    answer = f"{text} {text} {text}"
    return Talk("new: three times", (("user", prompt),), answer, exactly(answer))


def smallest(d: Draw) -> Talk:
    """A kind that is in no recipe: it only knows the largest."""
    numbers: list[int] = []
    while len(numbers) < 3:
        if (n := d.number(10, 99)) not in numbers:
            numbers.append(n)
    row = instruction.listing(d, [str(n) for n in numbers])
    prompt = d.choose([f"Which number is the smallest: {row}?"], [f"哪个数字最小：{row}？"])
    answer = str(min(numbers))
    return Talk("new: smallest", (("user", prompt),), answer, exactly(answer))


SINGLE = (
    tasks.ask,
    tasks.plus,
    tasks.minus,
    tasks.repeat,
    tasks.twice,
    tasks.wrap,
    portraits.json_person,
    portraits.csv_person,
    portraits.read,
    tasks.translate,
    tasks.sentiment,
    tasks.numbered,
    tasks.bullets,
    tasks.first,
    tasks.last,
    tasks.count,
    tasks.largest,
    tasks.date,
    writing.sentence,
    writing.poem,
    writing.story,
)
CHECKABLE = tuple(f for f in SINGLE if f not in (tasks.ask, tasks.translate))
NEW = (round_brackets, three_times, smallest)
TALKS = (talk.system, talk.two_turn, talk.harmful, talk.lookalike)
KINDS: tuple[Callable[[Draw], Talk], ...] = (*map(of, SINGLE), *NEW, *TALKS)


def prompts(
    kind: Callable[[Draw], Talk], language: int, count: int, seed: int = SEED
) -> list[Talk]:
    """Different held-out prompts of one kind, or as many as there are."""
    d = Draw(random.Random(seed * 2 + language), language, held=True)
    found: dict[str, Talk] = {}
    for _ in range(count * 40):
        drawn = kind(d)
        found.setdefault(repr(drawn.turns), drawn)
        if len(found) == count:
            break
    return list(found.values())


def everything(count: int) -> list[tuple[int, Talk]]:
    """Held-out prompts of every kind in both languages, each with its language."""
    return [
        (language, drawn)
        for kind in KINDS
        for language in (EN, ZH)
        for drawn in prompts(kind, language, count)
    ]
