"""Who changed which status when, from the entries of a log alone.

Every version of a list is a signed document in the log, so the difference between two versions is what was
changed; the statement after it says by which number, and the seal after that when.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from testamur.registry.canonical import Json
from testamur.registry.credentials import parse_credential
from testamur.registry.entries import EntryKind
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.issuer_keys import IssuerKeys
from testamur.registry.key_events import Position
from testamur.registry.proofs import SecuredDocument, proofs_of
from testamur.registry.seals import parse_seal
from testamur.registry.shapes import Shape
from testamur.registry.statements import parse_statement, verify_statement
from testamur.registry.status_lists import LIST_TYPE, REVOCATION, StatusList, parse_status_list

UNSEALED = ""
"""The time of what no seal covers yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """One version of one status list, and what is different from the one before.

    `set_indexes` and `cleared_indexes` are entries; `method` is the key that signed. `problem` says what is
    wrong with the version: then it changes nothing. `sealed` is the time of the seal that covers it.
    """

    leaf_index: int
    list_id: str
    purpose: str
    version: int
    set_indexes: tuple[int, ...]
    cleared_indexes: tuple[int, ...]
    method: str
    statement: int | None = None
    stated: str | None = None
    sealed: str = UNSEALED
    problem: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The change as a document."""
        return {
            "leafIndex": self.leaf_index,
            "list": self.list_id,
            "purpose": self.purpose,
            "version": self.version,
            "set": list(self.set_indexes),
            "cleared": list(self.cleared_indexes),
            "key": self.method,
            "statement": self.statement,
            "stated": self.stated,
            "sealed": self.sealed or None,
            "problem": self.problem,
        }


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    epoch: int
    keys: IssuerKeys
    lists: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    open: list[tuple[int, StatusList, Json]] = field(default_factory=list)
    """Leaf index and document of each list that no statement has come after yet."""
    unsealed: list[ListChange] = field(default_factory=list)


def read_history(
    entries: Iterable[tuple[int, EntryKind, Json]], *, keys: IssuerKeys, epoch: int
) -> Iterator[ListChange]:
    """Every version of every status list of an issuer, in the order of the log.

    `entries` are (leaf index, kind, document) of the log's documents and seals, all of them and in order;
    `keys` are all key events of the issuer, those of earlier epochs and of recoveries as well. A version
    that its issuer did not sign, or that clears a revocation, is given with its problem.
    """
    reading = _Reading(epoch=epoch, keys=keys)
    for leaf_index, kind, document in entries:
        if kind is EntryKind.SEAL:
            yield from _sealed(reading, document)
        elif kind is EntryKind.DOCUMENT:
            _document(reading, leaf_index, document)
    yield from reading.unsealed
    yield from (_change(reading, keys, *listed) for listed in reading.open)


def _document(reading: _Reading, leaf_index: int, document: Json) -> None:
    kinds = document.get("type") if isinstance(document, dict) else None
    if kinds == "Statement":
        _statement(reading, leaf_index, document)
    elif isinstance(kinds, list) and LIST_TYPE in kinds:
        _list(reading, leaf_index, document)


def _statement(reading: _Reading, leaf_index: int, document: Json) -> None:
    """A statement of the issuer dates the lists before it, and says by which keys they are judged.

    What the council replaced later was in force then. Whatever only looks like a statement changes nothing.
    """
    try:
        statement = parse_statement(document)
        keys = reading.keys.as_of(statement.key_events_head)
        if keys is None or statement.issuer != keys.issuer:
            return
        position = Position(reading.epoch, leaf_index)
        verify_statement(statement, lambda method: keys.public_key_in_force(method, position))
    except RegistryError:
        return
    for listed in reading.open:
        change = _change(reading, keys, *listed)
        reading.unsealed.append(replace(change, statement=statement.sequence, stated=statement.time))
    reading.open.clear()


def _sealed(reading: _Reading, document: Json) -> Iterator[ListChange]:
    try:
        time = parse_seal(document).time
    except MalformedError:
        return
    yield from (replace(change, sealed=time) for change in reading.unsealed)
    reading.unsealed.clear()


def _list(reading: _Reading, leaf_index: int, document: Json) -> None:
    try:
        parsed = parse_status_list(document)
    except MalformedError:
        return
    if parsed.issuer == reading.keys.issuer:
        reading.open.append((leaf_index, parsed, document))


def _change(
    reading: _Reading, keys: IssuerKeys, leaf_index: int, parsed: StatusList, document: Json
) -> ListChange:
    version, before = reading.lists.get(parsed.id, (0, bytes(len(parsed.data))))
    method, problem = _signed_by(keys, Position(reading.epoch, leaf_index), document)
    newly, cleared = _difference(before, parsed.data)
    if problem is None and cleared and parsed.purpose == REVOCATION:
        problem = "clears a revocation, which counts for nothing"
    if problem is None and len(before) != len(parsed.data):
        problem = "changes its length, which counts for nothing"
    change = ListChange(
        leaf_index=leaf_index,
        list_id=parsed.id,
        purpose=parsed.purpose,
        version=version + 1,
        set_indexes=newly,
        cleared_indexes=cleared,
        method=method,
        problem=problem,
    )
    if problem is None:
        reading.lists[parsed.id] = (version + 1, parsed.data)
    return change


def _signed_by(keys: IssuerKeys, position: Position, document: Json) -> tuple[str, str | None]:
    """(verification method, problem) of a list's proofs."""
    method = ""
    try:
        credential = parse_credential(document, "status list")
        secured = SecuredDocument(credential.json)
        for proof in proofs_of(credential.json, "status list"):
            method = Shape(proof, "proof").text("verificationMethod")
            secured.verify(proof, keys.public_key_in_force(method, position))
    except RegistryError as error:
        return method, f"is not signed by its issuer ({error})"
    return method, None


def _difference(before: bytes, after: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Entries that were set, and that were cleared, between two versions of one length."""
    newly: list[int] = []
    cleared: list[int] = []
    for at, (old, new) in enumerate(zip(before, after, strict=False)):
        if old == new:
            continue
        for bit in range(8):
            mask = 0x80 >> bit
            if (old ^ new) & mask:
                (newly if new & mask else cleared).append(8 * at + bit)
    return tuple(newly), tuple(cleared)
