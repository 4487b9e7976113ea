"""Who gets in: loopback hosts only, the token once, then a cookie; and never another site."""

import logging
import secrets
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forkpoint.web.looks import language, refusal

LOGGER = logging.getLogger(__name__)
TOKEN_BYTES = 32
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",  # drawn charts carry style attributes, never data's
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "private, no-cache",
}
OPEN = "/static/"  # style sheet and script: nobody's secret, and refusals need them


def _kept(error: Exception) -> Path:
    """Write the traceback of a bug to a file that can be sent with a report."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="forkpoint-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    return Path(file.name)


@dataclass(frozen=True)
class Door:
    """The key of one server: a token for the printed address, a session for the cookie."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))

    @property
    def hosts(self) -> frozenset[str]:
        """Host headers that mean this server."""
        return frozenset(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    @property
    def cookie(self) -> str:
        """The cookie's name; cookies know no ports, so the name does."""
        return f"forkpoint-{self.port}"

    @property
    def address(self) -> str:
        """What is printed: opens the first page and lets in."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"


class Gate:
    """Refuses foreign hosts, strangers and other sites; puts the safe headers on every reply."""

    def __init__(self, app: ASGIApp, door: Door, lang: str) -> None:
        self.app = app
        self.door = door
        self.lang = lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a refusal or a redirect."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        request = Request(scope)
        answer = self._answer(request)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await (answer or self.app)(scope, receive, send_safely)
        except Exception as error:  # noqa: BLE001 - the reader has the page of a bug; this is ours
            LOGGER.error("%s broke; the details are in %s", request.url.path, _kept(error))

    def _answer(self, request: Request) -> Response | None:
        """A refusal or redirect; None for a request that may go on."""
        headers, path = request.headers, request.url.path
        if headers.get("host", "").lower() not in self.door.hosts:
            return self._refuse(request, 421, "wrong_host", host=headers.get("host", "-"))
        if path.startswith(OPEN) and request.method in ("GET", "HEAD"):
            return None
        if (token := request.query_params.get("token")) is not None:
            if not secrets.compare_digest(token.encode(), self.door.token.encode()):
                return self._refuse(request, 403, "wrong_token")
            return self._let_in(request)
        cookie = request.cookies.get(self.door.cookie, "")
        if not secrets.compare_digest(cookie.encode(), self.door.session.encode()):
            return self._refuse(request, 403, "no_token")
        if not self._same_site(request.method, headers):
            return self._refuse(request, 403, "other_site")
        return None

    def _same_site(self, method: str, headers: Headers) -> bool:
        """Whether a request comes from our own pages; other ports of this machine do not count."""
        fetched = headers.get("sec-fetch-site")
        if method in ("GET", "HEAD"):
            followed = headers.get("sec-fetch-mode") == "navigate"
            return fetched in (None, "none", "same-origin") or followed
        if origin := headers.get("origin"):
            return origin.lower() in {f"http://{host}" for host in self.door.hosts}
        return fetched == "same-origin"

    def _let_in(self, request: Request) -> Response:
        """Swap the token for the cookie and leave it out of the address."""
        left = [(k, v) for k, v in parse_qsl(request.url.query) if k != "token"]
        path = quote("/" + request.url.path.lstrip("/"))
        response = RedirectResponse(f"{path}?{urlencode(left)}" if left else path, 303)
        response.set_cookie(
            self.door.cookie, self.door.session, httponly=True, samesite="strict", path="/"
        )
        response.headers["cache-control"] = "no-store"
        return response

    def _refuse(self, request: Request, status: int, key: str, **values: str) -> Response:
        return refusal(status, f"web.{key}", language(request, self.lang), **values)
