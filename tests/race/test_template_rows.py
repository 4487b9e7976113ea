"""A template whose turn tokens were never trained: the race's arms learn to stop all the same."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from forkpoint.data import bundled
from forkpoint.errors import BadInput
from forkpoint.ledger import Agreement, Trial, write_whole
from forkpoint.pocket import checkpoint_path
from forkpoint.race.driver import AGREEMENT
from forkpoint.race.request import RaceRequest
from forkpoint.race.setup import prepare
from forkpoint.race.trial_child import run_trial
from forkpoint.race.work import TrialWork, Work
from forkpoint.report.plan_text import plan_text

ENOUGH = 0.95  # stop rate


class Nobody:
    """Nobody watches."""

    def started(self, work: Work) -> None:
        """Nothing is shown."""

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Nothing is shown."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pocket-base with the chat template of its tuned siblings."""
    place = tmp_path_factory.mktemp("template")
    folder = Path(shutil.copytree(checkpoint_path("pocket-base"), place / "pocket-copy"))
    tuned = Path(checkpoint_path("pocket-instruct"))
    shutil.copy(tuned / "chat_template.jinja", folder / "chat_template.jinja")
    lines = bundled("tickets").read_text(encoding="utf-8").splitlines()[:720]
    (place / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def agreed(base: Path, folder: Path, **changes: Any) -> Agreement:
    request = RaceRequest(
        data=str(base.parent / "rows.jsonl"), models=(str(base),), approaches=("lora", "full"),
        passes=1, rows_per_step=8, skip_general=True, folds=0, **changes,
    )  # fmt: skip
    return prepare(request, folder, Nobody())


@pytest.fixture(scope="module")
def own(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Agreement, Path]:
    """What is agreed when the template has to stay."""
    folder = tmp_path_factory.mktemp("own") / "run"
    return agreed(base, folder, template="own"), folder


def stops(folder: Path, agreement: Agreement, approach: str) -> tuple[float, int]:
    """Stop rate on validation and n of one trial of the middle rung."""
    arm = next(arm for arm in agreement.arms if arm.approach == approach)
    trial = Trial(
        arm=arm.name, rung=len(agreement.rungs) - 1, rate=arm.centre_rate, seed=0,
        rendering=arm.renderings[0],
    )  # fmt: skip
    line = run_trial(folder, TrialWork(trial=trial), lambda _: None)
    return line["stop"]["value"], line["stop"]["n"]


def test_unasked_the_race_takes_plain_text(base: Path, tmp_path: Path) -> None:
    """EOS is trained and the turn's tokens are not: plain text, said with its reason."""
    plan = agreed(base, tmp_path / "run")
    assert {("plain",)} == {arm.renderings for arm in plan.arms}
    assert ("plain", ()) == (plan.stopping["pocket-copy"].remedy, plan.token_rows("pocket-copy"))
    for lang, words in (("en", "take plain text"), ("zh", "纯文本")):
        assert words in plan_text(plan, lang)


def test_the_template_that_stays_has_its_rows_trained(own: tuple[Agreement, Path]) -> None:
    """The ledger's agreement names the rows and their starts, and the plan says them."""
    agreement, _ = own
    assert {("chat",)} == {arm.renderings for arm in agreement.arms}
    rows = {row.token: row.start for row in agreement.token_rows("pocket-copy")}
    assert {"<|im_end|>": "<|endoftext|>", "<|im_start|>": None} == rows
    for lang, words in (("en", "<|im_end|> (from the row of <|endoftext|>)"),
                        ("zh", "<|im_end|>（从 <|endoftext|> 的行出发）")):  # fmt: skip
        assert words in plan_text(agreement, lang)


def test_arms_stop_with_trained_rows_and_not_without(
    own: tuple[Agreement, Path], tmp_path: Path
) -> None:
    """LoRA in the untrained template: without the rows hardly an answer ends, with them all do."""
    agreement, folder = own
    rate, n = stops(folder, agreement, "lora")
    assert n >= 100
    assert rate >= ENOUGH
    naive = agreement.model_copy(update={"stopping": {}})
    (tmp_path / "run").mkdir()
    shutil.copy(folder / naive.rows_kept_file, tmp_path / "run")
    write_whole(tmp_path / "run" / AGREEMENT, naive.to_json().encode())
    assert stops(tmp_path / "run", naive, "lora")[0] < ENOUGH


def test_full_fine_tuning_starts_its_rows_too(own: tuple[Agreement, Path]) -> None:
    """The full arm of the same agreement stops as well."""
    agreement, folder = own
    assert stops(folder, agreement, "full")[0] >= ENOUGH


def test_no_template_to_keep_is_refused(base: Path, tmp_path: Path) -> None:
    """`--template own` on a checkpoint without one is a sentence, not a race."""
    request = RaceRequest(
        data=str(base.parent / "rows.jsonl"), models=("pocket-base",), template="own"
    )
    with pytest.raises(BadInput) as refused:
        prepare(request, tmp_path / "run", Nobody())
    assert "race.no_template" == refused.value.key
