"""A connection to the chain that a node's settings name, for commands that need it for a moment."""

import contextlib
from collections.abc import AsyncIterator

from testamur.node.chain.client import ChainClient
from testamur.node.chain.news import BlockNews
from testamur.node.chain.pool import ChainPool
from testamur.node.chain.ports import Chain
from testamur.node.errors import ConfigError
from testamur.node.service.config import NodeConfig
from testamur.registry.finality import SealRule
from testamur.registry.trust import TrustFile


@contextlib.asynccontextmanager
async def connected(config: NodeConfig) -> AsyncIterator[Chain]:
    """A client, closed at the end. Raises ConfigError when the settings name no chain."""
    if not config.rpc_url or not config.chain_id:
        raise ConfigError("rpc_url, chain_id", "are not set in node.toml; say which chain to use")
    client = open_chain(config)
    try:
        yield client
    finally:
        await client.close()


def open_chain(config: NodeConfig, *, trust: TrustFile | None = None) -> Chain:
    """The endpoint that the settings name, or all of them as one. Nothing is asked yet. Raises ConfigError.

    On a chain whose blocks `trust` calls final by their validators' seals, the newest block is the final one.
    """
    genesis_hash = hex_bytes("genesis_hash", config.genesis_hash, 32)
    sealed = trust is not None and any(
        isinstance(chain.finality, SealRule) and chain.genesis_hash == genesis_hash for chain in trust.chains
    )
    news = BlockNews()
    clients = [
        ChainClient(
            url,
            chain_id=config.chain_id,
            genesis_hash=genesis_hash,
            final_tag="latest" if sealed else "finalized",
            news=news,
        )
        for url in config.rpc_url.split() or [""]
    ]
    return clients[0] if len(clients) == 1 else ChainPool(clients, news=news)


def hex_bytes(key: str, text: str, length: int) -> bytes | None:
    """The bytes of a 0x… setting, None when it is empty. Raises ConfigError naming the setting."""
    if not text:
        return None
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if not text.startswith("0x") or len(data) != length:
        raise ConfigError(key, f"must be 0x and {2 * length} hexadecimal digits")
    return data


def contract_of(config: NodeConfig) -> bytes:
    """The registry contract's address. Raises ConfigError when the node has no registry yet."""
    contract = hex_bytes("contract", config.contract, 20)
    if contract is None:
        raise ConfigError("contract", "is not set; found a registry, or join one with its trust file")
    return contract
