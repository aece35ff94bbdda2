"""One document from an address that somebody typed: bounded in size and in time, and never led elsewhere."""

import http.client
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from testamur.node.errors import ConfigError

TOTAL_SECONDS = 30.0
"""For everything from the connection to the last byte: a server that drips must not hold a person up."""

PIECE_BYTES = 64 * 1024


def is_address(text: str) -> bool:
    """Whether this is an http or https address, and no file."""
    return text.startswith(("https://", "http://"))


def fetch_document(url: str, *, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> bytes:
    """What is at `url`, at most `max_bytes`. Raises ConfigError naming the address and what is wrong.

    Redirects are named and not followed: the address was somebody's choice, and another one (on this
    machine, in a private network) would be the server's.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None:
        raise ConfigError(url, "is not an http or https address without a name and password in it")
    deadline = clock() + TOTAL_SECONDS
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        connection = _connection(parts.scheme, parts.hostname, parts.port)
        try:
            connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "testamur"})
            answer = connection.getresponse()
            _check_status(url, answer)
            data = bytearray()
            while piece := answer.read1(PIECE_BYTES):
                data += piece
                if len(data) > max_bytes:
                    raise ConfigError(url, f"is larger than {max_bytes} bytes; no credential file is")
                if clock() > deadline:
                    raise ConfigError(url, f"did not send everything within {TOTAL_SECONDS:g} seconds")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ConfigError(url, f"cannot be fetched ({error})") from error
    return bytes(data)


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TOTAL_SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=TOTAL_SECONDS)


def _check_status(url: str, answer: http.client.HTTPResponse) -> None:
    if 300 <= answer.status < 400:
        target = answer.headers.get("Location", "elsewhere")[:200]
        raise ConfigError(url, f"redirects to {target}; give that address if you mean it")
    if answer.status != 200:
        raise ConfigError(url, f"answered with HTTP {answer.status}")
