"""Recursive Length Prefix, strict: every value has exactly one encoding, and no other one is accepted.

Ethereum Yellow Paper, appendix B; https://ethereum.org/developers/docs/data-structures-and-encoding/rlp/
"""

from collections.abc import Sequence
from typing import TypeAlias

from testamur.registry.errors import MalformedError

RlpItem: TypeAlias = "bytes | list[RlpItem]"
"""A byte string, or a list of items."""

RlpSource: TypeAlias = "bytes | Sequence[RlpSource]"
"""What can be encoded: tuples are as good as lists."""

MAX_RLP_BYTES = 64 * 1024
"""Headers and trie nodes are at most a few kB; anything larger is not one of them."""

MAX_RLP_DEPTH = 16
"""Trie nodes nest four deep, QBFT extra data three; the bound keeps hostile nesting off the stack."""

_STRING = 0x80
_HASH = _STRING + 32
_LIST = 0xC0
_SHORT = 55


def encode(item: RlpSource) -> bytes:
    """The one encoding of `item`."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
        return _prefix(len(item), _STRING) + item
    payload = b"".join([encode(child) for child in item])
    return _prefix(len(payload), _LIST) + payload


def encode_integer(value: int) -> bytes:
    """The big-endian byte string without leading zeros that RLP writes for an integer; zero is empty.

    Raises ValueError for a negative one.
    """
    if value < 0:
        raise ValueError("RLP has no negative integers")
    return value.to_bytes((value.bit_length() + 7) // 8)


def decode(data: bytes, *, subject: str = "RLP", max_bytes: int = MAX_RLP_BYTES) -> RlpItem:
    """The one item that `data` encodes, whole and canonical; `encode` gives back the same bytes.

    Raises MalformedError for another length, a length or byte written in more bytes than needed, or nesting
    beyond MAX_RLP_DEPTH.
    """
    if len(data) > max_bytes:
        raise MalformedError(subject, f"has {len(data)} bytes, more than {max_bytes}")
    item, end = _decode_item(data, 0, len(data), 0, subject)
    if end != len(data):
        raise MalformedError(subject, f"has {len(data) - end} bytes after its end")
    return item


def decode_list(data: bytes, *, subject: str = "RLP", max_bytes: int = MAX_RLP_BYTES) -> list[RlpItem]:
    """The same, for an item that must be a list."""
    item = decode(data, subject=subject, max_bytes=max_bytes)
    if isinstance(item, bytes):
        raise MalformedError(subject, "must be a list, not a byte string")
    return item


def decode_integer(item: RlpItem, *, subject: str, max_bytes: int = 32) -> int:
    """A non-negative integer of at most `max_bytes` bytes; leading zeros are refused.

    Raises MalformedError.
    """
    if not isinstance(item, bytes):
        raise MalformedError(subject, "must be an integer, not a list")
    if len(item) > max_bytes:
        raise MalformedError(subject, f"has {len(item)} bytes, more than {max_bytes}")
    if item[:1] == b"\0":
        raise MalformedError(subject, "is an integer with leading zeros")
    return int.from_bytes(item)


def _prefix(length: int, offset: int) -> bytes:
    if length <= _SHORT:
        return bytes((offset + length,))
    size = encode_integer(length)
    return bytes((offset + _SHORT + len(size),)) + size


def _decode_item(data: bytes, start: int, end: int, depth: int, subject: str) -> tuple[RlpItem, int]:
    """The item at `start`, which may not reach beyond `end`, and the position behind it."""
    if start >= end:
        raise MalformedError(subject, "ends where an item was expected")
    first = data[start]
    if first < _STRING:
        return data[start : start + 1], start + 1
    if first < _LIST:
        body, stop = _span(data, start, end, first - _STRING, subject)
        if stop - body == 1 and data[body] < _STRING:
            raise MalformedError(subject, "wraps a single byte that stands for itself")
        return data[body:stop], stop
    if depth == MAX_RLP_DEPTH:
        raise MalformedError(subject, f"nests deeper than {MAX_RLP_DEPTH} lists")
    body, stop = _span(data, start, end, first - _LIST, subject)
    children: list[RlpItem] = []
    while body < stop:
        # Sixteen of seventeen items of a branch are hashes or nothing: no call for each of them.
        after = body + 1 + data[body] - _STRING
        if data[body] == _STRING or (data[body] == _HASH and after <= stop):
            children.append(data[body + 1 : after])
            body = after
        else:
            child, body = _decode_item(data, body, stop, depth + 1, subject)
            children.append(child)
    return children, stop


def _span(data: bytes, start: int, end: int, code: int, subject: str) -> tuple[int, int]:
    """Where the payload of the item at `start` begins and ends."""
    body = start + 1
    length = code
    if code > _SHORT:
        body += code - _SHORT
        size = data[start + 1 : min(body, end)]
        length = int.from_bytes(size)
        if len(size) != code - _SHORT or size[:1] == b"\0" or length <= _SHORT:
            raise MalformedError(subject, "has a length that is cut off or longer than needed")
    if body + length > end:
        raise MalformedError(subject, f"ends before an item of {length} bytes does")
    return body, body + length
