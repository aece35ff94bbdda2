"""A small synchronous HTTP client for the command line: JSON and bytes, bounded in size and time.

On the standard library, so that the core install can talk to a node. For addresses that the user typed
himself; addresses found in documents go through the guarded fetcher instead.
"""

import base64
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import unquote

from testamur.node.addresses import parse_address, shown_url, without_secrets
from testamur.node.errors import ConfigError, PeerMisbehaved, PeerUnreachable
from testamur.node.fetch.lines import DEFAULT_PORTS, FAILURES, Line, find_addresses, read_whole
from testamur.registry.canonical import Json, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape

TIMEOUT_SECONDS = 30.0
"""For a whole request, from the name to the last byte: the largest answer over a slow line, and no longer."""

MAX_RESPONSE_BYTES = 16 << 20
"""The largest honest answer is a node's evidence of a log with many status lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A complete HTTP answer."""

    status: int
    body: bytes

    def json(self, subject: str) -> Json:
        """The body as strict JSON. Raises PeerMisbehaved."""
        try:
            return parse_json(self.body, subject=subject, max_bytes=MAX_RESPONSE_BYTES)
        except MalformedError as error:
            raise PeerMisbehaved(f"the answer is not the JSON it should be ({error})") from error

    def problem(self) -> str:
        """What was wrong, in the server's own words if it gave any (RFC 9457)."""
        try:
            shape = Shape(self.json("problem"), "problem")
            return shape.optional_text("detail") or shape.text("title")
        except (PeerMisbehaved, MalformedError):
            return f"HTTP {self.status}"


class HttpClient:
    """Requests to one base URL over one kept connection. Not for use from several threads at once.

    What it says of its address is scheme, host and port: the rest may be somebody's key or password.
    """

    def __init__(
        self, base_url: str, *, token: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """A name and password in the address are sent as Basic authentication, its query with every request.

        Raises ConfigError for what is no http or https address.
        """
        parts = parse_address(base_url)
        self.shown_url = shown_url(base_url)
        if parts.username is not None and token is not None:
            raise ConfigError("url", f"{self.shown_url} comes with a name in it; the token says who asks")
        self._parts = parts
        self._timeout_seconds = timeout_seconds
        self._line: Line | None = None
        self._headers = {"Accept": "application/json", "User-Agent": "testamur"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        elif parts.username is not None:
            name = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(name.encode()).decode('ascii')}"

    def get(self, path: str) -> Response:
        """GET. Raises PeerUnreachable, PeerMisbehaved (answer too large); any status is returned."""
        return self._request("GET", path, None)

    def post(self, path: str, body: Json) -> Response:
        """POST of a JSON body. Any status is returned; raises like `get`.

        Sent again once when a kept connection turns out dead, so only for requests that do the same when
        they arrive twice; all of a node's are.
        """
        return self._request("POST", path, json.dumps(body).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; a later request opens a new one."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _request(self, method: str, path: str, body: bytes | None) -> Response:
        until = time.monotonic() + self._timeout_seconds
        while True:
            is_kept = self._line is not None
            try:
                return self._exchange(method, path, body, until)
            except FAILURES as error:
                self.close()
                # The server may have closed a kept connection meanwhile; a fresh one decides.
                if not is_kept or isinstance(error, TimeoutError):
                    raise PeerUnreachable(self._why(error)) from error

    def _exchange(self, method: str, path: str, body: bytes | None, until: float) -> Response:
        line = self._line = self._line or self._open(until)
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        with line.ask(method, self._target(path), until, headers=headers, body=body) as answer:
            content = read_whole(answer, MAX_RESPONSE_BYTES)
        if len(content) > MAX_RESPONSE_BYTES:
            self.close()
            raise PeerMisbehaved(f"{self.shown_url} answered with more than {MAX_RESPONSE_BYTES} bytes")
        if not line.is_open:
            self.close()
        return Response(status=answer.status, body=content)

    def _open(self, until: float) -> Line:
        scheme, host = self._parts.scheme, self._parts.hostname or ""
        port = self._parts.port or DEFAULT_PORTS[scheme]
        return Line(scheme, host, port, find_addresses(host, port, until), until)

    def _target(self, path: str) -> str:
        target = self._parts.path.rstrip("/") + path or "/"
        if self._parts.query:
            target += ("&" if "?" in target else "?") + self._parts.query
        return target

    def _why(self, error: Exception) -> str:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, TimeoutError):
            why = f"it took longer than {self._timeout_seconds:g} seconds"
        why = without_secrets(why, self._parts.geturl())
        return f"{self.shown_url} does not answer ({why}); is it running, and still there?"


def good_answer(response: Response, url: str, path: str) -> Response:
    """A good answer, or the error that says whose fault it is, in the node's own words if it gave any."""
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response
    detail = response.problem()
    if response.status in {401, 403}:
        raise ConfigError("token", f"{url} refused it: {detail}")
    if response.status in {429, 502, 503, 504}:
        raise PeerUnreachable(f"{url} cannot answer now: {detail}")
    raise PeerMisbehaved(f"{url} answered {path.partition('?')[0]} with HTTP {response.status}: {detail}")
