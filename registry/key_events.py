"""The proven history of an issuer's keys: key events, of which each follows from the one before.

Order is leaf order, so no clock decides which key was in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.key_event_format import (
    FIRST_POSITION,
    IssuerKey,
    KeyEvent,
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
)
from testamur.registry.keys import PublicKey
from testamur.registry.proofs import SecuredDocument, proofs_of

__all__ = [
    "FIRST_POSITION",
    "IssuerKey",
    "KeyChain",
    "KeyEvent",
    "KeyInterval",
    "Position",
    "build_key_event",
    "commitment",
    "parse_key_event",
    "verification_method",
    "verify_extension",
    "verify_key_events",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInterval:
    """A key and the leaves it may sign for: from `start` on, up to but not including `end` (None: still)."""

    key: IssuerKey
    start: Position
    end: Position | None
    compromised: bool

    @property
    def public_key(self) -> PublicKey:
        """The key itself."""
        return self.key.public_key

    def contains(self, position: Position) -> bool:
        """Whether something logged at `position` counts as signed in time."""
        return self.start <= position and (self.end is None or position < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChain:
    """A verified chain of key events, and the interval of every key that ever was in force.

    `start` is the leaf at which the first event takes effect.
    """

    issuer: str
    start: Position
    events: tuple[KeyEvent, ...]
    intervals: tuple[KeyInterval, ...]

    @property
    def first_digest(self) -> bytes:
        """Digest of the first event: what an admission, or the contract after a recovery, binds."""
        return self.events[0].digest

    @property
    def head(self) -> bytes:
        """Digest of the last event: `keyEvents.head` of a statement."""
        return self.events[-1].digest

    def find_key(self, verification_method_id: str) -> KeyInterval | None:
        """The interval of the key with this id, or None when no event ever named it."""
        for interval in self.intervals:
            if interval.key.id == verification_method_id:
                return interval
        return None

    def keys_at(self, epoch: int, index: int) -> list[IssuerKey]:
        """The keys in force at a leaf."""
        return [item.key for item in self.intervals if item.contains(Position(epoch, index))]

    def beginning_at(self, start: Position) -> "KeyChain":
        """The same chain, taking effect where the contract says: not before its first event allows it.

        Raises VerificationError("key-event-start-mismatch").
        """
        if start < self.start or any(event.start <= start for event in self.events[1:]):
            raise VerificationError("key-event-start-mismatch", epoch=start.epoch, leaf_index=start.index)
        return replace(self, start=start, intervals=_intervals(self.events, start))


def verify_key_events(
    documents: Sequence[Json], first_digest: bytes | None = None, *, start: Position | None = None
) -> KeyChain:
    """Prove that `documents` are one unbroken chain of key events, beginning with the one that was admitted.

    `first_digest` and `start` are what the first event must be and where it must take effect; a caller who
    leaves them out binds `KeyChain.first_digest` and `.start` later, by the admission or by the contract.
    Checked: the hash chain, the commitments, possession of every revealed key, increasing positions.
    Raises MalformedError and VerificationError: key-event-first-mismatch, key-event-start-mismatch,
    key-event-issuer-mismatch, key-event-chain-broken, key-event-commitment-mismatch, key-event-order,
    key-event-departures, key-event-key-reused, key-event-id-reused, key-event-reveals-nothing,
    key-event-proof-missing, key-event-proof-by-stranger, and those of `SecuredDocument.verify`.
    """
    if not documents:
        raise MalformedError("key events", "are missing")
    events = tuple(parse_key_event(item, f"key event {number}") for number, item in enumerate(documents, 1))
    first = events[0]
    if first_digest is not None and first.digest != first_digest:
        raise VerificationError("key-event-first-mismatch")
    if start is not None and first.start != start:
        raise VerificationError(
            "key-event-start-mismatch", epoch=first.start.epoch, leaf_index=first.start.index
        )
    before: KeyEvent | None = None
    seen: dict[str, str] = {}
    for event in events:
        _verify_step(before, event, seen)
        seen |= {key.multibase: key.id for key in event.keys}
        before = event
    return KeyChain(
        issuer=first.issuer, start=first.start, events=events, intervals=_intervals(events, first.start)
    )


def verify_extension(older: KeyChain, newer: KeyChain, logged: Position) -> None:
    """Prove that `newer` only adds events to `older`, none of which takes effect before leaf `logged`.

    `logged` is the first leaf that was not yet published when `older` was the newest chain. What a mirror
    checks, because without it a key's end could be backdated. Raises VerificationError("key-event-rewritten")
    and VerificationError("key-event-backdated").
    """
    count = len(older.events)
    if [event.digest for event in newer.events[:count]] != [event.digest for event in older.events]:
        raise VerificationError("key-event-rewritten", issuer=newer.issuer)
    for event in newer.events[count:]:
        if event.start < logged:
            raise VerificationError("key-event-backdated", sequence=event.sequence)


def _verify_step(before: KeyEvent | None, event: KeyEvent, seen: dict[str, str]) -> None:
    """One event after the one before it; `seen` are all keys of earlier events, with their ids."""
    number = event.sequence
    if event.sequence != (before.sequence + 1 if before else 1):
        raise VerificationError("key-event-chain-broken", sequence=number)
    old_keys = before.keys if before else ()
    if before is not None:
        if event.issuer != before.issuer:
            raise VerificationError("key-event-issuer-mismatch", sequence=number)
        if event.previous != before.digest:
            raise VerificationError("key-event-chain-broken", sequence=number)
        if commitment(key.public_key for key in event.keys) != before.next_commitment:
            raise VerificationError("key-event-commitment-mismatch", sequence=number)
        if not before.start < event.start:
            raise VerificationError("key-event-order", sequence=number)
    staying = {key.multibase for key in old_keys}
    left = {key.id for key in old_keys} - {key.id for key in event.keys}
    if left != {*event.retired, *event.compromised}:
        raise VerificationError("key-event-departures", sequence=number)
    if any(key.multibase in seen and key not in old_keys for key in event.keys):
        raise VerificationError("key-event-key-reused", sequence=number)
    if {key.id for key in event.keys if key.multibase not in seen} & set(seen.values()):
        # Under one id for two keys the old one would never end, and its thief would sign for ever.
        raise VerificationError("key-event-id-reused", sequence=number)
    revealed = [key for key in event.keys if key.multibase not in staying]
    if not revealed:
        raise VerificationError("key-event-reveals-nothing", sequence=number)
    _verify_proofs(event, revealed, {key.id: key for key in (*old_keys, *event.keys)})


def _verify_proofs(event: KeyEvent, revealed: list[IssuerKey], known: dict[str, IssuerKey]) -> None:
    """Every revealed key signed the event, which proves that the issuer holds it; the old ones may have."""
    signed = set()
    secured = SecuredDocument(event.json)
    for proof in proofs_of(event.json, "key event"):
        key = known.get(str(proof.get("verificationMethod")))
        if key is None:
            raise VerificationError("key-event-proof-by-stranger", sequence=event.sequence)
        secured.verify(proof, key.public_key)
        signed.add(key.id)
    for key in revealed:
        if key.id not in signed:
            raise VerificationError("key-event-proof-missing", sequence=event.sequence, key=key.id)


def _intervals(events: tuple[KeyEvent, ...], start: Position) -> tuple[KeyInterval, ...]:
    """One interval per key: a key never comes back, so it has one start and at most one end."""
    found: dict[str, KeyInterval] = {}
    for event in events:
        since = start if event is events[0] else event.start
        for key in event.keys:
            if key.id not in found:
                found[key.id] = KeyInterval(key=key, start=since, end=None, compromised=False)
        for key_id in (*event.retired, *event.compromised):
            earlier = found[key_id]
            found[key_id] = KeyInterval(
                key=earlier.key,
                start=earlier.start,
                end=event.start,
                compromised=key_id in event.compromised,
            )
    return tuple(found.values())
