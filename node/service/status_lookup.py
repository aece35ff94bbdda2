"""Which list an id means: anybody with a log can publish a list under anybody's id, so the issuer decides."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from testamur.node.api.ports import PublishedDocument
from testamur.node.index.store import Index
from testamur.node.log.documents import DocumentStore
from testamur.node.service.hosting import HostedLog
from testamur.registry.canonical import canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.publications import Publication
from testamur.registry.status_lists import parse_status_list
from testamur.registry.timestamps import parse_timestamp


def find_status_list(
    logs: Iterable[HostedLog],
    index: Index,
    documents: DocumentStore,
    *,
    list_id: str,
    issuer: str | None,
    at: datetime | None,
) -> bytes | None:
    """The list with this id of the one issuer who publishes it: the newest version, or the one in force `at`.

    Of several logs of one issuer the newest statement counts. Raises MalformedError when several issuers
    publish a list with this id and none is named; StoreCorrupt.
    """
    found: dict[str, tuple[HostedLog, Publication]] = {}
    for log in logs:
        publication = log.publications.newest()
        if publication is None or list_id not in publication.lists or issuer not in {None, log.did}:
            continue
        known = found.get(log.did)
        if known is None or known[1].statement.sequence < publication.statement.sequence:
            found[log.did] = (log, publication)
    if len(found) > 1:
        names = ", ".join(sorted(found))
        raise MalformedError(
            "issuer", f"several issuers publish a list with this id; name one of {names}"[:400]
        )
    for log, publication in found.values():
        if at is None:
            return canonicalize(publication.lists[list_id].credential)
        return _version_at(log, index, documents, list_id, at)
    return None


def published_documents(log: HostedLog, after: str, limit: int) -> tuple[int, list[PublishedDocument]]:
    """The sequence of the newest statement (0: none yet), and what it names beyond `after`, by id.

    `after` is "" or `<kind>:<id>` of the last one that the caller has.
    """
    kind_seen, _, id_seen = after.partition(":")
    publication = log.publications.newest()
    if publication is None:
        return 0, []
    digests: dict[tuple[Literal["document", "status-list"], str], bytes] = {
        **{("document", item.id): item.digest for item in publication.documents.values()},
        **{("status-list", item.entry.id): item.entry.digest for item in publication.lists.values()},
    }
    chosen = sorted((name, kind) for kind, name in digests if (name, kind) > (id_seen, kind_seen))
    return publication.statement.sequence, [
        PublishedDocument(id=name, digest=digests[kind, name], kind=kind) for name, kind in chosen[:limit]
    ]


def _version_at(
    log: HostedLog, index: Index, documents: DocumentStore, list_id: str, at: datetime
) -> bytes | None:
    """The version that was valid from the latest moment not after `at`; versions stand in leaf order."""
    versions = index.document_versions(list_id, origin=log.name)
    low, high = 0, len(versions)
    best: bytes | None = None
    while low < high:
        middle = (low + high) // 2
        data = documents.find(versions[middle].digest)
        if data is not None and _valid_from(data, log.did) <= at:
            best, low = data, middle + 1
        else:
            high = middle
    return best


def _valid_from(data: bytes, did: str) -> datetime:
    parsed = parse_status_list(parse_json(data, subject="status list"))
    if parsed.issuer != did or parsed.valid_from is None:
        raise MalformedError("timestamp", "this list does not say since when its versions are valid")
    return parse_timestamp(parsed.valid_from, "validFrom")
