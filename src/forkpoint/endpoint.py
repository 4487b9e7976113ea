"""A chat model behind an OpenAI-compatible address; nothing is sent off this machine unasked."""

import ipaddress
import os
import socket
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from forkpoint.errors import BadInput

KEY_VARIABLE = "FORKPOINT_API_KEY"  # read for each request, never kept or written down
TIMEOUT_SECONDS = 60.0  # for a whole reply; a thinking model on a small machine needs about this
REPLY_BYTES = 1_000_000  # a longer reply is no answer to a short question
REPLY_TOKENS = 1024  # asked for at most: room for a model that thinks aloud first
PIECE_BYTES = 65_536

Failure = Literal["unreachable", "slow", "status", "nonsense"]


class EndpointFailed(BadInput):
    """The address gave no usable reply."""

    def __init__(self, failure: Failure, key: str, **values: Any) -> None:
        super().__init__(key, **values)
        self.failure = failure

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.failure, self.key, self.values))


def _rebuild(failure: Failure, key: str, values: dict[str, Any]) -> EndpointFailed:
    return EndpointFailed(failure, key, **values)


class Endpoint:
    """One model at one address, such as http://127.0.0.1:8000/v1."""

    def __init__(
        self,
        address: str,
        model: str,
        send_data_to: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """Raises BadInput for an address that cannot be used, or lies elsewhere without consent."""
        parts = urlsplit(address.rstrip("/"))
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BadInput("endpoint.bad_address", address=address) from None
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise BadInput("endpoint.bad_address", address=address)
        if parts.username or parts.password:
            raise BadInput("endpoint.key_in_address", variable=KEY_VARIABLE)
        self.host = host
        self.place = f"{host}:{port}" if port else host
        self.model = model
        self.timeout_seconds = timeout_seconds
        self.loopback = _is_loopback(host)
        if not self.loopback and send_data_to not in (host, self.place):
            raise BadInput("endpoint.needs_consent", host=host)
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path}/chat/completions"
        handlers: list[Any] = [_NoRedirect()]
        if self.loopback:
            handlers.append(urllib.request.ProxyHandler({}))  # a proxy would be another machine
        self._opener = urllib.request.build_opener(*handlers)

    def ask(self, messages: list[dict[str, str]]) -> str:
        """The model's reply at temperature 0; raises EndpointFailed."""
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": REPLY_TOKENS,
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self._url, orjson.dumps(body), headers)
        return self._text(self._fetch(request))

    def _fetch(self, request: urllib.request.Request) -> bytes:
        end = time.monotonic() + self.timeout_seconds
        pieces: list[bytes] = []
        try:
            with self._opener.open(request, timeout=self.timeout_seconds) as response:
                while piece := response.read1(PIECE_BYTES):
                    pieces.append(piece)
                    if sum(map(len, pieces)) > REPLY_BYTES:
                        raise self._nonsense(b"".join(pieces))
                    if time.monotonic() > end:  # a trickle never trips the socket's own limit
                        raise TimeoutError
        except urllib.error.HTTPError as error:
            raise EndpointFailed(
                "status", "endpoint.status", place=self.place, status=error.code,
                said=_line(error.read(PIECE_BYTES) or b"-"),
            ) from None  # fmt: skip
        except (TimeoutError, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError) or isinstance(error, TimeoutError):
                raise EndpointFailed(
                    "slow", "endpoint.slow", place=self.place, seconds=f"{self.timeout_seconds:g}"
                ) from None
            raise EndpointFailed(
                "unreachable", "endpoint.unreachable", place=self.place, problem=str(reason)
            ) from None
        except (ValueError, HTTPException) as error:  # a reply that is not HTTP
            raise EndpointFailed(
                "unreachable", "endpoint.unreachable", place=self.place, problem=str(error)
            ) from None
        return b"".join(pieces)

    def _text(self, content: bytes) -> str:
        try:
            text = orjson.loads(content)["choices"][0]["message"]["content"]
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
            raise self._nonsense(content) from None
        if not isinstance(text, str):
            raise self._nonsense(content)
        return text

    def _nonsense(self, content: bytes) -> EndpointFailed:
        return EndpointFailed(
            "nonsense", "endpoint.nonsense", place=self.place, said=_line(content)
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could lead the data to a machine that nobody agreed to."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _is_loopback(host: str) -> bool:
    """Whether every address of this name is on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    if host != "localhost":
        return False
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(one).is_loopback for one in found)


def _line(content: bytes) -> str:
    """The beginning of what was said, on one line and with nothing that acts on a terminal."""
    text = " ".join(content[:200].decode("utf-8", "replace").split())
    return "".join(c if c.isprintable() else "?" for c in text) or "-"
