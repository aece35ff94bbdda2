"""What an examination of a node finds about its chain: reachable, the right one, the clock, and the gas."""

from datetime import datetime, timedelta
from pathlib import Path

from testamur.node.errors import ChainUnavailable, NodeError, WrongChain
from testamur.node.keystore.keyfile import KeyInfo
from testamur.node.keystore.store import Keystore
from testamur.node.service.chain_access import connected, hex_bytes
from testamur.node.service.config import NodeConfig
from testamur.node.service.findings import Finding, fail, ok, warn
from testamur.node.service.folders import NodeFolders
from testamur.node.service.roles import OPERATOR
from testamur.registry.verification.words import counted

ANCHOR_GAS = 112_000
"""The dearest anchor that was measured."""

WARN_ANCHORS, FAIL_ANCHORS = 100, 5
"""Anchors that the operator account can still pay: some weeks of heartbeats, and not even a few days."""

MAX_CLOCK_SECONDS = 30
"""A head of the chain that is further in the future is one of a clock that is wrong, probably this one."""

OLD_HEAD = timedelta(minutes=15)
MAX_LAG_BLOCKS = 128
"""Four epochs of Ethereum without finality: something is wrong with the chain."""


async def examine_chain(root: Path, config: NodeConfig, now: datetime) -> list[Finding]:
    """Findings about chain, clock and funds, as many as can be had."""
    if not config.rpc_url:
        return [fail("chain", "no endpoint is set", "set rpc_url and chain_id in node.toml")]
    findings: list[Finding] = []
    operator = _operator(root)
    try:
        async with connected(config) as client:
            identity = await client.check()
            head, final = await client.head(), await client.finalized()
            contract = hex_bytes("contract", config.contract, 20)
            if contract is not None:
                await client.check_contract(contract)
            lag = head.number - final.number
            seen = f"chain {identity.chain_id}, block {head.number}, final {counted(lag, 'block')} behind"
            if contract is None:
                cure = "`testamur council found`, or set `contract` as your registry's trust file says"
                findings.append(fail("chain", f"{seen}, but no contract is set", cure))
            elif lag > MAX_LAG_BLOCKS:
                cure = "the chain does not finalise: ask its operators; nothing is lost meanwhile"
                findings.append(warn("chain", seen, cure))
            else:
                findings.append(ok("chain", seen))
            findings.append(_clock(head.timestamp, now))
            if operator is not None and operator.address is not None:
                balance = await client.balance_wei(bytes.fromhex(operator.address.removeprefix("0x")))
                price = (await client.fees()).max_fee_wei
                findings.append(_funds(operator.address, balance, price))
    except WrongChain as error:
        findings.append(fail("chain", str(error), "compare rpc_url, chain_id and genesis_hash in node.toml"))
    except (ChainUnavailable, NodeError) as error:
        cure = "start or mend the endpoint, or name several in rpc_url; issuing goes on, anchoring waits"
        findings.append(fail("chain", str(error), cure))
    return findings


def _operator(root: Path) -> KeyInfo | None:
    try:
        return Keystore(NodeFolders(root).keys).find(OPERATOR)
    except NodeError:
        return None  # told by the finding about keys


def _clock(head_timestamp: int, now: datetime) -> Finding:
    ahead = head_timestamp - now.timestamp()
    cure = "switch time synchronisation on (timedatectl set-ntp true), and compare with another clock"
    if ahead > MAX_CLOCK_SECONDS:
        return fail("clock", f"the newest block is {ahead:.0f} s in this clock's future", cure)
    if -ahead > OLD_HEAD.total_seconds():
        seen = (
            f"the newest block is {-ahead / 60:.0f} min old: the chain stands still, or this clock is ahead"
        )
        return warn("clock", seen, cure)
    return ok("clock", f"agrees with the chain (newest block {max(0, -ahead):.0f} s old)")


def _funds(address: str, balance_wei: int, price_wei: int) -> Finding:
    anchors = balance_wei // max(1, ANCHOR_GAS * price_wei)
    enough = counted(anchors, "anchor")
    seen = f"{address} has {balance_wei / 10**18:.6f} ether, for about {enough} at today's price"
    if anchors >= WARN_ANCHORS:
        return ok("funds", seen)
    wanted = ANCHOR_GAS * price_wei * WARN_ANCHORS * 10 / 10**18
    cure = f"send about {wanted:.4f} ether to {address}; without gas, credentials are witnessed, not anchored"
    return fail("funds", seen, cure) if anchors < FAIL_ANCHORS else warn("funds", seen, cure)
