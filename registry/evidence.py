"""Evidence: one file without references, from which a credential is verified with no network.

Format and bounds: docs/spec/evidence.md. Parsing decides shape only; `verification` decides truth.
"""

from dataclasses import dataclass, replace

from testamur.registry.canonical import Json
from testamur.registry.checkpoints import SignedCheckpoint, parse_signed_checkpoint
from testamur.registry.entries import check_registry_name, parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import decode_digest, encode_digest
from testamur.registry.record_proofs import RecordProof, parse_record_proof
from testamur.registry.shapes import Shape
from testamur.registry.status import CHUNK_BYTES, decode_chunk
from testamur.registry.tlog_proofs import TlogProof, parse_tlog_proof

MAX_EVIDENCE_BYTES = 1 << 20
"""Real files are about 10 kB; a verifier must be able to refuse a huge one before reading it."""

MAX_ENTRIES = 64
"""The credential, and the accreditations, parts and co-issuers that it leans on."""

MAX_LOGS = 16
"""Logs of the issuers involved: k-of-n awards have a handful."""

MAX_ANCHORS = 16
"""One per chain in use at the time; more than two would be a strange decade."""

MAX_KEY_EVENTS = 256
"""A rotation a month for twenty years."""

MAX_STATUS_ENTRIES = 64
"""Two per credential in the file, seldom more."""

MAX_DOCUMENTS = 64
"""Public documents that the statement names and the credential needs."""

MAX_EARLIER = 8
"""Older evidence of the same entry, each some 17 kB: what a refreshed file can still show of the past."""

MAX_PATH_HASHES = 63
"""A Merkle path in a tree of at most 2^63 leaves."""

MAX_NOTE_CHARACTERS = 65_536
"""A checkpoint with cosignatures of a large consortium, post-quantum ones included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MerklePath:
    """Where a leaf stands in a tree whose size is known from elsewhere, and its sibling hashes."""

    index: int
    hashes: tuple[bytes, ...]

    def to_json(self) -> Json:
        """`{"index": n, "hashes": ["u…"]}`, from the leaf's sibling to the root's child."""
        return {"index": self.index, "hashes": [encode_digest(item) for item in self.hashes]}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEntry:
    """The claim that `digest` is an entry of the log `origin`, with its tlog-proof."""

    origin: str
    digest: bytes
    proof: TlogProof


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusProof:
    """One status list as the statement names it: the entry, its path, and the list or one chunk of it.

    `record` says why the credential's own bit changed, if the holder shows it.
    """

    entry: Json
    path: MerklePath
    list_credential: Json
    chunk: bytes | None
    chunk_path: MerklePath | None
    record: RecordProof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentProof:
    """A public document named by the statement."""

    id: str
    document: Json
    path: MerklePath


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSeen:
    """The earliest cosigned checkpoint that is known, for its time, and how the log's checkpoint extends it.

    `proof` is the consistency proof of RFC 9162 §2.1.4 from this tree to that of the log's `checkpoint`.
    """

    checkpoint: SignedCheckpoint
    proof: tuple[bytes, ...]

    def to_json(self) -> Json:
        """`{"checkpoint": "<signed note>", "proof": ["u…"]}`."""
        return {
            "checkpoint": self.checkpoint.to_bytes().decode(),
            "proof": [encode_digest(item) for item in self.proof],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvidence:
    """What is known of one log at one checkpoint. `key` is the log's verifier key as text.

    `note` is the checkpoint verbatim, with which the tlog-proofs of its entries end.
    """

    origin: str
    key: str
    note: str
    checkpoint: SignedCheckpoint
    seal: Json
    seal_proof: MerklePath
    statement: Json
    key_events: tuple[Json, ...]
    status: tuple[StatusProof, ...]
    documents: tuple[DocumentProof, ...]
    first: FirstSeen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A parsed evidence file; `unknown` names members of a later minor version that were ignored.

    `earlier` is evidence that this one replaced, for what it alone shows of the past.
    """

    registry: str
    entries: tuple[LoggedEntry, ...]
    logs: dict[str, LogEvidence]
    anchors: tuple[Json, ...]
    unknown: tuple[str, ...]
    earlier: tuple["Evidence", ...] = ()

    def entries_for(self, digest: bytes) -> tuple[LoggedEntry, ...]:
        """The entries that are about this digest; joint awards may be logged in several logs."""
        return tuple(entry for entry in self.entries if entry.digest == digest)


def parse_evidence(document: Json) -> Evidence:
    """Evidence version 1 as values. Raises MalformedError naming the member."""
    shape = Shape(document, "evidence")
    replaced = shape.shapes("earlier", maximum=MAX_EARLIER)
    evidence = _evidence(shape)
    earlier = tuple(_earlier(item) for item in replaced)
    unknown = tuple(name for older in earlier for name in older.unknown)
    return replace(evidence, earlier=earlier, unknown=evidence.unknown + unknown)


def _earlier(shape: Shape) -> Evidence:
    if shape.has("earlier"):
        raise MalformedError(shape.path("earlier"), "stands in what is earlier itself; one list has them all")
    return _evidence(shape)


def _evidence(shape: Shape) -> Evidence:
    shape.expect("type", "TestamurEvidence")
    shape.expect("version", 1)
    registry = check_registry_name(shape.text("registry"))
    logs_shape = shape.shape("logs")
    logs_value = shape.any("logs")
    names = list(logs_value) if isinstance(logs_value, dict) else []
    if len(names) > MAX_LOGS:
        raise MalformedError(shape.path("logs"), f"has {len(names)} logs, more than {MAX_LOGS}")
    unknown: list[str] = []
    logs = {name: _log(name, logs_shape.shape(name), unknown) for name in names}
    entries = tuple(_entry(item, logs, unknown) for item in shape.shapes("entries", maximum=MAX_ENTRIES))
    anchors = tuple(shape.items("anchors", maximum=MAX_ANCHORS))
    shape.report_unknown(unknown)
    return Evidence(registry=registry, entries=entries, logs=logs, anchors=anchors, unknown=tuple(unknown))


def parse_path(shape: Shape, unknown: list[str]) -> MerklePath:
    """A Merkle path; its length is checked against the tree by whoever walks it."""
    hashes = shape.texts("hashes", maximum=MAX_PATH_HASHES, max_length=64)
    path = MerklePath(
        index=shape.integer("index"),
        hashes=tuple(decode_digest(text, f"{shape.path('hashes')}/{n}") for n, text in enumerate(hashes)),
    )
    shape.report_unknown(unknown)
    return path


def _entry(shape: Shape, logs: dict[str, LogEvidence], unknown: list[str]) -> LoggedEntry:
    origin = shape.text("origin", max_length=256)
    if origin not in logs:
        raise MalformedError(shape.path("origin"), f"names the log {origin!r}, which is not among /logs")
    text = shape.text("proof", max_length=MAX_NOTE_CHARACTERS)
    if text.endswith("\n\n"):
        # Written once in the file: every entry of a log is proven into the same checkpoint.
        text += logs[origin].note
    entry = LoggedEntry(origin=origin, digest=shape.digest("digest"), proof=parse_tlog_proof(text))
    shape.report_unknown(unknown)
    return entry


def _log(origin: str, shape: Shape, unknown: list[str]) -> LogEvidence:
    parse_origin(origin)
    seal = shape.shape("seal")
    status = tuple(_status(item, unknown) for item in shape.shapes("status", maximum=MAX_STATUS_ENTRIES))
    documents = tuple(_document(item, unknown) for item in shape.shapes("documents", maximum=MAX_DOCUMENTS))
    log = LogEvidence(
        origin=origin,
        key=shape.text("key", max_length=4096),
        note=shape.text("checkpoint", max_length=MAX_NOTE_CHARACTERS),
        checkpoint=_checkpoint(shape, "checkpoint", origin),
        seal=seal.any("document"),
        seal_proof=parse_path(seal.shape("proof"), unknown),
        statement=shape.any("statement"),
        key_events=tuple(shape.items("keyEvents", minimum=1, maximum=MAX_KEY_EVENTS)),
        status=status,
        documents=documents,
        first=_first(shape.shape("first"), origin, unknown) if shape.has("first") else None,
    )
    seal.report_unknown(unknown)
    shape.report_unknown(unknown)
    return log


def _checkpoint(shape: Shape, name: str, origin: str) -> SignedCheckpoint:
    signed = parse_signed_checkpoint(shape.text(name, max_length=MAX_NOTE_CHARACTERS).encode())
    if signed.checkpoint.origin != origin:
        raise MalformedError(shape.path(name), f"is of the log {signed.checkpoint.origin!r}, not {origin!r}")
    return signed


def _first(shape: Shape, origin: str, unknown: list[str]) -> FirstSeen:
    hashes = shape.texts("proof", maximum=MAX_PATH_HASHES, max_length=64)
    first = FirstSeen(
        checkpoint=_checkpoint(shape, "checkpoint", origin),
        proof=tuple(decode_digest(text, f"{shape.path('proof')}/{n}") for n, text in enumerate(hashes)),
    )
    shape.report_unknown(unknown)
    return first


def _status(shape: Shape, unknown: list[str]) -> StatusProof:
    chunk_text = shape.optional_text("chunk", max_length=4 * CHUNK_BYTES)
    chunk = None if chunk_text is None else decode_chunk(chunk_text, subject=shape.path("chunk"))
    has_list = shape.has("list")
    if has_list == (chunk is not None):
        raise MalformedError(shape.subject, "must have either `list` or `chunk` with `chunkPath`")
    proof = StatusProof(
        entry=shape.any("entry"),
        path=parse_path(shape.shape("path"), unknown),
        list_credential=shape.any("list"),
        chunk=chunk,
        chunk_path=parse_path(shape.shape("chunkPath"), unknown) if chunk is not None else None,
        record=parse_record_proof(shape.any("record"), shape.path("record")) if shape.has("record") else None,
    )
    shape.report_unknown(unknown)
    return proof


def _document(shape: Shape, unknown: list[str]) -> DocumentProof:
    proof = DocumentProof(
        id=shape.text("id"), document=shape.any("document"), path=parse_path(shape.shape("path"), unknown)
    )
    shape.report_unknown(unknown)
    return proof
