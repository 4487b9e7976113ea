"""A Hub id end to end: the library's own client against a Hub on this machine."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from forkpoint.pocket import checkpoint_path

NAME = "acme/pocket-1M-Instruct"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """The few addresses that the Hub's client asks for, over one folder."""

    folder = Path()
    asked: list[str] = []  # noqa: RUF012 - one Hub a test

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        self.asked.append(self.path)
        path = self.path.split("?")[0]
        files = {file.name: file for file in self.folder.iterdir()}
        if path.startswith(f"/api/models/{NAME}/tree/"):
            self.say(json.dumps([
                {"type": "file", "path": name, "size": file.stat().st_size, "oid": "0" * 40}
                for name, file in files.items()
            ]).encode(), "application/json", body)  # fmt: skip
        elif path.startswith(f"/api/models/{NAME}"):
            siblings = [
                {"rfilename": name, "size": file.stat().st_size} for name, file in files.items()
            ]
            known = {"id": NAME, "sha": COMMIT, "tags": [], "siblings": siblings}
            self.say(json.dumps(known).encode(), "application/json", body)
        elif path.startswith(f"/{NAME}/resolve/") and path.split("/")[-1] in files:
            self.say(files[path.split("/")[-1]].read_bytes(), "application/octet-stream", body)
        else:
            self.send_error(404)

    def say(self, content: bytes, kind: str, body: bool) -> None:
        span = self.headers.get("Range")
        whole = len(content)
        if span:
            first, last = (int(end or whole - 1) for end in span.removeprefix("bytes=").split("-"))
            content = content[first : last + 1]
        self.send_response(206 if span else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"' + f"{abs(hash(self.path)):040x}" + '"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """The address of a Hub that holds the pocket Instruct under another name, and a pickle."""
    folder = tmp_path / "hub"
    folder.mkdir()
    for file in checkpoint_path("pocket-instruct").iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "pytorch_model.bin").write_bytes(b"never fetched")
    Hub.folder, Hub.asked = folder, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def forkpoint(*words: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "forkpoint", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", **env},
    )


def test_a_hub_id_is_fetched_and_planned_with(hub: str, tmp_path: Path) -> None:
    """`race HUB/ID` fetches safetensors and tokenizer, never a pickle, and plans with them."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(
        json.dumps({"prompt": f"What is {n} plus 1?", "completion": str(n + 1)}) + "\n"
        for n in range(120)
    ))  # fmt: skip
    done = forkpoint(
        "race", str(rows), "--model", NAME, "--dry-run", "--json",
        home=tmp_path / "hf", HF_ENDPOINT=hub, HF_HUB_OFFLINE="0",
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    agreed = json.loads(done.stdout)
    [(name, facts)] = agreed["checkpoints"].items()
    assert ("pocket-1m-instruct", COMMIT) == (name, facts["revision"])
    assert any("model.safetensors" in path for path in Hub.asked)
    assert not any("pytorch_model.bin" in path and "resolve" in path for path in Hub.asked)


def test_without_a_network_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    """No traceback, exit code 2 or 3, the name, and the way on."""
    for command in (["inspect", NAME], ["race", "README.md", "--model", NAME, "--dry-run"]):
        done = forkpoint(*command, home=tmp_path / "hf", HF_HUB_OFFLINE="1")
        assert done.returncode in (2, 3), done.stderr
        assert "Traceback" not in done.stderr
        assert NAME in done.stderr
