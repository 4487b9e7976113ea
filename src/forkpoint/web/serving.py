"""One server on one folder of runs: its port, its lock, its printed address."""

import contextlib
import errno
import fcntl
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.web.door import Door
from forkpoint.web.site import Site, create_app

HOST = "127.0.0.1"
LOCK = ".serve"
BACKLOG = 256
QUIT_SECONDS = 3  # for replies under way when the server is stopped


def serve(runs: Path, port: int, lang: str, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; `announce` is given the address with the token.

    Raises BadInput when the port is taken or another server has the folder.
    """
    import uvicorn

    with _alone(runs) as lock, contextlib.closing(_listen(port)) as listening:
        door = Door(port=listening.getsockname()[1])
        lock(f"{os.getpid()} {door.port}")
        app = create_app(Site(runs=runs, door=door, lang=lang))
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=QUIT_SECONDS, ws="none", lifespan="off",
        )  # fmt: skip
        announce(door.address)
        uvicorn.Server(config).run(sockets=[listening])


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise BadInput("web.port_taken", port=port) from None
        raise
    return listening


@contextlib.contextmanager
def _alone(runs: Path) -> Iterator[Callable[[str], None]]:
    """Hold the folder's lock; what is given to the result is what a second server is told."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        file = (runs / LOCK).open("a+")
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput("web.bad_folder", folder=runs, reason=reason) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            process, _, port = file.read().partition(" ")
            raise BadInput(
                "web.served_already", folder=runs, process=process or "?", port=port or "?"
            ) from None

        def note(text: str) -> None:
            file.truncate(0)
            file.write(text)
            file.flush()

        yield note
