"""Whole outputs that are kept in the repository and reviewed as differences."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from race_records import agreement
from run_folder import build_run

from forkpoint.report import read_view
from forkpoint.report.plan_text import plan_text
from forkpoint.report.text import text

FOLDER = Path(__file__).parent
IDS = tuple(f"{number:016x}" for number in range(400))
LANGUAGES = ("en", "zh")


def outputs() -> Iterator[tuple[str, str]]:
    """File name and content of every golden output."""
    with tempfile.TemporaryDirectory() as scratch:
        runs = {
            "finished": build_run(Path(scratch) / "finished"),
            "unfinished": build_run(Path(scratch) / "unfinished", finished=False),
        }
        for name, folder in runs.items():
            for lang in LANGUAGES:
                yield f"report-{name}.{lang}.txt", text(read_view(folder), lang, width=100)
    plan = agreement((IDS[:240], IDS[240:320], IDS[320:]), lambda said: said)
    for lang in LANGUAGES:
        yield f"plan.{lang}.txt", plan_text(plan, lang) + "\n"
