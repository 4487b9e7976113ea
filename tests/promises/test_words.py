"""One catalogue, two languages, complete."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from forkpoint.words import LANGUAGES, Words, say

SOURCE = Path(__file__).parents[2] / "src" / "forkpoint"
AREAS = sorted(path.stem for path in (SOURCE / "words").glob("*.toml"))
KEY = re.compile(r'"((?:%s)\.[A-Za-z0-9_\-]+)"' % "|".join(AREAS))  # noqa: UP031
FILE_ENDINGS = (
    "css", "js", "log", "toml", "json", "jsonl", "csv", "txt", "html", "jinja", "py", "md",
)  # fmt: skip


def entries(area: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((SOURCE / "words" / f"{area}.toml").read_text(encoding="utf-8"))


def placeholders(text: str) -> set[str]:
    return {name.split("!")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("area", AREAS)
def test_every_entry_exists_in_both_languages(area: str) -> None:
    """Same keys, same placeholders, no empty text."""
    for key, texts in entries(area).items():
        assert set(LANGUAGES) == set(texts), f"{area}.{key}"
        assert placeholders(texts["en"]) == placeholders(texts["zh"]), f"{area}.{key}"
        assert all(text.strip() for text in texts.values()), f"{area}.{key}"


@pytest.mark.parametrize("area", AREAS)
def test_chinese_entries_are_chinese(area: str) -> None:
    """An entry with words in English has Chinese characters in Chinese."""
    for key, texts in entries(area).items():
        bare = re.sub(r"\{[^}]*\}", "", texts["en"])
        if texts["en"] != texts["zh"] and len(re.findall(r"[A-Za-z]{3,}", bare)) >= 3:
            assert re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", texts["zh"]), (
                f"{area}.{key}"
            )


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    """A sentence that a person should read cannot be missing."""
    known = {f"{area}.{key}" for area in AREAS for key in entries(area)}
    used: dict[str, str] = {}
    for path in SOURCE.rglob("*.py"):
        for key in KEY.findall(path.read_text(encoding="utf-8")):
            if key.rpartition(".")[2] not in FILE_ENDINGS:
                used[key] = str(path.relative_to(SOURCE))
    missing = {
        key: file
        for key, file in used.items()
        if key not in known  # a key that ends in _ is completed at run time
        and not (key.endswith("_") and any(other.startswith(key) for other in known))
    }
    assert {} == missing


def test_an_unknown_key_is_an_error() -> None:
    """Nothing is ever shown as its key."""
    with pytest.raises(KeyError):
        say("race.no_such_key", "en")


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{p:chance}", {"p": 0.0}, ("less than 0.1%", "不到 0.1%")),
        ("{p:chance}", {"p": 0.00049}, ("less than 0.1%", "不到 0.1%")),
        ("{p:chance}", {"p": 0.0005}, ("0.1%", "0.1%")),
        ("{p:chance}", {"p": 0.9994}, ("99.9%", "99.9%")),
        ("{p:chance}", {"p": 0.99951}, ("more than 99.9%", "超过 99.9%")),
        ("{p:score}", {"p": 0.04997}, ("0.050", "0.050")),
        ("{p:score}", {"p": -0.25}, ("\u22120.250", "\u22120.250")),
        ("{p:score}", {"p": -0.0001}, ("0.000", "0.000")),
        ("{p:score}", {"p": 1234.5678}, ("1,235", "1,235")),
        ("{p:gap}", {"p": 3e-5}, ("less than 0.001", "不到 0.001")),
        ("{p:gap}", {"p": 0.0213}, ("0.021", "0.021")),
        ("{p:key}", {"p": "number.least_gap"}, ("less than 0.001", "不到 0.001")),
        ("{p:key}", {"p": "of.another.version"}, ("of.another.version", "of.another.version")),
        ("{p:,.0f} {p!r:>6}", {"p": 1234}, ("1,234   1234", "1,234   1234")),
    ],
)
def test_numbers_in_sentences_read_as_people_write_them(
    text: str, values: dict[str, object], expected: tuple[str, str]
) -> None:
    """No chance is rounded to none or to certainty, and none has digits that say nothing."""
    for lang, wanted in zip(LANGUAGES, expected, strict=True):
        assert wanted == Words(lang, values).vformat(text, (), values)


def test_no_sentence_prints_bare_floats() -> None:
    """A probability or a predicted score in the engine's reasons has one of the formats above."""
    bare = re.compile(r"\{[^}]*(p_best|wanted|regret|value)(:\.[^}]*)?\}")
    for key, texts in entries("engine").items():
        if key.startswith(("alive", "leads", "dropped", "stop")):
            for lang in LANGUAGES:
                assert not bare.search(texts[lang]), f"engine.{key}"
