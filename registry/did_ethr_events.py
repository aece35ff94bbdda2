"""ERC-1056 on the wire: the one call and the three events from which a did:ethr document is made.

https://eips.ethereum.org/EIPS/eip-1056. The ABI of these is small enough to be read here by hand; whatever
has another shape is refused.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from testamur.registry.errors import MalformedError
from testamur.registry.hashing import keccak256

ADDRESS_BYTES: Final = 20
MAX_VALUE_BYTES: Final = 4096
"""An attribute's value; a key has some dozens of bytes, a service's description a few hundred."""

OWNER_CHANGED: Final = keccak256(b"DIDOwnerChanged(address,address,uint256)")
DELEGATE_CHANGED: Final = keccak256(b"DIDDelegateChanged(address,bytes32,address,uint256,uint256)")
ATTRIBUTE_CHANGED: Final = keccak256(b"DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)")
TOPICS: Final = (OWNER_CHANGED, DELEGATE_CHANGED, ATTRIBUTE_CHANGED)
"""The first topic of each kind of event; the second is the identity."""

_WORD: Final = 32
_SUBJECT: Final = "ERC-1056 event"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerChanged:
    """The identity belongs to another account now; to nobody when `owner` is zero."""

    owner: bytes
    previous_change: int
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateChanged:
    """An account may act for the identity up to and including the second `valid_to` (Unix time)."""

    kind: str
    delegate: bytes
    valid_to: int
    previous_change: int
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChanged:
    """Something is said about the identity up to and including the second `valid_to` (Unix time)."""

    name: str
    value: bytes
    valid_to: int
    previous_change: int
    block: int


EthrEvent: TypeAlias = OwnerChanged | DelegateChanged | AttributeChanged


def changed_call(identity: bytes) -> bytes:
    """Call data of `changed(address)`: in which block an identity was changed last."""
    return keccak256(b"changed(address)")[:4] + identity.rjust(_WORD, b"\0")


def parse_block_number(data: bytes) -> int:
    """What `changed` returns; 0 for an identity that was never changed. Raises MalformedError."""
    if len(data) != _WORD:
        raise MalformedError("ERC-1056 registry", f"answered changed() with {len(data)} bytes, not {_WORD}")
    return int.from_bytes(data)


def parse_event(topics: list[bytes], data: bytes, *, identity: bytes, block: int) -> EthrEvent | None:
    """One event of block number `block`; None when it is about another identity. Raises MalformedError."""
    if len(topics) != 2 or topics[0] not in TOPICS or any(len(topic) != _WORD for topic in topics):
        raise MalformedError(_SUBJECT, "is none of the three kinds")
    if topics[1] != identity.rjust(_WORD, b"\0"):
        return None
    if topics[0] == OWNER_CHANGED:
        owner, previous = _words(data, 2)
        return OwnerChanged(owner=_address(owner), previous_change=int.from_bytes(previous), block=block)
    if topics[0] == DELEGATE_CHANGED:
        kind, delegate, valid_to, previous = _words(data, 4)
        return DelegateChanged(
            kind=_name(kind),
            delegate=_address(delegate),
            valid_to=int.from_bytes(valid_to),
            previous_change=int.from_bytes(previous),
            block=block,
        )
    name, offset, valid_to, previous = _words(data[: 4 * _WORD], 4)
    return AttributeChanged(
        name=_name(name),
        value=_value(data, int.from_bytes(offset)),
        valid_to=int.from_bytes(valid_to),
        previous_change=int.from_bytes(previous),
        block=block,
    )


def _words(data: bytes, count: int) -> list[bytes]:
    if len(data) != count * _WORD:
        raise MalformedError(_SUBJECT, f"has {len(data)} bytes, not {count * _WORD}")
    return [data[start : start + _WORD] for start in range(0, len(data), _WORD)]


def _address(word: bytes) -> bytes:
    if any(word[:-ADDRESS_BYTES]):
        raise MalformedError(_SUBJECT, "has an address of more than 20 bytes")
    return word[-ADDRESS_BYTES:]


def _name(word: bytes) -> str:
    """Text in 32 bytes, zeros after it. What is no text names nothing that is known, and stays distinct."""
    return word.rstrip(b"\0").decode("utf-8", "backslashreplace")


def _value(data: bytes, offset: int) -> bytes:
    if offset != 4 * _WORD or len(data) < offset + _WORD:
        raise MalformedError(_SUBJECT, "has its value somewhere else than after its four words")
    length = int.from_bytes(data[offset : offset + _WORD])
    if length > MAX_VALUE_BYTES:
        raise MalformedError(_SUBJECT, f"has a value of {length} bytes, more than {MAX_VALUE_BYTES}")
    value = data[offset + _WORD : offset + _WORD + length]
    if len(value) != length:
        raise MalformedError(_SUBJECT, f"has {len(value)} bytes of value, not {length}")
    return value
