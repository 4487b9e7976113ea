"""The ledger survives kills and says which line is wrong when it was tampered with."""

import multiprocessing
import os
import signal
from pathlib import Path

import orjson
import pytest

from forkpoint.errors import BadInput, Unreadable
from forkpoint.ledger import ArmDropped, Book, RacingEnded, Resumed, read_lines


def written(folder: Path, count: int = 3) -> Path:
    with Book(folder) as book:
        for number in range(count):
            book.append(RacingEnded(key="race.ended_clock", values={"number": number}))
    return folder / "ledger.jsonl"


def test_lines_come_back_numbered_and_equal(tmp_path: Path) -> None:
    """What is appended is read back in order, numbered from 1."""
    written(tmp_path)
    lines = read_lines(tmp_path)
    assert [1, 2, 3] == [line.seq for line in lines]
    assert [0, 1, 2] == [line.values["number"] for line in lines]  # type: ignore[union-attr]


@pytest.mark.parametrize("torn", [b"{", b'{"schema":1,"seq":4', b"\xff\xfe", b"null"])
def test_a_torn_last_line_is_dropped(tmp_path: Path, torn: bytes) -> None:
    """A line without its newline never counted; the next append starts clean."""
    path = written(tmp_path)
    path.open("ab").write(torn)
    assert 3 == len(read_lines(tmp_path))
    with Book(tmp_path) as book:
        book.append(Resumed(lost_trials=()))
    assert [1, 2, 3, 4] == [line.seq for line in read_lines(tmp_path)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pieces: [pieces[0], b"garbage", pieces[2]], "line 2 is not a ledger record"),
        (lambda pieces: [pieces[0], pieces[2]], "line 2 has number 3 where 2 belongs"),
        (
            lambda pieces: [pieces[0].replace(b'"schema":1', b'"schema":99'), *pieces[1:]],
            "line 1 has schema 99",
        ),
        (
            lambda pieces: [pieces[0].replace(b'"key":', b'"kee":'), *pieces[1:]],
            "line 1: field",
        ),
    ],
)
def test_a_bad_line_elsewhere_is_an_error_with_its_number(tmp_path, change, said) -> None:
    """A broken, missing, newer or misspelt line is named."""
    path = written(tmp_path)
    path.write_bytes(b"\n".join(change(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(Unreadable) as caught:
        read_lines(tmp_path)
    assert said in str(caught.value)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """One run folder has one writer, and the refusal names its process."""
    with Book(tmp_path), pytest.raises(BadInput) as caught, Book(tmp_path):
        pass
    assert str(os.getpid()) in str(caught.value)


def _append_until_killed(folder: str) -> None:
    with Book(Path(folder)) as book:
        while True:
            book.append(ArmDropped(arm="a" * 200, rung=1, key="race.killed", values={}, p_best=0.1))


def test_the_ledger_survives_kill_9(tmp_path: Path) -> None:
    """After a kill in the middle of writing, every line that is there is whole."""
    for _ in range(5):
        child = multiprocessing.get_context("spawn").Process(
            target=_append_until_killed, args=(str(tmp_path),)
        )
        child.start()
        while not (tmp_path / "ledger.jsonl").exists() or not read_lines(tmp_path):
            pass
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        lines = read_lines(tmp_path)
        assert list(range(1, len(lines) + 1)) == [line.seq for line in lines]


def test_every_line_says_schema_seq_time_and_kind(tmp_path: Path) -> None:
    """The four fields that a reader of the file relies on."""
    for piece in written(tmp_path).read_bytes().splitlines():
        assert {"schema", "seq", "time", "kind"} <= set(orjson.loads(piece))
