"""Fifty readers on one race page: how fast replies come, and what the race loses by them.

    python benchmarks/readers.py --pairs 5 --readers 50

A small race of the pocket family is set up once. Then, in pairs, it is run with and without
readers, each in a fresh copy, in an order drawn from the seed. A reader does what the page does:
it asks for the live part every two seconds and sends the ETag it has. All traffic stays on the
loopback interface and ends with the race. Printed: the median and 95th percentile of the replies,
and the race's training tokens per second with readers over without, with its 95 % interval.
"""

import argparse
import http.client
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent))
from kills import ledger, prepare

PAUSE_SECONDS = 2.0  # between two looks, as in web.js
REPLY_SECONDS = 0.05  # promise: the median reply of a page with fifty readers
SHARE_LOST = 0.10  # promise: at most, of the race's tokens per second
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 10: 2.26}  # by pairs


def main() -> None:
    """Run the pairs and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    replies: list[float] = []
    ratios = []
    with tempfile.TemporaryDirectory(prefix="readers-") as scratch:
        runs = Path(scratch) / "runs"
        prepare(runs / "start", Path(scratch))
        for pair in range(given.pairs):
            speeds = {}
            for watched in rng.sample([True, False], 2):
                folder = runs / f"race-{pair}-{watched}"
                shutil.copytree(runs / "start", folder)
                speeds[watched] = race(folder, given.readers if watched else 0, replies)
            ratios.append(speeds[True] / speeds[False])
            print(f"pair {pair}: {speeds[True]:,.0f} tokens/s with, {speeds[False]:,.0f} without")
    report(replies, ratios, given.readers)


def race(folder: Path, readers: int, replies: list[float]) -> float:
    """Run one race to its end; its training tokens per second of training."""
    stop = threading.Event()
    server = serve(folder.parent)
    address = server.stdout.readline().strip() if server.stdout else ""
    crowd = [
        threading.Thread(target=read, args=(address, folder.name, stop, replies))
        for _ in range(readers)
    ]
    command = [sys.executable, "-m", "forkpoint", "race", "--resume", str(folder), "--json"]
    racing = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(folder)
    )
    for reader in crowd:
        reader.start()
    racing.wait()
    stop.set()
    for reader in crowd:
        reader.join()
    server.terminate()
    server.wait()
    done = [line for line in ledger(folder) if line["kind"] == "trial_scored"]
    return sum(line["tokens"] for line in done) / sum(line["train_seconds"] for line in done)


def environment(folder: Path) -> dict[str, str]:
    """Offline, with a home of its own."""
    return {**os.environ, "HF_HUB_OFFLINE": "1", "FORKPOINT_HOME": str(folder / "home")}


def serve(runs: Path) -> "subprocess.Popen[str]":
    """A server on any free port."""
    return subprocess.Popen(
        [sys.executable, "-m", "forkpoint", "serve", str(runs), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def read(address: str, name: str, stop: threading.Event, replies: list[float]) -> None:
    """One reader until the race ends; every reply's seconds are noted."""
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    connection.request("GET", f"/?{where.query}")
    first = connection.getresponse()
    first.read()
    headers = {"cookie": (first.getheader("set-cookie") or "").partition(";")[0]}
    have = ""
    stop.wait(random.random() * PAUSE_SECONDS)
    while not stop.is_set():
        began = time.perf_counter()
        connection.request("GET", f"/run/{name}/live?lang=en&have={have}", headers=headers)
        reply = connection.getresponse()
        body = reply.read()
        replies.append(time.perf_counter() - began)
        headers["if-none-match"] = reply.getheader("etag") or ""
        have = json.loads(body)["have"] if reply.status == 200 else have
        stop.wait(PAUSE_SECONDS)


def report(replies: list[float], ratios: list[float], readers: int) -> None:
    """The figures against their promises."""
    middle = statistics.median(replies)
    late = sorted(replies)[math.floor(0.95 * len(replies))]
    print(f"{readers} readers, {len(replies):,} replies: median {middle * 1e3:.1f} ms"
          f" (promise {REPLY_SECONDS * 1e3:.0f}), 95th percentile {late * 1e3:.1f} ms")  # fmt: skip
    logs = [math.log(ratio) for ratio in ratios]
    mean = statistics.fmean(logs)
    text = f"tokens/s with over without: {math.exp(mean):.3f}"
    if len(logs) > 1:
        spread = T_95.get(len(logs), 2.2) * statistics.stdev(logs) / math.sqrt(len(logs))
        low, high = math.exp(mean - spread), math.exp(mean + spread)
        text += f" (95 % interval {low:.3f} to {high:.3f}, n = {len(logs)} pairs)"
    print(f"{text}, promise at least {1 - SHARE_LOST:.2f}")
    print(json.dumps({"median_seconds": middle, "p95_seconds": late, "ratios": ratios}))


if __name__ == "__main__":
    main()
