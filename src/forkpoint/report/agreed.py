"""What was agreed before a race, as the view shows it."""

from collections import Counter

from forkpoint.ledger import Agreement
from forkpoint.report.history import History
from forkpoint.report.view_record import Saying, SettingView, SplitView
from forkpoint.run.folder import RunFolder


def splits_of(agreed: Agreement) -> tuple[SplitView, ...]:
    """How many rows stand on each side."""
    return (
        SplitView(name="train", rows=len(agreed.train_ids), sha256=None),
        SplitView(name="validation", rows=len(agreed.validation_ids), sha256=None),
        SplitView(name="rung_validation", rows=len(agreed.rung_validation_ids), sha256=None),
        SplitView(name="test", rows=len(agreed.test_ids), sha256=agreed.test_sha256),
    )


def excluded_of(agreed: Agreement) -> tuple[tuple[Saying, int], ...]:
    """Why rows were left out, and how many."""
    reasons = Counter([*agreed.excluded.values(), *agreed.removed.values()])
    return tuple((Saying(key=key), count) for key, count in reasons.most_common())


def settings_of(agreed: Agreement) -> tuple[SettingView, ...]:
    """Every setting of the race with its reason; a mapping becomes one line an entry."""
    found = []
    for name, value in agreed.settings.model_dump().items():
        if name == "metric_reason":
            continue
        reason = Saying(key=f"report.why_{name}")
        if name == "metric":
            reason = Saying(key=agreed.settings.metric_reason)
        if isinstance(value, dict):
            found += [
                SettingView(name=f"{name}: {entry}", value=given, reason=reason)
                for entry, given in value.items()
            ]
            continue
        if isinstance(value, tuple | list):
            value = ", ".join(item if isinstance(item, str) else f"{item:.3g}" for item in value)
        found.append(SettingView(name=name, value=value, reason=reason))
    return tuple(found)


def hashes_of(run: RunFolder, history: History) -> dict[str, str]:
    """What the data, the test rows, the checkpoints and the verdict are known by."""
    agreed = run.agreement
    found = {"data": agreed.data_sha256, "test": agreed.test_sha256}
    found |= {name: facts.identity for name, facts in agreed.checkpoints.items()}
    if history.ended:
        found["verdict.json"] = history.ended.verdict_sha256
    return found
