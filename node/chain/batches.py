"""From checkpoints to a signed transaction: what goes in, what it may cost, how a stuck one is outbid."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testamur.node.chain.anchoring import AnchorSource
from testamur.node.chain.capture import read_log_head
from testamur.node.chain.contracts import ContractRefused, encode_call
from testamur.node.chain.intents import AnchorRequest, Attempt, Intent
from testamur.node.chain.ports import Chain
from testamur.node.chain.signing import ChainAccount, Transaction
from testamur.node.chain.transactions import estimate
from testamur.node.chain.values import Fees, Receipt
from testamur.node.errors import ChainUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Requests that the contract would accept now, and what it said to the others."""

    requests: tuple[AnchorRequest, ...]
    gas: int
    refused: tuple[tuple[AnchorRequest, ContractRefused], ...]


def call_data(requests: Sequence[AnchorRequest]) -> bytes:
    """One `anchor`, or one `anchorMany` for several logs."""
    rows = [
        (item.log_id, item.old_size, item.size, item.root, item.statement, list(item.proof))
        for item in requests
    ]
    return encode_call("anchor", rows[0]) if len(rows) == 1 else encode_call("anchorMany", [rows])


async def draft_newest(
    client: Chain, account: ChainAccount, contract: bytes, source: AnchorSource, log_ids: Iterable[bytes]
) -> Draft:
    """What can be anchored of these logs now, from where the register stands now. Raises ChainUnavailable."""
    header = await client.head()
    requests: list[AnchorRequest] = []
    for log_id in log_ids:
        try:
            head = await read_log_head(client, contract, log_id, header)
        except ContractRefused as exc:
            await source.refused(log_id, exc)
            continue
        request = await source.newest(log_id, head.size)
        if request is not None:
            requests.append(request)
    if not requests:
        return Draft(requests=(), gas=0, refused=())
    return await draft(client, account, contract, requests)


async def draft(
    client: Chain, account: ChainAccount, contract: bytes, requests: Sequence[AnchorRequest]
) -> Draft:
    """The requests that can be anchored together. One that is refused does not keep the others from it.

    Raises ChainUnavailable.
    """
    sender = account.address
    try:
        gas = await estimate(client, sender, contract, call_data(requests))
    except ContractRefused as exc:
        if len(requests) == 1:
            return Draft(requests=(), gas=0, refused=((requests[0], exc),))
    else:
        return Draft(requests=tuple(requests), gas=gas, refused=())
    # `anchorMany` is all or nothing and does not say which one failed.
    alone = [await draft(client, account, contract, [request]) for request in requests]
    accepted = [request for part in alone for request in part.requests]
    refused = tuple(pair for part in alone for pair in part.refused)
    if not accepted:
        return Draft(requests=(), gas=0, refused=refused)
    try:
        gas = await estimate(client, sender, contract, call_data(accepted))
    except ContractRefused as exc:
        raise ChainUnavailable(f"the registry changed while a batch was drafted: {exc}") from exc
    return Draft(requests=tuple(accepted), gas=gas, refused=refused)


def sign(
    account: ChainAccount, chain_id: int, contract: bytes, drafted: Draft, *, nonce: int, fees: Fees
) -> Attempt:
    """The signed attempt; nothing is sent."""
    signed = account.sign(
        Transaction(
            chain_id=chain_id,
            nonce=nonce,
            tip_wei=fees.tip_wei,
            max_fee_wei=fees.max_fee_wei,
            gas=drafted.gas,
            to=contract,
            value_wei=0,
            data=call_data(drafted.requests),
        )
    )
    return Attempt(
        raw=signed.raw,
        transaction_hash=signed.hash,
        tip_wei=fees.tip_wei,
        max_fee_wei=fees.max_fee_wei,
        requests=drafted.requests,
    )


async def find_receipt(client: Chain, intent: Intent) -> Receipt | None:
    """Of the newest attempt that is in a canonical block, or None. Raises ChainUnavailable."""
    for attempt in reversed(intent.attempts):
        receipt = await client.find_receipt(attempt.transaction_hash)
        if receipt is not None:
            return receipt
    return None


def capped(fees: Fees, max_fee_wei: int) -> Fees:
    """Fees within what the operator is ready to pay; a transaction below the market waits, at no cost."""
    limit = min(fees.max_fee_wei, max_fee_wei)
    return Fees(max_fee_wei=limit, tip_wei=min(fees.tip_wei, limit))


def outbid(stuck: Attempt, market: Fees, max_fee_wei: int) -> Fees | None:
    """Fees that replace `stuck` in every mempool: tip and cap an eighth higher. None beyond `max_fee_wei`.

    Nodes demand at least a tenth more of both.
    """
    tip = max(market.tip_wei, _raised(stuck.tip_wei))
    limit = max(market.max_fee_wei, _raised(stuck.max_fee_wei), tip)
    if limit > max_fee_wei:
        limit = max_fee_wei
        tip = min(tip, limit)
    if tip < _raised(stuck.tip_wei) or limit < _raised(stuck.max_fee_wei):
        return None
    return Fees(max_fee_wei=limit, tip_wei=tip)


def _raised(wei: int) -> int:
    return wei + wei // 8 + 1
