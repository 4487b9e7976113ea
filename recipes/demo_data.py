"""Write the two bundled demo data sets: `python -m recipes.demo_data`, always the same bytes.

`tickets`: messages of customers in English and Chinese, each answered by the department that
should have it. Many messages also mention another department's matter in passing, so that
single words mislead. `even`: such messages answered by a fair coin: nothing can be learned,
no checkpoint can truly be better than another.
"""

import json
import random
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGET = HERE.parent / "src" / "forkpoint" / "data" / "bundled"
ROWS = 1_000
TICKETS_SEED, EVEN_SEED = 20_260_101, 20_260_102
LONGEST = {"en": 110, "zh": 44}  # characters of a message: about 45 tokens of a small BPE
CHINESE_SHARE = 0.5
ASIDE_SHARE = 0.45  # of messages that mention another matter in passing
SLIP_SHARE = 0.12  # of messages with a slip of the keyboard
WEIGHTS = {"billing": 18, "delivery": 22, "returns": 17, "repair": 16, "account": 13, "sales": 14}
COIN = ("left", "right")

Phrases = dict[str, Any]


def phrases() -> Phrases:
    """The wordings by language."""
    return tomllib.loads((HERE / "demo_phrases.toml").read_text("utf-8"))


def message(draw: random.Random, words: Phrases, language: str, department: str) -> str:
    """One customer's message for a department, in a wording drawn at random."""
    said = words[language]
    core = draw.choice(said["core"][department])
    aside = ""
    if draw.random() < ASIDE_SHARE:
        others = [name for name in WEIGHTS if name != department]
        aside = draw.choice(said["asides"][draw.choice(others)])
    item, other = draw.sample(said["items"], 2)
    values = {
        "item": item, "other": other, "day": draw.choice(said["days"]),
        "town": draw.choice(said["towns"]), "colour": draw.choice(said["colours"]),
        "n": draw.randint(2, 30),
    }  # fmt: skip
    opening, closing = draw.choice(said["openings"]), draw.choice(said["closings"])
    text = _joined(draw, language, [opening, aside, core], closing).format(**values)
    return _slip(draw, text) if draw.random() < SLIP_SHARE else text


def _joined(draw: random.Random, language: str, pieces: list[str], closing: str) -> str:
    """The pieces as people type them: with or without capitals and full stops."""
    if language == "zh":
        stop = draw.choice(["。", "。", "！", "，", ""])
        return "".join(pieces) + (stop or " " * bool(closing)) + closing
    text = " ".join(filter(None, pieces))
    stop = draw.choice([".", ".", ".", "!", "..."]) if closing else draw.choice([".", ".", ""])
    text = " ".join(filter(None, [text + stop, closing]))
    if draw.random() < 0.3:
        return text.lower()
    return text[0].upper() + text[1:]


def _slip(draw: random.Random, text: str) -> str:
    """The text with one neighbouring pair of characters swapped, one lost, or one doubled."""
    place = draw.randrange(1, len(text) - 1)
    kind = draw.randrange(3)
    if kind == 0:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if kind == 1:
        return text[:place] + text[place + 1 :]
    return text[:place] + text[place] + text[place:]


def rows(seed: int, coin: bool) -> list[tuple[str, str]]:
    """ROWS distinct messages with their answers."""
    draw = random.Random(seed)
    words = phrases()
    found: dict[str, tuple[str, str]] = {}
    while len(found) < ROWS:
        department = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        language = "zh" if draw.random() < CHINESE_SHARE else "en"
        text = message(draw, words, language, department)
        key = text.strip(" .,!。，！").lower()  # no two that differ in their last stop only
        if len(text) <= LONGEST[language] and key not in found:
            found[key] = (text, draw.choice(COIN) if coin else department)
    return list(found.values())


def jsonl(pairs: list[tuple[str, str]]) -> str:
    """Rows as JSONL of OpenAI messages."""
    lines = []
    for asked, answer in pairs:
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        lines.append(json.dumps({"messages": turns}, ensure_ascii=False) + "\n")
    return "".join(lines)


def data_sets() -> dict[str, str]:
    """File name -> text of the two data sets."""
    return {
        "tickets.jsonl": jsonl(rows(TICKETS_SEED, coin=False)),
        "even.jsonl": jsonl(rows(EVEN_SEED, coin=True)),
    }


def main() -> None:
    """Write both files."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in data_sets().items():
        (TARGET / name).write_text(text, "utf-8")
        print(f"{TARGET / name}: {text.count(chr(10))} rows")


if __name__ == "__main__":
    main()
