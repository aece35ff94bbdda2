"""What a holder shows of a status change: its record, proven to the list's `recordsRoot`.

Format: docs/spec/status.md; records and batches are in `status_records`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.errors import VerificationError
from testamur.registry.merkle import node_hash, prove_inclusion, verify_inclusion
from testamur.registry.multiformats import decode_digest, encode_digest
from testamur.registry.shapes import Shape
from testamur.registry.status_records import (
    MAX_BATCHES,
    RETROACTIVE_REASONS,
    RecordBatch,
    StatusRecord,
    batch_hash,
    parse_batch,
    parse_record,
    record_hash,
)
from testamur.registry.timestamps import parse_timestamp

MAX_PATH_HASHES = 63
"""A Merkle path in a tree of at most 2^63 leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProof:
    """A record with its path to its batch, and the batch with its path to the list's `recordsRoot`.

    `batches` is how many the list had when the upper path was made; the lower path never changes.
    """

    record: StatusRecord
    position: int
    path: tuple[bytes, ...]
    batch: RecordBatch
    batch_position: int
    batches: int
    batch_path: tuple[bytes, ...]

    def to_json(self) -> dict[str, Json]:
        """The member `record` of a status proof in evidence, and what the issuer hands to the holder."""
        return {
            "record": self.record.to_json(),
            "path": {"index": self.position, "hashes": [encode_digest(item) for item in self.path]},
            "batch": self.batch.to_json(),
            "batchPath": {
                "index": self.batch_position,
                "count": self.batches,
                "hashes": [encode_digest(item) for item in self.batch_path],
            },
        }


def prove_records(records: Sequence[StatusRecord], batches: Sequence[RecordBatch]) -> list[RecordProof]:
    """The proof of each record of the last of `batches`. Raises ValueError when it is not theirs."""
    last = batches[-1]
    levels = _levels([record_hash(record) for record in records])
    if (last.count, last.root) != (len(records), levels[-1][0]):
        raise ValueError("these are not the records of the last batch")
    upper = tuple(prove_inclusion([batch_hash(item) for item in batches], len(batches) - 1, len(batches)))
    return [
        RecordProof(
            record=record,
            position=position,
            path=_path(levels, position),
            batch=last,
            batch_position=len(batches) - 1,
            batches=len(batches),
            batch_path=upper,
        )
        for position, record in enumerate(records)
    ]


def parse_record_proof(document: Json, subject: str = "status record") -> RecordProof:
    """What `RecordProof.to_json` wrote; its truth is for `verify_record`. Raises MalformedError."""
    shape = Shape(document, subject)
    path, upper = shape.shape("path"), shape.shape("batchPath")
    proof = RecordProof(
        record=parse_record(shape.shape("record")),
        position=path.integer("index"),
        path=_hashes(path),
        batch=parse_batch(shape.shape("batch")),
        batch_position=upper.integer("index"),
        batches=upper.integer("count", minimum=1, maximum=MAX_BATCHES),
        batch_path=_hashes(upper),
    )
    for part in (path, upper, shape):
        part.refuse_unknown()
    return proof


def verify_record(proof: RecordProof, root: bytes) -> StatusRecord:
    """The record, proven to be committed under `root`. Raises VerificationError("status-record-mismatch")."""
    try:
        verify_inclusion(
            record_hash(proof.record), proof.position, proof.batch.count, proof.path, proof.batch.root
        )
        verify_inclusion(batch_hash(proof.batch), proof.batch_position, proof.batches, proof.batch_path, root)
    except VerificationError as exc:
        raise VerificationError("status-record-mismatch", list=proof.record.list_id[:200]) from exc
    return proof.record


def renew_record(proof: RecordProof, batches: Sequence[RecordBatch]) -> RecordProof | None:
    """The same record proven to the root over these batches, which have grown since.

    None when its batch is not among them.
    """
    if proof.batch not in batches:
        return None
    position = batches.index(proof.batch)
    path = prove_inclusion([batch_hash(item) for item in batches], position, len(batches))
    return replace(proof, batch_position=position, batches=len(batches), batch_path=tuple(path))


def is_newest(proof: RecordProof, version: int) -> bool:
    """Whether nothing can have changed in the list since the record's batch; `version` is the list's.

    The batch is the last, and each of the list's versions after the first came with one: a later change of
    the same entry would stand in a later batch, or, published without a record, in a version that has none.
    """
    return proof.batch_position == proof.batches - 1 == version - 2


def effect_of(proof: RecordProof, recorded_after: datetime | None) -> datetime:
    """From when the change counts: before it was recorded only for the reasons that allow it.

    `recorded_after`: a moment at which the chain proves that the change had not been recorded yet.
    """
    effective = proof.record.effective
    if proof.record.reason in RETROACTIVE_REASONS:
        return effective
    signed = parse_timestamp(proof.batch.time)
    return max(effective, signed, recorded_after or signed)


def _hashes(shape: Shape) -> tuple[bytes, ...]:
    where = shape.path("hashes")
    return tuple(
        decode_digest(text, where) for text in shape.texts("hashes", maximum=MAX_PATH_HASHES, max_length=64)
    )


def _levels(hashes: list[bytes]) -> list[list[bytes]]:
    """The whole tree, leaves first, for proofs of thousands at once. A last one alone moves up as it is."""
    levels = [hashes]
    while len(level := levels[-1]) > 1:
        pairs = [node_hash(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
        levels.append(pairs + level[len(level) & ~1 :])
    return levels


def _path(levels: list[list[bytes]], position: int) -> tuple[bytes, ...]:
    path = []
    for level in levels[:-1]:
        if position ^ 1 < len(level):
            path.append(level[position ^ 1])
        position >>= 1
    return tuple(path)
