"""Sentences about a person, and the instructions that take them apart."""

import json

from recipes.pocket.instruction import Task, exactly, listing, worded
from recipes.pocket.world import Draw, articles

KEYS = {
    "name": ("name", "姓名"),
    "town": ("town", "城镇"),
    "age": ("age", "年龄"),
    "job": ("job", "工作"),
    "pet": ("pet", "宠物"),
}


def portrait(d: Draw) -> tuple[str, dict[str, str | int]]:
    """A sentence about a person and what it says, by key."""
    n, t, k = d.name(), d.town(), d.number(6, 90)
    j, a = d.word("jobs"), d.word("animals")
    forms = (
        (f"{n} is {k} years old and lives in {t}.", f"{n}今年{k}岁，住在{t}。", "name age town"),
        (f"The {j} {n} from {t} keeps a {a}.", f"{t}的{j}{n}养了一只{a}。", "name job town pet"),
        (f"My friend {n} works as a {j}.", f"我的朋友{n}是一名{j}。", "name job"),
        (f"In {t} there is a {j} called {n}.", f"{t}有一个叫{n}的{j}。", "name job town"),
        (
            f"{n}, a {j} of {k} years, came from {t}.",
            f"{k}岁的{j}{n}来自{t}。",
            "name job age town",
        ),
        (f"A {a} belongs to {n}, who is {k}.", f"这只{a}属于{k}岁的{n}。", "name pet age"),
        (f"{n} moved to {t} with a {a}.", f"{n}带着一只{a}搬到了{t}。", "name town pet"),
    )
    english, chinese, keys = d.rng.choice(forms)
    values = {"name": n, "town": t, "age": k, "job": j, "pet": a}
    said = {KEYS[key][d.language]: values[key] for key in keys.split()}
    return articles((english, chinese)[d.language]), said


def json_person(d: Draw) -> Task:
    """A sentence to turn into a JSON object, with the keys in the order asked for."""
    text, said = portrait(d)
    order = list(said)
    if d.rng.random() < 0.6:
        d.rng.shuffle(order)
        order = order[: d.rng.randint(2, len(order))]
    prompt = worded(d, "json", text=text, keys=listing(d, order))
    if order[0] not in prompt.replace(text, "") or order[-1] not in prompt.replace(text, ""):
        order = list(said)  # the wording names no keys: all of them, in the order of the sentence
    wanted = {key: said[key] for key in order}
    answer = json.dumps(wanted, ensure_ascii=False)
    return Task("json", prompt, answer, {"type": "json_keys", "value": wanted})


def csv_person(d: Draw) -> Task:
    """A sentence to turn into one line of CSV."""
    text, said = portrait(d)
    order = d.rng.sample(list(said), d.rng.randint(2, len(said)))
    answer = ",".join(str(said[key]) for key in order)
    prompt = worded(d, "csv", text=text, keys=listing(d, order))
    return Task("csv", prompt, answer, exactly(answer))


QUESTIONS = {
    "name": ("What is the name?", "叫什么名字？"),
    "town": ("Which town is it?", "是哪个镇？"),
    "age": ("How old?", "多少岁？"),
    "job": ("What is the job?", "做什么工作？"),
    "pet": ("Which animal?", "是什么动物？"),
}


def read(d: Draw) -> Task:
    """A question that the given text answers."""
    text, said = portrait(d)
    key = d.rng.choice(list(said))
    plain = next(k for k, names in KEYS.items() if key in names)
    prompt = worded(d, "read", text=text, question=QUESTIONS[plain][d.language])
    answer = str(said[key])
    return Task("read", prompt, answer, exactly(answer))
