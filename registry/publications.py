"""What an issuer has published as of its newest statement, and the rules by which the next one may follow.

The host applies them before it logs anything, a mirror before it cosigns, the issuer before it sends. A
bundle carries a new statement with what it names and that is new. Format: docs/spec/statements.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from testamur.registry.canonical import Json, digest
from testamur.registry.credentials import parse_credential
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.issuer_keys import (
    IssuerKeys,
    parse_record,
    record_json,
    verify_issuer_keys,
    verify_key_growth,
)
from testamur.registry.key_events import Position
from testamur.registry.keys import PublicKey
from testamur.registry.proofs import SecuredDocument, proofs_of
from testamur.registry.published_lists import PublishedList, find_publishable, next_version, version_of
from testamur.registry.repudiations import verify_repudiations
from testamur.registry.shapes import Shape, without_duplicates
from testamur.registry.statements import (
    DocumentEntry,
    Statement,
    StatusEntry,
    entries_root,
    parse_statement,
    verify_statement,
    verify_succession,
)
from testamur.registry.status_lists import parse_status_list
from testamur.registry.status_records import (
    new_batches,
    parse_batches,
)

MAX_BUNDLE_ITEMS = 256
"""Key events, status lists or documents that are new at once; more can be sent with the next statement."""

FAR_POSITION = Position(0xFFFF, (1 << 63) - 1)
"""After every leaf: for an issuer who checks its own bundle before it knows where it will be logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A proven statement with everything that it names. `fresh` are the documents to log, in this order.

    `key_chains` are the contract's records of replaced key chains, which `keys` agree with.
    """

    keys: IssuerKeys
    key_chains: tuple[KeyChainRecord, ...] = ()
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
            **({"keyChains": [record_json(item) for item in self.key_chains]} if self.key_chains else {}),
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

    @property
    def begins_key_chain(self) -> bool:
        """Whether a first key event is among them: the issuer's very first, or one of a recovery."""
        return any(isinstance(event, dict) and event.get("sequence") == 1 for event in self.key_events)


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
    earlier: Publication | None,
    bundle: Bundle,
    *,
    did: str,
    published: Position,
    logged: Position,
    key_chains: tuple[KeyChainRecord, ...] | None = None,
) -> Publication:
    """Prove that `bundle` may follow `earlier` (None: is the first) in the log of `did`.

    `published` is the first leaf after the newest checkpoint: no new key event takes effect before it.
    `logged` is where the statement will be a leaf: its key, and those of the lists, are in force there.
    `key_chains` are the replaced key chains that the contract has recorded, no fewer than `earlier` was
    proven with; None: those. Repeating the newest statement gives `earlier` with nothing fresh. Raises
    MalformedError, and VerificationError: statement-issuer-mismatch, statement-key-events-mismatch,
    statement-roots-mismatch, status-list-issuer-mismatch, status-list-changed-kind, status-bit-cleared,
    status-records-mismatch, and those of `verify_issuer_keys`, `verify_key_growth`, `IssuerKeys.bind`,
    `verify_succession`, `verify_repudiations` and `SecuredDocument.verify`.
    """
    if earlier is not None and bundle.statement.digest == earlier.statement.digest:
        return replace(earlier, fresh=())
    statement = bundle.statement
    if statement.issuer != did:
        raise VerificationError("statement-issuer-mismatch", sequence=statement.sequence)
    if earlier is not None:
        verify_succession(earlier.statement, statement)
    elif statement.sequence != 1:
        # What it names as the one before is not here.
        raise VerificationError("statement-chain-broken", sequence=statement.sequence)
    if key_chains is None:
        key_chains = earlier.key_chains if earlier else ()
    keys = _keys(earlier, bundle, did, published).bind(key_chains)
    verify_repudiations(statement.repudiated, keys)

    def key_in_force(method: str) -> PublicKey:
        return keys.public_key_in_force(method, logged)

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
            lists[parsed.id] = next_version(before, parsed, document, did, records.pop(parsed.id, None))
            fresh.append(document)
    if records:
        # Records of a list that does not change say nothing, and would not stand in any entry.
        raise VerificationError("status-records-mismatch", list=next(iter(records))[:200])
    documents = dict(earlier.documents) if earlier else {}
    for name, document in bundle.documents:
        if find_publishable(document, did) is not None:
            raise MalformedError("statement bundle /documents", f"{name[:120]!r} belongs in statusLists")
        documents[name] = DocumentEntry(id=name, digest=digest(document))
        fresh.append(document)
    verify_statement(statement, key_in_force)
    publication = Publication(
        keys=keys,
        key_chains=key_chains,
        lists=lists,
        documents=documents,
        statement=statement,
        fresh=(*fresh, statement.json),
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
        lists[parsed.id] = version_of(parsed, credential, item.integer("sequence", minimum=1), batches)
    documents = {}
    for item in shape.shapes("documents", maximum=1 << 20):
        entry = DocumentEntry(id=item.text("id"), digest=item.digest("digest"))
        documents[entry.id] = entry
    records = tuple(parse_record(item) for item in shape.shapes("keyChains", maximum=MAX_BUNDLE_ITEMS))
    publication = Publication(
        keys=verify_issuer_keys(shape.items("keyEvents", minimum=1, maximum=1 << 20)).bind(records),
        key_chains=records,
        lists=lists,
        documents=documents,
        statement=parse_statement(shape.any("statement")),
    )
    _verify_roots(publication)
    return publication


def _keys(earlier: Publication | None, bundle: Bundle, did: str, published: Position) -> IssuerKeys:
    """The key events with the bundle's at their end; they are those that the statement names."""
    known = [event.json for event in earlier.keys.events] if earlier else []
    keys = verify_issuer_keys([*known, *bundle.key_events])
    if keys.issuer != did:
        raise VerificationError("key-event-issuer-mismatch", sequence=1)
    if earlier is not None:
        verify_key_growth(earlier.keys, keys, published)
    statement = bundle.statement
    if (statement.key_events_count, statement.key_events_head) != (keys.count, keys.head):
        raise VerificationError("statement-key-events-mismatch", sequence=statement.sequence)
    return keys


def _verify_roots(publication: Publication) -> None:
    statement = publication.statement
    lists, documents = publication.status_entries(), publication.document_entries()
    if (statement.status_count, statement.status_root) != (len(lists), entries_root(lists)):
        raise VerificationError("statement-roots-mismatch", part="statusLists", sequence=statement.sequence)
    if (statement.documents_count, statement.documents_root) != (len(documents), entries_root(documents)):
        raise VerificationError("statement-roots-mismatch", part="documents", sequence=statement.sequence)
