"""How a chain's block headers are known to be final: the rules that a trust file can set."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from testamur.registry.errors import MalformedError
from testamur.registry.evm.qbft import MAX_SEALS, QBFT_SEALS, quorum_of
from testamur.registry.evm.slots import ADDRESS_BYTES
from testamur.registry.shapes import Shape

MEMBER_ATTESTATIONS = "member-attestations"

MAX_VALIDATOR_SETS = 256
"""A change a year is imagined, a change a month is bearable; another trust file drops what is history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRule:
    """Final is what `threshold` members attest; they do so at every multiple of `interval_blocks`."""

    threshold: int
    interval_blocks: int
    type: ClassVar[str] = MEMBER_ATTESTATIONS

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.threshold} {self.type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorSet:
    """The validators, as addresses, that seal blocks from `from_block` on."""

    from_block: int
    addresses: frozenset[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRule:
    """Final is what a quorum of the validators named here sealed; the sets are in order of their blocks."""

    sets: tuple[ValidatorSet, ...]
    type: ClassVar[str] = QBFT_SEALS

    def validators_at(self, block: int) -> frozenset[bytes] | None:
        """Who seals this block; None before the first set."""
        known = [item.addresses for item in self.sets if item.from_block <= block]
        return known[-1] if known else None

    @property
    def words(self) -> str:
        """For people: the rule as it is from the last set on."""
        count = len(self.sets[-1].addresses)
        return f"{quorum_of(count)} of {count} validators, {self.type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRule:
    """A rule of a later version: kept by its name, and it proves nothing."""

    type: str

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.type}, which this version does not understand"


FinalityRule: TypeAlias = AttestationRule | SealRule | UnknownRule


def parse_finality_rule(shape: Shape, *, max_members: int) -> FinalityRule:
    """The rule of a trust file. Members of a rule that is known are all known, or refused.

    Raises MalformedError.
    """
    kind = shape.text("type", max_length=64)
    if kind == MEMBER_ATTESTATIONS:
        rule: FinalityRule = AttestationRule(
            threshold=shape.integer("threshold", minimum=1, maximum=max_members),
            interval_blocks=shape.integer("interval", minimum=1),
        )
    elif kind == QBFT_SEALS:
        rule = SealRule(sets=_sets(shape))
    else:
        return UnknownRule(type=kind)
    shape.refuse_unknown()
    return rule


def _sets(shape: Shape) -> tuple[ValidatorSet, ...]:
    sets = [_set(item) for item in shape.shapes("validators", minimum=1, maximum=MAX_VALIDATOR_SETS)]
    starts = [item.from_block for item in sets]
    if starts != sorted(set(starts)):
        raise MalformedError(shape.path("validators"), "must be in the order of fromBlock, each block once")
    return tuple(sets)


def _set(shape: Shape) -> ValidatorSet:
    texts = shape.texts("addresses", maximum=MAX_SEALS, max_length=2 + 2 * ADDRESS_BYTES)
    addresses = [
        parse_hex(text, ADDRESS_BYTES, f"{shape.path('addresses')}/{number}")
        for number, text in enumerate(texts)
    ]
    if not addresses or len(set(addresses)) != len(addresses):
        raise MalformedError(shape.path("addresses"), "must name at least one validator, and each once")
    found = ValidatorSet(from_block=shape.integer("fromBlock"), addresses=frozenset(addresses))
    shape.refuse_unknown()
    return found


def parse_hex(text: str, length: int, subject: str) -> bytes:
    """`0x` and exactly `length` bytes in lower-case digits. Raises MalformedError naming `subject`."""
    digits = text[2:]
    if not text.startswith("0x") or len(digits) != 2 * length or set(digits) - set("0123456789abcdef"):
        raise MalformedError(subject, f"must be 0x and {2 * length} lower-case hex digits")
    return bytes.fromhex(digits)
