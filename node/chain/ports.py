"""What is asked of a chain: one endpoint answers it, or several that must agree."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from testamur.node.chain.news import BlockNews
from testamur.node.chain.values import ChainIdentity, Fees, Receipt, StorageAnswer
from testamur.registry.evm.headers import Header
from testamur.registry.evm.qbft import QbftSeals

Accept: TypeAlias = Callable[[StorageAnswer], None]
"""Proves an answer, or raises FalseAnswer: then another endpoint is asked, if there is one."""


class Chain(Protocol):
    """The methods are described in `client`, for one endpoint, and in `pool`, for several."""

    @property
    def identity(self) -> ChainIdentity:
        """Which chain this is."""

    @property
    def name(self) -> str:
        """The endpoint, or endpoints, without what must not be shown."""

    @property
    def news(self) -> BlockNews:
        """New blocks, as far as endpoints announce them."""

    def endpoints(self) -> Mapping[str, str]:
        """The state of each endpoint in a word or a sentence, when there are several."""

    async def check(self) -> ChainIdentity:
        """Compare chain id and genesis."""

    async def check_contract(self, contract: bytes) -> None:
        """There is code at the address."""

    async def check_contains(self, number: int, block_hash: bytes | None = None) -> None:
        """The chain still holds a block that was final before."""

    async def head(self) -> Header:
        """The newest block."""

    async def finalized(self) -> Header:
        """The newest final block."""

    async def header(self, number: int) -> Header:
        """The canonical block at this height."""

    async def find_header(self, number: int) -> Header | None:
        """The same, or None when the chain has not come so far."""

    async def header_bytes(self, number: int) -> bytes:
        """RLP of that block's header."""

    async def find_seals(self, number: int) -> QbftSeals | None:
        """The seals of that block; None on a chain without them."""

    async def get_proof(
        self, contract: bytes, slots: Sequence[bytes], block_number: int, *, accept: Accept | None = None
    ) -> StorageAnswer:
        """Trie nodes that prove slots of a contract, accepted if that is asked for."""

    async def call(self, contract: bytes, data: bytes, *, block: int | None = None) -> bytes:
        """What a read returns."""

    async def balance_wei(self, address: bytes) -> int:
        """What an account holds."""

    async def event_rows(
        self, contract: bytes, *, first: int, last: int, topics: Sequence[bytes]
    ) -> list[object]:
        """Events as JSON."""

    async def transaction_count(self, address: bytes, *, block: int | None = None) -> int:
        """An account's next nonce."""

    async def fees(self) -> Fees:
        """What a transaction should offer."""

    async def estimate_gas(
        self, sender: bytes, contract: bytes | None, data: bytes, value_wei: int = 0
    ) -> int:
        """Gas that a transaction would use."""

    async def send_raw(self, transaction: bytes) -> None:
        """Hand a signed transaction over."""

    async def find_receipt(self, transaction_hash: bytes) -> Receipt | None:
        """A mined transaction's receipt."""

    async def close(self) -> None:
        """Close the connections."""
