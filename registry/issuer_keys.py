"""Which of an issuer's keys were in force at a position of its logs, over replaced key chains as well.

After a loss the council has the contract record a new first key event, and from which size on it counts. What
that chain's own first event says is the earliest place: it is made before anybody knows the size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from testamur.registry.canonical import Json
from testamur.registry.entries import MAX_EPOCH
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import (
    FIRST_POSITION,
    KeyChain,
    KeyEvent,
    KeyInterval,
    Position,
    verify_extension,
    verify_key_events,
)
from testamur.registry.keys import PublicKey
from testamur.registry.multiformats import encode_digest
from testamur.registry.remembered import remembering_json
from testamur.registry.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IssuerKeys:
    """An issuer's key chains in order; the first is the one of its admission.

    One value for one list of events while it is remembered: compared by what it is, not by what it holds.
    """

    chains: tuple[KeyChain, ...]

    @property
    def issuer(self) -> str:
        """The DID that every key event names."""
        return self.chains[0].issuer

    @property
    def first_digest(self) -> bytes:
        """Digest of the very first key event, which the admission document names."""
        return self.chains[0].first_digest

    @property
    def head(self) -> bytes:
        """Digest of the newest key event."""
        return self.chains[-1].head

    @property
    def events(self) -> tuple[KeyEvent, ...]:
        """The key events of all chains, one chain after the other."""
        return tuple(event for chain in self.chains for event in chain.events)

    @property
    def count(self) -> int:
        """How many key events there are in all chains together."""
        return sum(len(chain.events) for chain in self.chains)

    def public_key(self, verification_method: str, position: Position | None = None) -> PublicKey:
        """The key that a proof names; at a position, as the chain that governs it understands the name first.

        Two chains may give one name to two keys: the lost one, and the one that replaced it.
        Raises VerificationError("verification-method-unknown").
        """
        chains = self.chains if position is None else (self._governing(position), *self.chains)
        for chain in chains:
            found = chain.find_key(verification_method)
            if found is not None:
                return found.public_key
        raise VerificationError("verification-method-unknown", method=verification_method[:200])

    def public_key_in_force(self, verification_method: str, position: Position) -> PublicKey:
        """The named key, if it was in force at the position. Raises VerificationError("key-not-in-force")."""
        found = self._governing(position).find_key(verification_method)
        if found is None or not found.contains(position):
            raise VerificationError(
                "key-not-in-force", method=verification_method[:200], index=position.index
            )
        return found.public_key

    def is_in_force(self, verification_method: str, position: Position) -> bool:
        """Whether the key was in force at the position, by the chain that governs it."""
        found = self._governing(position).find_key(verification_method)
        return found is not None and found.contains(position)

    def lost_intervals(self) -> list[KeyInterval]:
        """The keys that somebody else may have had, each until its last leaf.

        Those that a key event calls compromised, and those that were in force where a chain of the
        council's begins.
        """
        found = []
        for number, chain in enumerate(self.chains, 1):
            replaced = self.chains[number].start if number < len(self.chains) else None
            for item in chain.intervals:
                if replaced is not None and (item.end is None or replaced < item.end):
                    found.append(replace(item, end=replaced, compromised=True))
                elif item.compromised:
                    found.append(item)
        return found

    def as_of(self, head: bytes) -> "IssuerKeys | None":
        """The chains up to the one with this key event, which a statement names; None when none has it."""
        for number, chain in enumerate(self.chains, 1):
            if any(event.digest == head for event in chain.events):
                return IssuerKeys(chains=self.chains[:number])
        return None

    def bind(self, records: Sequence[KeyChainRecord]) -> "IssuerKeys":
        """The same keys, with every replaced chain in force from where the contract says.

        The chains after the first are exactly those that the contract recorded. The first is bound by the
        admission document. Raises VerificationError: key-chain-missing when the contract has more,
        key-chain-mismatch, key-event-start-mismatch.
        """
        added = self.chains[1:]
        if len(added) < len(records):
            raise VerificationError("key-chain-missing", got=len(added), wanted=len(records))
        if [chain.first_digest for chain in added] != [record.first_key_event for record in records]:
            raise VerificationError("key-chain-mismatch", got=len(added), wanted=len(records))
        starts = [Position(record.epoch, record.start_size) for record in records]
        bound = (chain.beginning_at(start) for chain, start in zip(added, starts, strict=True))
        return IssuerKeys(chains=(self.chains[0], *bound))

    def _governing(self, position: Position) -> KeyChain:
        """The newest chain that had begun at the position."""
        governing = self.chains[0]
        for chain in self.chains[1:]:
            if chain.start <= position:
                governing = chain
        return governing


def verify_issuer_keys(events: Sequence[Json]) -> IssuerKeys:
    """Every chain among the events is sound in itself; a new chain begins at sequence 1.

    Whether they are *this issuer's* is proven elsewhere: by the admission document and `bind`. Events that
    were found sound are remembered: all credentials of an issuer bring the same.
    """
    return _verify(list(events))


def verify_key_growth(older: IssuerKeys, newer: IssuerKeys, published: Position) -> None:
    """Prove that `newer` only adds to `older`, and no event that takes effect before leaf `published`.

    Only the newest chain grows, and one that was replaced before any statement named it has one event. Where
    a replaced chain begins is for `bind`. Raises VerificationError: key-event-rewritten,
    key-event-backdated, key-chain-mismatch.
    """
    known = len(older.chains)
    verify_extension(older.chains[-1], newer.chains[known - 1], published)
    if len(newer.chains) == known:
        return
    silent = newer.chains[known:-1]
    grown = [len(newer.chains[known - 1].events), *(len(chain.events) for chain in silent)]
    if grown != [len(older.chains[-1].events), *(1 for _ in silent)]:
        raise VerificationError("key-chain-mismatch", got=len(newer.chains) - 1, wanted=known - 1)
    for event in newer.chains[-1].events[1:]:
        if event.start < published:
            raise VerificationError("key-event-backdated", sequence=event.sequence)


def record_json(record: KeyChainRecord) -> dict[str, Json]:
    """A record of the contract, for one's own disk."""
    return {
        "firstKeyEvent": encode_digest(record.first_key_event),
        "epoch": record.epoch,
        "startSize": record.start_size,
        "recordedAt": record.recorded_at,
    }


def parse_record(shape: Shape) -> KeyChainRecord:
    """What `record_json` wrote. Raises MalformedError."""
    return KeyChainRecord(
        first_key_event=shape.digest("firstKeyEvent"),
        epoch=shape.integer("epoch", minimum=1, maximum=MAX_EPOCH),
        start_size=shape.integer("startSize"),
        recorded_at=shape.integer("recordedAt"),
    )


@remembering_json
def _verify(events: Json) -> IssuerKeys:
    groups: list[list[Json]] = []
    for number, event in enumerate(events if isinstance(events, list) else (), 1):
        if Shape(event, f"key event {number}").integer("sequence", minimum=1) == 1:
            groups.append([])
        if not groups:
            raise MalformedError(f"key event {number}", "must have sequence 1: the chain begins there")
        groups[-1].append(event)
    if not groups:
        raise MalformedError("key events", "are missing")
    first = verify_key_events(groups[0], start=FIRST_POSITION)
    chains = (first, *(verify_key_events(group) for group in groups[1:]))
    if any(chain.issuer != first.issuer for chain in chains):
        raise VerificationError("key-event-issuer-mismatch", sequence=1)
    return IssuerKeys(chains=chains)
