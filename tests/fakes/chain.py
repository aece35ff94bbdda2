"""A small chain with one AnchorRegistry that answers what `ChainClient` is asked; no process, no clock.

It keeps a mempool, mines on demand, forgets blocks in a reorg, and can be made to fail. Storage proofs,
headers and hashes are real, so the code under test proves what it reads.
"""

import copy

import rlp as pyrlp
from coincurve import PublicKey
from eth_abi import decode

from fakes.chain_state import RegistryState
from testamur.node.chain.contracts import functions
from testamur.node.chain.news import BlockNews
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.values import ChainIdentity, Fees, Receipt, StorageAnswer
from testamur.node.errors import ChainUnavailable
from testamur.registry.evm import slots
from testamur.registry.evm.headers import parse_header
from testamur.registry.hashing import keccak256

WORD = (1 << 256) - 1


class FakeChain:
    """Takes the place of a ChainClient. `outages` calls fail; `on_call` sees every call's name first."""

    def __init__(self, *, finality_depth=2, name="http://fake"):
        self.name = name
        self.state = RegistryState(number=0, neighbours=5)
        self.identity = ChainIdentity(chain_id=31337, genesis_hash=parse_header(self.state.header()).hash)
        self.contract = self.state.contract
        self.blocks = [self._sealed()]
        self.nonces = {}
        self.receipts = {}
        self.mempool = {}
        self.market = Fees(max_fee_wei=3_000_000_000, tip_wei=1_000_000_000)
        self.finality_depth = finality_depth
        self.outages = 0
        self.on_call = lambda name: None
        self.is_mining = False
        self.sent = []
        self.news = BlockNews()
        self.balance = 10**18

    # --- what tests do to it

    def open_log(self, log_id, issuer_id):
        self.state.issuer(issuer_id, identity=b"\x01" * 32)
        self.state.log(log_id, issuer_id, root=bytes(32), sequence=0, key=b"\x02" * 32)
        self.mine()

    def mine(self, blocks=1):
        for _ in range(blocks):
            self.state.parent_hash = parse_header(self.blocks[-1][0]).hash
            self.state.number += 1
            self.state.timestamp += 1
            mined, self.mempool = list(self.mempool.values()), {}
            receipts = [self._execute(transaction) for transaction in mined if self._is_next(transaction)]
            self.blocks.append(self._sealed())
            for receipt in receipts:
                self.receipts[receipt.transaction_hash] = receipt

    def reorg(self, blocks, *, keep_transactions=False):
        """Forget the newest blocks; their transactions go back to the mempool or are lost."""
        lost = [
            receipt
            for receipt in self.receipts.values()
            if receipt.block_number > len(self.blocks) - 1 - blocks
        ]
        del self.blocks[-blocks:]
        self.state, self.nonces = copy.deepcopy(self.blocks[-1][1]), dict(self.blocks[-1][2])
        self.state.timestamp += 100  # the new blocks have other hashes
        for receipt in lost:
            del self.receipts[receipt.transaction_hash]
        if keep_transactions:
            for raw in self.sent:
                self._offer(raw)

    def log_word(self, log_id):
        return slots.unpack(self.state.storage.get(slots.log_slots(log_id)[1], 0), slots.LOG_WORD)

    # --- what the code under test asks

    async def check(self):
        self._called("check")
        return self.identity

    async def check_contract(self, contract):
        self._called("check_contract")
        assert contract == self.contract

    async def head(self):
        self._called("head")
        return parse_header(self.blocks[-1][0])

    async def finalized(self):
        self._called("finalized")
        return parse_header(self.blocks[max(0, len(self.blocks) - 1 - self.finality_depth)][0])

    async def header_bytes(self, number):
        self._called("header_bytes")
        return self.blocks[number][0]

    async def find_header(self, number):
        self._called("find_header")
        return parse_header(self.blocks[number][0]) if number < len(self.blocks) else None

    async def header(self, number):
        found = await self.find_header(number)
        if found is None:
            raise ChainUnavailable(f"{self.name} has no block {number}")
        return found

    async def find_seals(self, number):
        self._called("find_seals")

    async def get_proof(self, contract, wanted, block_number, *, accept=None):
        self._called("get_proof")
        evidence = self.blocks[block_number][1].evidence(wanted)
        answer = StorageAnswer(nodes=evidence.nodes)
        if accept is not None:
            accept(answer)
        return answer

    async def transaction_count(self, address, *, block=None):
        self._called("transaction_count")
        return self.blocks[-1 if block is None else block][2].get(address, 0)

    async def balance_wei(self, address):
        self._called("balance_wei")
        return self.balance

    async def fees(self):
        self._called("fees")
        return self.market

    async def estimate_gas(self, sender, contract, data, value_wei=0):
        self._called("estimate_gas")
        error = self._run(copy.deepcopy(self.state), data)
        if error is not None:
            raise RpcRefused("eth_estimateGas", 3, "execution reverted", error)
        return 90_000

    async def send_raw(self, raw):
        self._called("send_raw")
        self.sent.append(raw)
        refused = self._offer(raw)
        if refused:
            raise RpcRefused("eth_sendRawTransaction", -32000, refused, None)
        if self.is_mining:
            self.mine()
        self._called("send_raw:done")

    async def find_receipt(self, transaction_hash):
        self._called("find_receipt")
        return self.receipts.get(transaction_hash)

    # --- inside

    def _called(self, name):
        self.on_call(name)
        if self.outages:
            self.outages -= 1
            raise ChainUnavailable(f"no answer to {name}")

    def _sealed(self):
        return self.state.header(), copy.deepcopy(self.state), dict(getattr(self, "nonces", {}))

    def _offer(self, raw):
        transaction = parsed(raw)
        if transaction["nonce"] < self.nonces.get(transaction["sender"], 0):
            return "nonce too low"
        place = (transaction["sender"], transaction["nonce"])
        pending = self.mempool.get(place)
        if pending is not None:
            if pending["hash"] == transaction["hash"]:
                return "already known"
            if 10 * transaction["tip"] < 11 * pending["tip"] or 10 * transaction["cap"] < 11 * pending["cap"]:
                return "replacement transaction underpriced"
        self.mempool[place] = transaction
        return None

    def _is_next(self, transaction):
        return transaction["nonce"] == self.nonces.get(transaction["sender"], 0)

    def _execute(self, transaction):
        self.nonces[transaction["sender"]] = transaction["nonce"] + 1
        attempt = copy.deepcopy(self.state)
        error = self._run(attempt, transaction["data"])
        if error is None:
            self.state = attempt
        return Receipt(
            transaction_hash=transaction["hash"],
            block_number=self.state.number,
            block_hash=keccak256(transaction["hash"]),
            succeeded=error is None,
            gas_used=80_000,
            contract=None,
        )

    def _run(self, state, data):
        """Apply `anchor` or `anchorMany` to a state; the revert's bytes, or None."""
        for name in ("anchor", "anchorMany"):
            if data[:4] == functions()[name].selector:
                arguments = decode(functions()[name].types, data[4:])
                for call in [arguments] if name == "anchor" else arguments[0]:
                    error = self._anchor(state, call)
                    if error is not None:
                        return error
                return None
        return b""

    def _anchor(self, state, call):
        log_id, old_size, size, root, statement, proof = call
        word = slots.unpack(state.storage.get(slots.log_slots(log_id)[1], 0), slots.LOG_WORD)
        if word["operator"] == 0:
            return revert("UnknownLog(bytes32)", int.from_bytes(log_id))
        head = state.storage.get(slots.history_slot(log_id, word["sequence"]), 0)
        current = slots.unpack(head, slots.ANCHOR_WORD)
        if size == current["size"]:
            return None
        if old_size != current["size"]:
            return revert("StaleTreeSize(uint64,uint64)", old_size, current["size"])
        if proof and proof[0] == b"bad".ljust(32, b"\0"):
            return revert("NotAnExtension(bytes32,bytes32)", 0, int.from_bytes(root))
        issuer_id = state.storage[slots.log_slots(log_id)[3]].to_bytes(32)
        sequence = word["sequence"] + 1
        state.log(log_id, issuer_id, root=root, sequence=sequence, key=b"\x02" * 32)
        state.anchor(
            log_id,
            sequence,
            size=size,
            block_number=state.number,
            timestamp=state.timestamp,
            statement=statement,
        )
        return None


def parsed(raw):
    """A signed transaction of type 2, with its sender recovered by coincurve."""
    fields = pyrlp.decode(raw[1:])
    digest = keccak256(raw[:1] + pyrlp.encode(fields[:9]))
    signature = fields[10].rjust(32, b"\0") + fields[11].rjust(32, b"\0") + (fields[9] or b"\0")
    key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    return {
        "nonce": int.from_bytes(fields[1]),
        "tip": int.from_bytes(fields[2]),
        "cap": int.from_bytes(fields[3]),
        "data": fields[7],
        "hash": keccak256(raw),
        "sender": keccak256(key.format(compressed=False)[1:])[12:],
    }


def revert(signature, *words):
    return keccak256(signature.encode())[:4] + b"".join(word.to_bytes(32) for word in words)
