"""Statements: what an issuer says about its log - its keys, its status lists, its documents.

The newest one is named by the seal of every checkpoint, so that one anchored root covers them all.
Format: docs/spec/statements.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from testamur.registry.canonical import Json, digest
from testamur.registry.dids import parse_did
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.keys import PublicKey
from testamur.registry.multiformats import encode_digest
from testamur.registry.proofs import SecuredDocument, proofs_of
from testamur.registry.repudiations import Repudiation, parse_repudiation
from testamur.registry.seals import MAX_STATEMENT_SEQUENCE, Seal, parse_seal, parse_time
from testamur.registry.shapes import Shape
from testamur.registry.statement_entries import (
    DocumentEntry,
    StatementEntry,
    StatusEntry,
    entries_root,
    parse_document_entry,
    parse_status_entry_of_statement,
    prove_entry,
    status_entry,
    verify_entry,
)

__all__ = [
    "DocumentEntry",
    "Repudiation",
    "Seal",
    "Statement",
    "StatementEntry",
    "StatusEntry",
    "build_statement",
    "entries_root",
    "fresh_repudiations",
    "parse_document_entry",
    "parse_seal",
    "parse_statement",
    "parse_status_entry_of_statement",
    "prove_entry",
    "status_entry",
    "verify_document_entry",
    "verify_entry",
    "verify_statement",
    "verify_status_entry",
    "verify_succession",
]

MAX_REPUDIATIONS = 1024
"""Ranges, not leaves: a theft leaves a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the issuer says as of `sequence`. `digest` covers the proof; `json` is the document itself."""

    issuer: str
    sequence: int
    previous: bytes | None
    time: str
    key_events_count: int
    key_events_head: bytes
    status_count: int
    status_root: bytes
    documents_count: int
    documents_root: bytes
    repudiated: tuple[Repudiation, ...]
    final: bool
    digest: bytes
    json: dict[str, Json] = field(repr=False)


def build_statement(
    *,
    issuer: str,
    time: str,
    key_events: Sequence[bytes],
    status: Sequence[StatusEntry],
    documents: Sequence[DocumentEntry] = (),
    previous: Statement | None = None,
    above: int = 0,
    repudiated: Sequence[Repudiation] = (),
    final: bool = False,
) -> dict[str, Json]:
    """The unsigned statement after `previous`, or the first. `key_events` are the digests of all events.

    `above` is a sequence that is used up on the chain, though no statement has it: by whoever had the
    operator's key. The first statement is number 1 whatever is used up.
    """
    return {
        "type": "Statement",
        "version": 1,
        "issuer": issuer,
        "sequence": max(previous.sequence, above) + 1 if previous else 1,
        "previous": encode_digest(previous.digest) if previous else None,
        "time": time,
        "keyEvents": {"count": len(key_events), "head": encode_digest(key_events[-1])},
        "statusLists": {"count": len(status), "root": encode_digest(entries_root(status))},
        "documents": {"count": len(documents), "root": encode_digest(entries_root(documents))},
        "repudiated": [item.to_json() for item in repudiated],
        "final": final,
    }


def parse_statement(document: Json, subject: str = "statement") -> Statement:
    """A statement in exactly this form; by whom it is signed is not looked at. Raises MalformedError."""
    shape = Shape(document, subject)
    shape.expect("type", "Statement")
    shape.expect("version", 1)
    sequence = shape.integer("sequence", minimum=1, maximum=MAX_STATEMENT_SEQUENCE)
    previous = shape.optional_digest("previous")
    if (previous is None) != (sequence == 1):
        raise MalformedError(shape.path("previous"), "must be null in the first statement, and only there")
    keys, lists, documents = shape.shape("keyEvents"), shape.shape("statusLists"), shape.shape("documents")
    repudiated = shape.shapes("repudiated", maximum=MAX_REPUDIATIONS)
    statement = Statement(
        issuer=str(parse_did(shape.text("issuer"), subject=shape.path("issuer"))),
        sequence=sequence,
        previous=previous,
        time=parse_time(shape),
        key_events_count=keys.integer("count", minimum=1),
        key_events_head=keys.digest("head"),
        status_count=lists.integer("count"),
        status_root=lists.digest("root"),
        documents_count=documents.integer("count"),
        documents_root=documents.digest("root"),
        repudiated=tuple(parse_repudiation(item, newest_statement=sequence) for item in repudiated),
        final=shape.flag("final"),
        digest=digest(document),
        json=document if isinstance(document, dict) else {},
    )
    shape.any("proof")
    for part in (keys, lists, documents, shape):
        part.refuse_unknown()
    proofs_of(statement.json, subject)
    return statement


def verify_statement(statement: Statement, key_in_force: Callable[[str], PublicKey]) -> None:
    """Prove that the issuer made the statement: there is a proof, and every proof is by a key in force.

    `key_in_force` gives the key of a verification method id, or raises VerificationError when that key did
    not speak for the issuer where the statement was logged. Raises what it and `SecuredDocument.verify`
    raise.
    """
    secured = SecuredDocument(statement.json)
    for proof in proofs_of(statement.json, "statement"):
        method = Shape(proof, "statement /proof").text("verificationMethod")
        secured.verify(proof, key_in_force(method))


def verify_status_entry(statement: Statement, entry: StatusEntry, index: int, path: Sequence[bytes]) -> None:
    """Prove that the statement names this version of a status list.

    Raises VerificationError("statement-entry-mismatch").
    """
    verify_entry(entry, index, statement.status_count, path, statement.status_root)


def verify_document_entry(
    statement: Statement, entry: DocumentEntry, index: int, path: Sequence[bytes]
) -> None:
    """Prove that the statement names this version of a document.

    Raises VerificationError("statement-entry-mismatch").
    """
    verify_entry(entry, index, statement.documents_count, path, statement.documents_root)


def verify_succession(earlier: Statement, later: Statement) -> None:
    """Prove that `later` may follow `earlier` directly: same issuer, higher, chained, nothing taken back.

    The digest says that there is none between them, not the number: numbers can be used up on the chain by
    whoever stole the operator's key. What a mirror checks; whether bits were cleared needs the lists
    themselves. Raises VerificationError: statement-issuer-mismatch, statement-equivocation,
    statement-sequence-fell, statement-chain-broken, statement-after-final, statement-key-events-fell,
    statement-repudiation-withdrawn, statement-repudiation-backdated.
    """
    number = later.sequence
    if later.issuer != earlier.issuer:
        raise VerificationError("statement-issuer-mismatch", sequence=number)
    if number == earlier.sequence and later.digest != earlier.digest:
        raise VerificationError("statement-equivocation", sequence=number)
    if number <= earlier.sequence:
        raise VerificationError("statement-sequence-fell", sequence=number, known=earlier.sequence)
    if later.previous != earlier.digest:
        raise VerificationError("statement-chain-broken", sequence=number)
    if earlier.final:
        raise VerificationError("statement-after-final", sequence=number)
    fell = later.key_events_count < earlier.key_events_count
    same = later.key_events_count == earlier.key_events_count
    if fell or (same and later.key_events_head != earlier.key_events_head):
        raise VerificationError("statement-key-events-fell", sequence=number)
    if not set(earlier.repudiated) <= set(later.repudiated):
        raise VerificationError("statement-repudiation-withdrawn", sequence=number)
    for item in fresh_repudiations(earlier, later):
        if (item.statement, item.time) != (number, later.time):
            raise VerificationError("statement-repudiation-backdated", sequence=number)


def fresh_repudiations(earlier: Statement | None, later: Statement) -> list[Repudiation]:
    """The ranges that `later` is the first to name, if `earlier` is the one before it."""
    known = set(earlier.repudiated) if earlier else set()
    return [item for item in later.repudiated if item not in known]
