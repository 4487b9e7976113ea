"""What the guides said before the race, taken leniently from the advice that was kept."""

from typing import Any

from forkpoint.report.view_record import GuideView


def guides_of(advice: dict[str, Any] | None) -> tuple[GuideView, ...]:
    """One line a rule and checkpoint; none where the advice was not kept."""
    return ()
