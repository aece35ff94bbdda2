"""Versions of a status list as an issuer publishes them, and what the next one may change."""

from dataclasses import dataclass, field

from testamur.registry.canonical import Json, digest
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.statement_entries import StatusEntry, status_entry
from testamur.registry.status import CHUNK_BYTES
from testamur.registry.status_lists import REVOCATION, StatusList, parse_status_list
from testamur.registry.status_records import RecordBatch, records_root

PERMANENT_PURPOSES = frozenset({REVOCATION})
"""Purposes whose bits never clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedList:
    """The newest version of one status list."""

    entry: StatusEntry
    credential: Json = field(repr=False)
    data: bytes = field(repr=False)
    batches: tuple[RecordBatch, ...] = field(default=(), repr=False)


def find_publishable(document: Json, issuer: str) -> StatusList | None:
    """The status list that a document is, if a statement of this issuer can name it as one."""
    try:
        parsed = parse_status_list(document)
    except MalformedError:
        return None
    is_whole = len(parsed.purposes) == 1 and not len(parsed.data) % CHUNK_BYTES
    return parsed if is_whole and parsed.issuer == issuer else None


def next_version(
    before: PublishedList | None,
    parsed: StatusList,
    document: Json,
    did: str,
    batches: tuple[RecordBatch, ...] | None,
) -> PublishedList:
    """The version after `before` (None: the first); `batches` None leaves the records as they were.

    Raises MalformedError, VerificationError: status-list-issuer-mismatch, status-list-changed-kind,
    status-bit-cleared.
    """
    if parsed.issuer != did:
        raise VerificationError("status-list-issuer-mismatch", list=parsed.id[:200])
    if before is None:
        return version_of(parsed, document, 1, batches or ())
    if (before.entry.purpose, before.entry.length) != (parsed.purpose, 8 * len(parsed.data)):
        raise VerificationError("status-list-changed-kind", list=parsed.id[:200])
    if parsed.purpose in PERMANENT_PURPOSES:
        old, new = int.from_bytes(before.data, "big"), int.from_bytes(parsed.data, "big")
        if old & ~new:
            raise VerificationError("status-bit-cleared", list=parsed.id[:200])
    return version_of(
        parsed, document, before.entry.sequence + 1, before.batches if batches is None else batches
    )


def version_of(
    parsed: StatusList, document: Json, sequence: int, batches: tuple[RecordBatch, ...]
) -> PublishedList:
    """A list as a statement can name it: with one purpose, in whole kilobytes. Raises MalformedError."""
    if len(parsed.purposes) != 1:
        raise MalformedError("status list /credentialSubject/statusPurpose", "must be one purpose")
    if len(parsed.data) % CHUNK_BYTES:
        raise MalformedError("status list /credentialSubject/encodedList", "must be whole kilobytes")
    entry = status_entry(
        list_id=parsed.id,
        purpose=parsed.purpose,
        sequence=sequence,
        digest=digest(document),
        bits=parsed.bits,
        records_root=records_root(batches),
    )
    return PublishedList(entry=entry, credential=document, data=parsed.data, batches=batches)
