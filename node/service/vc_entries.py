"""Status entries as the issuer service meets them: in what it issued, is asked to change, and is sent."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.status_lists import ENTRY_TYPE, StatusListEntry, parse_status_entry

_DEFAULT_PORTS = frozenset({None, 80, 443})
"""One place: who asks without TLS is sent on to where there is."""

_SUBJECT = "body /credentialStatus"


def entries_of(credential: Mapping[str, Json]) -> tuple[StatusListEntry, ...]:
    """The entries of a credential that was checked before."""
    value = credential.get("credentialStatus")
    found = [parse_status_entry(item) for item in _items(value) if isinstance(item, dict)]
    return tuple(entry for entry in found if entry is not None)


def meant_entries(
    issued: Iterable[tuple[StatusListEntry, ...]], wanted: Mapping[str, Json]
) -> list[StatusListEntry]:
    """The entries, of everything issued under one name, that a request for a status change means.

    All with its `statusPurpose`; one alone if it names a `statusListIndex` or an `id`. Raises MalformedError
    when none fits, or when it cannot be told which.
    """
    found = list(dict.fromkeys(entry for entries in issued for entry in entries if _is_meant(entry, wanted)))
    if not found:
        raise MalformedError(_SUBJECT, "is not a status entry of this credential")
    if len({entry.purpose for entry in found}) > 1:
        raise MalformedError(_SUBJECT, "fits several entries; name its statusPurpose")
    if len(found) > 1 and ("statusListIndex" in wanted or "id" in wanted):
        raise MalformedError(_SUBJECT, "fits entries of several lists; name its statusListCredential")
    return found


class ListAddresses:
    """Where the status lists of the service are served: folders of URLs, however somebody spells them."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._places = {place for folder in folders if (place := _place(folder)) is not None}

    def named_in(self, credential: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
        """(JSON pointer, entry) of the members of `credentialStatus` that name a list of the service."""
        value = credential.get("credentialStatus")
        for number, item in enumerate(_items(value)):
            if any(self._covers(text) for text in _texts(item)):
                yield f"/credentialStatus/{number}" if isinstance(value, list) else "/credentialStatus", item

    def _covers(self, url: str) -> bool:
        found = _place(url)
        while found is not None and len(found[2]) > 1:
            if found in self._places:
                return True
            found = (found[0], found[1], posixpath.dirname(found[2]))
        return False


def _is_meant(entry: StatusListEntry, wanted: Mapping[str, Json]) -> bool:
    if wanted.get("type") != ENTRY_TYPE:
        return False
    own = entry.to_json()
    named = ("id", "statusPurpose", "statusListIndex", "statusListCredential")
    return all(name not in wanted or wanted[name] == own[name] for name in named)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(value: Json) -> Iterator[str]:
    """Every text in it: entries of other types name their lists by other members."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            stack += item
        elif isinstance(item, dict):
            stack += item.values()


def _place(url: str) -> tuple[str, int | None, str] | None:
    """(host, port, path) that a URL leads to, in one spelling; None for what leads to no web server."""
    try:
        parts = urlsplit(url.strip().replace("\\", "/"))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    path = posixpath.normpath("/" + unquote(parts.path).lstrip("/"))
    return host.rstrip("."), None if port in _DEFAULT_PORTS else port, path
