"""A real Anvil with a registry contract and one open log, for benchmarks that need a chain.

Not a benchmark itself. The chain lives in a temporary folder and is gone afterwards.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import TransactionSender
from testamur.registry.entries import Origin
from testamur.registry.hashing import sha256
from testamur.registry.merkle import leaf_hash, prove_consistency, root_hash

ROOT = Path(__file__).resolve().parent.parent.parent
REGISTRY = "registry.example"
ADA = Origin(registry=REGISTRY, slug="ada", epoch=1)
COUNCIL = ChainAccount(sha256(b"council"))
OPERATOR_SECRET = sha256(b"operator")
OPERATOR = ChainAccount(OPERATOR_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A running chain, and the contract's address on it."""

    anvil: Anvil
    contract: bytes


@asynccontextmanager
async def registry_chain() -> AsyncIterator[Chain]:
    """A chain on which Ada's log may be anchored by the operator's account."""
    with TemporaryDirectory() as folder:
        anvil = await Anvil.start(find_anvil(ROOT), Path(folder))
        try:
            for account in (COUNCIL, OPERATOR):
                await anvil.fund(account.address, 10**21)
            council = TransactionSender(anvil.client, COUNCIL, poll_seconds=0.01)
            deployed = await council.deploy(REGISTRY, council=COUNCIL.address, recovery_delay_seconds=1)
            contract = deployed.contract
            if contract is None:
                raise RuntimeError("the contract was not deployed")
            identity, key = sha256(b"admission"), sha256(b"key")
            await council.call(
                contract,
                "admit",
                ADA.slug,
                "did:web:ada.example",
                identity,
                COUNCIL.address,
                OPERATOR.address,
                key,
            )
            yield Chain(anvil=anvil, contract=contract)
        finally:
            await anvil.stop()


class Tree:
    """The roots and consistency proofs of a log that grows."""

    def __init__(self, size: int) -> None:
        self._leaves = [leaf_hash(number.to_bytes(4)) for number in range(size)]

    def call(self, old_size: int, size: int) -> tuple[bytes, int, int, bytes, int, list[bytes]]:
        """The arguments of `anchor`."""
        proof = prove_consistency(self._leaves[:size], old_size, size) if old_size else []
        return (ADA.log_id, old_size, size, root_hash(self._leaves[:size]), 1, list(proof))
