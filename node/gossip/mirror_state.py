"""What a mirror has proven of one log so far; small, whatever the size of the log."""

from dataclasses import dataclass, field, replace

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.merkle import CompactRange
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape
from testamur.registry.statement_entries import StatusEntry, parse_status_entry_of_statement

MAX_STATE_BYTES = 16 << 20
"""Some 500 bytes for each status list of the issuer, of which a thousand would be many."""

MAX_LISTS = 1 << 14
"""Named by statements, and logged since the newest one: two billion statuses."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldList:
    """A status list as the newest proven statement names it; `records`: digest of its batches, if any."""

    entry: StatusEntry
    records: bytes | None = None


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
    lists: dict[str, HeldList] = field(default_factory=dict)
    """The issuer's status lists as `sealed` names them, by id."""
    logged: dict[bytes, int] = field(default_factory=dict)
    """Leaf index of every status list, and of records beside one, that was logged after `sealed`."""

    def succeeded_by(self, origin: str) -> "MirrorState":
        """The state in which the issuer's next epoch begins: another log, the same statements and lists."""
        return MirrorState(
            origin=origin,
            sealed=None if self.sealed is None else replace(self.sealed, leaf_index=None),
            held=self.held,
            unsealed={digest: replace(mark, leaf_index=None) for digest, mark in self.unsealed.items()},
            lists=dict(self.lists),
            logged=dict.fromkeys(self.logged, 0),
        )

    def to_bytes(self) -> bytes:
        """The state as a file."""
        hashes: list[Json] = [encode_digest(item) for item in self.edge.hashes]
        unsealed: list[Json] = [mark.to_json() for mark in self.unsealed.values()]
        lists: list[Json] = [
            {"entry": item.entry.to_json(), "records": encode_digest(item.records) if item.records else None}
            for item in self.lists.values()
        ]
        logged: list[Json] = [
            {"digest": encode_digest(digest), "leafIndex": at} for digest, at in self.logged.items()
        ]
        return canonicalize(
            {
                "type": "MirrorState",
                "version": 2,
                "origin": self.origin,
                "size": self.edge.size,
                "rightEdge": hashes,
                "sealedSize": self.sealed_size,
                "sealed": None if self.sealed is None else self.sealed.to_json(),
                "held": None if self.held is None else self.held.to_json(),
                "unsealed": unsealed,
                "statusLists": lists,
                "loggedLists": logged,
            }
        )


def parse_mirror_state(data: bytes, origin: str) -> MirrorState:
    """The state that `to_bytes` wrote for this log. Raises MalformedError."""
    subject = "mirror state"
    shape = Shape(parse_json(data, subject=subject, max_bytes=MAX_STATE_BYTES), subject)
    shape.expect("type", "MirrorState")
    shape.expect("version", 2)
    shape.expect("origin", origin)
    hashes = [_digest(item, shape.path("rightEdge")) for item in shape.items("rightEdge", maximum=64)]
    try:
        edge = CompactRange(shape.integer("size"), hashes)
    except ValueError as exc:
        raise MalformedError(shape.path("rightEdge"), str(exc)) from exc
    lists = [_list(item) for item in shape.shapes("statusLists", maximum=MAX_LISTS)]
    logged = shape.shapes("loggedLists", maximum=MAX_LISTS)
    unsealed = [_mark(item) for item in shape.shapes("unsealed", maximum=MAX_UNSEALED)]
    return MirrorState(
        origin=origin,
        edge=edge,
        sealed_size=shape.integer("sealedSize", maximum=edge.size),
        sealed=_mark(shape.shape("sealed")) if shape.has("sealed") else None,
        held=_mark(shape.shape("held")) if shape.has("held") else None,
        unsealed={mark.digest: mark for mark in unsealed},
        lists={item.entry.id: item for item in lists},
        logged={item.digest("digest"): item.integer("leafIndex") for item in logged},
    )


def _mark(shape: Shape) -> StatementMark:
    return StatementMark(
        sequence=shape.integer("sequence", minimum=1),
        digest=shape.digest("digest"),
        leaf_index=shape.optional_integer("leafIndex"),
    )


def _list(shape: Shape) -> HeldList:
    entry = parse_status_entry_of_statement(shape.any("entry"), shape.path("entry"))
    return HeldList(entry=entry, records=shape.optional_digest("records"))


def _digest(value: Json, subject: str) -> bytes:
    return Shape({"digest": value}, subject).digest("digest")
