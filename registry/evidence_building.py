"""Putting evidence together from parts that are JSON already: what a node serves and a holder keeps."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.checkpoints import SignedCheckpoint, verify_checkpoint
from testamur.registry.credentials import parse_credential
from testamur.registry.earlier_evidence import keep_earlier
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.evidence import (
    MAX_DOCUMENTS,
    Evidence,
    FirstSeen,
    LogEvidence,
    MerklePath,
    StatusProof,
    parse_evidence,
)
from testamur.registry.evm.anchors import ANCHOR_TYPE, parse_anchor
from testamur.registry.evm.lean import ProvenLog, lean_anchor
from testamur.registry.merkle import verify_consistency
from testamur.registry.mirrored import is_cosigned
from testamur.registry.multiformats import encode_digest
from testamur.registry.notes import parse_vkey
from testamur.registry.record_keeping import records_of, with_records, without_batches
from testamur.registry.record_proofs import RecordProof
from testamur.registry.shapes import Shape
from testamur.registry.status import CHUNK_BYTES, StatusBits, encode_chunk, prove_chunk
from testamur.registry.status_lists import parse_status_list
from testamur.registry.tlog_proofs import TlogProof
from testamur.registry.trust import TrustFile

ProveConsistency = Callable[[str, int, int], Sequence[bytes]]
"""(origin, old size, new size) → the consistency proof of RFC 9162 §2.1.4 between two trees of that log."""


def evidence_json(registry: str, entries: list[Json], logs: dict[str, Json], anchors: list[Json]) -> Json:
    """The evidence document from parts that are JSON already."""
    return {
        "type": "TestamurEvidence",
        "version": 1,
        "registry": registry,
        "entries": list(entries),
        "logs": dict(logs),
        "anchors": list(anchors),
    }


def entry_json(origin: str, digest: bytes, proof: TlogProof) -> Json:
    """One member of `entries`: the tlog-proof without its checkpoint, which stands once under its log."""
    head, separator, _ = proof.to_text().partition("\n\n")
    return {"origin": origin, "digest": encode_digest(digest), "proof": head + separator}


def with_entries(document: Json, entries: list[Json]) -> Json:
    """The same evidence about these entries. Raises MalformedError."""
    return {**_object(document), "entries": list(entries)}


def with_first(document: Json, origin: str, first: Json) -> Json:
    """The same evidence with this as the log's `first`. Raises MalformedError."""
    logs = _object(_object(document)["logs"])
    return {**_object(document), "logs": {**logs, origin: {**_object(logs[origin]), "first": first}}}


# ------------------------------------------------------------------------------------------- for one holder


def tailored(
    document: Json, credential: Json, *, mirrored: Collection[str], parsed: Evidence | None = None
) -> Json:
    """The same evidence with what this credential needs alone, as small as it can be said.

    A node gives out all of a log's lists and anchors of many ages, because it does not know which credential
    is meant; the holder keeps the lists that the credential names (of a large one the chunk with its own
    bit), the earliest anchor that covers each entry, and the trie nodes that prove it. The head's own record
    stays, but for the logs in `mirrored` (see `mirrored_logs`): nobody's verdict needs it of them.
    `parsed` is the document as `parse_evidence` reads it, for who knows that already. Raises MalformedError.
    """
    wanted: dict[str, set[int]] = {}
    for entry in parse_credential(credential).status:
        wanted.setdefault(entry.list_id, set()).add(entry.index)
    evidence = parse_evidence(document) if parsed is None else parsed
    logs: dict[str, Json] = {}
    for origin, log in _object(_object(document)["logs"]).items():
        status = [
            _smallest(proof, wanted[list_id])
            for proof in evidence.logs[origin].status
            if (list_id := Shape(proof.entry, "status entry").text("id")) in wanted
        ]
        documents = without_batches(Shape(log, "log").items("documents", maximum=MAX_DOCUMENTS))
        logs[origin] = {**_object(log), "status": status, "documents": documents}
    proven = tuple(_proven_log(evidence, origin, origin in mirrored) for origin in evidence.logs)
    anchors = [_lean(anchor, proven) for anchor in evidence.anchors]
    return {**_object(document), "logs": logs, "anchors": anchors}


def refreshed(
    document: Json,
    kept: Json,
    credential: Json,
    prove_consistency: ProveConsistency,
    *,
    mirrored: Collection[str],
    records: Iterable[RecordProof] = (),
    trust: TrustFile | None = None,
    parsed: Evidence | None = None,
) -> Json:
    """What takes the place of `kept` in a holder's file: `document`, and all that `kept` alone shows.

    `document` is whole, as a node gives it out; `records` are those that the holder has got since; `trust` is
    the holder's own trust file. No moment is answered worse than before, as far as `kept` was proven.
    `parsed` as in `tailored`. Raises as `keep_first` and `tailored` do.
    """
    shown = [*records_of(kept), *records]
    if shown:
        own = {(entry.list_id, entry.index) for entry in parse_credential(credential).status}
        # The record of another credential would fail step 9.
        shown = [proof for proof in shown if (proof.record.list_id, proof.record.index) in own]
        document, parsed = with_records(document, shown), None
    whole = keep_first(document, kept, prove_consistency, trust=trust, parsed=parsed)
    small = tailored(whole, credential, mirrored=mirrored, parsed=parsed)
    return small if kept is None else keep_earlier(small, kept, credential)


def keep_first(
    document: Json,
    kept: Json,
    prove_consistency: ProveConsistency,
    *,
    trust: TrustFile | None = None,
    parsed: Evidence | None = None,
) -> Json:
    """`document` with, in each log, the earliest cosigned checkpoint that either of the two brings.

    Cosigned by a quorum of the trust file's witnesses; without a trust file, which alone says whose
    cosignatures count, nothing takes the place of what `kept` has. Only what covers the log's entries dates
    them; a checkpoint that does not, that is the log's own again, or that the log has not signed is left out.
    Raises MalformedError when the document is no evidence (a `kept` that is none has nothing to keep), and
    VerificationError("consistency-mismatch") when the trees of the two contradict each other: somebody's log,
    or file, is forged. `parsed` as in `tailored`.
    """
    evidence = parse_evidence(document) if parsed is None else parsed
    try:
        older = parse_evidence(kept) if kept is not None else None
    except MalformedError:
        older = None
    logs: dict[str, Json] = {}
    for origin, log in _object(_object(document)["logs"]).items():
        offered = _offered(older, evidence.logs[origin], trust)
        found = _earliest(evidence, evidence.logs[origin], offered, prove_consistency, trust)
        logs[origin] = {**_object(log), "first": None if found is None else found.to_json()}
    return {**_object(document), "logs": logs}


def _offered(older: Evidence | None, log: LogEvidence, trust: TrustFile | None) -> list[SignedCheckpoint]:
    """What may date the log's entries: first what is kept, in the order in which it is preferred."""
    offered = [(log.first.checkpoint, log.key)] if log.first else []
    known = older.logs.get(log.origin) if older is not None else None
    if older is not None and known is not None:
        # Without an anchor it may have been taken before its quorum had cosigned, and dates nothing.
        enough = 0 if older.anchors else len(log.checkpoint.note.signatures)
        if trust is not None or len(known.checkpoint.note.signatures) >= enough:
            offered.insert(0, (known.checkpoint, known.key))
        if known.first:
            offered.insert(0, (known.first.checkpoint, known.key))
    return [signed for signed, key in offered if _is_witnessed(signed, key, trust)]


def _is_witnessed(signed: SignedCheckpoint, key: str, trust: TrustFile | None) -> bool:
    """Whether the log with this key signed it, and a quorum cosigned it, or anybody if none can be told."""
    try:
        verify_checkpoint(signed, parse_vkey(key))
    except RegistryError:
        return False
    return len(signed.note.signatures) > 1 if trust is None else is_cosigned(signed, trust, "witness")


def _earliest(
    evidence: Evidence,
    log: LogEvidence,
    offered: Sequence[SignedCheckpoint],
    prove_consistency: ProveConsistency,
    trust: TrustFile | None,
) -> FirstSeen | None:
    leaves = [entry.proof.index for entry in evidence.entries if entry.origin == log.origin]
    newest = log.checkpoint.checkpoint
    useful = [item for item in offered if max(leaves, default=-1) < item.checkpoint.size < newest.size]
    if not useful:
        return None
    first = useful[0] if trust is None else min(useful, key=lambda signed: signed.checkpoint.size)
    early = first.checkpoint
    proof = tuple(prove_consistency(log.origin, early.size, newest.size))
    verify_consistency(early.size, early.root, newest.size, newest.root, proof)
    return FirstSeen(checkpoint=first, proof=proof)


# ----------------------------------------------------------------------------------------------- the parts


def status_json(proof: StatusProof) -> dict[str, Json]:
    """One member of a log's `status`."""
    document: dict[str, Json] = {"entry": proof.entry, "path": proof.path.to_json()}
    if proof.record is not None:
        document["record"] = proof.record.to_json()
    if proof.chunk is not None and proof.chunk_path is not None:
        return {**document, "chunk": encode_chunk(proof.chunk), "chunkPath": proof.chunk_path.to_json()}
    return {**document, "list": proof.list_credential}


def _smallest(proof: StatusProof, indexes: Collection[int]) -> Json:
    """The list whole, or its chunk with the one entry that is wanted, whichever takes less space."""
    data = b"" if proof.chunk is not None else parse_status_list(proof.list_credential).data
    if len(indexes) != 1 or len(data) % CHUNK_BYTES or max(indexes) >= 8 * len(data):
        # Nothing to cut, or more than one chunk to keep; and what is no list of ours is for step 9 to name.
        return status_json(proof)
    chunk, number, hashes = prove_chunk(StatusBits.from_bytes(data), max(indexes))
    stapled = replace(
        proof, list_credential=None, chunk=chunk, chunk_path=MerklePath(index=number, hashes=tuple(hashes))
    )
    return min(status_json(proof), status_json(stapled), key=lambda found: len(canonicalize(found)))


def _proven_log(evidence: Evidence, name: str, is_mirrored: bool) -> ProvenLog:
    origin = parse_origin(name)
    return ProvenLog(
        issuer_id=origin.issuer_id,
        log_id=origin.log_id,
        epoch=origin.epoch,
        leaves=tuple(sorted({entry.proof.index for entry in evidence.entries if entry.origin == name})),
        is_mirrored=is_mirrored,
    )


def _lean(anchor: Json, logs: tuple[ProvenLog, ...]) -> Json:
    if Shape(anchor, "anchor").any("type") != ANCHOR_TYPE:
        return anchor
    parsed = parse_anchor(anchor)
    # What is not understood may be needed by a later reader: such an anchor is kept to the letter.
    return anchor if parsed.unknown or parsed.other_finality else lean_anchor(parsed, logs).to_json()


def _object(document: Json) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise MalformedError("evidence", "must be an object")
    return document
