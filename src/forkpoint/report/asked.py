"""The untrained arms of a run folder as the view shows them."""

from pathlib import Path
from typing import Any

import orjson

from forkpoint.ledger import Agreement, Setup
from forkpoint.report.answers import PROMPT_CHARACTERS, excerpt
from forkpoint.report.history import History
from forkpoint.report.view_record import PromptView, UntrainedView
from forkpoint.run.folder import RunFolder
from forkpoint.verdict.untrained_result import untrained_results
from forkpoint.verdict.verdict_record import Verdict


def untrained_views(
    agreed: Agreement, history: History, verdict: Verdict | None
) -> tuple[UntrainedView, ...]:
    """Every untrained arm: by the verdict, or by the ledger while there is none."""
    results = (
        verdict.untrained
        if verdict
        else untrained_results(agreed.untrained, history.asked, history.answers)
    )
    tested = {line.arm for line in history.answers if line.split == "test"}
    return tuple(
        UntrainedView(
            result=result,
            setup=_setup(agreed, result.arm, result.setup),
            tested=result.arm in tested,
        )
        for result in results
    )


def _setup(agreed: Agreement, arm: str, name: str | None) -> Setup | None:
    return next(
        (
            setup
            for plan in agreed.untrained
            if plan.name == arm
            for setup in plan.setups
            if setup.name == name
        ),
        None,
    )


def prompts_of(run: RunFolder) -> tuple[PromptView, ...]:
    """One rendered prompt of each untrained arm that answered the test rows."""
    found = []
    for arm in run.agreement.untrained:
        values = _json(run.folder / "prompts" / f"{arm.name}.json")
        if values is None:
            continue
        found.append(
            PromptView(
                arm=arm.name,
                setup=_setup(run.agreement, arm.name, str(values.get("setup", ""))),
                row_id=str(values.get("row_id", "")),
                pieces=int(values.get("pieces") or 0),
                text=excerpt(values.get("text"), PROMPT_CHARACTERS),
            )
        )
    return tuple(found)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        values = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    return values if isinstance(values, dict) else None
