"""Why and from when a status changed: salted records, committed for ever and shown by who holds them.

The changes of one statement in one list are a batch: an RFC 6962 tree over the JCS bytes of its records. The
`recordsRoot` of a status entry is the tree over all batches of its list, which only grows: what the holder
once got stays provable, by a path whose lower half never changes. Format: docs/spec/status.md.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.merkle import leaf_hash, root_hash
from testamur.registry.multiformats import decode_multibase, encode_digest, encode_multibase
from testamur.registry.shapes import Shape
from testamur.registry.status_lists import REVOCATION, SUSPENSION
from testamur.registry.timestamps import format_timestamp, parse_timestamp

RETROACTIVE_REASONS = frozenset({"issued-in-error", "fraud"})
"""Reasons for which a change may take effect before it was recorded: it should never have counted."""

REASON_CLASSES = {
    REVOCATION: (
        "issued-in-error",
        "fraud",
        "misconduct",
        "superseded",
        "withdrawn",
        "holder-request",
        "other",
    ),
    SUSPENSION: (
        "under-review",
        "obligations-open",
        "issued-in-error",
        "fraud",
        "holder-request",
        "cleared",
        "other",
    ),
}
"""Why a bit changes, by purpose; `cleared` lifts a suspension. What a class does not say is for the note."""

SALT_BYTES = 32
"""A record has few possible contents; without a salt its hash would tell which of them it is."""

MAX_NOTE_CHARACTERS = 1000
"""A sentence or two for the holder: the file of the case is kept elsewhere."""

MAX_BATCHES = 4096
"""A statement a day for eleven years in one list, in a document of half the size that is parsed at all."""

MAX_RECORDS = 1 << 23
"""Every entry of the largest list at once."""

RECORDS_TYPE = "StatusRecords"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRecord:
    """One change of one status: entry `index` of `list_id` became `value`, for a reason, from a moment on."""

    list_id: str
    index: int
    value: bool
    reason: str
    effective: datetime
    note: str | None
    salt: bytes

    def to_json(self) -> dict[str, Json]:
        """The record as it is hashed."""
        return {
            "type": "StatusRecord",
            "version": 1,
            "list": self.list_id,
            "index": str(self.index),
            "value": self.value,
            "reason": self.reason,
            "effective": format_timestamp(self.effective),
            "note": self.note,
            "salt": encode_multibase("u", self.salt),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBatch:
    """The records of one statement in one list: how many, the root over them, and when it was signed."""

    statement: int
    time: str
    count: int
    root: bytes

    def to_json(self) -> dict[str, Json]:
        """The batch as it is hashed and published."""
        return {
            "statement": self.statement,
            "time": self.time,
            "count": self.count,
            "root": encode_digest(self.root),
        }


def records_id(list_id: str) -> str:
    """The id of the public document with the batches of a status list."""
    return f"{list_id}#records"


def build_records(list_id: str, batches: Sequence[RecordBatch]) -> dict[str, Json]:
    """The public document that names every batch of a list: roots and counts, nothing of what is in them."""
    return {
        "type": RECORDS_TYPE,
        "version": 1,
        "list": list_id,
        "batches": [batch.to_json() for batch in batches],
    }


def is_records(document: Json) -> bool:
    """Whether a public document says that it is one of batches."""
    return isinstance(document, dict) and document.get("type") == RECORDS_TYPE


def parse_records(document: Json, subject: str = "status records") -> tuple[str, tuple[RecordBatch, ...]]:
    """(list id, batches) in order of their statements. Raises MalformedError."""
    shape = Shape(document, subject)
    shape.expect("type", RECORDS_TYPE)
    shape.expect("version", 1)
    batches = parse_batches(shape)
    list_id = shape.text("list")
    shape.refuse_unknown()
    return list_id, batches


def parse_batches(shape: Shape) -> tuple[RecordBatch, ...]:
    """The member `batches`, in the order of their statements. Raises MalformedError."""
    batches = tuple(parse_batch(item) for item in shape.shapes("batches", minimum=1, maximum=MAX_BATCHES))
    if any(later.statement <= before.statement for before, later in itertools.pairwise(batches)):
        raise MalformedError(shape.path("batches"), "must be in the order of their statements, one for each")
    return batches


def new_batches(
    documents: Iterable[tuple[str, Json]],
    known: Mapping[str, Sequence[RecordBatch]],
    *,
    statement: int,
    time: str,
) -> dict[str, tuple[RecordBatch, ...]]:
    """The batches of each list whose records are among a statement's new documents, by list id.

    They are those known, and one more of this very statement. Raises MalformedError, and
    VerificationError("status-records-mismatch").
    """
    found: dict[str, tuple[RecordBatch, ...]] = {}
    for name, document in documents:
        if not is_records(document):
            continue
        list_id, batches = parse_records(document)
        follows = list(batches[:-1]) == list(known.get(list_id, ()))
        is_new = (batches[-1].statement, batches[-1].time) == (statement, time)
        if name != records_id(list_id) or not follows or not is_new:
            raise VerificationError("status-records-mismatch", list=list_id[:200])
        found[list_id] = batches
    return found


def batch_root(records: Sequence[StatusRecord]) -> bytes:
    """The root over the records of one batch, in the order given."""
    return root_hash(record_hash(record) for record in records)


def records_root(batches: Sequence[RecordBatch]) -> bytes:
    """The `recordsRoot` of a list with these batches; that of nothing when there are none."""
    return root_hash(batch_hash(batch) for batch in batches)


def parse_record(shape: Shape) -> StatusRecord:
    """A StatusRecord in exactly this form. Raises MalformedError."""
    shape.expect("type", "StatusRecord")
    shape.expect("version", 1)
    index = shape.text("index", max_length=16)
    if not index.isascii() or not index.isdigit() or str(int(index)) != index:
        raise MalformedError(shape.path("index"), "must be a number as a string")
    salt = decode_multibase(shape.text("salt", max_length=64), subject=shape.path("salt"), allowed="u")
    if len(salt) != SALT_BYTES:
        raise MalformedError(shape.path("salt"), f"must be {SALT_BYTES} bytes")
    record = StatusRecord(
        list_id=shape.text("list"),
        index=int(index),
        value=shape.flag("value"),
        reason=shape.text("reason", max_length=64),
        effective=parse_timestamp(shape.text("effective", max_length=64), shape.path("effective")),
        note=shape.optional_text("note", max_length=MAX_NOTE_CHARACTERS),
        salt=salt,
    )
    shape.refuse_unknown()
    return record


def parse_batch(shape: Shape) -> RecordBatch:
    """A batch in exactly this form. Raises MalformedError."""
    batch = RecordBatch(
        statement=shape.integer("statement", minimum=1),
        time=shape.text("time", max_length=64),
        count=shape.integer("count", minimum=1, maximum=MAX_RECORDS),
        root=shape.digest("root"),
    )
    parse_timestamp(batch.time, shape.path("time"))
    shape.refuse_unknown()
    return batch


def record_hash(record: StatusRecord) -> bytes:
    """The leaf of a record in the tree of its batch."""
    return leaf_hash(canonicalize(record.to_json()))


def batch_hash(batch: RecordBatch) -> bytes:
    """The leaf of a batch under the list's `recordsRoot`."""
    return leaf_hash(canonicalize(batch.to_json()))
