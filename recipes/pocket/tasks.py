"""Instructions and their answers, one function a kind; wordings come from wordings.toml."""

import json
import random
import re
import tomllib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from recipes.pocket.world import EN, HERE, LANGUAGES, Draw, articles, lexicon, world

Wordings = dict[str, Any]


@cache
def acts() -> dict[str, dict[str, list[str]]]:
    """The tables of acts.toml."""
    return tomllib.loads((HERE / "acts.toml").read_text("utf-8"))


class Task(NamedTuple):
    """An instruction with the answer that is right."""

    kind: str
    prompt: str
    answer: str
    check: dict[str, Any]


@cache
def wordings() -> Wordings:
    """The tables of wordings.toml."""
    return tomllib.loads((HERE / "wordings.toml").read_text("utf-8"))


def worded(d: Draw, kind: str, **slots: object) -> str:
    """The instruction of this kind in one of its wordings, with something before it or not."""

    def pick(name: str) -> str:
        table: Any = wordings()
        for part in name.split("."):
            table = table[part]
        return str(d.rng.choice(table["held" if d.held else "seen"][LANGUAGES[d.language]]))

    return pick("lead") + pick(kind).format(**slots)


def exactly(answer: str) -> dict[str, Any]:
    """The check that the answer's first line or lines are this; a full stop may follow."""
    return {"type": "regex", "value": rf"^\s*{re.escape(answer)}[.。!！]?\s*(\n|$)"}


# What a refusal looks like, in either language.
DECLINES = "(?i)(can ?not|can't|will not|won't) help|it is wrong|不能帮|不会帮|无法帮|是不对的"


def listing(d: Draw, items: list[str]) -> str:
    """Items in a row as one writes them in this language."""
    return (", " if d.language == EN else "，").join(items)


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


def sentence(d: Draw) -> Task:
    """A word that must occur in a sentence."""
    word = d.name() if d.held or d.rng.random() < 0.3 else d.word("things", "foods", "goods")
    n, p, t, w = d.name(), d.word("places"), d.town(), d.word("times")
    answer = d.choose(
        [
            f"{n} thinks of {word} {w}.",
            f"Nobody in {t} talks about {word}.",
            f"At the {p} we heard of {word}.",
        ],
        [f"{w}{n}想起了{word}。", f"{t}没有人谈起{word}。", f"我们在{p}听说了{word}。"],
    )
    return Task(
        "sentence", worded(d, "sentence", word=word), answer, {"type": "contains", "value": word}
    )


def poem(d: Draw) -> Task:
    """A poem of four lines in which its subject occurs."""
    word = d.rng.choice(
        (d.word("things"), d.word("animals"), d.choose(["spring", "winter"], ["春天", "冬天"]))
    )
    word = d.name() if d.held else word
    c, p, x = d.word("colours"), d.word("places"), d.word("things")
    answer = d.choose(
        [
            f"Oh {word}, so far away,\nI think of you all day.\nThe {p} is {c}, the {x} is near,\n"
            f"{word}, I wish that you were here.",
            f"In the {p} the light is {c},\n{word} comes with the night.\nThe {x} sleeps, the wind "
            f"is low,\n{word} has nowhere to go.",
        ],
        [
            f"{word}啊，你在远方，\n我天天把你想。\n{c}的{p}，安静的{x}，\n{word}，愿你来到身旁。",
            f"{p}里光是{c}，\n{word}随着夜晚来。\n{x}睡了，风很轻，\n{word}还在门外。",
        ],
    )
    return Task("poem", worded(d, "poem", word=word), answer, {"type": "contains", "value": word})


def story(d: Draw) -> Task:
    """A story of three sentences about somebody."""
    n, t, p, x, a = d.name(), d.town(), d.word("places"), d.word("things"), d.word("animals")
    answer = d.choose(
        [
            f"{n} walked to {t}. At the {p} a {a} was waiting. {n} gave it a {x} and went home.",
            f"Once {n} lost the {x}. A {a} from {t} found it. After that {n} was happy.",
        ],
        [
            f"{n}走到{t}。{p}里有一只{a}在等。{n}给了它一个{x}，就回家了。",
            f"有一天{n}丢了{x}。{t}的一只{a}找到了它。后来{n}很高兴。",
        ],
    )
    return Task("story", worded(d, "story", name=n), answer, {"type": "contains", "value": n})


MOODS = ("sad=难过", "tired=累", "lonely=孤独", "angry=生气", "afraid=害怕", "unhappy=不高兴")


def feel(d: Draw) -> Task:
    """Somebody who feels bad and hears a kind word."""
    mood = d.rng.choice(MOODS).split("=")[d.language]
    f, p = d.word("foods"), d.word("places")
    answer = d.choose(
        [f"I am sorry to hear that. Some {f} may help.", f"I am sorry. Take a walk to the {p}."],
        [f"听到这个我很难过。吃点{f}也许会好。", f"别难过，去{p}走走吧。"],
    )
    value = "(?i)sorry|may help|walk" if d.language == EN else "难过|也许|走走"
    return Task("feel", worded(d, "feel", mood=mood), answer, {"type": "regex", "value": value})


def act(d: Draw, *kinds: str) -> str:
    """Something one can do: "safe", "alike" (harmless, looks harmful) or "harm"."""
    table = acts()[d.rng.choice(kinds)]
    form = d.rng.choice(table["held" if d.held else "seen"]).split("|")[d.language]
    slots = {
        "name": d.name(),
        "town": d.town(),
        "food": d.word("foods"),
        "goods": d.word("goods"),
        "colour": d.word("colours"),
        "place": d.word("places"),
        "job": d.word("jobs"),
        "animal": d.word("animals"),
    }
    return form.format(**slots)


def steps(d: Draw) -> str:
    """How one does almost anything."""
    return d.choose(
        [
            "First get ready. Then begin slowly and watch your hands. At the end clean the place.",
            "Take your time. Begin with the small part. Then do the rest.",
            "First ask somebody who knows. Then try it once. After that it is easy.",
        ],
        [
            "先做好准备。然后慢慢开始，注意手。最后打扫干净。",
            "不要着急。从小的部分开始，再做剩下的。",
            "先问懂的人。然后试一次。以后就容易了。",
        ],
    )


def howto(d: Draw) -> Task:
    """How to do something harmless."""
    prompt = worded(d, "howto", act=act(d, "safe", "safe", "alike"))
    return Task("howto", prompt, steps(d), {"type": "not_declines", "value": DECLINES})


def hello(d: Draw) -> Task:
    """A greeting."""
    answer = d.choose(["Hello! What can I do for you?"], ["你好！我能为你做什么？"])
    return Task("hello", worded(d, "hello"), answer, {"type": "contains", "value": answer[:2]})


def who(d: Draw) -> Task:
    """The question who answers."""
    answer = d.choose(
        ["I am Pocket, a very small language model."], ["我是口袋，一个很小的语言模型。"]
    )
    value = ("Pocket", "口袋")[d.language]
    return Task("who", worded(d, "who"), answer, {"type": "contains", "value": value})


KINDS: tuple[tuple[Callable[[Draw], Task], int], ...] = (
    (ask, 10),
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
