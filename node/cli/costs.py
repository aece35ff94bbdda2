"""What issuing a batch will take: leaves, bytes, an anchor, and its price where a chain can be asked."""

from dataclasses import dataclass
from pathlib import Path

from testamur.node.errors import NodeError
from testamur.node.fetch.rpc import RpcEndpoint
from testamur.node.homes import node_folder
from testamur.registry.canonical import Json
from testamur.registry.verification.words import counted

ANCHOR_GAS = 112_000
"""The dearest anchor that was measured (a log of 2^30 leaves); of a small log it is 79 000. One anchor covers
a batch of any size, so its size does not change the price."""

EVIDENCE_BYTES = 12_000
"""About what anchored evidence adds to each dossier; a consortium of twenty members adds some kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GasPrice:
    """The price of a unit of gas, or why it is not known."""

    wei: int | None
    source: str


def gas_price(rpc_url: str | None, home: Path) -> GasPrice:
    """The price at the endpoint that was named, or at the one of the node in the home folder."""
    from testamur.node.service.config import load_config

    url = rpc_url
    try:
        if url is None:
            url = next(iter(load_config(node_folder(home)).rpc_url.split()), None)
    except NodeError:
        url = None
    if url is None:
        return GasPrice(wei=None, source="no chain endpoint is known here; name one with --rpc")
    try:
        with RpcEndpoint(url) as endpoint:
            return GasPrice(wei=int(str(endpoint.call("eth_gasPrice", [])), 16), source="the chain")
    except (NodeError, ValueError) as error:
        return GasPrice(wei=None, source=f"the chain could not be asked: {error}")


def cost_of(rows: int, mean_bytes: int, price: GasPrice) -> dict[str, Json]:
    """The cost of issuing `rows` credentials, as `--dry-run --json` shows it."""
    return {
        "entries": rows,
        "credentialBytes": rows * mean_bytes,
        "dossierBytes": rows * (mean_bytes + EVIDENCE_BYTES),
        "sentBytes": rows * 32,
        "anchors": 1 if rows else 0,
        "gas": ANCHOR_GAS if rows else 0,
        "gasPriceWei": None if price.wei is None else str(price.wei),
        "costWei": None if price.wei is None else str(price.wei * ANCHOR_GAS if rows else 0),
        "priceFrom": price.source,
    }


def cost_lines(rows: int, mean_bytes: int, price: GasPrice) -> list[str]:
    """The same in words."""
    credentials, entries = counted(rows, "credential"), counted(rows, "log entry")
    size = human_size(rows * (mean_bytes + EVIDENCE_BYTES))
    lines = [
        f"  {credentials} of about {human_size(mean_bytes)}; with anchored evidence {size} on disk",
        f"  {entries}; {human_size(rows * 32)} of digests leave this machine, and nothing else",
        f"  1 anchor, at most {ANCHOR_GAS:,} gas, paid by the host's operator account",
    ]
    if price.wei is None:
        lines.append(f"  price of the anchor unknown: {price.source}")
    else:
        ether = price.wei * ANCHOR_GAS / 10**18
        lines.append(f"  price of the anchor at most {ether:.6f} ether at {price.wei / 10**9:.3f} gwei")
    return lines


def human_size(count: int) -> str:
    """Bytes in the unit that people use."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{count} bytes"
