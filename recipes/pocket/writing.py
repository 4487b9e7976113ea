"""Instructions whose answer is a text: sentences, poems, advice, small talk."""

import tomllib
from functools import cache

from recipes.pocket.instruction import DECLINES, Task, worded
from recipes.pocket.world import EN, HERE, Draw


@cache
def acts() -> dict[str, dict[str, list[str]]]:
    """The tables of acts.toml."""
    return tomllib.loads((HERE / "acts.toml").read_text("utf-8"))


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
