"""The benchmark on tables: rivals as published, honest purses, and tables with gaps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("FORKPOINT_SHARED", ROOT.parent / "shared"))
SCRIPT = ROOT / "benchmarks" / "selection.py"
PUBLISHED = {  # PearCorr and RelAcc of AtS at 8, 16, ... 512 [arXiv 2402.02314, table 2]
    "flan": (
        [90.9, 73.1, 65.5, 61.1, 52.2, 50.5, 45.6],
        [93.6, 93.2, 93.2, 93.2, 85.3, 93.2, 93.2],
    ),
    "wmt19": (
        [98.9, 97.0, 97.7, 86.0, 78.0, 73.4, 61.5],
        [99.1, 99.1, 99.6, 99.1, 99.1, 99.1, 99.1],
    ),
}


def judge(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six arms, seven rungs; one arm lacks its last cell, another two cells on the way."""
    rows = [200 * 2**k for k in range(7)]
    rng = np.random.default_rng(0)
    lines = [["config name", "0", *map(str, rows), "size", "family"]]
    for arm in range(6):
        loss = (2 + 0.1 * arm) * (np.array(rows) / 200) ** -(0.05 + 0.02 * arm)
        cells = [f"{value:.5f}" for value in loss * rng.normal(1, 0.002, 7)]
        if arm == 1:
            cells[-1] = ""
        if arm == 2:
            cells[1] = cells[3] = "nan"
        lines.append([f"org/arm-{arm}", f"{3 + arm}", *cells, str(1000 * (arm + 1)), "none"])
    path = tmp_path_factory.mktemp("table") / "gappy.csv"
    path.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")
    return path


def test_a_table_with_gaps_is_judged_within_its_allowance(gappy: Path) -> None:
    """Every method and accounting gives a cell, nobody spends more than allowed, gaps are told."""
    done = judge("--table", str(gappy), "--ratios", "2,8,64", "--json")
    assert (0, "") == (done.returncode, done.stderr)
    result = json.loads(done.stdout)
    ours = [cell for cell in result["cells"] if cell["method"] == "forkpoint"]
    assert {("sum", 2), ("last", 8), ("params", 64)} <= {
        (c["accounting"], c["ratio"]) for c in ours
    }
    assert all(c["rows_spent"] <= c["rows_allowed"] * 1.0001 for c in result["cells"])
    assert {"forkpoint", "AtS", "AtS-tuned", "SubTuning", "ZeroShot", "ModelSize", "ASHA"} <= {
        c["method"] for c in result["cells"]
    }
    assert 2 == len(result["notes"])
    assert "org/arm-1" in result["notes"][0]
    assert "org/arm-5" == ours[0]["pick"]


def test_the_subset_study_pairs_all_methods(gappy: Path) -> None:
    """Each rival's mean regret stands beside ours with the interval of the paired difference."""
    done = judge(
        "--table",
        str(gappy),
        "--ratios",
        "4",
        "--accountings",
        "sum",
        "--subsets",
        "6",
        "--jobs",
        "1",
        "--json",
    )
    study = json.loads(done.stdout)["subsets"]["gappy"]
    line = study["methods"]["AtS"]
    assert 6 == line["n"]
    assert (
        line["difference_interval"][0] <= line["ours_minus_this"] <= line["difference_interval"][1]
    )
    assert 6 == study["certainty"]["n"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "config name"),
        ("config name,0,size\nx,1,2\n", "fewer than two row counts"),
        ("config name,200,400,size\nx,1,two,3\ny,1,2,3\n", "'two' is not a number"),
        ("config name,200,400,size\nx,1,2,3\n", "fewer than two arms"),
        ("config name,200,400,size\nx,1,2,3\nx,1,2,3\n", "same 'config name'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """Bad tables end with exit code 2 and a sentence that says what is wrong."""
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    done = judge("--table", str(path), "--json")
    assert 2 == done.returncode
    assert said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_ats_reproduces_what_was_published(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AtS gives the published PearCorr and RelAcc to within 0.5 at every ratio."""
    path = SHARED / "data" / "selection" / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the published table {name}.csv is not here (FORKPOINT_SHARED)")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from rivals import accept_then_stop
    from tables import Purse, read_table

    table = read_table(path)
    final = table.loss_AK[:, -1]
    for ratio, correlation, accuracy in zip(
        (8, 16, 32, 64, 128, 256, 512), *PUBLISHED[name], strict=True
    ):
        pick, predicted = accept_then_stop(Purse(table, ratio, "sum"))
        assert pick is not None and predicted is not None
        assert correlation == pytest.approx(100 * np.corrcoef(predicted, final)[0, 1], abs=0.5)
        relative = 100 * (final.max() - final[pick]) / (final.max() - final.min())
        assert accuracy == pytest.approx(relative, abs=0.5)


def test_a_fitted_prior_explains_its_table_better_than_where_the_search_began(
    gappy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fitting moves the settings: the table has more evidence than with the start, and what a table
    cannot speak of is left alone."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import fit_priors
    from tables import read_table

    table = read_table(gappy)
    prior = fit_priors.fit_prior([table])
    middle = prior.scales[len(prior.scales) // 2]
    keep = np.isfinite(table.loss_AK).ravel()
    fitted, start = (fit_priors._surprise(table, keep, s)[0] for s in (middle, fit_priors.START))
    assert fitted < start - 1
    assert (middle.kin_reach, middle.fade) == (0.0, 0.0)


def test_a_fitted_prior_does_not_hang_on_where_the_search_began(
    gappy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search ends where the evidence is greatest, so every machine fits the same prior."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import fit_priors
    from tables import read_table

    tables = [read_table(gappy)]
    keeps = [np.isfinite(table.loss_AK).ravel() for table in tables]
    elsewhere = fit_priors.START.model_copy(
        update={"own_level": 0.2, "own_walk": 0.02, "common_slope": 0.03, "wiggle": 0.003}
    )
    first, again = (
        fit_priors._search(tables, keeps, start) for start in (fit_priors.START, elsewhere)
    )
    assert first == again
