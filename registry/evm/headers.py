"""Block headers: the bytes that a block hash covers, and the few fields that verification reads.

Yellow Paper §4.4; optional fields in the order in which forks added them: EIP-1559, 4895, 4844, 4788, 7685,
7928, 7843. A header may have more fields than are known here: they are kept, and the hash covers them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.hashing import keccak256

MAX_HEADER_BYTES = 16 * 1024
"""About 600 bytes on public chains; QBFT extra data adds 86 per validator, so 180 validators fit."""

MAX_HEADER_FIELDS = 40
"""Twenty-three are defined; forks add a few in a decade."""

MAX_CHAIN_INTEGER = 2**63 - 1
"""Block numbers are 64-bit by protocol; the sign bit is left to languages that have one."""

MAX_CHAIN_SECONDS = 253_402_300_799
"""The last second of the year 9999. A header's time is read before its finality is known, so a stranger
chooses it, and calendars end."""

_INTEGER = -1
_ANY = -2

_REQUIRED: Final = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", _INTEGER),
    ("number", _INTEGER),
    ("gasLimit", _INTEGER),
    ("gasUsed", _INTEGER),
    ("timestamp", _INTEGER),
    ("extraData", _ANY),
    ("mixHash", 32),
    ("nonce", 8),
)
_OPTIONAL: Final = (
    ("baseFeePerGas", _INTEGER),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", _INTEGER),
    ("excessBlobGas", _INTEGER),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
    ("blockAccessListHash", 32),
    ("slotNumber", _INTEGER),
)
_FIELDS: Final = _REQUIRED + _OPTIONAL
_POSITION: Final = {name: position for position, (name, _) in enumerate(_FIELDS)}

_QUANTITY = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A block header whose `hash` was computed from its bytes, never taken from somebody's word.

    `fields` are all RLP fields in order, those of later forks included.
    """

    number: int
    timestamp: int
    hash: bytes
    parent_hash: bytes
    state_root: bytes
    fields: tuple[rlp.RlpItem, ...]


def parse_header(data: bytes) -> Header:
    """The header that `data` encodes; its hash is the Keccak-256 of exactly these bytes.

    Raises MalformedError.
    """
    fields = rlp.decode_list(data, subject="block header", max_bytes=MAX_HEADER_BYTES)
    if not len(_REQUIRED) <= len(fields) <= MAX_HEADER_FIELDS:
        reason = f"has {len(fields)} fields, outside {len(_REQUIRED)} to {MAX_HEADER_FIELDS}"
        raise MalformedError("block header", reason)
    values = [_field(name, kind, item) for (name, kind), item in zip(_FIELDS, fields, strict=False)]
    return Header(
        number=_bounded("number", values, MAX_CHAIN_INTEGER),
        timestamp=_bounded("timestamp", values, MAX_CHAIN_SECONDS),
        hash=keccak256(data),
        parent_hash=values[_POSITION["parentHash"]],
        state_root=values[_POSITION["stateRoot"]],
        fields=tuple(fields),
    )


def encode_header(block: Mapping[str, object]) -> bytes:
    """The header bytes of a block as JSON-RPC describes it, proven by the hash that the same answer gives.

    Optional fields are taken in fork order until the first that is absent or null. Raises MalformedError, and
    VerificationError("header-hash-mismatch") when the fields do not hash to `block["hash"]`: an unknown fork,
    or a wrong answer.
    """
    items: list[rlp.RlpItem] = []
    for position, (name, kind) in enumerate(_FIELDS):
        text = block.get(name)
        if text is None and position >= len(_REQUIRED):
            break
        items.append(_from_hex(name, kind, text))
    claimed = _from_hex("hash", 32, block.get("hash"))
    data = rlp.encode(items)
    computed = keccak256(data)
    if computed != claimed:
        raise VerificationError(
            "header-hash-mismatch", claimed=f"0x{claimed.hex()}", computed=f"0x{computed.hex()}"
        )
    return data


def field_position(name: str) -> int:
    """Where the field that JSON-RPC calls `name` stands in `Header.fields`. Raises KeyError."""
    return _POSITION[name]


def _field(name: str, kind: int, item: rlp.RlpItem) -> bytes:
    subject = f"block header {name}"
    if not isinstance(item, bytes):
        raise MalformedError(subject, "must be bytes, not a list")
    if kind == _INTEGER:
        rlp.decode_integer(item, subject=subject)
    elif kind not in (_ANY, len(item)):
        raise MalformedError(subject, f"must have {kind} bytes, not {len(item)}")
    return item


def _bounded(name: str, values: list[bytes], maximum: int) -> int:
    value = int.from_bytes(values[_POSITION[name]])
    if value > maximum:
        raise MalformedError(f"block header {name}", f"is above {maximum}")
    return value


def _from_hex(name: str, kind: int, text: object) -> bytes:
    """A JSON-RPC QUANTITY or DATA as the bytes that RLP writes."""
    subject = f"block {name}"
    if not isinstance(text, str):
        raise MalformedError(subject, "is missing or not a string")
    if len(text) > 2 * MAX_HEADER_BYTES:
        raise MalformedError(subject, f"has {len(text)} characters")
    if not (_QUANTITY if kind == _INTEGER else _DATA).fullmatch(text):
        raise MalformedError(subject, f"is not a hexadecimal value: {text[:80]!r}")
    if kind == _INTEGER:
        return rlp.encode_integer(int(text, 16))
    return _field(name, kind, bytes.fromhex(text[2:]))
