"""Storage of one contract under a state root, proven by one shared set of trie nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.slots import ADDRESS_BYTES, SLOT_BYTES
from testamur.registry.evm.tries import TrieNodes, verify_value
from testamur.registry.hashing import keccak256

MAX_SLOTS = 1024
"""An ordinary proof has six; every suspension adds one and every replaced key chain two."""

_ACCOUNT_ITEMS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the state trie holds about one address."""

    nonce: int
    balance_wei: int
    storage_root: bytes
    code_hash: bytes


def verify_account(state_root: bytes, address: bytes, nodes: TrieNodes) -> Account | None:
    """The account at `address`, or None when the state proves that there is none.

    EIP-1186. Raises MalformedError and VerificationError as `verify_value` does.
    """
    data = verify_value(state_root, keccak256(address), nodes)
    if data is None:
        return None
    items = rlp.decode_list(data, subject="account")
    if len(items) != _ACCOUNT_ITEMS:
        raise MalformedError("account", f"has {len(items)} items, not {_ACCOUNT_ITEMS}")
    storage_root, code_hash = items[2], items[3]
    if not isinstance(storage_root, bytes) or not isinstance(code_hash, bytes):
        raise MalformedError("account", "has lists where hashes belong")
    if len(storage_root) != SLOT_BYTES or len(code_hash) != SLOT_BYTES:
        raise MalformedError("account", "has hashes of another length than 32 bytes")
    return Account(
        nonce=rlp.decode_integer(items[0], subject="account nonce", max_bytes=8),
        balance_wei=rlp.decode_integer(items[1], subject="account balance"),
        storage_root=storage_root,
        code_hash=code_hash,
    )


def verify_storage(
    state_root: bytes, contract: bytes, slots: Sequence[bytes], nodes: Sequence[bytes]
) -> dict[bytes, int]:
    """The proven value of each slot of `contract` in the state with `state_root`; an absent slot is 0.

    `slots` are 32-byte positions before hashing. `nodes` are the trie nodes of all walks together, each
    once; a node that no walk needs is refused. Raises MalformedError for the shape of slots and nodes, and
    VerificationError("storage-proof-incomplete" | "storage-proof-excess" | "storage-proof-too-long" |
    "contract-absent").
    """
    if len(contract) != ADDRESS_BYTES:
        raise MalformedError("contract", f"must have {ADDRESS_BYTES} bytes, not {len(contract)}")
    if len(slots) > MAX_SLOTS:
        raise MalformedError("slots", f"are {len(slots)}, more than {MAX_SLOTS}")
    for slot in slots:
        if len(slot) != SLOT_BYTES:
            raise MalformedError("slots", f"must have {SLOT_BYTES} bytes each, not {len(slot)}")
    if len(set(slots)) != len(slots):
        raise MalformedError("slots", "name one slot twice")
    supplied = TrieNodes(nodes)
    values = _walk(state_root, contract, slots, supplied)
    supplied.refuse_unvisited()
    return values


def needed_nodes(
    state_root: bytes, contract: bytes, slots: Sequence[bytes], nodes: Sequence[bytes]
) -> tuple[bytes, ...]:
    """Those of `nodes`, in their order, that prove these slots; the rest was for others.

    Raises as `verify_storage`, except for a node that no walk needs.
    """
    supplied = TrieNodes(nodes)
    _walk(state_root, contract, slots, supplied)
    return tuple(compress(nodes, supplied.are_visited()))


def _walk(
    state_root: bytes, contract: bytes, slots: Sequence[bytes], supplied: TrieNodes
) -> dict[bytes, int]:
    account = verify_account(state_root, contract, supplied)
    if account is None:
        raise VerificationError("contract-absent", contract=f"0x{contract.hex()}")
    return {slot: _slot_value(account.storage_root, slot, supplied) for slot in slots}


def _slot_value(storage_root: bytes, slot: bytes, nodes: TrieNodes) -> int:
    data = verify_value(storage_root, keccak256(slot), nodes)
    if data is None:
        return 0
    value = rlp.decode_integer(rlp.decode(data, subject="storage value"), subject="storage value")
    if value == 0:
        raise MalformedError("storage value", "is a stored zero, which the trie would not hold")
    return value
