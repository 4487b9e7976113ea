"""What the pages say, over the wire: both languages, broken runs, caching, uploads, votes."""

import json
import re
import shutil
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from hostile import HOSTILE
from wire import Served, ask, post, upload

from forkpoint.ledger import Book, TrialStarted, read_lines
from forkpoint.race.executor import note_path
from forkpoint.race.work import TrialWork

PAGES = (
    "/", "/run/finished", "/run/finished/report", "/run/finished/answers", "/run/finished/vote",
    "/run/unfinished", "/start", "/compare", "/compare?run=finished&run=unfinished", "/rules",
    "/rules/FP-B01",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_speaks_both_languages(served: Served, cookie: str, path: str) -> None:
    """The page is whole in English and in Chinese, and says which it is."""
    english = ask(served, path, cookie=cookie, accept_language="en")
    chinese = ask(served, path, cookie=cookie, accept_language="zh")
    assert (200, 200) == (english[0], chinese[0])
    assert '<html lang="en">' in english[2]
    assert '<html lang="zh-Hans">' in chinese[2]
    assert len(re.findall(r"[\u4e00-\u9fff]", chinese[2])) > 40
    assert english[2].rstrip().endswith("</html>")


def test_a_broken_ledger_line_is_named(served: Served, cookie: str) -> None:
    """The list still shows every run; the broken one says which line of which file."""
    status, _, text = ask(served, "/", cookie=cookie, accept_language="en")
    assert 200 == status
    assert "ledger.jsonl" in text
    status, _, text = ask(served, "/run/broken", cookie=cookie, accept_language="en")
    assert 400 == status
    assert re.search(r"ledger\.jsonl.* 2\b", text)
    assert "Traceback" not in text


def test_a_vanished_folder_is_a_clear_page(served: Served, cookie: str) -> None:
    """A run that was open in a browser and is moved away says so, and so does its live part."""
    copy = served.runs / "vanishing"
    shutil.copytree(served.runs / "finished", copy)
    assert 200 == ask(served, "/run/vanishing", cookie=cookie)[0]
    shutil.rmtree(copy)
    for path in ("/run/vanishing", "/run/vanishing/live", "/run/vanishing/report"):
        status, _, text = ask(served, path, cookie=cookie, accept_language="en")
        assert 404 == status
        assert "vanishing" in text


def test_a_trial_on_a_cluster_names_its_worker(served: Served, cookie: str) -> None:
    """On the race's page, in both languages, escaped: the node and the process there."""
    copy = served.runs / "clustered"
    shutil.copytree(served.runs / "unfinished", copy)
    started = [line for line in read_lines(copy) if isinstance(line, TrialStarted)]
    note = note_path(copy, TrialWork(trial=started[-1].trial), "progress")
    note.parent.mkdir(exist_ok=True)
    note.write_text(json.dumps({"step": 3, "steps": 9, "worker": "10.0.0.7 (4711) <b>"}))
    with Book(copy):  # a race is under way
        for lang, on in (("en", "on 10.0.0.7 (4711) &lt;b&gt;"), ("zh", "在 10.0.0.7 (4711)")):
            assert on in ask(served, "/run/clustered", cookie=cookie, accept_language=lang)[2]
    shutil.rmtree(copy)


def test_live_parts_come_once(served: Served, cookie: str) -> None:
    """Who has the newest state gets an empty 304; a new ledger line makes a new answer."""
    copy = served.runs / "growing"
    shutil.copytree(served.runs / "unfinished", copy)
    ledger = copy / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-3]))
    path = "/run/growing/live?lang=en"
    status, first, text = ask(served, path, cookie=cookie)
    found = json.loads(text)
    assert {"main", "have", "now", "live", "said"} == set(found)
    _, _, text = ask(served, f"{path}&have={found['have']}", cookie=cookie)
    assert found | {"main": None} == json.loads(text)
    again, _, nothing = ask(served, path, cookie=cookie, if_none_match=first["etag"])
    assert (200, 304, "") == (status, again, nothing)
    ledger.write_bytes(b"".join(lines))
    seen = threading.Event()
    for _ in range(40):
        status, new, _ = ask(served, path, cookie=cookie, if_none_match=first["etag"])
        if status == 200:
            break
        seen.wait(0.1)
    assert 200 == status
    assert new["etag"] != first["etag"]
    shutil.rmtree(copy)


def test_the_report_is_the_file_s_body(served: Served, cookie: str) -> None:
    """The page in the app and the downloaded file hold the same sections and figures."""
    _, _, page = ask(served, "/run/finished/report", cookie=cookie, accept_language="en")
    _, headers, file = ask(served, "/run/finished/report.html", cookie=cookie, accept_language="en")
    assert "attachment" in headers["content-disposition"]
    english = file.partition('<div class="say zh"')[0]
    values = re.findall(r'<span class="value">([^<]+)', english)
    assert len(values) > 40
    assert values == re.findall(r'<span class="value">([^<]+)', page)
    _, _, document = ask(served, "/run/finished/report.json", cookie=cookie)
    assert "finished" == json.loads(document)["run"]


def test_uploads_stay_in_the_run_folder(served: Served, cookie: str) -> None:
    """A file named like a path outside is stored under its plain name in a new run folder."""
    status, headers, _ = upload(
        served, cookie, "../../../etc/pass wd.jsonl", b'{"prompt": "a"}\n', goal="g"
    )
    assert 303 == status
    folder = served.runs / headers["location"].rpartition("/")[2]
    assert ["pass-wd.jsonl"] == [path.name for path in (folder / "upload").iterdir()]
    assert b'{"prompt": "a"}\n' == (folder / "upload" / "pass-wd.jsonl").read_bytes()
    shutil.rmtree(folder)


def test_uploads_are_bounded(served: Served, cookie: str) -> None:
    """A body that claims more than the limit is refused before it is read; texts are bounded."""
    before = sorted(served.runs.iterdir())
    status, _, text = ask(
        served, "/start", "POST", b"", cookie=cookie, origin=served.base, accept_language="en",
        content_type="multipart/form-data; boundary=edge", content_length="3000000000",
    )  # fmt: skip
    assert 400 == status
    assert "2000 MB" in text
    status, _, text = upload(served, cookie, "a.jsonl", b"{}", goal="x" * 200_000)
    assert 400 == status
    assert "64 kB" in text
    assert before == sorted(served.runs.iterdir())


def test_a_form_that_is_no_form_is_a_sentence(served: Served, cookie: str) -> None:
    """Nonsense in the body is bad input, and leaves no folder behind."""
    before = sorted(served.runs.iterdir())
    for body in (b"", b"nonsense", b"--edge\r\nbroken"):
        status, _, text = ask(
            served, "/start", "POST", body, cookie=cookie, origin=served.base,
            content_type="multipart/form-data; boundary=edge", accept_language="en",
        )  # fmt: skip
        assert 400 == status
        assert "Traceback" not in text
    assert before == sorted(served.runs.iterdir())


def test_data_that_are_not_there_are_a_sentence(served: Served, cookie: str) -> None:
    """A path without a file names the path and makes no folder."""
    before = sorted(served.runs.iterdir())
    body = b'--edge\r\nContent-Disposition: form-data; name="path"\r\n\r\n/no/such\r\n--edge--\r\n'
    status, _, text = ask(
        served, "/start", "POST", body, cookie=cookie, origin=served.base,
        content_type="multipart/form-data; boundary=edge", accept_language="en",
    )  # fmt: skip
    assert 400 == status
    assert "/no/such" in text
    assert before == sorted(served.runs.iterdir())


def test_votes_are_blind_until_revealed(served: Served, cookie: str) -> None:
    """While voting no page names the arms; a vote is written; revealing names them."""
    copy = served.runs / "voted"
    shutil.copytree(served.runs / "finished", copy)
    names = {path.name.partition(".test")[0] for path in (copy / "answers").glob("*.full.*")}
    _, _, page = ask(served, "/run/voted/vote", cookie=cookie, accept_language="en")
    pair = re.search(r'name="pair" value="(\w+)"', page)
    assert pair is not None
    status, _, _ = post(served, cookie, "/run/voted/vote", pair=pair[1], choice="first")
    assert 303 == status
    assert 1 == len((copy / "votes.jsonl").read_text().splitlines())
    _, _, page = ask(served, "/run/voted/vote", cookie=cookie, accept_language="en")
    assert pair[1] not in page
    assert "№ 1" in page
    assert set() == {name for name in names if name in page}
    _, _, page = ask(served, "/run/voted/vote?reveal=yes", cookie=cookie, accept_language="en")
    assert any(name in page for name in names)
    for bad in ({"pair": "0" * 24, "choice": "first"}, {"pair": pair[1], "choice": "<script>"}):
        status, _, text = post(served, cookie, "/run/voted/vote", **bad)
        assert 400 == status
        assert "<script>" not in text
    shutil.rmtree(copy)


def test_one_prompt_at_a_time_and_only_known_arms(served: Served, cookie: str) -> None:
    """Asking nobody, or an empty prompt, is a sentence."""
    path = "/run/finished/answers"
    arm = "pocket-base.untrained"
    status, _, text = post(served, cookie, path, prompt=" ", arm=arm)
    assert (400, True) == (status, "prompt" in text)
    status, _, text = post(served, cookie, path, prompt="hello", arm="../../etc")
    assert (400, True) == (status, "arms" in text)


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_are_harmless_events(hostile: str) -> None:
    """What a model says reaches the page as bounded JSON without any acting character."""
    import unicodedata

    from forkpoint.race.speak_child import Spoken
    from forkpoint.web.answering import _event, _told

    event = _event(_told(Spoken(arm="a", text=hostile, done=True, trouble=None), "en")).decode()
    assert event.endswith("\n\n")
    assert event.startswith("data: ")
    text = json.loads(event[6:])["text"]
    assert len(text) < 21_000
    acting = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert set() == acting - {"\n", "\t", "\u200c", "\u200d"}


def test_names_of_the_web_survive_quoting(served: Served, cookie: str) -> None:
    """A run folder with the oddest name opens under its quoted address."""
    name = next(path.name for path in served.runs.iterdir() if path.name.startswith("<img"))
    for page in ("", "/report", "/vote", "/answers"):
        status, _, text = ask(served, f"/run/{quote(name, safe='')}{page}", cookie=cookie)
        assert 200 == status
        assert "<img src=x" not in text
        assert "7*7}}" in text


def test_a_second_race_in_one_folder_is_refused(tmp_path: Path) -> None:
    """While a process races in a folder, nothing else is started there."""
    import subprocess
    import sys

    from forkpoint.errors import BadInput
    from forkpoint.web import process

    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = subprocess.Popen(sleeper)
    note = process.Started(process=child.pid, created=process._created(child.pid) or 0, words=())
    (tmp_path / process.STARTED).write_text(note.to_json())
    assert child.pid == process.alive(tmp_path)
    with pytest.raises(BadInput, match="runs"):
        process.start(tmp_path, ["--version"])
    process.stop(tmp_path)
    child.wait(10)
    assert process.alive(tmp_path) is None


def test_a_process_number_used_again_is_not_ours(tmp_path: Path) -> None:
    """Another process that got the number of an ended race is left alone."""
    import os

    from forkpoint.web import process

    note = process.Started(process=os.getpid(), created=1.0, words=())
    (tmp_path / process.STARTED).write_text(note.to_json())
    assert process.alive(tmp_path) is None
    process.stop(tmp_path)
