"""A chain with one AnchorRegistry in it, as bytes: storage, account, state and header; nothing runs."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from fakes.tries import Trie
from testamur.registry.evm import rlp, slots
from testamur.registry.evm.anchors import AnchorEvidence
from testamur.registry.evm.layout import Lifecycle, evidence_slots
from testamur.registry.hashing import keccak256

CONTRACT = bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")
GENESIS = keccak256(b"genesis")
OPERATOR, CONTROLLER = b"\x0a" * 20, b"\x0b" * 20


def pack(fields, **values):
    """A packed word; fields that are not named are zero."""
    word, shift = 0, 0
    for name, bits in fields:
        word |= int(values.pop(name, 0)) << shift
        shift += bits
    assert not values, values
    return word


@dataclass
class RegistryState:
    """Storage of a contract. Records are written with keyword arguments named as in the Solidity structs."""

    chain_id: int = 31337
    genesis_hash: bytes = GENESIS
    contract: bytes = CONTRACT
    number: int = 64
    timestamp: int = 1_795_000_000
    parent_hash: bytes = bytes(32)
    storage: dict = field(default_factory=dict)
    neighbours: int = 0

    def issuer(
        self, issuer_id, *, identity, custodian=bytes(32), lifecycle=Lifecycle.ACTIVE, epoch=1, **fields
    ):
        first, packed, last = slots.issuer_slots(issuer_id)
        fields.setdefault("controller", int.from_bytes(CONTROLLER))
        self._put(first, int.from_bytes(identity))
        self._put(packed, pack(slots.ISSUER_WORD, lifecycle=lifecycle, epoch=epoch, **fields))
        self._put(last, int.from_bytes(custodian))

    def log(self, log_id, issuer_id, *, root, sequence, key, good_size=0, epoch=1, superseded=False):
        places = slots.log_slots(log_id)
        self._put(places[0], int.from_bytes(root))
        self._put(places[1], pack(slots.LOG_WORD, operator=int.from_bytes(OPERATOR), sequence=sequence))
        self._put(places[2], int.from_bytes(key))
        self._put(places[3], int.from_bytes(issuer_id))
        self._put(
            places[4], pack(slots.LOG_STANDING_WORD, goodSize=good_size, epoch=epoch, superseded=superseded)
        )

    def anchor(self, log_id, sequence, *, size, block_number, timestamp, statement):
        word = pack(
            slots.ANCHOR_WORD, size=size, blockNumber=block_number, timestamp=timestamp, statement=statement
        )
        self._put(slots.history_slot(log_id, sequence), word)

    def suspension(self, issuer_id, number, **fields):
        self._put(slots.suspension_slot(issuer_id, number), pack(slots.SUSPENSION_WORD, **fields))

    def key_chain(self, issuer_id, number, *, first_key_event, **fields):
        first, packed = slots.key_chain_slots(issuer_id, number)
        self._put(first, int.from_bytes(first_key_event))
        self._put(packed, pack(slots.KEY_CHAIN_WORD, **fields))

    def tries(self):
        """(storage trie, state trie); `neighbours` other slots and accounts make the walks longer."""
        return _tries(frozenset(self.storage.items()), self.contract, self.neighbours)

    def header(self):
        """RLP of the block header, with fields up to Prague."""
        _, state_trie = self.tries()
        return header_bytes(
            state_root=state_trie.root,
            number=self.number,
            timestamp=self.timestamp,
            parent_hash=self.parent_hash,
        )

    def evidence(self, wanted):
        """An anchor that proves the slots `wanted`, without finality notes."""
        storage_trie, state_trie = self.tries()
        nodes = dict.fromkeys(state_trie.prove(keccak256(self.contract)))
        for slot in wanted:
            nodes |= dict.fromkeys(storage_trie.prove(keccak256(slot)))
        return AnchorEvidence(
            chain_id=self.chain_id,
            genesis_hash=self.genesis_hash,
            contract=self.contract,
            header=self.header(),
            nodes=tuple(nodes),
            slots=tuple(wanted),
        )

    def evidence_for(self, issuer_id, log_id, *, epoch=1, history=()):
        """An anchor with what `prove_anchor` needs for one log."""
        values = {}
        while True:
            wanted = evidence_slots(issuer_id, log_id, epoch=epoch, values=values, history=history)
            if set(wanted) <= set(values):
                return replace(self.evidence(wanted), history=tuple(history))
            values = {slot: self.storage.get(slot, 0) for slot in wanted}

    def _put(self, slot, value):
        if value:
            self.storage[slot] = value
        else:
            self.storage.pop(slot, None)


@lru_cache(maxsize=64)
def _tries(slots_and_values, contract, neighbours):
    storage = {keccak256(slot): _integer(value) for slot, value in slots_and_values}
    storage |= {keccak256(b"slot%d" % number): _integer(number + 1) for number in range(neighbours)}
    storage_trie = Trie(storage)
    account = rlp.encode([b"\x01", b"", storage_trie.root, keccak256(b"code")])
    state = {keccak256(b"account%d" % number): account for number in range(neighbours)}
    return storage_trie, Trie({**state, keccak256(contract): account})


def header_bytes(*, state_root, number, timestamp, extra_data=b"", later=(), parent_hash=bytes(32)):
    """RLP of a header; `later` are fields that forks after Prague added."""
    zero = bytes(32)
    fields = [parent_hash, zero, bytes(20), state_root, zero, zero, bytes(256)]
    fields += [rlp.encode_integer(value) for value in (0, number, 30_000_000, 0, timestamp)]
    fields += [extra_data, zero, bytes(8), rlp.encode_integer(7), zero, b"", b"", zero, zero]
    return rlp.encode([*fields, *later])


def _integer(value):
    return rlp.encode(rlp.encode_integer(value))
