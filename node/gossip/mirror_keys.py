"""Whose keys a statement names, read from a mirror's own copy of a log and from what the contract knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from testamur.registry.canonical import Json, parse_json
from testamur.registry.entries import Entry
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.hashing import sha256
from testamur.registry.issuer_keys import IssuerKeys
from testamur.registry.key_events import (
    KeyChain,
    Position,
    parse_key_event,
    verify_extension,
    verify_key_events,
)
from testamur.registry.keys import PublicKey
from testamur.registry.notes import VerifierKey
from testamur.registry.repudiations import verify_repudiations
from testamur.registry.statements import Statement, fresh_repudiations, parse_statement, verify_statement

MAX_KEY_EVENTS = 256
"""As in evidence: a rotation a month for twenty years."""


class LogCopy(Protocol):
    """This member's own copy of a log: what its mirror vouches for. Durable, and read on every call."""

    def read_entries(self, start: int, count: int) -> Sequence[Entry]:
        """Entries from leaf `start` on: `count` of them, or fewer when the copy holds no more."""

    def find_document(self, digest: bytes) -> bytes | None:
        """The public document with this SHA-256 digest, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredLog:
    """A log that is mirrored, as the contract knows it.

    `first_key_event` is the digest with which the issuer was admitted, `key_chains` are the contract's
    records of its recoveries, `superseded` says that the next epoch has taken over. A first key event of None
    leaves the issuer's signatures unchecked: for tests and foreign logs only.
    """

    key: VerifierKey
    did: str | None = None
    first_key_event: bytes | None = None
    key_chains: Sequence[KeyChainRecord] = ()
    superseded: bool = False

    @property
    def origin(self) -> str:
        """The log's origin, which is its key's name."""
        return self.key.name


def read_document(copy: LogCopy, digest: bytes) -> bytes:
    """A document of the copy. Raises VerificationError: mirror-document-missing, mirror-document-damaged."""
    data = copy.find_document(digest)
    if data is None:
        raise VerificationError("mirror-document-missing", digest=digest.hex())
    if sha256(data) != digest:
        raise VerificationError("mirror-document-damaged", digest=digest.hex())
    return data


def read_statement(copy: LogCopy, digest: bytes) -> Statement:
    """A statement of the copy. Raises VerificationError: mirror-statement-malformed, and the same."""
    try:
        return parse_statement(parse_json(read_document(copy, digest), subject="statement"))
    except MalformedError as exc:
        raise VerificationError("mirror-statement-malformed", digest=digest.hex()) from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedChain:
    """The key chain that a statement names; `number` is 0 for the admission's, then counts recoveries."""

    number: int
    keys: KeyChain


class KeyReader:
    """Reads and proves key chains; each raises VerificationError, and MalformedError about a key event."""

    def __init__(self, log: MirroredLog, copy: LogCopy, first_key_event: bytes) -> None:
        self._firsts = [first_key_event, *(record.first_key_event for record in log.key_chains)]
        self._records = log.key_chains
        self._copy = copy

    def verify_signed(self, statement: Statement, position: Position) -> None:
        """A key of the chain that the statement names made it, and was in force at `position`.

        By its own chain: what was logged before the council replaced that chain stays what it was.
        """
        keys = self._named(statement).keys

        def key_in_force(method: str) -> PublicKey:
            found = keys.find_key(method)
            if found is None or not found.contains(position):
                raise VerificationError("key-not-in-force", method=method[:200], index=position.index)
            return found.public_key

        verify_statement(statement, key_in_force)

    def verify_growth(self, before: Statement | None, later: Statement, published: Position) -> None:
        """No event is taken back or takes effect in the past, no recovery is undone, nothing else repudiated.

        `published` is the first leaf after the seal before.
        """
        named = self._named(later)
        if before is not None:
            known = self._named(before)
            if named.number < known.number:
                raise VerificationError("statement-key-events-fell", sequence=later.sequence)
            added = len(named.keys.events)
            if named.number == known.number:
                verify_extension(known.keys, named.keys, published)
                added -= len(known.keys.events)
            else:
                # A chain that was replaced before any statement named it has one event.
                added += named.number - known.number - 1
                if any(event.start < published for event in named.keys.events[1:]):
                    raise VerificationError("key-event-backdated", sequence=later.sequence)
            if later.key_events_count != before.key_events_count + added:
                raise VerificationError("statement-key-events-mismatch", sequence=later.sequence)
        fresh = fresh_repudiations(before, later)
        if fresh:
            verify_repudiations(fresh, self._all(later))

    def _named(self, statement: Statement) -> NamedChain:
        """From an event that the contract knows. Raises VerificationError("mirror-key-chain-foreign")."""
        events: list[Json] = []
        digest: bytes | None = statement.key_events_head
        while digest is not None:
            if len(events) == MAX_KEY_EVENTS:
                raise VerificationError("mirror-key-chain-foreign", sequence=statement.sequence)
            document = parse_json(read_document(self._copy, digest), subject="key event")
            events.append(document)
            digest = parse_key_event(document).previous
        keys = verify_key_events(events[::-1])
        if keys.first_digest not in self._firsts:
            raise VerificationError("mirror-key-chain-foreign", sequence=statement.sequence)
        number = self._firsts.index(keys.first_digest)
        return NamedChain(number=number, keys=self._begun(keys, number))

    def _begun(self, keys: KeyChain, number: int) -> KeyChain:
        if number == 0:
            return keys
        record = self._records[number - 1]
        return keys.beginning_at(Position(record.epoch, record.start_size))

    def _all(self, statement: Statement) -> IssuerKeys:
        """All chains up to the one that the statement names; earlier ones by the last statement of each."""
        named = self._named(statement)
        chains = [named.keys]
        while named.number > 0:
            earlier = self._before(statement, named.number)
            statement, named, after = earlier[0], earlier[1], named.number
            silent = [self._silent(number) for number in range(named.number + 1, after)]
            chains = [named.keys, *silent, *chains]
        return IssuerKeys(chains=tuple(chains))

    def _before(self, statement: Statement, number: int) -> tuple[Statement, NamedChain]:
        while statement.previous is not None:
            statement = read_statement(self._copy, statement.previous)
            named = self._named(statement)
            if named.number < number:
                return statement, named
        raise VerificationError("mirror-key-chain-foreign", sequence=statement.sequence)

    def _silent(self, number: int) -> KeyChain:
        event = parse_json(read_document(self._copy, self._firsts[number]), subject="key event")
        return self._begun(verify_key_events([event]), number)
