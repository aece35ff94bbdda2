"""What an RPC endpoint answers, once it has the shape that was asked for.

Anything else raises ChainUnavailable: an answer that cannot be read is no answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testamur.node.errors import ChainUnavailable

_HEX = re.compile(r"0x[0-9a-fA-F]*")

SUCCEEDED = 1
"""Receipt status of a transaction that was not reverted (EIP-658)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainIdentity:
    """Which chain this is. Both parts: a development chain has another genesis after every fresh start."""

    chain_id: int
    genesis_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The outcome of a mined transaction. It belongs to a block *hash*: a reorg brings another one."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    contract: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAnswer:
    """The trie nodes of one eth_getProof answer, in order of first use, each once. Nothing is proven yet."""

    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """Fees of an EIP-1559 transaction in wei per gas: the most to be paid, and the producer's share of it."""

    max_fee_wei: int
    tip_wei: int


def quantity(value: object, what: str) -> int:
    """A JSON-RPC quantity. Raises ChainUnavailable."""
    if not isinstance(value, str) or len(value) < 3 or len(value) > 66 or not _HEX.fullmatch(value):
        raise ChainUnavailable(f"the endpoint described {what} unreadably: {str(value)[:80]}")
    return int(value, 16)


def data(value: object, what: str, *, length: int | None = None) -> bytes:
    """JSON-RPC data, of `length` bytes when that is given. Raises ChainUnavailable."""
    if isinstance(value, str) and value[:2] == "0x":
        try:
            decoded = bytes.fromhex(value[2:])
        except ValueError:
            decoded = None
        # fromhex skips white space; the length tells.
        if decoded is not None and 2 * len(decoded) == len(value) - 2 and length in (None, len(decoded)):
            return decoded
    wanted = "" if length is None else f", not as {length} bytes"
    raise ChainUnavailable(f"the endpoint described {what} unreadably{wanted}: {str(value)[:80]}")


def to_hex(value: bytes | int) -> str:
    """The JSON-RPC form of data or of a quantity."""
    return hex(value) if isinstance(value, int) else f"0x{value.hex()}"


def members(value: object, what: str) -> Mapping[str, object]:
    """A JSON object. Raises ChainUnavailable."""
    if not isinstance(value, dict):
        raise ChainUnavailable(f"the endpoint gave no {what}")
    return value


def elements(value: object, what: str) -> Sequence[object]:
    """A JSON array. Raises ChainUnavailable."""
    if not isinstance(value, list):
        raise ChainUnavailable(f"the endpoint gave no list of {what}")
    return value


def receipt(value: object) -> Receipt:
    """A receipt from JSON. Raises ChainUnavailable."""
    row = members(value, "receipt")
    contract = row.get("contractAddress")
    return Receipt(
        transaction_hash=data(row.get("transactionHash"), "a receipt's transaction", length=32),
        block_number=quantity(row.get("blockNumber"), "a receipt's block"),
        block_hash=data(row.get("blockHash"), "a receipt's block", length=32),
        succeeded=quantity(row.get("status"), "a receipt's status") == SUCCEEDED,
        gas_used=quantity(row.get("gasUsed"), "gas used"),
        contract=None if contract is None else data(contract, "a new contract", length=20),
    )


def storage_answer(value: object) -> StorageAnswer:
    """The nodes of an eth_getProof answer. Raises ChainUnavailable."""
    row = members(value, "storage proof")
    texts = list(elements(row.get("accountProof"), "account nodes"))
    for entry in elements(row.get("storageProof"), "storage proofs"):
        texts += elements(members(entry, "storage proof").get("proof"), "storage nodes")
    nodes = dict.fromkeys(data(text, "a trie node") for text in texts)
    # Some endpoints give the empty trie as a node of its own; no walk visits it, and a proof has no spare
    # nodes.
    nodes.pop(b"\x80", None)
    return StorageAnswer(nodes=tuple(nodes))
