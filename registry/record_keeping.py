"""Records of status changes in evidence: put in by their holder, carried over when it is refreshed."""

from collections.abc import Iterable, Mapping, Sequence

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.record_proofs import RecordProof, renew_record
from testamur.registry.shapes import Shape
from testamur.registry.status_records import RecordBatch, is_records, parse_records


def with_records(document: Json, records: Iterable[RecordProof]) -> Json:
    """The same evidence with each record at its status list, proven to the `recordsRoot` of today.

    `document` is whole, as a node gives it out: the batches that have come since stand in its documents. A
    record whose list is not there, or that its batches do not hold, is left out. Raises MalformedError.
    """
    newest = {proof.record.list_id: proof for proof in sorted(records, key=_age)}
    if not newest or not isinstance(document, dict):
        return document
    shape = Shape(document, "evidence")
    logs: dict[str, Json] = {}
    for origin in parse_evidence(document).logs:
        log = shape.shape("logs").any(origin)
        logs[origin] = _with_records(log, newest) if isinstance(log, dict) else log
    return {**document, "logs": logs}


def records_of(document: Json) -> list[RecordProof]:
    """The records in an evidence file; none in what is no evidence."""
    try:
        logs = parse_evidence(document).logs.values() if document is not None else ()
    except MalformedError:
        return []
    return [proof.record for log in logs for proof in log.status if proof.record is not None]


def without_batches(documents: Sequence[Json]) -> list[Json]:
    """What a holder keeps of a log's documents: the batches are for renewing, and are everybody's."""
    return [item for item in documents if not (isinstance(item, dict) and is_records(item.get("document")))]


def _age(proof: RecordProof) -> int:
    return proof.batch.statement


def _with_records(log: dict[str, Json], records: Mapping[str, RecordProof]) -> Json:
    known = _batches(log)
    status: list[Json] = []
    for item in Shape(log, "log").items("status", maximum=1 << 16):
        entry = item.get("entry") if isinstance(item, dict) else None
        list_id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(item, dict) and isinstance(list_id, str) and list_id in records:
            renewed = renew_record(records[list_id], known.get(list_id, ()))
            status.append(item if renewed is None else {**item, "record": renewed.to_json()})
        else:
            status.append(item)
    return {**log, "status": status}


def _batches(log: dict[str, Json]) -> dict[str, tuple[RecordBatch, ...]]:
    documents = Shape(log, "log").items("documents", maximum=1 << 16)
    found = [item.get("document") for item in documents if isinstance(item, dict)]
    return dict(parse_records(document) for document in found if is_records(document))
