"""Kill a live race with -9 at drawn moments, resume it each time: the same decisions, the same end.

    python benchmarks/kills.py --n 10 --seed 1
    python benchmarks/kills.py --n 1000 --seed 1        (the campaign)

One race is run undisturbed. Then kills are spread over races in fresh folders that begin from the
same agreement: each waits for a number of ledger lines drawn from the seed, then a drawn part of a
second, so that kills fall into records, checkpoints and answers alike. A race is killed ten times
at most, then left to end, and its decisions and verdict are compared with the undisturbed ones.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

KILLS_A_RACE = 10
DECISIONS = ("rate_chosen", "arm_dropped", "racing_ended", "finalists")
OWN = {"test_openings", "seconds", "predicted_seconds"}  # of a run, not of the race


def main() -> None:
    """Run the campaign and print one line a race and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10, help="kills in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    print(f"seed {given.seed}")
    out = given.out or Path(tempfile.mkdtemp(prefix="kills-"))
    start = out / "start"
    prepare(start, out)
    whole = out / "whole"
    shutil.copytree(start, whole)
    resume(whole, None)
    rng = random.Random(given.seed)
    left, bad, number = given.n, 0, 0
    while left > 0:
        folder = out / f"race-{number}"
        shutil.copytree(start, folder)
        killed = killed_race(folder, whole, rng, min(left, KILLS_A_RACE))
        same = outcome(folder) == outcome(whole)
        bad += not same
        left -= max(killed, 1)
        number += 1
        print(f"race {number}: {killed} kills, {'same' if same else 'DIFFERENT'}", flush=True)
        if same:
            shutil.rmtree(folder)
    print(f"{given.n - left} kills in {number} races, {bad} with another end")
    raise SystemExit(bad > 0)


def rows_file(out: Path) -> Path:
    """A few bundled rows, so that a race takes well under a minute."""
    from forkpoint.data import bundled

    path = out / "rows.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = bundled("tickets").read_text(encoding="utf-8").splitlines()[:90]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def prepare(folder: Path, out: Path) -> None:
    """Make the run folder of a small race up to its agreement."""
    from forkpoint.race.request import RaceRequest
    from forkpoint.race.setup import prepare as set_up
    from forkpoint.race.terminal import Terminal

    request = RaceRequest(
        data=str(rows_file(out)),
        models=("pocket-base", "pocket-instruct"),
        approaches=("full",),
        passes=3.0,
        budget="60%",
        workers=2,
        skip_general=True,
        folds=0,
    )
    with Terminal("en") as terminal:
        set_up(request, folder, terminal)


def resume(folder: Path, wait: tuple[int, float] | None) -> bool:
    """Run or continue a race; with `wait`, kill it after so many lines and seconds more."""
    process = subprocess.Popen(
        [sys.executable, "-m", "forkpoint", "race", "--resume", str(folder), "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "FORKPOINT_HOME": str(folder / "home")},
    )
    if wait is None:
        _, said = process.communicate()
        if process.returncode:
            raise SystemExit(f"the race failed:\n{said.decode()}")
        return False
    while lines(folder) < wait[0] and process.poll() is None:
        time.sleep(0.02)
    time.sleep(wait[1])
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return True


def lines(folder: Path) -> int:
    """Ledger lines so far."""
    path = folder / "ledger.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def killed_race(folder: Path, whole: Path, rng: random.Random, kills: int) -> int:
    """Kill a race at drawn moments over its whole length, then let it end."""
    total = lines(whole)
    moments = sorted(rng.randrange(0, total) for _ in range(kills))
    done = 0
    for moment in moments:
        resumed = sum(1 for piece in ledger(folder) if piece["kind"] == "resumed")
        if not resume(folder, (moment + resumed, rng.random())):
            break
        done += 1
    resume(folder, None)
    return done


def ledger(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of a ledger."""
    path = folder / "ledger.jsonl"
    if not path.exists():
        return []
    return [json.loads(piece) for piece in path.read_bytes().split(b"\n")[:-1]]


def outcome(folder: Path) -> tuple[list[Any], dict[str, Any]]:
    """What a race decided and how it ended, without what belongs to the run."""
    decided = [
        {key: value for key, value in line.items() if key not in ("seq", "time")}
        for line in ledger(folder)
        if line["kind"] in DECISIONS
    ]
    verdict = json.loads((folder / "verdict.json").read_text())
    for result in verdict["results"]:
        result.pop("seconds"), result.pop("peak_bytes")
        result.pop("tokens")  # a trial that was cut off is paid for twice
    verdict.pop("spent_tokens")
    return decided, {key: value for key, value in verdict.items() if key not in OWN}


if __name__ == "__main__":
    main()
