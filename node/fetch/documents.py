"""One document from an address that somebody typed: bounded in size and in time, and never led elsewhere."""

import contextlib
import http.client
import time

from testamur.node.addresses import parse_address, shown_url
from testamur.node.errors import ConfigError
from testamur.node.fetch.lines import DEFAULT_PORTS, FAILURES, Line, find_addresses, read_whole

TOTAL_SECONDS = 30.0
"""For everything from the connection to the last byte: a server that drips must not hold a person up."""


def is_address(text: str) -> bool:
    """Whether this is an http or https address, and no file."""
    return text.startswith(("https://", "http://"))


def fetch_document(url: str, *, max_bytes: int) -> bytes:
    """What is at `url`, at most `max_bytes`. Raises ConfigError naming the address and what is wrong.

    Redirects are named and not followed: the address was somebody's choice, and another one (on this
    machine, in a private network) would be the server's.
    """
    until = time.monotonic() + TOTAL_SECONDS
    parts = parse_address(url)
    shown = shown_url(url) + parts.path
    if parts.username is not None:
        raise ConfigError(shown, "is asked without a name and password; leave them out of the address")
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    headers = {"Accept": "application/json", "User-Agent": "testamur"}
    try:
        line = Line(parts.scheme, host, port, find_addresses(host, port, until), until)
        with contextlib.closing(line), line.ask("GET", target, until, headers=headers) as answer:
            _check_status(shown, answer)
            data = read_whole(answer, max_bytes)
    except TimeoutError as error:
        raise ConfigError(shown, f"did not send everything within {TOTAL_SECONDS:g} seconds") from error
    except FAILURES as error:
        raise ConfigError(shown, f"cannot be fetched ({error})") from error
    if len(data) > max_bytes:
        raise ConfigError(shown, f"is larger than {max_bytes} bytes; no credential file is")
    return data


def _check_status(url: str, answer: http.client.HTTPResponse) -> None:
    if 300 <= answer.status < 400:
        target = answer.headers.get("Location", "elsewhere")[:200]
        raise ConfigError(url, f"redirects to {target}; give that address if you mean it")
    if answer.status != 200:
        raise ConfigError(url, f"answered with HTTP {answer.status}")
