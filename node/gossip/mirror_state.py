"""What a mirror has proven of one log so far; small, whatever the size of the log."""

from dataclasses import dataclass, field

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.merkle import CompactRange
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape

MAX_STATE_BYTES = 16 << 20
"""Some 200 bytes for each status list of the issuer, of which a thousand would be many."""

MAX_LISTS = 1 << 16
MAX_UNSEALED = 1024
"""Statements that are logged and not named by a seal yet: one or two, unless a host does not seal them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementMark:
    """A statement by sequence and digest, and the leaf at which it was logged (None: not seen in the log)."""

    sequence: int
    digest: bytes
    leaf_index: int | None = None

    def to_json(self) -> dict[str, Json]:
        """`{"sequence", "digest", "leafIndex"}`."""
        return {
            "sequence": self.sequence,
            "digest": encode_digest(self.digest),
            "leafIndex": self.leaf_index,
        }


@dataclass(slots=True, kw_only=True)
class MirrorState:
    """The first `edge.size` entries of a log, checked; changed while checking, saved when that went well."""

    origin: str
    edge: CompactRange = field(default_factory=CompactRange)
    sealed_size: int = 0
    """Size of the tree that the newest seal ends; 0 before the first."""
    sealed: StatementMark | None = None
    """The statement that the newest seal names."""
    held: StatementMark | None = None
    """The newest statement that the issuer itself handed to this mirror."""
    unsealed: dict[bytes, StatementMark] = field(default_factory=dict)
    """Logged statements newer than `sealed`, by digest."""
    lists: dict[str, bytes] = field(default_factory=dict)
    """Digest of the newest logged version of each status list, by its id."""

    def to_bytes(self) -> bytes:
        """The state as a file."""
        hashes: list[Json] = [encode_digest(item) for item in self.edge.hashes]
        unsealed: list[Json] = [mark.to_json() for mark in self.unsealed.values()]
        lists: dict[str, Json] = {name: encode_digest(item) for name, item in self.lists.items()}
        return canonicalize(
            {
                "type": "MirrorState",
                "version": 1,
                "origin": self.origin,
                "size": self.edge.size,
                "rightEdge": hashes,
                "sealedSize": self.sealed_size,
                "sealed": None if self.sealed is None else self.sealed.to_json(),
                "held": None if self.held is None else self.held.to_json(),
                "unsealed": unsealed,
                "statusLists": lists,
            }
        )


def parse_mirror_state(data: bytes, origin: str) -> MirrorState:
    """The state that `to_bytes` wrote for this log. Raises MalformedError."""
    subject = "mirror state"
    shape = Shape(parse_json(data, subject=subject, max_bytes=MAX_STATE_BYTES), subject)
    shape.expect("type", "MirrorState")
    shape.expect("version", 1)
    shape.expect("origin", origin)
    hashes = [_digest(item, shape.path("rightEdge")) for item in shape.items("rightEdge", maximum=64)]
    try:
        edge = CompactRange(shape.integer("size"), hashes)
    except ValueError as exc:
        raise MalformedError(shape.path("rightEdge"), str(exc)) from exc
    lists = shape.shape("statusLists")
    names = lists.unknown()[:MAX_LISTS]
    unsealed = [_mark(item) for item in shape.shapes("unsealed", maximum=MAX_UNSEALED)]
    return MirrorState(
        origin=origin,
        edge=edge,
        sealed_size=shape.integer("sealedSize", maximum=edge.size),
        sealed=_mark(shape.shape("sealed")) if shape.has("sealed") else None,
        held=_mark(shape.shape("held")) if shape.has("held") else None,
        unsealed={mark.digest: mark for mark in unsealed},
        lists={name: lists.digest(name) for name in names},
    )


def _mark(shape: Shape) -> StatementMark:
    return StatementMark(
        sequence=shape.integer("sequence", minimum=1),
        digest=shape.digest("digest"),
        leaf_index=shape.optional_integer("leafIndex"),
    )


def _digest(value: Json, subject: str) -> bytes:
    return Shape({"digest": value}, subject).digest("digest")
