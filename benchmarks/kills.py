"""Kill a live race with -9 at drawn moments, resume it each time: the same decisions, the same end.

    python benchmarks/kills.py --n 10 --seed 1
    python benchmarks/kills.py --n 1000 --seed 1 --jobs 2 --out kills       (the campaign)

One race is run undisturbed. Then kills are spread over races in fresh folders that begin from the
same agreement: each waits for a number of ledger lines drawn from the seed, then a drawn part of a
second, so that kills fall into records, checkpoints and answers alike. A race is killed ten times
at most, then left to end, and its decisions and verdict are compared with the undisturbed ones.
With `--engine ray` the killed race runs on a Ray cluster of this machine, the undisturbed one not.
A campaign that was stopped goes on where it was when it is called again with the same `--out`: the
moments of a race depend on the seed and on the race's number alone.
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
from concurrent.futures import ThreadPoolExecutor, as_completed
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
    parser.add_argument("--jobs", type=int, default=1, help="races at a time")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--out", type=Path, default=None, help="a folder; the same goes on")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    out = given.out or Path(tempfile.mkdtemp(prefix="kills-"))
    start, whole = out / "start", out / "whole"
    if not (whole / "verdict.json").exists():
        shutil.rmtree(start, ignore_errors=True)
        shutil.rmtree(whole, ignore_errors=True)
        prepare(start, out)
        shutil.copytree(start, whole)
        resume(whole, None)
    log = out / f"races-{given.seed}.jsonl"
    races = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    while (left := given.n - sum(race["kills"] for race in races)) > 0:
        first = 1 + max((race["race"] for race in races), default=-1)
        shares = [min(KILLS_A_RACE, left - done) for done in range(0, left, KILLS_A_RACE)]
        with ThreadPoolExecutor(given.jobs) as pool:
            wanted = [
                pool.submit(one_race, out, given.seed, first + number, kills, given.engine)
                for number, kills in enumerate(shares)
            ]
            for ended in as_completed(wanted):
                race = ended.result()
                races.append(race)
                with log.open("a") as file:
                    file.write(json.dumps(race) + "\n")
                said = "same" if race["same"] else "DIFFERENT"
                print(f"race {race['race']}: {race['kills']} kills, {said}", flush=True)
    bad = sum(not race["same"] for race in races)
    kills = sum(race["kills"] for race in races)
    print(f"{kills} kills in {len(races)} races, {bad} with another end")
    raise SystemExit(bad > 0)


def one_race(out: Path, seed: int, number: int, kills: int, engine: str) -> dict[str, Any]:
    """Race `number`: killed at its own drawn moments, left to end, compared; kept if it differs."""
    folder = out / f"race-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(out / "start", folder)
    rng = random.Random(f"{seed}.{number}")
    done = killed_race(folder, out / "whole", rng, kills, engine)
    same = outcome(folder) == outcome(out / "whole")
    if same:
        shutil.rmtree(folder)
    return {"race": number, "kills": done, "same": same}


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


def resume(folder: Path, wait: tuple[int, float] | None, engine: str = "local") -> bool:
    """Run or continue a race; with `wait`, kill it after so many lines and seconds more."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "forkpoint",
            "race",
            "--resume",
            str(folder),
            "--json",
            "--engine",
            engine,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,
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


def killed_race(folder: Path, whole: Path, rng: random.Random, kills: int, engine: str) -> int:
    """Kill a race at drawn moments over its whole length, then let it end."""
    total = lines(whole)
    moments = sorted(rng.randrange(0, total) for _ in range(kills))
    done = 0
    for moment in moments:
        resumed = sum(1 for piece in ledger(folder) if piece["kind"] == "resumed")
        if not resume(folder, (moment + resumed, rng.random()), engine):
            break  # it ended first
        done += 1
    resume(folder, None, engine)
    return done


def ledger(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of a ledger."""
    path = folder / "ledger.jsonl"
    if not path.exists():
        return []
    return [json.loads(piece) for piece in path.read_bytes().split(b"\n")[:-1]]


def outcome(folder: Path) -> tuple[list[Any], dict[str, Any]]:
    """What a race decided and how it ended, without what belongs to the run.

    Which of two arms that are measured side by side is ready first belongs to the run: the
    decisions are compared arm by arm.
    """
    decided = [
        {key: value for key, value in line.items() if key not in ("seq", "time")}
        for line in ledger(folder)
        if line["kind"] in DECISIONS
    ]
    decided.sort(key=lambda line: (line["kind"], line.get("arm", "")))
    verdict = json.loads((folder / "verdict.json").read_text())
    for result in verdict["results"]:
        result.pop("seconds"), result.pop("peak_bytes")
        result.pop("tokens")  # a trial that was cut off is paid for twice
    for cost in verdict["costs"]:
        for name in ("seconds", "alone_seconds", "peak_bytes", "money"):
            cost.pop(name)
    verdict.pop("spent_tokens")
    return decided, {key: value for key, value in verdict.items() if key not in OWN}


if __name__ == "__main__":
    main()
