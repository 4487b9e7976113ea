"""A form with a file, read as it arrives: the file goes into the run folder and nowhere else."""

import os
import re
from pathlib import Path
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from forkpoint.errors import BadInput
from forkpoint.web.folders import free_folder

UPLOAD_BYTES = 2_000_000_000  # larger files are on this machine already: they are named instead
FIELD_BYTES = 65_536  # all text fields together
SPARE_BYTES = 1_000_000_000  # of disk that an upload leaves free
FOLDER = "upload"


class Form:
    """The fields of a posted form, and the file that came with it, if any."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.fields: dict[str, str] = {}
        self.folder: Path | None = None  # the new run folder that took the file
        self.file: Path | None = None
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""  # of the header being read
        self._field, self._filename = "", ""
        self._text = bytearray()
        self._text_bytes = 0
        self._file_bytes = 0
        self._open: IO[bytes] | None = None

    async def read(self, request: Request) -> None:
        """Take in the request's body; raises BadInput for one too large or not a form."""
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise BadInput("web.no_form")
        length = int(request.headers.get("content-length") or 0)
        if length > UPLOAD_BYTES:
            raise BadInput("web.upload_too_large", limit=UPLOAD_BYTES // 10**6)
        parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._part_named,
                "on_part_data": self._part_data,
                "on_part_end": self._part_ends,
            },
        )
        try:
            async for chunk in request.stream():
                parser.write(chunk)
            parser.finalize()
        except FormParserError:
            self.discard()
            raise BadInput("web.no_form") from None
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Take the half-written file and its folder away again."""
        if self._open:
            self._open.close()
        if self.folder is not None:
            if self.file is not None:
                self.file.unlink(missing_ok=True)
                self.file.parent.rmdir()
            self.folder.rmdir()
            self.folder = None

    def _part_begins(self) -> None:
        self._headers = {}
        self._text = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _part_named(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        self._filename = options.get(b"filename", b"").decode("utf-8", "replace")
        if self._filename and self.file is None:
            name = file_name(self._filename)
            self.folder = free_folder(self.runs, name.split(".")[0])
            (self.folder / FOLDER).mkdir()
            self.file = self.folder / FOLDER / name
            self._open = self.file.open("xb")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._open is not None:
            self._file_bytes += end - start
            if self._file_bytes > UPLOAD_BYTES:
                raise BadInput("web.upload_too_large", limit=UPLOAD_BYTES // 10**6)
            self._check_disk()
            self._open.write(data[start:end])
            return
        self._text_bytes += end - start
        if self._text_bytes > FIELD_BYTES:
            raise BadInput("web.form_too_large", limit=FIELD_BYTES // 1024)
        if not self._filename:
            self._text += data[start:end]

    def _part_ends(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
        elif not self._filename:
            self.fields[self._field] = self._text.decode("utf-8", "replace").strip()

    def _check_disk(self) -> None:
        if self.folder is not None and self._file_bytes % (1 << 24) < (1 << 16):
            disk = os.statvfs(self.folder)
            if disk.f_bavail * disk.f_frsize < SPARE_BYTES:
                raise BadInput("web.disk_full", folder=self.runs)


def file_name(given: str) -> str:
    """A browser's file name as a plain name: no folders, no odd characters, not hidden.

    >>> file_name("../../etc/pass wd.jsonl"), file_name("C:\\\\x\\\\y.csv"), file_name("…")
    ('pass-wd.jsonl', 'y.csv', 'data')
    """
    last = re.split(r"[/\\]", given)[-1]
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in last).strip(".-")
    return kept[-100:].lstrip(".-") or "data"
