"""Which of an issuer's keys were in force at a position of its logs, over replaced key chains as well."""

from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import FIRST_POSITION, KeyChain, Position, verify_key_events
from testamur.registry.keys import PublicKey
from testamur.registry.remembered import remembering_json
from testamur.registry.shapes import Shape

MAX_REMEMBERED_EVENT_BYTES = 1 << 20
"""The key events of hundreds of issuers, a kilobyte or two each. As values they take ten times as much."""


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
        if not self.is_in_force(verification_method, position):
            raise VerificationError(
                "key-not-in-force", method=verification_method[:200], index=position.index
            )
        return self.public_key(verification_method, position)

    def is_in_force(self, verification_method: str, position: Position) -> bool:
        """Whether the key was in force at the position, by the chain that governs it."""
        found = self._governing(position).find_key(verification_method)
        return found is not None and found.contains(position)

    def _governing(self, position: Position) -> KeyChain:
        """The newest chain that had begun at the position."""
        governing = self.chains[0]
        for chain in self.chains[1:]:
            if chain.start <= position:
                governing = chain
        return governing

    def bind(self, records: tuple[KeyChainRecord, ...]) -> None:
        """The chains after the first are exactly those that the contract recorded, where it says they begin.

        The first chain is bound by the admission document. Raises VerificationError("key-chain-mismatch").
        """
        replaced = self.chains[1:]
        if len(replaced) != len(records):
            raise VerificationError("key-chain-mismatch", got=len(replaced), wanted=len(records))
        for chain, record in zip(replaced, records, strict=True):
            starts_right = chain.start == Position(record.epoch, record.start_size)
            if chain.first_digest != record.first_key_event or not starts_right:
                raise VerificationError("key-chain-mismatch", got=len(replaced), wanted=len(records))


def verify_issuer_keys(events: tuple[Json, ...]) -> IssuerKeys:
    """Every chain among the events is sound in itself; a new chain begins at sequence 1.

    Whether they are *this issuer's* is proven elsewhere: by the admission document and `bind`. Events that
    were found sound are remembered: all credentials of an issuer bring the same.
    """
    return _verify(list(events))


@remembering_json(MAX_REMEMBERED_EVENT_BYTES)
def _verify(events: Json) -> IssuerKeys:
    groups: list[list[Json]] = []
    for number, event in enumerate(events if isinstance(events, list) else (), 1):
        if Shape(event, f"key event {number}").integer("sequence", minimum=1) == 1:
            groups.append([])
        if not groups:
            raise MalformedError(f"key event {number}", "must have sequence 1: the chain begins there")
        groups[-1].append(event)
    chains = tuple(verify_key_events(group) for group in groups)
    if not chains or chains[0].start != FIRST_POSITION or len({chain.issuer for chain in chains}) != 1:
        raise VerificationError("key-chain-mismatch", got=len(chains), wanted=1)
    return IssuerKeys(chains=chains)
