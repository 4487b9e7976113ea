"""Several runs beside each other: it is said whether their scores may be compared."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import HOSTILE
from run_folder import build_run

from forkpoint.errors import BadInput
from forkpoint.report import View, compare, read_view


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[View]:
    """A race, the same one under another name, and one on other rows."""
    folder = tmp_path_factory.mktemp("compared")
    build_run(folder / "one", rows=60)
    shutil.copytree(folder / "one", folder / "same")
    build_run(folder / "other", rows=80, seed=8)
    return [read_view(folder / name) for name in ("one", "same", "other")]


def test_runs_on_the_same_rows_may_be_compared(others: list[View]) -> None:
    """Same test rows and metric: said so, every arm has both scores, no setting differs."""
    table = compare.comparison(others[:2])
    assert (True, True, True) == (table.same_metric, table.same_test, table.same_data)
    assert () == table.settings
    for arm in table.arms:
        assert arm.scores[0] == arm.scores[1]
    text = compare.text(table, others[:2], "en")
    assert "same test rows" in text
    assert "(0." in text


def test_runs_on_other_rows_must_not_be_compared(others: list[View]) -> None:
    """Different test rows are said before any score, in both languages."""
    other = others[2].model_copy(update={"hashes": {**others[2].hashes, "test": "f" * 64}})
    pair = [others[0], other]
    table = compare.comparison(pair)
    assert not table.same_test
    assert "must not be compared" in compare.text(table, pair, "en").partition("1. ")[0]
    assert "不能相互比较" in compare.text(table, pair, "zh").partition("1. ")[0]


def test_finalists_are_compared_on_test_rows(others: list[View]) -> None:
    """The score of an arm is its test score where it has one, and says which it is."""
    table = compare.comparison(others[:2])
    view = {arm.name: arm.result for arm in others[0].arms}
    for arm in table.arms:
        wanted = view[arm.arm].test or view[arm.arm].validation
        assert wanted == arm.scores[0]
        assert ("test" if view[arm.arm].test else "validation") == arm.splits[0]


def test_one_run_is_nothing_to_compare(others: list[View]) -> None:
    """Fewer than two runs, or more than can be read, are bad input."""
    for views in (others[:1], others[:1] * (compare.MOST + 1)):
        with pytest.raises(BadInput, match="two"):
            compare.comparison(views)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_one_harmless_file(others: list[View], lang: str) -> None:
    """Both languages in one file without address or script, hostile names shown as text."""
    hostile = " ".join(HOSTILE[:-1])
    spoiled = [view.model_copy(update={"run": view.run + hostile}) for view in others]
    table = compare.comparison(spoiled)
    page = compare.html(table, spoiled, lang)
    assert 1 == page.count("<script")
    assert page.count("&lt;script&gt;alert(1)") >= 4
    assert "http://" not in page.replace("http://www.w3.org", "").partition("<script")[0].replace(
        "http://x", ""
    )
    assert "\u202e" not in page


def test_the_command_prints_text_json_and_page(tmp_path: Path) -> None:
    """`forkpoint report RUN --compare RUN2` in every form."""
    for name in ("one", "two"):
        build_run(tmp_path / name, rows=60)
    words = ["report", str(tmp_path / "one"), "--compare", str(tmp_path / "two"), "--lang", "en"]

    def run(*more: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "forkpoint", *words, *more],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    assert run().startswith("Runs compared")
    assert ["one", "two"] == [one["run"] for one in json.loads(run("--json"))["runs"]]
    assert Path(run("--format", "html").strip()) == tmp_path / "one" / "compare.html"
