"""One RPC endpoint.

Block headers are believed only as far as they hash; storage is read with proofs (`register`, `capture`).
What is left to the endpoint: which block is final, and to pass transactions on.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from testamur.node.addresses import shown_url, without_secrets
from testamur.node.chain import values
from testamur.node.chain.blocks import encoded_block, refuse_another_chain, verify_same_chain
from testamur.node.chain.news import BlockNews
from testamur.node.chain.ports import Accept
from testamur.node.chain.refusals import RpcRefused, refused
from testamur.node.chain.transport import (
    HTTP_SCHEMES,
    MAX_ANSWER_BYTES,
    WEBSOCKET_SCHEMES,
    Provider,
    open_provider,
)
from testamur.node.chain.values import ChainIdentity, Fees, Receipt, StorageAnswer
from testamur.node.chain.websocket import Ask, WebSocketTransport
from testamur.node.errors import ChainUnavailable, ConfigError, WrongChain
from testamur.registry.evm.headers import Header, parse_header
from testamur.registry.evm.qbft import QbftSeals

CALL_SECONDS: Final = 10.0
"""How long one answer may take. A public endpoint needs half a second, a proof with many slots two."""

MAX_EVENT_BLOCKS: Final = 2_000
"""Blocks per eth_getLogs: what the strictest public endpoints allow."""

MAX_REASON: Final = 300
"""Characters of a foreign error that are shown: some quote the whole answer."""

DEFAULT_TIP_WEI: Final = 1_000_000_000
"""Offered when the endpoint suggests no tip: usual on public chains, harmless on others."""


class ChainClient:
    """One endpoint of one chain. Safe for concurrent calls on one event loop; every call is bounded in time.

    Every method raises ChainUnavailable when there is no usable answer. `check` comes first.
    """

    def __init__(
        self,
        rpc_url: str,
        *,
        chain_id: int,
        genesis_hash: bytes | None = None,
        call_seconds: float = CALL_SECONDS,
        final_tag: str = "finalized",
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        news: BlockNews | None = None,
    ) -> None:
        """`final_tag` is "latest" for a chain whose blocks are final at once (QBFT), and for no other.

        `news` is where a WebSocket endpoint announces blocks; shared by the endpoints of a pool.
        """
        if not rpc_url.startswith((*HTTP_SCHEMES, *WEBSOCKET_SCHEMES)):
            raise ConfigError("rpc_url", f"{rpc_url!r} is not an http, https, ws or wss address")
        self.rpc_url = rpc_url
        self.name = shown_url(rpc_url)
        self._chain_id = chain_id
        self._genesis_hash = genesis_hash
        self._call_seconds = call_seconds
        self._final_tag = final_tag
        self._max_answer_bytes = max_answer_bytes
        self.news = news or BlockNews()
        self._last_final: Header | None = None
        self._provider: Provider | None = None
        self._connecting = asyncio.Lock()

    @property
    def identity(self) -> ChainIdentity:
        """Which chain this is: from configuration, or from the first successful `check` on."""
        if self._genesis_hash is None:
            raise ConfigError("genesis_hash", "is not known before the chain was asked")
        return ChainIdentity(chain_id=self._chain_id, genesis_hash=self._genesis_hash)

    def endpoints(self) -> Mapping[str, str]:
        """Nothing: the state of the only endpoint is the state of the chain."""
        return {}

    async def check(self) -> ChainIdentity:
        """Compare chain id and genesis with what is expected. Raises WrongChain; repeat after an outage."""
        identity = ChainIdentity(
            chain_id=values.quantity(await self.request("eth_chainId", []), "the chain id"),
            genesis_hash=(await self.header(0)).hash,
        )
        refuse_another_chain(self.name, identity, chain_id=self._chain_id, genesis_hash=self._genesis_hash)
        self._genesis_hash = identity.genesis_hash
        return self.identity

    async def check_contract(self, contract: bytes) -> None:
        """There is code at the address. Raises WrongChain."""
        code = await self.request("eth_getCode", [values.to_hex(contract), "latest"])
        if not values.data(code, "the contract's code"):
            raise WrongChain(f"there is no contract at 0x{contract.hex()} on chain {self._chain_id}")

    async def check_contains(self, number: int, block_hash: bytes | None = None) -> None:
        """The chain still holds a block that was final before; `block_hash` None compares the height only.

        Raises WrongChain naming the cure.
        """
        found = await self._block(values.to_hex(number))
        if found is None:
            head = await self.head()
            raise WrongChain(
                f"{self.name} ends at block {head.number}, before block {number}, which was final: the "
                "chain was restored from an older snapshot; restore the newest one, or start a new registry"
            )
        if block_hash is not None and found.hash != block_hash:
            was, now = values.to_hex(block_hash), values.to_hex(found.hash)
            raise WrongChain(f"block {number} was final as {was} and is now {now}: this is another chain")

    # --- blocks

    async def head(self) -> Header:
        """The newest block; it may still be replaced."""
        return await self._existing("latest")

    async def finalized(self) -> Header:
        """The newest block that the endpoint calls final."""
        self._last_final = await self._existing(self._final_tag)
        return self._last_final

    async def header(self, number: int) -> Header:
        """The canonical block at this height, its hash computed from its fields."""
        return await self._existing(values.to_hex(number))

    async def find_header(self, number: int) -> Header | None:
        """The same, or None when the chain has not come so far."""
        return await self._block(values.to_hex(number))

    async def header_bytes(self, number: int) -> bytes:
        """RLP of the header of the block at this height; it hashes to the hash that the endpoint gives."""
        tag = values.to_hex(number)
        return encoded_block(await self._answer(tag), tag, self.name)[0]

    async def find_seals(self, number: int) -> QbftSeals | None:
        """The seals of a QBFT block; None on a chain of another kind."""
        tag = values.to_hex(number)
        return encoded_block(await self._answer(tag), tag, self.name)[1]

    # --- state

    async def get_proof(
        self, contract: bytes, slots: Sequence[bytes], block_number: int, *, accept: Accept | None = None
    ) -> StorageAnswer:
        """Trie nodes for the contract's account and slots in the state after this block (EIP-1186).

        `accept` proves them; what it raises is raised here.
        """
        keys = [values.to_hex(slot) for slot in slots]
        answer = await self.request(
            "eth_getProof", [values.to_hex(contract), keys, values.to_hex(block_number)]
        )
        found = values.storage_answer(answer)
        if accept is not None:
            accept(found)
        return found

    async def call(self, contract: bytes, data: bytes, *, block: int | None = None) -> bytes:
        """What a read returns, by the endpoint's word. A revert raises RpcRefused with its data."""
        tag = "latest" if block is None else values.to_hex(block)
        transaction = {"to": values.to_hex(contract), "data": values.to_hex(data)}
        return values.data(await self.request("eth_call", [transaction, tag]), "a read")

    async def balance_wei(self, address: bytes) -> int:
        """What the account holds."""
        answer = await self.request("eth_getBalance", [values.to_hex(address), "latest"])
        return values.quantity(answer, "a balance")

    async def event_rows(
        self, contract: bytes, *, first: int, last: int, topics: Sequence[bytes]
    ) -> list[object]:
        """Events of these kinds in blocks `first` to `last`, in order, as JSON: see the module `events`."""
        found: list[object] = []
        for start in range(first, last + 1, MAX_EVENT_BLOCKS):
            question = {
                "address": values.to_hex(contract),
                "fromBlock": values.to_hex(start),
                "toBlock": values.to_hex(min(last, start + MAX_EVENT_BLOCKS - 1)),
                "topics": [[values.to_hex(topic) for topic in topics]],
            }
            found += values.elements(await self.request("eth_getLogs", [question]), "events")
        return found

    # --- transactions

    async def transaction_count(self, address: bytes, *, block: int | None = None) -> int:
        """The account's next nonce, counting transactions mined up to `block`, or all mined ones."""
        tag = "latest" if block is None else values.to_hex(block)
        answer = await self.request("eth_getTransactionCount", [values.to_hex(address), tag])
        return values.quantity(answer, "a nonce")

    async def fees(self) -> Fees:
        """What a transaction should offer now: room for the base fee to double, and the suggested tip."""
        block = values.members(await self._answer("latest"), "block")
        if block.get("baseFeePerGas") is None:
            raise ChainUnavailable("the chain has no base fee: transactions need EIP-1559 (London)")
        base = values.quantity(block["baseFeePerGas"], "the base fee")
        try:
            tip = values.quantity(await self.request("eth_maxPriorityFeePerGas", []), "the tip")
        except RpcRefused:
            tip = DEFAULT_TIP_WEI
        return Fees(max_fee_wei=2 * base + tip, tip_wei=tip)

    async def estimate_gas(
        self, sender: bytes, contract: bytes | None, data: bytes, value_wei: int = 0
    ) -> int:
        """Gas that the transaction would use now. A revert raises RpcRefused with its data."""
        transaction = {"from": values.to_hex(sender), "data": values.to_hex(data), "value": hex(value_wei)}
        if contract is not None:
            transaction["to"] = values.to_hex(contract)
        return values.quantity(await self.request("eth_estimateGas", [transaction]), "a gas estimate")

    async def send_raw(self, transaction: bytes) -> None:
        """Hand a signed transaction to the endpoint. Raises RpcRefused; nothing is known about mining yet."""
        await self.request("eth_sendRawTransaction", [values.to_hex(transaction)])

    async def find_receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt, or None while the transaction is not in a canonical block."""
        answer = await self.request("eth_getTransactionReceipt", [values.to_hex(transaction_hash)])
        return None if answer is None else values.receipt(answer)

    # --- transport

    async def request(self, method: str, params: list[Any]) -> object:
        """The result of one JSON-RPC call, its shape unchecked. Raises RpcRefused for a JSON-RPC error."""
        provider = await self._connected()
        try:
            async with asyncio.timeout(self._call_seconds):
                answer: object = await provider.make_request(method, params)
        except (ChainUnavailable, WrongChain):  # a new connection was no use
            raise
        except TimeoutError as exc:
            raise ChainUnavailable(
                f"{self.name} did not answer {method} within {self._call_seconds} s"
            ) from exc
        except Exception as exc:
            # Whatever web3 and the libraries below it raise, it means that there was no answer.
            reason = without_secrets(str(exc), self.rpc_url)[:MAX_REASON] or type(exc).__name__
            raise ChainUnavailable(f"{self.name} did not answer {method}: {reason}") from exc
        said = values.members(answer, f"answer to {method}")
        error = said.get("error")
        if error is not None:
            raise refused(method, error)
        return said.get("result")

    async def close(self) -> None:
        """Close the connections; the client can be used again afterwards."""
        if self._provider is not None:
            await self._provider.disconnect()
            self._provider = None

    async def _connected(self) -> Provider:
        async with self._connecting:
            if self._provider is None and self.rpc_url.startswith(WEBSOCKET_SCHEMES):
                self._provider = WebSocketTransport(
                    self.rpc_url,
                    max_answer_bytes=self._max_answer_bytes,
                    greeting=self._greet,
                    news=self.news,
                )
            if self._provider is None:
                self._provider = await open_provider(self.rpc_url, max_answer_bytes=self._max_answer_bytes)
            return self._provider

    async def _greet(self, ask: Ask) -> None:
        """A new connection leads to the chain that the last one led to, as far as that is known.

        Behind one address there may be several machines, and one of them may be of another chain.
        """
        if self._genesis_hash is not None:
            await verify_same_chain(ask, self.name, self.identity, self._last_final)

    async def _answer(self, tag: str) -> object:
        return await self.request("eth_getBlockByNumber", [tag, False])

    async def _block(self, tag: str) -> Header | None:
        answer = await self._answer(tag)
        return None if answer is None else parse_header(encoded_block(answer, tag, self.name)[0])

    async def _existing(self, tag: str) -> Header:
        found = await self._block(tag)
        if found is None:
            raise ChainUnavailable(f"{self.name} has no block {tag}")
        return found
