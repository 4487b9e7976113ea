"""The store of finished races: kept, listed, exported, removed, switched off; never in the way."""

import json
import sqlite3
from pathlib import Path

import pytest
from past_races import past_race

from forkpoint.errors import BadInput, Unreadable
from forkpoint.store import Shelf, home
from forkpoint.store.shelf import FILE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path))
    monkeypatch.delenv("FORKPOINT_STORE", raising=False)
    return tmp_path


def test_home_is_named_or_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """FORKPOINT_HOME first, then the platform's folder for data."""
    assert tmp_path == home()
    monkeypatch.delenv("FORKPOINT_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setattr("sys.platform", "linux")
    assert Path("/data/forkpoint") == home()


def test_a_kept_race_comes_back_whole_and_once() -> None:
    """Keeping it again replaces it; races come oldest first."""
    with Shelf() as shelf:
        for number in (2, 1, 2):
            assert shelf.keep(past_race(number))
    with Shelf() as shelf:
        assert (past_race(1), past_race(2)) == shelf.races() == shelf.usable()


def test_switched_off_it_neither_keeps_nor_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept stays and can be listed; the switch outlives the process."""
    with Shelf() as shelf:
        shelf.keep(past_race(1))
        shelf.switch(on=False)
    with Shelf() as shelf:
        assert not shelf.is_on
        assert not shelf.keep(past_race(2))
        assert () == shelf.usable()
        assert (past_race(1),) == shelf.races()
        shelf.switch(on=True)
        assert (past_race(1),) == shelf.usable()
        monkeypatch.setenv("FORKPOINT_STORE", "off")
        assert () == shelf.usable()


def test_a_race_is_forgotten_by_the_beginning_of_its_id() -> None:
    """Exactly one, or a sentence; `%` is no wildcard."""
    with Shelf() as shelf:
        shelf.keep(past_race(1, race_id="abc1"))
        shelf.keep(past_race(2, race_id="abd2"))
        for beginning in ("ab", "zz", "%", "_bc"):
            with pytest.raises(BadInput):
                shelf.forget(beginning)
        assert 1 == shelf.forget("abc")
        assert ["abd2"] == [race.race_id for race in shelf.races()]
        assert 1 == shelf.forget()


def test_a_file_that_is_no_store_is_named(folder: Path) -> None:
    """No traceback: what, where, what to do."""
    (folder / FILE).write_bytes(b"this is no database, however long it may be" * 50)
    with pytest.raises(Unreadable) as raised, Shelf():
        pass
    for lang in ("en", "zh"):
        assert str(folder / FILE) in raised.value.message(lang)


def test_a_newer_store_is_refused(folder: Path) -> None:
    """It is not overwritten by an older program."""
    with sqlite3.connect(folder / FILE) as store:
        store.execute("pragma user_version = 99")
    with pytest.raises(Unreadable) as raised, Shelf():
        pass
    assert "99" in str(raised.value)


def test_a_broken_record_is_named_and_can_be_removed(folder: Path) -> None:
    """One bad row does not take the store with it."""
    with Shelf() as shelf:
        shelf.keep(past_race(1))
    with sqlite3.connect(folder / FILE) as store:
        store.execute("update races set record = '{}'")
    with Shelf() as shelf:
        with pytest.raises(Unreadable) as raised:
            shelf.races()
        assert past_race(1).race_id in str(raised.value)
        assert 1 == shelf.forget(past_race(1).race_id)
        assert () == shelf.races()


def test_two_processes_may_write(folder: Path) -> None:
    """A second writer waits for the first and loses nothing."""
    with Shelf() as one, Shelf() as two:
        one.keep(past_race(1))
        two.keep(past_race(2))
        assert 2 == len(one.races())


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `forkpoint store ...`."""
    from forkpoint.cli import main

    try:
        main(["store", *words])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.mark.parametrize(("lang", "word"), [("en", "is multiplied by"), ("zh", "乘以")])
def test_the_command_lists_races_and_what_follows_from_them(
    capsys: pytest.CaptureFixture[str], lang: str, word: str
) -> None:
    """Each race in a line, then the corrections with how many trials they rest on."""
    with Shelf() as shelf:
        shelf.keep(past_race(7))
    code, out, _ = run(capsys, "list", "--lang", lang)
    assert 0 == code
    assert past_race(7).race_id[:8] in out
    assert "pocket-instruct.full" in out
    assert word in out


def test_the_command_exports_switches_and_forgets(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Everything that is kept can be read by another program, and removed."""
    with Shelf() as shelf:
        shelf.keep(past_race(7))
    _, out, _ = run(capsys, "export")
    assert [past_race(7).race_id] == [race["race_id"] for race in json.loads(out)["races"]]
    file = tmp_path / "races.json"
    run(capsys, "export", "-o", str(file))
    assert json.loads(out) == json.loads(file.read_text())
    _, out, _ = run(capsys, "off", "--lang", "en")
    assert "off" in out
    with Shelf() as shelf:
        assert not shelf.is_on
    run(capsys, "on")
    _, out, _ = run(capsys, "forget", "all", "--lang", "en")
    assert out.startswith("1 ")


@pytest.mark.parametrize("words", [("nonsense",), ("add",), ("forget",), ("forget", "zz")])
def test_what_the_command_cannot_do_is_a_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Exit code 2, nothing on stdout, no traceback."""
    code, out, err = run(capsys, *words, "--lang", "en")
    assert (2, "") == (code, out)
    assert err.strip()
    assert "Traceback" not in err


def test_a_folder_without_a_verdict_is_not_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Only finished races teach."""
    code, _, err = run(capsys, "add", str(tmp_path), "--lang", "en")
    assert 2 == code
    assert str(tmp_path) in err
