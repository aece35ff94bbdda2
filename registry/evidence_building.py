"""Putting evidence together from parts that are JSON already: what a node serves and a holder keeps."""

from dataclasses import replace

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.credentials import parse_credential
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MerklePath, StatusProof, parse_evidence
from testamur.registry.multiformats import encode_digest, encode_multibase
from testamur.registry.shapes import Shape
from testamur.registry.status import StatusBits, prove_chunk
from testamur.registry.status_lists import parse_status_list
from testamur.registry.tlog_proofs import TlogProof


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
    """One member of `entries`."""
    return {"origin": origin, "digest": encode_digest(digest), "proof": proof.to_text()}


def tailored(document: Json, credential: Json) -> Json:
    """The same evidence with the status of this credential alone, as small as it can be said.

    A node gives out all of a log's lists, because it does not know which credential is meant; the holder
    keeps those that the credential names, and of a large one the chunk with its own bit.
    Raises MalformedError.
    """
    wanted = {entry.list_id: entry.index for entry in parse_credential(credential).status}
    evidence = parse_evidence(document)
    logs: dict[str, Json] = {}
    for origin, log in _object(_object(document)["logs"]).items():
        status = [
            _smallest(proof, wanted[list_id])
            for proof in evidence.logs[origin].status
            if (list_id := Shape(proof.entry, "status entry").text("id")) in wanted
        ]
        logs[origin] = {**_object(log), "status": status}
    return {**_object(document), "logs": logs}


def is_weaker(candidate: Json, kept: Json) -> bool:
    """Whether replacing `kept` by `candidate` would lose an anchor: what is proven once is never given away.

    Raises MalformedError when the candidate is no evidence; a kept document that is none has nothing to lose.
    """
    anchored = bool(parse_evidence(candidate).anchors)
    try:
        return not anchored and kept is not None and bool(parse_evidence(kept).anchors)
    except MalformedError:
        return False


def status_json(proof: StatusProof) -> dict[str, Json]:
    """One member of a log's `status`."""
    document: dict[str, Json] = {"entry": proof.entry, "path": proof.path.to_json()}
    if proof.chunk is not None and proof.chunk_path is not None:
        return {
            **document,
            "chunk": encode_multibase("u", proof.chunk),
            "chunkPath": proof.chunk_path.to_json(),
        }
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


def _object(document: Json) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise MalformedError("evidence", "must be an object")
    return document


def with_entries(document: Json, entries: list[Json]) -> Json:
    """The same evidence about these entries. Raises MalformedError."""
    return {**_object(document), "entries": list(entries)}
