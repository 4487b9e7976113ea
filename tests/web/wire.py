"""A real server, and requests to it as they go over the wire."""

import http.client
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

Reply = tuple[int, dict[str, str], str]


def ask(
    served: "Served",
    path: str,
    method: str = "GET",
    body: bytes = b"",
    cookie: str | None = None,
    **headers: str,
) -> Reply:
    """One request as it goes over the wire; `_` in a header's name becomes `-`."""
    where = urlsplit(served.base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=300)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie:
        sent["cookie"] = cookie
    connection.request(method, path, body, sent)
    reply = connection.getresponse()
    text = reply.read().decode("utf-8", "replace")
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, text


@dataclass(frozen=True)
class Served:
    """A running server."""

    runs: Path
    address: str  # with the token
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        """The address without path and token."""
        return self.address.partition("/?")[0]


def start_server(runs: Path, *words: str, home: Path | None = None) -> Served:
    """`forkpoint serve` as a person types it, on any free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "forkpoint", "serve", str(runs), "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=home or runs.parent,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "FORKPOINT_HOME": str(runs.parent / "home")},
    )
    assert process.stdout is not None
    return Served(runs, process.stdout.readline().strip(), process)


def let_in(served: Served) -> str:
    """The cookie that the token is swapped for, as a browser sends it."""
    _, headers, _ = ask(served, f"/?{urlsplit(served.address).query}")
    return headers["set-cookie"].partition(";")[0]


FORM = {"content_type": "application/x-www-form-urlencoded"}


def post(served: Served, cookie: str, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
    """A form sent by one of our own pages."""
    return ask(
        served, path, "POST", urlencode(fields).encode(), cookie=cookie, origin=served.base,
        accept_language="en", **FORM,
    )  # fmt: skip


def upload(
    served: Served, cookie: str, name: str, content: bytes, **fields: str
) -> tuple[int, dict[str, str], str]:
    """The start form with a file."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = b"".join(parts) + head.encode() + content + b"\r\n--edge--\r\n"
    return ask(
        served, "/start", "POST", body, cookie=cookie, origin=served.base, accept_language="en",
        content_type="multipart/form-data; boundary=edge",
    )  # fmt: skip
