"""Predicted beside real: seconds and memory of finished races, from their run folders.

    python benchmarks/times.py --runs FOLDER [FOLDER ...] [--again] [--json]

Three ratios of measured to predicted are given, since a machine that is busy with other work
blurs the first: seconds of the whole race by the clock, seconds of each trial by the clock, and
processor seconds of each trial, which tell whether the arithmetic is right whatever else runs.
Races planned before a figure was kept are left out of its summary, and named. `--again` predicts
the whole race anew from what its probe had measured, by today's model.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forkpoint.ledger import Agreement, RaceEnded, Speed, TrialScored, TrialStarted, read_lines
from forkpoint.plan.clock import BusyTime
from forkpoint.plan.forecast import Course, forecast, trial_seconds

BAR = 0.25  # error of the predicted time of a race in the median


OLD_PROBE = {  # what the first probe did not measure, as shares of what it did or in seconds
    "start_seconds": 0.1,
    "load_seconds": 0.1,
    "answer_warmup_seconds": 0.1,
    "prompt_share": 0.3,  # of the time of a batch of answers
    "row_share": 1 / 200,  # of the same, the likelihood of one row
    "answer_batch": 32,
    "answer_tokens": 7,
}


def race_times(folder: Path, again: bool = False) -> dict[str, Any] | None:
    """One race as a row; None when it has not ended."""
    agreed = Agreement.from_json((folder / "race.json").read_bytes())
    lines = read_lines(folder)
    if not any(isinstance(line, RaceEnded) for line in lines):
        return None
    busy = BusyTime()
    for line in lines:
        if (seconds := getattr(line, "seconds", None)) and not isinstance(line, RaceEnded):
            busy.add(line.time, seconds)
    predicted = {
        line.trial: line.predicted_seconds for line in lines if isinstance(line, TrialStarted)
    }
    scored = [line for line in lines if isinstance(line, TrialScored)]
    foreseen = predicted_again(agreed) if again else agreed.predicted_seconds
    return {
        "race": folder.name,
        "model": "again" if again else "stations" if agreed.stations else "before",
        "predicted_seconds": round(foreseen, 1),
        "seconds": round(busy.seconds, 1),
        "ratio": round(busy.seconds / foreseen, 3),
        "trial_ratios": [round(line.seconds / predicted[line.trial], 3) for line in scored],
        "processor_ratios": [
            round((line.processor_seconds or 0.0) / seconds, 3)
            for line in scored
            if line.processor_seconds and (seconds := processor_seconds(agreed, line))
        ],
        "memory": memory(agreed, scored),
    }


def predicted_again(agreed: Agreement) -> float:
    """Seconds that today's model foresees for the race, from its own probe."""
    course = Course(
        arms=agreed.arms,
        rungs=agreed.rungs,
        settings=agreed.settings,
        speeds=agreed.speeds or {name: old_speed(agreed, name) for name in agreed.checkpoints},
        limits=agreed.settings.answer_tokens,
        rung_rows=len(agreed.rung_validation_ids),
        test_rows=len(agreed.test_ids),
        corrections=agreed.corrections,
    )
    return sum(forecast(course, agreed.budget_tokens).values())


def old_speed(agreed: Agreement, checkpoint: str) -> Speed:
    """A `Speed` from the three figures that the first probe kept for each arm."""
    arms = [arm for arm in agreed.arms if arm.checkpoint == checkpoint]
    batch = OLD_PROBE["answer_batch"] / arms[0].answers_per_second
    steps = OLD_PROBE["answer_tokens"] - 1
    return Speed(
        start_seconds=OLD_PROBE["start_seconds"],
        load_seconds=OLD_PROBE["load_seconds"],
        score_row_seconds=batch * OLD_PROBE["row_share"],
        answer_batch=round(OLD_PROBE["answer_batch"]),
        answer_warmup_seconds=OLD_PROBE["answer_warmup_seconds"],
        answer_prompt_seconds=batch * OLD_PROBE["prompt_share"],
        answer_step_seconds=batch * (1 - OLD_PROBE["prompt_share"]) / steps,
        answer_tokens=round(OLD_PROBE["answer_tokens"]),
        setup_seconds={arm.approach: arm.load_seconds for arm in arms},
        train_tokens_per_second={arm.approach: arm.train_tokens_per_second for arm in arms},
    )


def processor_seconds(agreed: Agreement, line: TrialScored) -> float | None:
    """Processor seconds that the speed probe foresees for a trial."""
    arm = next(arm for arm in agreed.arms if arm.name == line.trial.arm)
    speed = agreed.processor_speeds.get(arm.checkpoint)
    if speed is None:
        return None
    return trial_seconds(speed, arm.approach, line.tokens, len(agreed.rung_validation_ids))


def memory(agreed: Agreement, scored: Sequence[TrialScored]) -> list[dict[str, Any]]:
    """Predicted and real peak of every arm whose prediction was kept."""
    rows = []
    for arm in agreed.arms:
        peaks = [line.peak_bytes for line in scored if line.trial.arm == arm.name]
        peak = max((one for one in peaks if one), default=None)
        if arm.memory is None or peak is None:
            continue
        rows.append(
            {
                "arm": arm.name,
                "estimated_bytes": arm.memory.estimated_bytes,
                "peak_bytes": peak,
                "error": round(arm.memory.estimated_bytes / peak - 1, 4),
                "inside": arm.memory.low_bytes <= peak <= arm.memory.high_bytes,
            }
        )
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over races and trials, by the model that predicted."""
    return {
        model: _summary([row for row in rows if row["model"] == model])
        for model in dict.fromkeys(row["model"] for row in rows)
    }


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    peaks = [one for row in rows for one in row["memory"]]
    errors = np.abs([row["ratio"] - 1 for row in rows])
    return {
        "races": len(rows),
        "race_median_ratio": median([row["ratio"] for row in rows]),
        "race_median_abs_error": round(float(np.median(errors)), 3),
        "within_bar": bool(np.median(errors) <= BAR),
        "trials": sum(len(row["trial_ratios"]) for row in rows),
        "trial_median_ratio": median([one for row in rows for one in row["trial_ratios"]]),
        "processor_median_ratio": median([one for row in rows for one in row["processor_ratios"]]),
        "arms_with_memory": len(peaks),
        "memory_median_abs_error": median([abs(one["error"]) for one in peaks]),
        "memory_inside": round(float(np.mean([one["inside"] for one in peaks])), 3)
        if peaks
        else None,
    }


def median(values: Sequence[float]) -> float | None:
    """The median, None of nothing."""
    return round(float(np.median(values)), 3) if values else None


def main(argv: list[str] | None = None) -> None:
    """Print a line a race and the summary, or all of it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    found = [(folder, race_times(folder, options.again)) for folder in options.runs]
    rows = [row for _, row in found if row is not None]
    for folder, row in found:
        if row is None:
            print(f"{folder}: not ended, left out", file=sys.stderr)
    if options.json:
        print(json.dumps({"races": rows, "summary": summary(rows)}))
        return
    for row in rows:
        processor = median(row["processor_ratios"])
        print(
            f"{row['race']:18} {row['model']:8} predicted {row['predicted_seconds']:7.1f} s, "
            f"real {row['seconds']:7.1f} s, ratio {row['ratio']:5.2f}; trials "
            f"{median(row['trial_ratios']) or 0:5.2f} (clock), "
            f"{'-' if processor is None else f'{processor:.2f}'} (processor)"
        )
    print(json.dumps(summary(rows), indent=1))


if __name__ == "__main__":
    main()
