"""Transactions of a council or a controller: built by name, sent one at a time, awaited until mined.

Anchors go another way (`anchorer`): they must survive a crash. What is sent here is repeated by whoever
asked for it, and the contract refuses what was done already.
"""

import asyncio
import enum
import re
from collections.abc import Awaitable, Callable
from typing import Final

from testamur.node.chain.contracts import ContractRefused, encode_call, encode_deployment, refusal
from testamur.node.chain.ports import Chain
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.signing import ChainAccount, SignedTransaction, Transaction
from testamur.node.chain.values import Fees, Receipt
from testamur.node.errors import ChainUnavailable

GAS_MARGIN: Final = (5, 4)
"""A quarter above the estimate: storage may have become colder by the time the transaction is mined."""

MAX_GAS: Final = 1 << 24
"""No chain takes more in one transaction (EIP-7825), whatever an endpoint says is needed."""

Sleep = Callable[[float], Awaitable[None]]


class TransactionSender:
    """Sends transactions of one account, one at a time, each mined before the next. Not durable."""

    def __init__(
        self,
        client: Chain,
        account: ChainAccount,
        *,
        sleep: Sleep = asyncio.sleep,
        poll_seconds: float = 0.2,
        polls: int = 600,
    ) -> None:
        """`polls` times `poll_seconds` is how long a transaction may take until it is mined."""
        self._client = client
        self._account = account
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._polls = polls
        self._turn = asyncio.Lock()

    @property
    def address(self) -> bytes:
        """The account that pays and is asked about by the contract."""
        return self._account.address

    async def deploy(self, registry_name: str, *, council: bytes, recovery_delay_seconds: int) -> Receipt:
        """A new registry contract; its address is `receipt.contract`, owned by `council`."""
        return await self.send(None, encode_deployment(registry_name, council, recovery_delay_seconds))

    async def call(self, contract: bytes, function: str, *arguments: object) -> Receipt:
        """One call of the registry contract, mined. Raises ContractRefused, ChainUnavailable."""
        return await self.send(contract, encode_call(function, arguments))

    async def send(self, to: bytes | None, data: bytes, *, value_wei: int = 0) -> Receipt:
        """Any transaction, mined. Raises ContractRefused if it would be or was reverted, ChainUnavailable."""
        async with self._turn:
            gas = await estimate(self._client, self._account.address, to, data, value_wei)
            signed = self._account.sign(
                Transaction(
                    chain_id=self._client.identity.chain_id,
                    nonce=await self._client.transaction_count(self._account.address),
                    **_fee_fields(await self._client.fees()),
                    gas=gas,
                    to=to,
                    value_wei=value_wei,
                    data=data,
                )
            )
            await self._client.send_raw(signed.raw)
            return await self._mined(signed)

    async def _mined(self, signed: SignedTransaction) -> Receipt:
        for _ in range(self._polls):
            receipt = await self._client.find_receipt(signed.hash)
            if receipt is not None:
                if not receipt.succeeded:
                    raise ContractRefused("revert", {"transaction": f"0x{signed.hash.hex()}"})
                return receipt
            await self._sleep(self._poll_seconds)
        raise ChainUnavailable(f"transaction 0x{signed.hash.hex()} was not mined in time; it may still be")


class SendRefusal(enum.Enum):
    """Why an endpoint did not take a signed transaction, as far as its words tell: no standard has them."""

    KNOWN = enum.auto()
    """It has the transaction already, or the nonce is used: receipts and nonces tell which."""
    UNDERPRICED = enum.auto()
    UNFUNDED = enum.auto()
    OTHER = enum.auto()


def classify_refusal(error: RpcRefused) -> SendRefusal:
    """What the words of geth, Besu, Nethermind, Anvil and Ganache mean."""
    for pattern, meaning in _REFUSALS:
        if pattern.search(error.message):
            return meaning
    return SendRefusal.OTHER


_REFUSALS: Final = (
    (re.compile(r"insufficient funds|upfront cost exceeds", re.IGNORECASE), SendRefusal.UNFUNDED),
    (re.compile(r"underpriced|fee|gas price", re.IGNORECASE), SendRefusal.UNDERPRICED),
    (
        re.compile(
            r"already ?known|already imported|^known|nonce (is )?too low|oldnonce|correct nonce",
            re.IGNORECASE,
        ),
        SendRefusal.KNOWN,
    ),
)


async def estimate(client: Chain, sender: bytes, to: bytes | None, data: bytes, value_wei: int = 0) -> int:
    """Gas to be offered, with a margin. Raises ContractRefused when the call would be reverted now."""
    try:
        gas = await client.estimate_gas(sender, to, data, value_wei)
    except RpcRefused as exc:
        refused = refusal(exc)
        if refused is None:
            raise
        raise refused from exc
    return min(gas * GAS_MARGIN[0] // GAS_MARGIN[1], MAX_GAS)


def _fee_fields(fees: Fees) -> dict[str, int]:
    return {"tip_wei": fees.tip_wei, "max_fee_wei": fees.max_fee_wei}
