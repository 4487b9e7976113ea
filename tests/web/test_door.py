"""Who gets in: this machine's user with the token, and nobody else."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from wire import Served, ask, start_server


def test_the_token_is_swapped_for_a_cookie_and_a_clean_address(served: Served) -> None:
    """The cookie is HttpOnly and SameSite=Strict, holds no token, and the address loses it."""
    where = urlsplit(served.address)
    status, headers, _ = ask(served, f"/rules?{where.query}&x=1")
    assert (303, "/rules?x=1") == (status, headers["location"])
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(headers["set-cookie"].split("; "))
    assert parse_qs(where.query)["token"][0] not in headers["set-cookie"]


@pytest.mark.parametrize("path", ["/", "/run/finished", "/run/finished/live", "/rules", "/nothing"])
def test_nothing_is_read_without_the_token(served: Served, path: str) -> None:
    """Also reading needs the cookie; the refusal says what to do in both languages."""
    status, _, english = ask(served, path, accept_language="en")
    assert 403 == status
    assert "forkpoint serve" in english
    assert "令牌" in ask(served, path, accept_language="zh-CN")[2]


@pytest.mark.parametrize("token", ["", "x", "é", "0" * 43])
def test_a_wrong_token_is_refused_with_a_sentence(served: Served, token: str) -> None:
    """A token of an earlier server does not let in."""
    from urllib.parse import quote

    status, headers, text = ask(served, f"/?token={quote(token)}", accept_language="en")
    assert 403 == status
    assert "set-cookie" not in headers
    assert "token" in text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1", "[::]"])
def test_foreign_hosts_are_refused_even_with_the_cookie(
    served: Served, cookie: str, host: str
) -> None:
    """DNS rebinding gets nothing, not even the style sheet."""
    for path in ("/", "/static/web.css"):
        status, _, text = ask(served, path, cookie=cookie, Host=host, accept_language="en")
        assert 421 == status
        assert host in text


def test_every_reply_carries_the_safe_headers(served: Served, cookie: str) -> None:
    """A strict policy without inline script, no sniffing, no framing, no leaking of addresses."""
    for path in ("/", "/run/finished/report", "/nothing", "/static/web.js"):
        _, headers, _ = ask(served, path, cookie=cookie)
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert "'none'" == policy["default-src"]
        assert "'self'" == policy["script-src"]
        assert "'none'" == policy["frame-ancestors"]
        assert "nosniff" == headers["x-content-type-options"]
        assert "same-origin" == headers["cross-origin-resource-policy"]
        assert "server" not in headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
    ],
    ids=str,
)
def test_other_sites_cannot_act(served: Served, cookie: str, headers: dict[str, str]) -> None:
    """A form of another page, another port of this machine included, changes nothing."""
    status, _, _ = ask(served, "/run/unfinished/do/pause", "POST", cookie=cookie, **headers)
    assert 403 == status
    assert not (served.runs / "unfinished" / "pause").exists()


def test_other_sites_cannot_read_what_they_embed(served: Served, cookie: str) -> None:
    """Only a link that a person follows may come from elsewhere."""
    embedded = {"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors"}
    assert 403 == ask(served, "/run/finished/live", cookie=cookie, **embedded)[0]
    followed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert 200 == ask(served, "/rules", cookie=cookie, **followed)[0]


@pytest.mark.parametrize(
    "name",
    ["..", "%2e%2e", "..%2f..%2fetc", "%2fetc%2fpasswd", "finished%2f..%2f..", "a%00b", "no-such",
     "..%5c..", "x" * 4000, "link"],
)  # fmt: skip
def test_no_name_leads_out_of_the_runs(served: Served, cookie: str, name: str) -> None:
    """Traversal in any writing, links and vanished folders are a clear page, never a file."""
    link = served.runs / "link"
    if not link.is_symlink():
        link.symlink_to(Path("/"))
    for path in (f"/run/{name}", f"/run/{name}/report", f"/start/{name}", f"/run/{name}/vote"):
        status, _, text = ask(served, path, cookie=cookie, accept_language="en")
        assert status in (404, 303), (path, status)
        assert "root:" not in text
        assert "Traceback" not in text


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "http://evil.example", "x"])
def test_the_language_switch_leads_nowhere_else(served: Served, cookie: str, back: str) -> None:
    """It goes back to a page of ours."""
    status, headers, _ = ask(served, f"/language/zh?back={back}", cookie=cookie)
    assert (303, "/") == (status, headers["location"])


def test_two_servers_on_one_folder_are_refused(served: Served) -> None:
    """The second one says who has the folder and leaves with exit code 2."""
    port = str(urlsplit(served.base).port)
    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", "serve", str(served.runs), "--lang", "en"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert 2 == done.returncode
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_a_sentence(served: Served, tmp_path: Path) -> None:
    """It names the port and what to do."""
    port = str(urlsplit(served.base).port)
    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", "serve", str(tmp_path), "--port", port, "--lang", "en"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert 2 == done.returncode
    assert f"Port {port}" in done.stderr
    assert "--port" in done.stderr


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    """A file where the runs should be is bad input."""
    file = tmp_path / "runs"
    file.write_text("x")
    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", "serve", str(file), "--port", "0", "--lang", "en"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert 2 == done.returncode
    assert str(file) in done.stderr


def test_the_server_is_light(tmp_path: Path) -> None:
    """Serving pages never imports torch or transformers."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from forkpoint.web.site import Site, create_app\n"
        "from forkpoint.web.door import Door\n"
        f"create_app(Site(runs=Path({str(tmp_path)!r}), door=Door(port=1), lang='en'))\n"
        "print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


def test_a_new_server_makes_a_new_token(tmp_path: Path) -> None:
    """The address of yesterday does not let in today."""
    addresses = []
    for _ in range(2):
        server = start_server(tmp_path / "runs")
        addresses.append(server.address.partition("token=")[2])
        server.process.terminate()
        server.process.wait(20)
    assert addresses[0] != addresses[1]
    assert min(map(len, addresses)) >= 40


def test_a_bug_is_a_page_and_its_traceback_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The reader gets a sentence, the terminal one line with the file, nobody a traceback."""
    import asyncio
    import tempfile
    from concurrent.futures import ThreadPoolExecutor

    from forkpoint.web import looking
    from forkpoint.web.door import Door
    from forkpoint.web.site import Site, create_app

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(looking, "run_names", lambda runs: 1 // 0)
    door = Door(port=1)
    app = create_app(Site(runs=tmp_path, door=door, lang="en"))
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"",
        "scheme": "http", "server": ("127.0.0.1", 1), "root_path": "", "http_version": "1.1",
        "headers": [(b"host", b"127.0.0.1:1"),
                    (b"cookie", f"{door.cookie}={door.session}".encode())],
    }  # fmt: skip
    with ThreadPoolExecutor(1) as apart:  # a browser test may have left a loop in this thread
        apart.submit(asyncio.run, app(scope, receive, send)).result()
    assert 500 == sent[0]["status"]
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    assert "ZeroDivisionError" in text
    assert "Traceback" not in text + caplog.text
    assert "ZeroDivisionError" in next(tmp_path.glob("forkpoint-*.log")).read_text()
