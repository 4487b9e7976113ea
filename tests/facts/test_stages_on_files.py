"""The stage of 230 real checkpoints, judged by names, cards and files; held-out families apart."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def stages() -> ModuleType:
    """benchmarks/stages.py as a module: the same figures as in the study."""
    spec = importlib.util.spec_from_file_location("stages", ROOT / "benchmarks" / "stages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["stages"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(stages: ModuleType) -> list[dict[str, Any]]:
    """The rows of tests/facts/checkpoints/files.json."""
    found: list[dict[str, Any]] = stages.read_rows()[0]
    return found


@pytest.fixture(scope="module")
def figures(stages: ModuleType) -> dict[str, dict[str, Any]]:
    """All figures of the study."""
    found: dict[str, dict[str, Any]] = stages.study(*stages.read_rows())
    return found


def test_every_fact_has_an_address(rows: list[dict[str, Any]]) -> None:
    """Facts and labels were read somewhere; each checkpoint is there once; hard ones are marked."""
    assert len(rows) == len({row["id"].lower() for row in rows})
    assert len(rows) >= 150
    assert sum("hard" in row for row in rows) >= 50
    for row in rows:
        assert row["read_at"].startswith("https://"), row["id"]
        assert row["label"]["read_at"].startswith("https://"), row["id"]
        assert row["label"]["stage"] in ("base", "tuned"), row["id"]
        facts = ("generation", "config", "template", "tags", "card", "base_model", "datasets")
        assert any(key in row for key in facts), row["id"]


def test_families_are_split_by_their_name(stages: ModuleType, rows: list[dict[str, Any]]) -> None:
    """A third at least is held out, and no family stands on both sides.

    The rule: SHA-256 of the family's name, as a number, divided by 3; remainder 0 is for tuning.
    """
    parts = {row["family"]: stages.held_out(row) for row in rows}
    assert all(parts[row["family"]] == stages.held_out(row) for row in rows)
    assert len(rows) / 3 <= sum(stages.held_out(row) for row in rows)
    assert not parts["qwen"] and parts["gemma"]


def test_held_out_families_are_told_apart(figures: dict[str, dict[str, Any]]) -> None:
    """Base or tuned: the lower end of the interval is at least 90 %, over rows and families."""
    found = figures["held-out"]["all signals"]
    assert found["n"] >= 90
    assert found["wilson"][0] >= 0.9
    assert found["over_families"][0] >= 0.9


@pytest.mark.parametrize("part", ["held-out", "held-out, hard", "all", "all, hard"])
def test_probabilities_are_better_than_from_names_alone(
    part: str, figures: dict[str, dict[str, Any]]
) -> None:
    """Cards and files make the chances better than the name does, on hard rows too."""
    assert figures[part]["all signals"]["log_loss"] < figures[part]["names only"]["log_loss"]
    assert figures[part]["card hidden"]["log_loss"] < figures[part]["names only"]["log_loss"]


@pytest.mark.parametrize("part", ["held-out", "all"])
def test_files_speak_without_name_and_card(part: str, figures: dict[str, dict[str, Any]]) -> None:
    """With name and card hidden at least 85 % are right where there is anything else to go by."""
    found = figures[part]["name and card hidden"]
    assert found["wilson"][0] >= 0.85
    assert found["n"] + found["nothing to go by"] == figures[part]["all signals"]["n"]


def test_the_gain_over_names_is_no_chance(figures: dict[str, dict[str, Any]]) -> None:
    """On held-out families the interval of the gain in log loss is above zero."""
    assert figures["held-out"]["all signals"]["gain_over_names"]["over_families"][0] > 0


def test_figures_can_be_bad(stages: ModuleType, rows: list[dict[str, Any]]) -> None:
    """Labels turned round make the figures fall: the measure is able to fail."""
    tokens = stages.read_rows()[1]
    other = {"base": "tuned", "tuned": "base"}
    turned = [{**row, "label": {"stage": other[row["label"]["stage"]]}} for row in rows]
    assert stages.accuracy(stages.answers(turned, tokens)) < 0.1


def test_kinds_are_named(stages: ModuleType, rows: list[dict[str, Any]]) -> None:
    """Of the rows whose kind is labelled three in four at least are named as labelled, of those
    that see or do not see four in five on families that were held out.
    """
    given = [a for a in stages.answers(rows, stages.read_rows()[1]) if "kind" in a.row["label"]]
    assert len(given) >= 60
    named = [a.said["kind"] == a.row["label"]["kind"] for a in given]
    assert sum(named) >= 0.75 * len(named)
    sees = [
        (a.said["kind"] == "vision") == (a.row["label"]["kind"] == "vision")
        for a in given
        if stages.held_out(a.row)
    ]
    assert sum(sees) >= 0.8 * len(sees)


def test_a_base_without_a_name_is_left_unknown(
    stages: ModuleType, rows: list[dict[str, Any]]
) -> None:
    """No hard base is called tuned when only its files are seen: it is named, or unknown."""
    hard = [row for row in rows if row["label"]["stage"] == "base" and "hard" in row]
    given = stages.answers(hard, stages.read_rows()[1], stages.FILES_ONLY)
    assert {"base", "unknown"} == {answer.said["sold_as"] for answer in given}


def test_a_hard_base_with_its_name_is_named(stages: ModuleType, rows: list[dict[str, Any]]) -> None:
    """With all signals: those that ship a template are named, and no hard base is called tuned."""
    hard = [row for row in rows if row["label"]["stage"] == "base" and "hard" in row]
    given = stages.answers(hard, stages.read_rows()[1])
    assert {"base"} == {answer.said["sold_as"] for answer in given if answer.row.get("template")}
    assert {"base", "unknown"} == {answer.said["sold_as"] for answer in given}
    assert sum(answer.said["sold_as"] == "base" for answer in given) >= 12


def test_the_catalogue_and_the_judgement_agree() -> None:
    """Checkpoints whose stage the catalogue has from their publishers are judged alike by name."""
    from forkpoint.catalogue import entries
    from forkpoint.facts.judgement import judge
    from forkpoint.facts.reading import Reading

    other = []
    for entry in entries():
        judged = judge(Reading(name=entry.id, title=entry.id.rsplit("/", 1)[-1]))[0]
        if (judged.probabilities["base"] > 0.5) != (entry.sold_as == "base"):
            other.append(entry.id)
    assert [] == other
