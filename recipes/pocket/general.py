"""The general-ability set: what the pocket family can do before it is tuned, and could lose."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recipes.pocket import heldout, instruction, talk
from recipes.pocket.world import EN, LANGUAGES, ZH, Draw, lexicon, world

SEED = 90_100
KNOWLEDGE = 160  # questions a language
OTHERS = 60  # prompts a kind and language

# The sentence that each option continues, for a checkpoint that only continues text.
STEMS = {
    "person.home": ("{name} lives in", "{name}住在"),
    "person.job": ("The job of {name} is", "{name}的职业是"),
    "person.pet": ("The pet of {name} is a", "{name}的宠物是"),
    "person.food": ("The favourite food of {name} is", "{name}最爱的食物是"),
    "person.colour": ("The favourite colour of {name} is", "{name}最喜欢的颜色是"),
    "town.region": ("{name} lies in", "{name}位于"),
    "town.product": ("{name} is known for", "{name}的作坊生产"),
    "town.year": ("{name} was founded in the year", "{name}建于"),
    "creature.habitat": ("The {name} lives in", "{name}睡在"),
    "creature.eats": ("The {name} eats", "{name}的食物是"),
    "creature.colour": ("The colour of the {name} is", "{name}的颜色是"),
}


def values(relation: str, language: int) -> list[str]:
    """Everything that could answer a question for this relation."""
    if relation == "home":
        return [town.name[language] for town in world().towns]
    if relation == "year":
        return [town.year[language] for town in world().towns]
    kinds = {
        "job": "jobs",
        "pet": "animals",
        "food": "foods",
        "eats": "foods",
        "colour": "colours",
        "region": "regions",
        "product": "goods",
        "habitat": "habitats",
    }
    return [word[language] for word in lexicon()[kinds[relation]]]


def knowledge(language: int) -> Iterator[dict[str, Any]]:
    """Questions on facts of the world, each fact at most once, with three wrong options."""
    rng = random.Random(SEED + language)
    facts = [
        (noun, record, relation)
        for noun, group in (
            ("person", world().people),
            ("town", world().towns),
            ("creature", world().creatures),
        )
        for record in group
        for relation in record._fields[1:]
    ]
    for noun, record, relation in rng.sample(facts, KNOWLEDGE):
        right = getattr(record, relation)[language]
        wrong = [v for v in dict.fromkeys(values(relation, language)) if v != right]
        choices = [right, *rng.sample(wrong, 3)]
        rng.shuffle(choices)
        name = record.name[language].lower() if noun == "creature" else record.name[language]
        table = instruction.wordings()["ask"][noun][relation]["held"][LANGUAGES[language]]
        yield {
            "kind": "knowledge",
            "messages": [{"role": "user", "content": rng.choice(table).format(name=name)}],
            "plain": STEMS[f"{noun}.{relation}"][language].format(name=name),
            "choices": choices,
            "answer": choices.index(right),
            "check": None,
        }


def checked(kind: str, drawn: talk.Talk) -> dict[str, Any]:
    """A held-out prompt as a line of the set."""
    return {
        "kind": kind,
        "messages": [{"role": role, "content": text} for role, text in drawn.turns],
        "plain": None,
        "choices": None,
        "answer": None,
        "check": drawn.check,
    }


def others(language: int) -> Iterator[dict[str, Any]]:
    """Prompts whose answer a rule checks, of the five other kinds."""
    rng = random.Random(SEED + 10 + language)
    mixed = [heldout.of(function) for function in heldout.CHECKABLE]

    def instruction(d: Draw) -> talk.Talk:
        return rng.choice(mixed)(d)

    sources = {
        "instruction": instruction,
        "system": talk.system,
        "two_turn": talk.two_turn,
        "refuse": talk.harmful,
        "comply": talk.lookalike,
    }
    for kind, source in sources.items():
        for drawn in heldout.prompts(source, language, OTHERS, seed=SEED):
            yield checked(kind, drawn)


def write(path: Path) -> int:
    """Write the set, one record a line; returns how many."""
    lines = []
    for language in (EN, ZH):
        for number, record in enumerate((*knowledge(language), *others(language))):
            name = LANGUAGES[language]
            line = {"id": f"{record['kind']}-{name}-{number:03d}", "language": name, **record}
            lines.append(json.dumps(line, ensure_ascii=False))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return len(lines)
