"""`issuer replace-operator`: what the command does."""

import asyncio
from pathlib import Path

from testamur.node.cli.output import json_line, say
from testamur.node.cli.settings import home_of, passphrase
from testamur.node.cli.trusting import load_trust
from testamur.node.errors import ConfigError
from testamur.node.homes import node_folder, workspace_folder
from testamur.node.keystore.store import Keystore
from testamur.node.service.chain_access import connected, hex_bytes
from testamur.node.service.config import NodeConfig, load_config
from testamur.node.service.controlling import Replaced, replace_operator
from testamur.registry.did_ethr import checksum_address

ADDRESS_BYTES = 20


def run_replace_operator(
    operator: str,
    *,
    slug: str,
    cold: Path | None,
    trust: Path | None,
    rpc: str | None,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> None:
    """Have another account anchor an issuer's log."""
    address = _address(operator)
    trusted = load_trust(trust, home)
    chain = next((chain for chain in trusted.chains if chain.until_block is None), None)
    if chain is None:
        raise ConfigError("--trust", "names no chain that is still in use")
    config = NodeConfig(
        registry=trusted.registry,
        member=slug,
        rpc_url=rpc or load_config(node_folder(home_of(home))).rpc_url,
        chain_id=chain.chain_id,
        genesis_hash=f"0x{chain.genesis_hash.hex()}",
    )
    keystore = Keystore(cold or workspace_folder(home_of(home), slug) / "cold", passphrase(passphrase_file))

    async def run() -> Replaced:
        async with connected(config) as client:
            return await replace_operator(
                client, chain.contract, keystore, address, registry=trusted.registry, slug=slug
            )

    done = asyncio.run(run())
    if as_json:
        json_line(
            {
                "origin": str(done.origin),
                "operator": done.operator,
                "before": done.before,
                "block": done.block_number,
            }
        )
    elif done.block_number is None:
        say(f"{done.operator} anchors {done.origin} already")
    else:
        say(f"{done.operator} anchors {done.origin} from block {done.block_number} on; before: {done.before}")


def _address(text: str) -> bytes:
    """Raises ConfigError for anything else, and for capitals that tell a typing error (EIP-55)."""
    digits = text.removeprefix("0x")
    address = hex_bytes("ADDRESS", text, ADDRESS_BYTES)
    if not address or not any(address):
        raise ConfigError("ADDRESS", "must be that of an account: 0x and 40 hexadecimal digits")
    if digits not in (digits.lower(), digits.upper()) and text != checksum_address(address):
        raise ConfigError("ADDRESS", f"{text} is mistyped: its capitals (EIP-55) do not fit")
    return address
