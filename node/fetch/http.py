"""A small synchronous HTTP client for the command line: JSON and bytes, bounded in size and time.

On the standard library, so that the core install can talk to a node. For addresses that the user typed
himself; addresses found in documents go through the guarded fetcher instead.
"""

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from testamur.node.errors import ConfigError, PeerMisbehaved, PeerUnreachable
from testamur.registry.canonical import Json, parse_json
from testamur.registry.errors import MalformedError

TIMEOUT_SECONDS = 20.0
"""Long enough for a busy node, short enough for a person who waits."""

ATTEMPTS = 2
"""A kept connection may have been closed by the server meanwhile; a second failure is the answer."""

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


class HttpClient:
    """Requests to one base URL over one kept connection. Not for use from several threads at once."""

    def __init__(
        self, base_url: str, *, token: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError("url", f"{base_url!r} is not an http or https address")
        self.base_url = base_url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._token = token
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=timeout_seconds, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_seconds)

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
        self._connection.close()

    def _request(self, method: str, path: str, body: bytes | None) -> Response:
        headers = {"Accept": "application/json", "User-Agent": "testamur"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        for attempt in range(ATTEMPTS):
            try:
                self._connection.request(method, self._prefix + path, body=body, headers=headers)
                answer = self._connection.getresponse()
                content = answer.read(MAX_RESPONSE_BYTES + 1)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                # A kept connection that the server has closed meanwhile fails once; a fresh one decides.
                if attempt + 1 == ATTEMPTS:
                    raise PeerUnreachable(f"{self.base_url} does not answer ({error})") from error
            else:
                if len(content) > MAX_RESPONSE_BYTES:
                    self._connection.close()
                    raise PeerMisbehaved(
                        f"{self.base_url} answered with more than {MAX_RESPONSE_BYTES} bytes"
                    )
                return Response(status=answer.status, body=content)
        raise PeerUnreachable(f"{self.base_url} does not answer")
