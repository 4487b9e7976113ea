"""The untrained arms of a run folder as the view shows them."""

from pathlib import Path
from typing import Any

import orjson

from forkpoint.ledger import Agreement, Setup
from forkpoint.report.answers import PROMPT_CHARACTERS, excerpt
from forkpoint.report.history import History, asked_line, figure
from forkpoint.report.view_record import PromptView, UntrainedView
from forkpoint.run.folder import RunFolder
from forkpoint.verdict.verdict_record import UntrainedResult, Verdict


def untrained_views(
    agreed: Agreement, history: History, verdict: Verdict | None
) -> tuple[UntrainedView, ...]:
    """Every untrained arm: by the verdict, or by the ledger while there is none."""
    results = verdict.untrained if verdict else _results(agreed, history)
    tested = {line.arm for line in history.answers if line.split == "test"}
    return tuple(
        UntrainedView(
            result=result,
            setup=_setup(agreed, result.arm, result.setup),
            tested=result.arm in tested,
        )
        for result in results
    )


def _results(agreed: Agreement, history: History) -> tuple[UntrainedResult, ...]:
    """What the ledger says so far, the best on validation first."""
    found = []
    for arm in agreed.untrained:
        chosen = history.asked.get(arm.name)
        line = asked_line(history, arm.name, "validation") if chosen else None
        test = asked_line(history, arm.name, "test") if chosen else None
        found.append(
            UntrainedResult(
                arm=arm.name,
                checkpoint=arm.checkpoint,
                approach=arm.approach,
                setup=chosen.setup if chosen else None,
                tried=dict(chosen.tried) if chosen else {},
                validation=figure(line.primary) if line else None,
                test=figure(test.primary) if test else None,
                stop_rate=figure(line.stop) if line else None,
            )
        )
    sign = -1.0 if agreed.settings.metric != "bits_per_byte" else 1.0
    return tuple(
        sorted(found, key=lambda one: sign * one.validation.value if one.validation else 2.0)
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
