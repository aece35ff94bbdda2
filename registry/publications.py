"""What an issuer has published as of its newest statement, and the rules by which the next one may follow.

The host applies them before it logs anything, a mirror before it cosigns, the issuer before it sends. A
bundle carries a new statement with what it names and that is new. Format: docs/spec/statements.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from testamur.registry.canonical import Json, digest
from testamur.registry.credentials import parse_credential
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.key_events import KeyChain, Position, verify_extension, verify_key_events
from testamur.registry.keys import PublicKey
from testamur.registry.proofs import SecuredDocument, proofs_of
from testamur.registry.shapes import Shape, without_duplicates
from testamur.registry.statements import (
    DocumentEntry,
    Statement,
    StatusEntry,
    entries_root,
    parse_statement,
    status_entry,
    verify_statement,
    verify_succession,
)
from testamur.registry.status import CHUNK_BYTES
from testamur.registry.status_lists import REVOCATION, StatusList, parse_status_list
from testamur.registry.status_records import (
    RecordBatch,
    new_batches,
    parse_batches,
    records_root,
)

MAX_BUNDLE_ITEMS = 256
"""Key events, status lists or documents that are new at once; more can be sent with the next statement."""

FAR_POSITION = Position(0xFFFF, (1 << 63) - 1)
"""After every leaf: for an issuer who checks its own bundle before it knows where it will be logged."""

PERMANENT_PURPOSES = frozenset({REVOCATION})
"""Purposes whose bits never clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedList:
    """The newest version of one status list."""

    entry: StatusEntry
    credential: Json = field(repr=False)
    data: bytes = field(repr=False)
    batches: tuple[RecordBatch, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A proven statement with everything that it names. `fresh` are the documents to log, in this order."""

    keys: KeyChain
    lists: Mapping[str, PublishedList]
    documents: Mapping[str, DocumentEntry]
    statement: Statement
    fresh: tuple[Json, ...] = field(default=(), repr=False)

    def status_entries(self) -> list[StatusEntry]:
        """The leaves of the statement's status tree, in any order."""
        return [item.entry for item in self.lists.values()]

    def document_entries(self) -> list[DocumentEntry]:
        """The leaves of the statement's document tree, in any order."""
        return list(self.documents.values())

    def to_json(self) -> dict[str, Json]:
        """A document from which `restore_publication` makes the same value; for one's own disk."""
        lists: list[Json] = [
            {
                "sequence": item.entry.sequence,
                "credential": item.credential,
                **({"batches": [batch.to_json() for batch in item.batches]} if item.batches else {}),
            }
            for item in self.lists.values()
        ]
        return {
            "type": "Publication",
            "version": 1,
            "statement": self.statement.json,
            "keyEvents": [event.json for event in self.keys.events],
            "statusLists": lists,
            "documents": [item.to_json() for item in self.documents.values()],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A new statement, and the key events, status lists and documents that came with it."""

    statement: Statement
    key_events: tuple[Json, ...]
    status_lists: tuple[Json, ...]
    documents: tuple[tuple[str, Json], ...]


def parse_bundle(document: Json, subject: str = "statement bundle") -> Bundle:
    """`{"statement", "keyEvents", "statusLists", "documents": [{"id", "document"}]}` as values.

    Raises MalformedError.
    """
    shape = Shape(document, subject)
    documents = []
    for item in shape.shapes("documents", maximum=MAX_BUNDLE_ITEMS):
        if not item.has("document"):
            raise MalformedError(item.path("document"), "is missing")
        documents.append((item.text("id"), item.any("document")))
        item.refuse_unknown()
    without_duplicates((name for name, _ in documents), shape.path("documents"))
    bundle = Bundle(
        statement=parse_statement(shape.any("statement"), shape.path("statement")),
        key_events=tuple(shape.items("keyEvents", maximum=MAX_BUNDLE_ITEMS)),
        status_lists=tuple(shape.items("statusLists", maximum=MAX_BUNDLE_ITEMS)),
        documents=tuple(documents),
    )
    shape.refuse_unknown()
    return bundle


def verify_bundle(
    earlier: Publication | None, bundle: Bundle, *, did: str, published: Position, logged: Position
) -> Publication:
    """Prove that `bundle` may follow `earlier` (None: is the first) in the log of `did`.

    `published` is the first leaf after the newest checkpoint: no new key event takes effect before it.
    `logged` is where the statement will be a leaf: its key, and those of the lists, are in force there.
    Repeating the newest statement gives `earlier` with nothing fresh. Raises MalformedError, and
    VerificationError: statement-issuer-mismatch, statement-key-events-mismatch, statement-roots-mismatch,
    status-list-issuer-mismatch, status-list-changed-kind, status-bit-cleared, status-records-mismatch, and
    those of
    `verify_key_events`, `verify_extension`, `verify_succession` and `SecuredDocument.verify`.
    """
    if earlier is not None and bundle.statement.digest == earlier.statement.digest:
        return _without_fresh(earlier)
    statement = bundle.statement
    if statement.issuer != did:
        raise VerificationError("statement-issuer-mismatch", sequence=statement.sequence)
    if earlier is not None:
        verify_succession(earlier.statement, statement)
    elif statement.sequence != 1:
        # What it names as the one before is not here.
        raise VerificationError("statement-chain-broken", sequence=statement.sequence)
    keys = _keys(earlier, bundle, did, published)

    def key_in_force(method: str) -> PublicKey:
        found = keys.find_key(method)
        if found is None or not found.contains(logged):
            raise VerificationError("key-not-in-force", method=method[:200], index=logged.index)
        return found.public_key

    lists = dict(earlier.lists) if earlier else {}
    batches = {item.entry.id: item.batches for item in lists.values()}
    records = new_batches(bundle.documents, batches, statement=statement.sequence, time=statement.time)
    fresh: list[Json] = list(bundle.key_events)
    for document in bundle.status_lists:
        credential = parse_credential(document, "status list")
        secured = SecuredDocument(credential.json)
        for proof in proofs_of(credential.json, "status list"):
            method = Shape(proof, "status list /proof").text("verificationMethod")
            secured.verify(proof, key_in_force(method))
        parsed = parse_status_list(document)
        before = lists.get(parsed.id)
        if before is None or before.entry.digest != digest(document):
            lists[parsed.id] = _next_version(before, parsed, document, did, records.pop(parsed.id, None))
            fresh.append(document)
    if records:
        # Records of a list that does not change say nothing, and would not stand in any entry.
        raise VerificationError("status-records-mismatch", list=next(iter(records))[:200])
    documents = dict(earlier.documents) if earlier else {}
    for name, document in bundle.documents:
        documents[name] = DocumentEntry(id=name, digest=digest(document))
        fresh.append(document)
    verify_statement(statement, key_in_force)
    publication = Publication(
        keys=keys, lists=lists, documents=documents, statement=statement, fresh=(*fresh, statement.json)
    )
    _verify_roots(publication)
    return publication


def restore_publication(document: Json) -> Publication:
    """The publication that `to_json` wrote.

    It must still agree with itself, but the statement's and the lists' signatures are not checked again: it
    comes from one's own disk. Raises MalformedError and VerificationError.
    """
    shape = Shape(document, "publication")
    shape.expect("type", "Publication")
    shape.expect("version", 1)
    lists = {}
    for item in shape.shapes("statusLists", maximum=1 << 20):
        credential = item.any("credential")
        parsed = parse_status_list(credential)
        batches = parse_batches(item) if item.has("batches") else ()
        lists[parsed.id] = _version(parsed, credential, item.integer("sequence", minimum=1), batches)
    documents = {}
    for item in shape.shapes("documents", maximum=1 << 20):
        entry = DocumentEntry(id=item.text("id"), digest=item.digest("digest"))
        documents[entry.id] = entry
    publication = Publication(
        keys=verify_key_events(shape.items("keyEvents", minimum=1, maximum=1 << 20)),
        lists=lists,
        documents=documents,
        statement=parse_statement(shape.any("statement")),
    )
    _verify_roots(publication)
    return publication


def _keys(earlier: Publication | None, bundle: Bundle, did: str, published: Position) -> KeyChain:
    """The key chain with the bundle's events at its end; it is the one that the statement names."""
    known = [event.json for event in earlier.keys.events] if earlier else []
    keys = verify_key_events([*known, *bundle.key_events])
    if keys.issuer != did:
        raise VerificationError("key-event-issuer-mismatch", sequence=1)
    if earlier is not None:
        verify_extension(earlier.keys, keys, published)
    statement = bundle.statement
    if (statement.key_events_count, statement.key_events_head) != (len(keys.events), keys.head):
        raise VerificationError("statement-key-events-mismatch", sequence=statement.sequence)
    return keys


def _next_version(
    before: PublishedList | None,
    parsed: StatusList,
    document: Json,
    did: str,
    batches: tuple[RecordBatch, ...] | None,
) -> PublishedList:
    if parsed.issuer != did:
        raise VerificationError("status-list-issuer-mismatch", list=parsed.id[:200])
    if before is None:
        return _version(parsed, document, 1, batches or ())
    if (before.entry.purpose, before.entry.length) != (parsed.purpose, 8 * len(parsed.data)):
        raise VerificationError("status-list-changed-kind", list=parsed.id[:200])
    if parsed.purpose in PERMANENT_PURPOSES:
        old, new = int.from_bytes(before.data, "big"), int.from_bytes(parsed.data, "big")
        if old & ~new:
            raise VerificationError("status-bit-cleared", list=parsed.id[:200])
    return _version(
        parsed, document, before.entry.sequence + 1, before.batches if batches is None else batches
    )


def _version(
    parsed: StatusList, document: Json, sequence: int, batches: tuple[RecordBatch, ...]
) -> PublishedList:
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


def _verify_roots(publication: Publication) -> None:
    statement = publication.statement
    lists, documents = publication.status_entries(), publication.document_entries()
    if (statement.status_count, statement.status_root) != (len(lists), entries_root(lists)):
        raise VerificationError("statement-roots-mismatch", part="statusLists", sequence=statement.sequence)
    if (statement.documents_count, statement.documents_root) != (len(documents), entries_root(documents)):
        raise VerificationError("statement-roots-mismatch", part="documents", sequence=statement.sequence)


def _without_fresh(publication: Publication) -> Publication:
    return Publication(
        keys=publication.keys,
        lists=publication.lists,
        documents=publication.documents,
        statement=publication.statement,
    )
