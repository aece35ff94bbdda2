"""Addresses that somebody typed: taken apart once, and shown without what they may hide."""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from testamur.node.errors import ConfigError

HTTP = frozenset({"http", "https"})
ANY = frozenset({"http", "https", "ws", "wss"})

_BEGINNING = re.compile(r"[a-zA-Z]*:?/{0,2}[^/?#]{0,80}")


def parse_address(text: str, *, key: str = "url", schemes: Collection[str] = HTTP) -> SplitResult:
    """The parts of an address with one of these schemes, a host, and a port that can be one.

    Raises ConfigError(key, …), which shows no user, path or query.
    """
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address:
        beginning = _BEGINNING.match(text)
        shown = (beginning[0] if beginning else "").rpartition("@")[2]
        raise ConfigError(key, f"{shown!r} is not an http or https address")
    return parts


def shown_url(url: str) -> str:
    """Scheme, host and port: user, path and query of an address often hold a key that somebody pays for.

    Raises ConfigError for what is no address.
    """
    parts = parse_address(url, schemes=ANY)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def without_secrets(text: str, url: str) -> str:
    """Foreign words, in which the address or its parts may be quoted."""
    parts = parse_address(url, schemes=ANY)
    text = text.replace(url, shown_url(url))
    pieces = (parts.path.strip("/"), parts.query, parts.username, parts.password)
    for piece in sorted(filter(None, pieces), key=len, reverse=True):
        text = text.replace(piece, "…")
    return text
