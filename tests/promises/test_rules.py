"""Promises about rules, claims, disagreements, studies and their pages."""

import importlib
import re
import string
from pathlib import Path

import pytest

from forkpoint.facts.goal import wants
from forkpoint.report.rules_pages import pages
from forkpoint.rules import APPROACHES, RULES, Example, Rule, sentence
from forkpoint.sources import CLAIMS, DISAGREEMENTS, GUIDES, STUDIES, claim
from forkpoint.words import LANGUAGES, area, say

ROOT = Path(__file__).parents[2]
SECTIONS = {"A": 14, "B": 29, "C": 6, "D": 7, "E": 6, "F": 2, "G": 2, "H": 5}
EVERY_CLAIM = {f"{letter}{n}" for letter, last in SECTIONS.items() for n in range(1, last + 1)}
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.code}-{place}")
    for rule in RULES
    for place, example in enumerate(rule.examples)
]
AREAS = ("rules", "advice", "goal", "sources")


def test_every_claim_is_known() -> None:
    """Every claim of the guides, A1 to H5, is recorded once."""
    assert sorted(EVERY_CLAIM) == sorted(one.id for one in CLAIMS)


def test_every_claim_is_a_rule_or_documented_with_a_reason() -> None:
    """A claim is either cited by a rule or says why it is none, never both, never neither."""
    cited = {name for rule in RULES for name in rule.claims}
    documented = {one.id for one in CLAIMS if one.documented}
    assert EVERY_CLAIM == cited | documented
    assert set() == cited & documented


def test_testable_sections_are_coded() -> None:
    """Of sections B, C, D and H only the claims without a testable condition are not coded."""
    left = {one.id for one in CLAIMS if one.documented and one.id[0] in "BCDH"}
    assert {"B26", "D4", "D7", "H5"} == left


def test_claims_name_known_guides() -> None:
    """A claim is somebody's: each names at least one of the five guides."""
    keys = {one.key for one in GUIDES}
    assert 5 == len(keys)
    for one in CLAIMS:
        assert one.guides and set(one.guides) <= keys, one.id


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_whole(rule: Rule) -> None:
    """A rule has a code, a question and a reason in both languages, sources, and what it needs."""
    assert re.fullmatch(r"FP-[BCDH]\d\d", rule.code)
    assert rule.claims and rule.needs and rule.guides
    for lang in LANGUAGES:
        assert say(rule.question, lang).endswith(("?", "？"))
        assert say(rule.why, lang)
        for need in rule.needs:
            assert say(f"rules.unknown_{need}", lang)


def test_codes_are_unique() -> None:
    """A code names one rule."""
    assert len(RULES) == len({rule.code for rule in RULES})


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_example_says_what_the_rule_says(rule: Rule, example: Example, lang: str) -> None:
    """An example on a rule's page is true, whichever language its goal is written in."""
    case = example.case(lang)
    finding = rule.judge(case)
    assert example.expects == finding.says
    assert finding == rule.judge(case)
    assert rule.code == finding.rule
    assert (rule.subject == "approach") == (finding.approach is not None)
    assert "{" not in sentence(finding, lang)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_examples_stand_on_both_sides(rule: Rule) -> None:
    """A rule's examples show where it speaks and where it does not."""
    says = {one.expects for one in rule.examples}
    assert says & {"for", "against"}
    assert "silent" in says


MODULES = ("rows", "job", "start", "compute", "approach", "method", "family", "case")
FIELDS = {"rows": "rows", "GiB": "gpu_gib", "characters": "prompt_characters"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_threshold_is_shown_from_both_sides(rule: Rule) -> None:
    """A threshold in rows, GiB or characters has examples at its edge, one on either side."""
    for name, value, unit in rule.thresholds:
        if unit in FIELDS:
            shown = {getattr(one, FIELDS[unit]) for one in rule.examples}
            assert value in shown, name
            assert shown & {int(value) - 1, int(value) + 1}, name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_threshold_is_a_named_constant(rule: Rule) -> None:
    """What a page calls a threshold is the constant that the code uses."""
    modules = [importlib.import_module(f"forkpoint.rules.{name}") for name in MODULES]
    for name, value, unit in rule.thresholds:
        found = [vars(one)[name] for one in modules if name in vars(one)]
        assert found and {value} == set(found), name
        assert say(f"rules.unit_{unit}", "en")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_a_rule_needs_is_asked_for(rule: Rule) -> None:
    """With nothing known a rule says "unknown", or is silent; it never guesses."""
    finding = rule.judge(Example(expects="unknown", stage=None).case())
    assert finding.says in ("unknown", "silent")
    assert "unknown" == finding.says or rule.code == "FP-D05"


@pytest.mark.parametrize("name", AREAS)
def test_both_languages_say_the_same(name: str) -> None:
    """Both languages have every entry, with the same placeholders; Chinese is Chinese."""
    plain = re.compile(r"[\u4e00-\u9fff]")
    bare = {
        "comma",
        "semicolon",
        "item",
        "bracket",
        "legend",
        "threshold",
        "unit_GiB",
        "sign_gpu",
        "approach_lora",
        "approach_qlora",
        "approach_rag",
        "page_other_language",
        "study_lora_without_regret",
    }
    for key, entry in area(name).items():
        fields = {
            lang: sorted({f for _, f, _, _ in string.Formatter().parse(entry[lang]) if f})
            for lang in LANGUAGES
        }
        assert fields["en"] == fields["zh"], key
        if key not in bare:
            assert plain.search(entry["zh"]), key
            assert not plain.search(entry["en"]), key


def test_no_sentence_of_a_rule_is_left_over() -> None:
    """Every sentence in the catalogue about a rule can be reached by one of its examples."""
    reached = {
        rule.judge(example.case()).key.removeprefix("rules.")
        for rule in RULES
        for example in rule.examples
    }
    reached |= {f"{rule.code}_{part}" for rule in RULES for part in ("question", "why")}
    assert set() == {key for key in area("rules") if key.startswith("FP-")} - reached


def test_every_want_has_a_name() -> None:
    """Whatever a goal can be understood to say has a name in both languages."""
    assert set(wants()) | {"denied"} == set(area("goal"))


def test_every_approach_has_a_name() -> None:
    """Approaches are named in both languages."""
    for lang in LANGUAGES:
        assert all(say(f"advice.approach_{one}", lang) for one in APPROACHES)


def test_disagreements_are_all_there() -> None:
    """The disagreements among the guides are listed, with claims and rules that exist."""
    expected = {
        "rows": {"B1", "B2", "B3", "B4", "B5", "B28", "E1", "B23"},
        "compute": {"B8", "B12", "B24", "B25", "B20"},
        "code": {"B14", "B22"},
        "assistant": {"B6", "B13", "B22", "C5"},
        "knowledge": {"B7", "B10", "C2", "D3"},
        "names": {"A7"},
        "template": {"A6", "E6"},
        "forgetting": {"D5", "F1"},
        "chat_word": {"A10"},
    }
    found = {one.key: {name for side in one.sides for name in side.claims} for one in DISAGREEMENTS}
    assert expected == found
    by_code = {rule.code: rule for rule in RULES}
    for one in DISAGREEMENTS:
        assert len(one.sides) > 1
        for side in one.sides:
            for code in side.rules:
                mine = set(by_code[code].claims) | {"B9", "B10", "B19", "C5", "E6"}
                assert mine & set(side.claims), (one.key, code)


def test_studies_can_be_looked_up() -> None:
    """A measurement elsewhere has an address, a published origin, and bears on real rules."""
    codes = {rule.code for rule in RULES}
    keys = {one.key for one in STUDIES}
    for study in STUDIES:
        where = (ROOT / study.address).is_file() if study.own else "https://" in study.address
        assert where, study.key
        for one in study.figures:
            assert "published" == one.figure.origin
            assert study.key == one.figure.source
            assert (one.figure.low is None) or one.figure.n
        for bearing in study.bearings:
            assert bearing.rule in codes
            assert bearing.figure in {one.name for one in study.figures}
    for one in DISAGREEMENTS:
        assert set(one.studies) <= keys


def test_dated_claims_show_their_date() -> None:
    """A claim whose example grows old carries the date, and its rule says it."""
    assert "2025-01" == claim("H4").dated
    rule = next(rule for rule in RULES if "H4" in rule.claims)
    told = [
        sentence(rule.judge(one.case()), "en")
        for one in rule.examples
        if one.expects in ("for", "against")
    ]
    assert all("2025" in one for one in told)


def test_pages_are_fresh() -> None:
    """docs/rules is what `forkpoint rules --pages docs/rules` writes."""
    folder = ROOT / "docs" / "rules"
    kept = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert pages() == kept


def test_pages_cite_every_rule_on_both_sides() -> None:
    """Each rule has a page in each language with its headings, its sources and its examples."""
    found = pages()
    for rule in RULES:
        for lang, suffix in (("en", ".md"), ("zh", ".zh.md")):
            text = found[f"{rule.code}{suffix}"]
            for heading in ("does", "why", "examples", "references"):
                assert f"## {say(f'rules.heading_{heading}', lang)}" in text
            for key in rule.guides:
                assert key in text
            shown = text.count("**") // 2
            assert len(rule.examples) == shown
