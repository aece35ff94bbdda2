"""Several RPC endpoints of one chain: no single one of them is believed.

What is proven needs one good answer, from whichever endpoint gives it. What is believed (which block is
final, nonces, receipts, events) needs more than half of the endpoints that answer; heights and counts are
the highest that more than half have reached, which of two endpoints is the lower one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from testamur.node.chain.agreement import event_key, majority, reached, said, value_of
from testamur.node.chain.endpoints import Endpoint
from testamur.node.chain.news import BlockNews
from testamur.node.chain.ports import Accept, Chain
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.transactions import SendRefusal, classify_refusal
from testamur.node.chain.values import ChainIdentity, Fees, Receipt, StorageAnswer
from testamur.node.errors import ChainUnavailable, ConfigError, WrongChain
from testamur.registry.evm import rlp
from testamur.registry.evm.headers import Header
from testamur.registry.evm.qbft import QbftSeals

Answer = TypeVar("Answer")


class ChainPool:
    """Answers like a ChainClient (see there for each method), from several of them.

    An endpoint of another chain or genesis is refused alone and asked again after a minute. Raises WrongChain
    when all are refused, ChainUnavailable when none answers or when they contradict each other.
    """

    def __init__(
        self,
        clients: Sequence[Chain],
        *,
        clock: Callable[[], float] = time.monotonic,
        news: BlockNews | None = None,
    ) -> None:
        """`clock` gives seconds that never go back; `news` is where these clients announce blocks."""
        self.news = news or BlockNews()
        names = [client.name for client in clients]
        self._endpoints = [
            Endpoint(client, name if names.count(name) == 1 else f"{name} ({number})", clock)
            for number, (client, name) in enumerate(zip(clients, names, strict=True), 1)
        ]
        self._identity: ChainIdentity | None = None

    @property
    def identity(self) -> ChainIdentity:
        """Which chain this is, from the first successful `check` on."""
        if self._identity is None:
            raise ConfigError("genesis_hash", "is not known before the chain was asked")
        return self._identity

    @property
    def name(self) -> str:
        """The names of all endpoints."""
        return ", ".join(endpoint.name for endpoint in self._endpoints)

    def endpoints(self) -> dict[str, str]:
        """The state of each endpoint in a word or a sentence."""
        return {endpoint.name: endpoint.state for endpoint in self._endpoints}

    async def check(self) -> ChainIdentity:
        """Ask every endpoint for chain and genesis again."""
        for endpoint in self._endpoints:
            endpoint.reconsider()
        await self._ready()
        return self.identity

    async def check_contract(self, contract: bytes) -> None:
        """Endpoints without the contract are refused."""
        await self._ask_all(lambda client: client.check_contract(contract))

    async def check_contains(self, number: int, block_hash: bytes | None = None) -> None:
        """Endpoints whose chain does not hold the block are refused."""
        await self._ask_all(lambda client: client.check_contains(number, block_hash))

    # --- blocks: believed

    async def head(self) -> Header:
        """The newest block that more than half have reached and agree about."""
        return await self._agreed_tip("the newest block", lambda client: client.head())

    async def finalized(self) -> Header:
        """The newest block that more than half call final and agree about."""
        return await self._agreed_tip("the final block", lambda client: client.finalized())

    async def find_header(self, number: int) -> Header | None:
        """The block at this height that more than half have."""
        answers = await self._ask_all(lambda client: client.find_header(number))
        return majority(f"block {number}", answers, lambda found: found and found.hash)

    async def header(self, number: int) -> Header:
        """The same; it must exist."""
        found = await self.find_header(number)
        if found is None:
            raise ChainUnavailable(f"most endpoints have no block {number} yet")
        return found

    async def header_bytes(self, number: int) -> bytes:
        """The header's bytes; RLP is canonical, so they follow from its fields."""
        return rlp.encode((await self.header(number)).fields)

    async def find_seals(self, number: int) -> QbftSeals | None:
        """Seals prove themselves: the answer of one endpoint."""
        return await self._ask_one(lambda client: client.find_seals(number))

    # --- state

    async def get_proof(
        self, contract: bytes, slots: Sequence[bytes], block_number: int, *, accept: Accept | None = None
    ) -> StorageAnswer:
        """The first answer that is accepted."""
        return await self._ask_one(
            lambda client: client.get_proof(contract, slots, block_number, accept=accept)
        )

    async def call(self, contract: bytes, data: bytes, *, block: int | None = None) -> bytes:
        """What more than half say, be it a revert."""
        answers = await self._hear_all(lambda client: client.call(contract, data, block=block))
        return value_of(majority("a read", answers, said))

    async def balance_wei(self, address: bytes) -> int:
        """What more than half would pay out."""
        answers = await self._hear_all(lambda client: client.balance_wei(address))
        return reached("a balance", answers)

    async def event_rows(
        self, contract: bytes, *, first: int, last: int, topics: Sequence[bytes]
    ) -> list[object]:
        """The events that more than half give; what some endpoints add to an event does not matter."""
        answers = await self._ask_all(
            lambda client: client.event_rows(contract, first=first, last=last, topics=topics)
        )
        return majority("events", answers, lambda rows: tuple(map(event_key, rows)))

    # --- transactions

    async def transaction_count(self, address: bytes, *, block: int | None = None) -> int:
        """The nonce that more than half have reached."""
        answers = await self._hear_all(lambda client: client.transaction_count(address, block=block))
        return reached("a nonce", answers)

    async def fees(self) -> Fees:
        """The middle of what is suggested: neither the greedy nor the stale endpoint."""
        answers = await self._ask_all(lambda client: client.fees())
        offers = sorted((fees for _, fees in answers), key=lambda fees: (fees.max_fee_wei, fees.tip_wei))
        return offers[(len(offers) - 1) // 2]

    async def estimate_gas(
        self, sender: bytes, contract: bytes | None, data: bytes, value_wei: int = 0
    ) -> int:
        """What is needed, if more than half could do it; the refusal of more than half otherwise."""
        answers = await self._hear_all(lambda client: client.estimate_gas(sender, contract, data, value_wei))
        value_of(majority("a transaction", answers, lambda answer: isinstance(answer, RpcRefused)))
        estimates = sorted(answer for _, answer in answers if not isinstance(answer, RpcRefused))
        return estimates[len(estimates) // 2]

    async def send_raw(self, transaction: bytes) -> None:
        """To all of them; one that takes it is enough."""
        answers = await self._hear_all(lambda client: client.send_raw(transaction))
        refusals = [answer for _, answer in answers if isinstance(answer, RpcRefused)]
        if len(refusals) == len(answers):
            known = [refusal for refusal in refusals if classify_refusal(refusal) is SendRefusal.KNOWN]
            raise (known or refusals)[0]

    async def find_receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt that more than half have; None while there is none."""
        answers = await self._ask_all(lambda client: client.find_receipt(transaction_hash))
        for _, receipt in answers:
            same = [other for _, other in answers if _is_same(receipt, other)]
            if receipt is not None and 2 * len(same) > len(answers):
                return receipt
        return None

    async def close(self) -> None:
        """Close all connections."""
        for endpoint in self._endpoints:
            await endpoint.client.close()

    # --- asking

    async def _ready(self) -> list[Endpoint]:
        """Endpoints that serve this chain, as far as they answer now."""
        awake = [endpoint for endpoint in self._endpoints if not endpoint.is_resting]
        await asyncio.gather(*(endpoint.admit(self._identity) for endpoint in awake))
        ready = [endpoint for endpoint in awake if endpoint.identity is not None]
        if not ready:
            raise self._silence()
        if self._identity is None:
            kinds = {endpoint.identity for endpoint in ready}
            if len(kinds) > 1:
                raise WrongChain(f"{self.name} serve different chains: set `genesis_hash` to say which one")
            self._identity = ready[0].identity
        return sorted(ready, key=lambda endpoint: endpoint.rank)

    async def _ask_one(self, question: Callable[[Chain], Awaitable[Answer]]) -> Answer:
        last: ChainUnavailable | None = None
        for endpoint in await self._ready():
            try:
                return await endpoint.ask(question)
            except WrongChain:
                continue  # a new connection led elsewhere: that endpoint is refused, the others are asked
            except ChainUnavailable as exc:
                last = exc
        raise last or self._silence()

    async def _ask_all(self, question: Callable[[Chain], Awaitable[Answer]]) -> list[tuple[Endpoint, Answer]]:
        """All answers, best endpoint first; an endpoint that refuses to answer does not count."""
        heard = await self._hear_all(question)
        answers = [(endpoint, answer) for endpoint, answer in heard if not isinstance(answer, RpcRefused)]
        if not answers:
            value_of(heard[0][1])
        return answers

    async def _hear_all(
        self, question: Callable[[Chain], Awaitable[Answer]]
    ) -> list[tuple[Endpoint, Answer | RpcRefused]]:
        """All answers and refusals, best endpoint first."""
        ready = await self._ready()
        asked = await asyncio.gather(*(item.ask(question) for item in ready), return_exceptions=True)
        heard: list[tuple[Endpoint, Answer | RpcRefused]] = []
        for endpoint, answer in zip(ready, asked, strict=True):
            if isinstance(answer, RpcRefused) or not isinstance(answer, BaseException):
                heard.append((endpoint, answer))
            elif not isinstance(answer, ChainUnavailable | WrongChain):
                raise answer
        if not heard:
            raise self._silence()
        return heard

    async def _agreed_tip(self, what: str, question: Callable[[Chain], Awaitable[Header]]) -> Header:
        """The highest of these blocks that more than half have reached, once more than half say the same."""
        tips = await self._ask_all(question)
        number = reached(what, [(endpoint, header.number) for endpoint, header in tips])
        newest = max(header.number for _, header in tips)
        for endpoint, header in tips:
            endpoint.measure(header.number, newest)
        if all(header.number == number for _, header in tips):
            return majority(f"block {number}", tips, lambda header: header.hash)
        return await self.header(number)

    def _silence(self) -> ChainUnavailable | WrongChain:
        """Nobody can be asked: whether that is the network's fault or the operator's."""
        states = "; ".join(f"{name}: {state}" for name, state in self.endpoints().items())
        if all(endpoint.refused for endpoint in self._endpoints):
            return WrongChain(f"no endpoint serves this registry's chain: {states}")
        return ChainUnavailable(f"no endpoint answers: {states}")


def _is_same(one: Receipt | None, other: Receipt | None) -> bool:
    """The same outcome in the same block."""
    if one is None or other is None:
        return one is other
    return (one.block_hash, one.succeeded) == (other.block_hash, other.succeeded)
