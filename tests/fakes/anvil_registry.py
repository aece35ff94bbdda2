"""A registry contract on a real Anvil with logs that may be anchored, and sources of anchors for them."""

import contextlib
import time

from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions
from testamur.node.chain.anvil import Anvil
from testamur.node.chain.client import ChainClient
from testamur.node.chain.intents import AnchorRequest, IntentStore
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import TransactionSender
from testamur.registry.entries import Origin
from testamur.registry.hashing import sha256
from testamur.registry.merkle import leaf_hash, prove_consistency, root_hash

REGISTRY = "registry.example"
COUNCIL, OPERATOR = ChainAccount(sha256(b"council")), ChainAccount(sha256(b"operator"))


def origin(slug):
    return Origin(registry=REGISTRY, slug=slug, epoch=1)


class AnvilRegistry:
    """The contract at `address`; `admit` opens a log that OPERATOR anchors."""

    def __init__(self, anvil, council, address):
        self.anvil, self.client, self.council, self.address = anvil, anvil.client, council, address

    async def admit(self, slug):
        digest, key = sha256(b"admission"), sha256(b"vkey")
        arguments = (slug, f"did:web:{slug}.example", digest, COUNCIL.address, OPERATOR.address, key)
        await self.council.call(self.address, "admit", *arguments)
        return origin(slug)


@contextlib.asynccontextmanager
async def registry_on(binary, folder, *, operator_wei=10**20):
    """A started Anvil with a new registry on it, stopped at the end."""
    anvil = await Anvil.start(binary, folder)
    try:
        await anvil.fund(COUNCIL.address, 10**20)
        if operator_wei:
            await anvil.fund(OPERATOR.address, operator_wei)
        council = TransactionSender(anvil.client, COUNCIL, poll_seconds=0.01)
        receipt = await council.deploy(REGISTRY, council=COUNCIL.address, recovery_delay_seconds=1)
        yield AnvilRegistry(anvil, council, receipt.contract)
    finally:
        await anvil.stop()


class GrowingLog:
    """`AnchorSource` of one log, whose `size` the test sets. Two of them with one slug have the same entries."""

    def __init__(self, slug, size=0):
        self.origin, self.size = origin(slug), size
        self.heads, self.refusals, self.transactions = [], [], []
        self._leaves = [leaf_hash(slug.encode() + number.to_bytes(2)) for number in range(256)]

    def root(self, size):
        return root_hash(self._leaves[:size])

    async def newest(self, log_id, old_size):
        assert log_id == self.origin.log_id
        if self.size <= old_size:
            return None
        proof = prove_consistency(self._leaves[: self.size], old_size, self.size) if old_size else ()
        return AnchorRequest(
            log_id=log_id,
            old_size=old_size,
            size=self.size,
            root=self.root(self.size),
            statement=1,
            proof=tuple(proof),
        )

    async def anchored(self, head, transaction_hash):
        self.heads.append(head)
        self.transactions.append(transaction_hash)

    async def refused(self, log_id, error):
        self.refusals.append(error)


class AnchoringBench:
    """The log "ada" of a registry on Anvil, and anchorers of it that reach the chain through a proxy."""

    def __init__(self, registry, proxy, client, folder, *, resend_seconds):
        self.registry, self.proxy, self.client, self.folder = registry, proxy, client, folder
        self.log = GrowingLog("ada", size=5)
        self.store = IntentStore(folder / "intent")
        self._resend_seconds = resend_seconds

    def anchorer(self):
        made = Anchorer(
            self.client,
            self.registry.address,
            OPERATOR,
            self.store,
            self.log,
            clock=time.monotonic,
            options=AnchorerOptions(poll_seconds=0.01, resend_seconds=self._resend_seconds),
        )
        made.wake(self.log.origin.log_id)
        return made


@contextlib.asynccontextmanager
async def client_behind(registry, url):
    """A client of the registry's chain through a proxy; the log "ada" is admitted before."""
    await registry.admit("ada")
    genesis = registry.client.identity.genesis_hash
    client = ChainClient(url, chain_id=31337, genesis_hash=genesis, call_seconds=2.0)
    try:
        yield client
    finally:
        await client.close()
