"""Where AnchorRegistry keeps its records: the positions are part of the evidence format.

A record is proven slot by slot, without running the contract (docs/spec/storage-layout.md).
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from testamur.registry.hashing import keccak256
from testamur.registry.remembered import remembering

StorageValues: TypeAlias = Mapping[bytes, int]
"""Proven values by slot; absent means "not proven", which is not the same as zero."""

SLOT_BYTES: Final = 32
"""Length of a storage position and of the word that stands there."""

ADDRESS_BYTES: Final = 20
"""Length of an account's or contract's address."""

ISSUERS_SLOT: Final = 4
LOGS_SLOT: Final = 5
HISTORY_SLOT: Final = 6
SUSPENSIONS_SLOT: Final = 7
KEY_CHAINS_SLOT: Final = 8
"""Positions of the contract's mappings, in the order of their declaration."""

MAX_REMEMBERED_SLOTS: Final = 1024
"""Positions of hundreds of logs: each costs one to three Keccaks, and every credential asks for the same."""

Fields: TypeAlias = tuple[tuple[str, int], ...]
"""Names and widths in bits of the fields of a packed word, from the lowest bit up, as Solidity packs them."""

ISSUER_WORD: Final[Fields] = (
    ("controller", 160),
    ("lifecycle", 8),
    ("epoch", 16),
    ("statement", 32),
    ("suspensions", 16),
    ("keyChains", 16),
)
LOG_WORD: Final[Fields] = (("operator", 160), ("sequence", 64))
LOG_STANDING_WORD: Final[Fields] = (("goodSize", 64), ("epoch", 16), ("superseded", 8))
ANCHOR_WORD: Final[Fields] = (("size", 64), ("blockNumber", 64), ("timestamp", 64), ("statement", 32))
SUSPENSION_WORD: Final[Fields] = (
    ("fromEpoch", 16),
    ("fromSize", 64),
    ("untilEpoch", 16),
    ("untilSize", 64),
    ("suspendedAt", 48),
    ("reinstatedAt", 48),
)
KEY_CHAIN_WORD: Final[Fields] = (("epoch", 16), ("startSize", 64), ("recordedAt", 48))


@remembering(MAX_REMEMBERED_SLOTS)
def issuer_slots(issuer_id: bytes) -> tuple[bytes, bytes, bytes]:
    """Identity; the packed word; custodian."""
    base = _mapping(issuer_id, _word(ISSUERS_SLOT))
    return base, _offset(base, 1), _offset(base, 2)


@remembering(MAX_REMEMBERED_SLOTS)
def log_slots(log_id: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Root; operator and sequence; key; issuer id; good size, epoch and superseded."""
    base = _mapping(log_id, _word(LOGS_SLOT))
    return base, _offset(base, 1), _offset(base, 2), _offset(base, 3), _offset(base, 4)


@remembering(MAX_REMEMBERED_SLOTS)
def history_slot(log_id: bytes, sequence: int) -> bytes:
    """Anchor number `sequence` of a log, counted from 1."""
    return _mapping(_word(sequence), _mapping(log_id, _word(HISTORY_SLOT)))


def suspension_slot(issuer_id: bytes, number: int) -> bytes:
    """Suspension `number` of an issuer, counted from 0."""
    return _mapping(_word(number), _mapping(issuer_id, _word(SUSPENSIONS_SLOT)))


def key_chain_slots(issuer_id: bytes, number: int) -> tuple[bytes, bytes]:
    """Replacement `number` of an issuer's key chain, counted from 0: first key event; the packed word."""
    base = _mapping(_word(number), _mapping(issuer_id, _word(KEY_CHAINS_SLOT)))
    return base, _offset(base, 1)


def unpack(word: int, fields: Fields) -> dict[str, int]:
    """The fields of a packed word. Raises ValueError when bits beyond the last field are set."""
    found = {}
    for name, bits in fields:
        found[name] = word & ((1 << bits) - 1)
        word >>= bits
    if word:
        raise ValueError("bits beyond the last field are set")
    return found


def _mapping(key: bytes, position: bytes) -> bytes:
    """Solidity: the value of a mapping at `position` stands at keccak(key ‖ position)."""
    return keccak256(key + position)


def _offset(base: bytes, words: int) -> bytes:
    return _word((int.from_bytes(base) + words) % (1 << 256))


def _word(value: int) -> bytes:
    return value.to_bytes(SLOT_BYTES)
