"""Putting evidence together from parts that are JSON already: what a node serves and a holder keeps."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.credentials import parse_credential
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import (
    MAX_ANCHORS,
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
from testamur.registry.multiformats import encode_digest
from testamur.registry.record_keeping import records_of, with_records, without_batches
from testamur.registry.shapes import Shape
from testamur.registry.statements import parse_statement
from testamur.registry.status import StatusBits, encode_chunk, prove_chunk
from testamur.registry.status_lists import parse_status_list
from testamur.registry.tlog_proofs import TlogProof

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


def tailored(document: Json, credential: Json, *, parsed: Evidence | None = None) -> Json:
    """The same evidence with what this credential needs alone, as small as it can be said.

    A node gives out all of a log's lists and anchors of many ages, because it does not know which credential
    is meant; the holder keeps the lists that the credential names (of a large one the chunk with its own
    bit), the earliest anchor that covers each entry, and the trie nodes that prove it.
    `parsed` is the document as `parse_evidence` reads it, for who knows that already. Raises MalformedError.
    """
    wanted = {entry.list_id: entry.index for entry in parse_credential(credential).status}
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
    proven = tuple(_proven_log(evidence, origin) for origin in evidence.logs)
    anchors = [_lean(anchor, proven) for anchor in evidence.anchors]
    return {**_object(document), "logs": logs, "anchors": anchors}


def is_anchored(document: Json) -> bool:
    """Whether the evidence brings an anchor; what that proves is not looked at. Raises MalformedError."""
    return bool(Shape(document, "evidence").items("anchors", maximum=MAX_ANCHORS))


def is_weaker(candidate: Json, kept: Json) -> bool:
    """Whether replacing `kept` by `candidate` would lose an anchor: what is proven once is never given away.

    Raises MalformedError when the candidate is no evidence; a kept document that is none has nothing to lose.
    """
    anchored = bool(parse_evidence(candidate).anchors)
    try:
        return not anchored and kept is not None and bool(parse_evidence(kept).anchors)
    except MalformedError:
        return False


def find_older_statement(candidate: Json, kept: Json) -> tuple[str, int, int] | None:
    """(origin, number in the candidate, number kept) of a log in which `candidate` would take a step back.

    Whoever serves an older statement may want a revocation forgotten. Raises MalformedError when the
    candidate is no evidence; a kept document that is none has nothing to lose.
    """
    found = {origin: statement_of(log) for origin, log in parse_evidence(candidate).logs.items()}
    try:
        logs = parse_evidence(kept).logs if kept is not None else {}
        known = {origin: statement_of(log) for origin, log in logs.items()}
    except MalformedError:
        return None
    for origin, got in found.items():
        if got < known.get(origin, 0):
            return origin, got, known[origin]
    return None


def newer_evidence(found: Json, kept: Json) -> Json | None:
    """`found` with the records that `kept` shows, if it has a newer statement of a log; None otherwise.

    None, too, when it would give up an anchor or step back in another log. Raises MalformedError.
    """
    if find_older_statement(kept, found) is None or find_older_statement(found, kept) is not None:
        return None
    return None if is_weaker(found, kept) else with_records(found, records_of(kept))


def statement_of(log: LogEvidence) -> int:
    """The number of the statement in a log's evidence. Raises MalformedError."""
    return parse_statement(log.statement).sequence


def keep_first(
    document: Json, kept: Json, prove_consistency: ProveConsistency, *, parsed: Evidence | None = None
) -> Json:
    """`document` with, in each log, the earliest cosigned checkpoint that either of the two brings.

    Only what covers the log's entries dates them; a checkpoint that does not, or that is the log's own again,
    is left out. Raises MalformedError when the document is no evidence (a `kept` that is none has nothing to
    keep), and VerificationError("consistency-mismatch") when the trees of the two contradict each other:
    somebody's log, or file, is forged. `parsed` as in `tailored`.
    """
    evidence = parse_evidence(document) if parsed is None else parsed
    try:
        older = parse_evidence(kept).logs if kept is not None else {}
    except MalformedError:
        older = {}
    logs: dict[str, Json] = {}
    for origin, log in _object(_object(document)["logs"]).items():
        found = _earliest(evidence, evidence.logs[origin], older.get(origin), prove_consistency)
        logs[origin] = {**_object(log), "first": None if found is None else found.to_json()}
    return {**_object(document), "logs": logs}


def _earliest(
    evidence: Evidence, log: LogEvidence, kept: LogEvidence | None, prove_consistency: ProveConsistency
) -> FirstSeen | None:
    leaves = [entry.proof.index for entry in evidence.entries if entry.origin == log.origin]
    offered = [log.first.checkpoint] if log.first else []
    if kept is not None:
        offered += [kept.checkpoint, *([kept.first.checkpoint] if kept.first else [])]
    newest = log.checkpoint.checkpoint
    useful = [
        signed
        for signed in offered
        if max(leaves, default=-1) < signed.checkpoint.size < newest.size and len(signed.note.signatures) > 1
    ]
    if not useful:
        return None
    first = min(useful, key=lambda signed: signed.checkpoint.size)
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


def _smallest(proof: StatusProof, index: int) -> Json:
    """The list whole, or its chunk with entry `index`, whichever takes less space."""
    if proof.chunk is not None:
        return status_json(proof)
    chunk, number, hashes = prove_chunk(
        StatusBits.from_bytes(parse_status_list(proof.list_credential).data), index
    )
    stapled = replace(
        proof, list_credential=None, chunk=chunk, chunk_path=MerklePath(index=number, hashes=tuple(hashes))
    )
    return min(status_json(proof), status_json(stapled), key=lambda found: len(canonicalize(found)))


def _proven_log(evidence: Evidence, name: str) -> ProvenLog:
    origin = parse_origin(name)
    return ProvenLog(
        issuer_id=origin.issuer_id,
        log_id=origin.log_id,
        epoch=origin.epoch,
        leaves=tuple(sorted({entry.proof.index for entry in evidence.entries if entry.origin == name})),
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
