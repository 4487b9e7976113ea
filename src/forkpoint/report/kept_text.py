"""What a training kept beside its task, in sentences: drift, the floor, tasks that failed."""

from forkpoint.report.visible import visible
from forkpoint.report.wording import number, span, w
from forkpoint.verdict.verdict_record import Verdict

WORDS_OF_A_REASON = 200  # characters of what the harness said


def kept_sentences(verdict: Verdict | None, lang: str) -> list[str]:
    """One sentence for each drift, each standing beside the floor, and each task that failed."""
    if verdict is None:
        return []
    lines = []
    for one in verdict.drifts:
        values = {
            "arm": visible(one.subject),
            "drift": number(one.drift.value, 3),
            "interval": span(one.drift, lang),
            "n": one.drift.n or "–",
        }
        if one.null_control is None:
            lines.append(w("line_drift", lang, **values))
        else:
            null = number(one.null_control.value, 3)
            lines.append(w("line_drift_null", lang, **values, null=null))
    if verdict.floor is not None:
        for standing in verdict.floor.standings:
            lines.append(
                w(
                    f"line_floor_{standing.says}",
                    lang,
                    arm=visible(standing.arm),
                    checkpoint=visible(verdict.floor.checkpoint),
                    difference=number(standing.difference.value, 2, True),
                    interval=span(standing.difference, lang, 2),
                    slack=number(verdict.floor.slack, 2),
                    n=standing.difference.n or "–",
                )
            )
    for task, why in verdict.retain_failed.items():
        why = visible(why)[:WORDS_OF_A_REASON]
        lines.append(w("line_task_failed", lang, task=visible(task), why=why))
    return lines
