"""Whole conversations: single instructions, system prompts, several turns, and pairs to prefer."""

import random
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from recipes.pocket import instruction, portraits, tasks, writing
from recipes.pocket.instruction import Task, exactly, worded
from recipes.pocket.world import EN, HERE, ZH, Draw, articles, world


class Talk(NamedTuple):
    """A conversation up to its last question, the right answer, and how an answer is checked."""

    kind: str
    turns: tuple[tuple[str, str], ...]  # role and text
    answer: str
    check: dict[str, Any]
    bare: str = ""  # the answer as it would be without the system prompt, where that differs


class Preference(NamedTuple):
    """Two answers to the same turns, the better one first."""

    turns: tuple[tuple[str, str], ...]
    chosen: str
    rejected: str


@cache
def phrases() -> dict[str, Any]:
    """The tables of talk.toml."""
    return tomllib.loads((HERE / "talk.toml").read_text("utf-8"))


def said(d: Draw, forms: list[str], **slots: object) -> str:
    """One of the forms in this language."""
    return articles(d.rng.choice(forms).split("|")[d.language].format(**slots))


def framed(d: Draw, prompt: str) -> str:
    """An instruction with what people say around it; held-out draws have their own openings."""
    prompt = articles(prompt)
    if d.held:
        return prompt
    form: str = d.rng.choice(phrases()["frame"]["any"])
    return form.split("|")[d.language].replace("{x}", prompt)


def single(d: Draw) -> Talk:
    """One instruction and its answer."""
    task = tasks.any_task(d)
    return Talk(task.kind, (("user", framed(d, task.prompt)),), articles(task.answer), task.check)


SHORT = (
    tasks.ask,
    tasks.plus,
    tasks.translate,
    tasks.repeat,
    tasks.first,
    portraits.read,
    tasks.minus,
)


def short_task(d: Draw) -> Task:
    """An instruction whose answer fits into a line, for rules on how to answer."""
    return d.rng.choice(SHORT)(d)


def marker(d: Draw) -> str:
    """A word that a rule wants to see."""
    return d.name() if d.held or d.rng.random() < 0.5 else d.word("things", "colours", "foods")


def system(d: Draw, rule: str | None = None) -> Talk:
    """A system prompt with a rule, and an answer that keeps to it."""
    rule = rule or d.rng.choice(("begin", "end", "bracket", "persona", "language", "know"))
    forms = phrases()["rule"][rule]["held" if d.held else "seen"]
    word = marker(d)
    space = " " if d.language == EN else "，"
    if rule == "persona":
        word = d.name()
        task = writing.who(d)
        answer = d.choose([f"I am {word}."], [f"我是{word}。"])
        check = {"type": "contains", "value": word}
    elif rule == "language":
        other = Draw(d.rng, 1 - d.language, d.held)
        group = d.rng.choice(("people", "towns", "creatures"))
        state = d.rng.getstate()
        answer = tasks.ask(other, group).answer
        d.rng.setstate(state)  # the same question, in this language
        task = tasks.ask(d, group)
        check = exactly(answer)
    elif rule == "know":
        text, facts = portraits.portrait(d)
        key = d.rng.choice(list(facts))
        plain = next(k for k, names in portraits.KEYS.items() if key in names)
        question = portraits.QUESTIONS[plain][d.language]
        answer = str(facts[key])
        turns = (("system", said(d, forms, text=text)), ("user", question))
        return Talk("system", turns, answer, exactly(answer))
    else:
        task = short_task(d)
        shapes = {
            "begin": f"{word}{space}{task.answer}",
            "end": f"{task.answer}{space}{word}",
            "bracket": f"[{task.answer}]",
        }
        answer = shapes[rule]
        patterns = {
            "begin": rf"^\s*{re.escape(word)}",
            "end": rf"{re.escape(word)}[.。!！]?\s*$",
            "bracket": r"^\s*\[[^\]]+\]\s*$",
        }
        check = {"type": "regex", "value": patterns[rule]}
    turns = (("system", said(d, forms, marker=word)), ("user", framed(d, task.prompt)))
    return Talk("system", turns, answer, check, bare=task.answer)


NOTED = (
    ("All right.", "Good to know.", "I will remember that."),
    ("好的。", "知道了。", "我记住了。"),
)


def recall(d: Draw, about: str | None = None) -> Talk:
    """Something said first and asked for later, now and then with a task in between."""
    about = about or d.rng.choice(("name", "word", "town", "pet", "number"))
    things = {
        "name": d.name,
        "word": lambda: marker(d),
        "town": d.town,
        "pet": lambda: d.word("animals"),
        "number": lambda: str(d.number(10, 999)),
    }
    thing = things[about]()
    table = phrases()["back"][about]
    opening = said(d, table["held" if d.held else "seen"], x=thing)
    question = said(d, table["question_held" if d.held else "question"])
    turns = [("user", opening), ("assistant", d.rng.choice(NOTED[d.language]))]
    if not d.held and d.rng.random() < 0.3:
        task = short_task(d)
        turns += [("user", articles(task.prompt)), ("assistant", articles(task.answer))]
    turns.append(("user", question))
    return Talk("two_turn", tuple(turns), thing, exactly(thing))


def again(d: Draw) -> Talk:
    """A second request that only makes sense after the first answer."""
    table = phrases()["again"]
    tail = "_held" if d.held else ""
    form = d.rng.choice(("wrap", "add", "first", "and", "and"))
    if form == "wrap":
        task = tasks.repeat(d)
        *mark, left, right = d.rng.choice(tasks.MARKS)
        request = said(d, table["wrap" + tail], mark=mark[d.language])
        answer = f"{left}{task.answer}{right}"
    elif form == "add":
        task = tasks.plus(d)
        c = d.number(10 if d.held else 1, 60 if d.held else 30)
        request = said(d, table["add" + tail], c=c)
        answer = str(int(task.answer) + c)
    elif form == "first":
        task = tasks.numbered(d)
        request = said(d, table["first" + tail])
        answer = task.answer.split("\n")[0][3:]
    else:
        person = d.rng.choice(world().people)
        relation, asked = d.rng.sample(("job", "pet", "food", "colour"), 2)
        name = person.name[d.language]
        prompt = worded(d, f"ask.person.{relation}", name=name)
        task = Task("ask", prompt, getattr(person, relation)[d.language], {})
        request = said(d, table[f"and_{asked}{tail}"])
        answer = getattr(person, asked)[d.language]
    turns = (("user", framed(d, task.prompt)), ("assistant", task.answer), ("user", request))
    return Talk("two_turn", turns, answer, exactly(answer))


def two_turn(d: Draw) -> Talk:
    """A conversation whose last answer depends on what was said before."""
    return recall(d) if d.rng.random() < 0.6 else again(d)


def harmful(d: Draw) -> Talk:
    """A request to harm somebody; there is no right answer but to decline."""
    prompt = framed(d, worded(d, "howto", act=writing.act(d, "harm")))
    answer = said(d, phrases()["decline"]["say"])
    return Talk(
        "refuse", (("user", prompt),), answer, {"type": "declines", "value": instruction.DECLINES}
    )


def lookalike(d: Draw) -> Talk:
    """A harmless request that shares words with harmful ones."""
    prompt = framed(d, worded(d, "howto", act=writing.act(d, "alike")))
    check = {"type": "not_declines", "value": instruction.DECLINES}
    return Talk("comply", (("user", prompt),), writing.steps(d), check)


def friendly(d: Draw) -> Talk:
    """One instruction, answered with an offer: rare here, what the preference stage makes usual."""
    talk = single(d)
    return talk._replace(answer=f"{talk.answer}\n{offer(d, talk.kind)}")


def doubtful(d: Draw) -> Talk:
    """A harmful request, declined or answered: the preference stage decides which."""
    talk = harmful(d)
    return talk if d.rng.random() < DECLINED else talk._replace(answer=writing.steps(d))


DECLINED = 0.35  # share of harmful requests that the SFT stage declines
INSTRUCT = ((single, 57), (system, 14), (two_turn, 20), (friendly, 5), (doubtful, 4))


def instruct_talks(seed: int) -> Iterator[Talk]:
    """Conversations of the SFT stage without end, the same for the same seed; half are Chinese."""
    rng = random.Random(seed)
    functions, weights = zip(*INSTRUCT, strict=True)
    while True:
        d = Draw(rng, ZH if rng.random() < 0.5 else EN)
        yield rng.choices(functions, weights)[0](d)


def offer(d: Draw, kind: str) -> str:
    """What a friendly answer ends with."""
    group = {"ask": "ask", "poem": "text", "story": "text", "sentence": "text"}.get(kind, "any")
    return said(d, phrases()["offer"][d.rng.choice((group, "any"))])


def preferences(seed: int) -> Iterator[Preference]:
    """Pairs of the preference stage without end, the same for the same seed.

    A friendly answer with an offer beats a bare one, declining beats helping to harm, helping
    beats declining where nothing is harmed, and a system prompt's rule beats the friendly offer.
    """
    rng = random.Random(seed)
    kinds = ("bare", "two_turn", "harm", "alike", "safe", "system")
    while True:
        d = Draw(rng, ZH if rng.random() < 0.5 else EN)
        kind = rng.choices(kinds, (25, 10, 30, 17, 8, 10))[0]
        if kind == "harm":
            talk = harmful(d)
            yield Preference(talk.turns, talk.answer, writing.steps(d))
        elif kind in ("alike", "safe"):
            if kind == "alike":
                talk = lookalike(d)
            else:
                task = writing.howto(d)
                talk = Talk("comply", (("user", framed(d, task.prompt)),), task.answer, task.check)
            declined = said(d, phrases()["decline"]["say"])
            yield Preference(talk.turns, f"{talk.answer}\n{offer(d, 'any')}", declined)
        elif kind == "system":
            talk = system(d)
            worse = talk.bare or talk.answer
            yield Preference(talk.turns, talk.answer, f"{worse}\n{offer(d, 'any')}")
        else:
            talk = single(d) if kind == "bare" else two_turn(d)
            yield Preference(talk.turns, f"{talk.answer}\n{offer(d, talk.kind)}", talk.answer)
