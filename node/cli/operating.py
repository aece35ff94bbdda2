"""`init`, `node`, `keys`, `council found`: what the commands do."""

import asyncio
import signal
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.output import json_line, say, write_output
from testamur.node.cli.settings import default_node, home_of, passphrase
from testamur.node.errors import ConfigError, NodeError
from testamur.node.fetch.registry import RegistryClient
from testamur.node.files import make_folders
from testamur.node.homes import node_folder, workspace_folder
from testamur.node.keystore.store import Keystore
from testamur.node.service.config import NodeConfig, load_config, write_config
from testamur.registry.canonical import Json
from testamur.registry.shapes import Shape

EXIT_NOT_READY = 3


def run_init(
    *,
    registry: str,
    member: str,
    rpc_url: str,
    chain_id: int,
    public_url: str,
    host: str,
    port: int,
    passphrase_file: Path | None,
    as_json: bool,
    home: Path | None,
) -> None:
    """Make a node's folder, settings and keys. The settings come first: a second run is refused."""
    from testamur.node.service.config import check_config
    from testamur.node.service.founding import create_member_keys

    root = node_folder(home_of(home))
    config = NodeConfig(
        registry=registry,
        member=member,
        rpc_url=rpc_url,
        chain_id=chain_id,
        public_url=public_url,
        host=host,
        port=port,
    )
    check_config(config, "testamur init")
    secret = passphrase(passphrase_file, confirm=True)
    make_folders(root, mode=0o700)
    write_config(root, config)
    keystore = Keystore(root / "keys", secret)
    create_member_keys(keystore)
    if as_json:
        json_line({"folder": str(root), "keys": [_key_row(keystore, name) for name in _names(keystore)]})
        return
    say(f"Made a node for {member} of {registry} in {root}")
    _print_keys(keystore)
    say("Next: give the council and operator accounts some gas, then `testamur council found`,")
    say(f"or put your registry's trust file at {root / 'trust.json'}; then `testamur node run`.")


def list_keys(*, slug: str | None, as_json: bool, home: Path | None) -> None:
    """Public parts of a node's or an issuer's keys."""
    folders = (
        [node_folder(home_of(home)) / "keys"]
        if slug is None
        else [workspace_folder(home_of(home), slug) / name for name in ("keys", "cold")]
    )
    stores = [Keystore(folder) for folder in folders if folder.is_dir()]
    if not stores:
        raise ConfigError("--home", f"there are no keys in {folders[0]}")
    if as_json:
        json_line([_key_row(store, name) for store in stores for name in _names(store)])
        return
    for store in stores:
        _print_keys(store)


def run_found(*, passphrase_file: Path | None, as_json: bool, home: Path | None) -> None:
    """Deploy the contract, write the genesis trust file, and open the registry's own log with it."""
    from testamur.node.service.chain_access import connected
    from testamur.node.service.founding import Founded, found, founded_before
    from testamur.node.service.own_log import open_own_log

    root = node_folder(home_of(home))
    config = load_config(root)
    secret = passphrase(passphrase_file)
    keystore = Keystore(root / "keys", secret)

    async def deploy() -> Founded:
        async with connected(config) as client:
            now = datetime.now(UTC)
            founded = founded_before(root, config) or await found(root, config, keystore, client, now=now)
            settled, url = load_config(root), default_node(home)
            await open_own_log(home_of(home), settled, keystore, client, secret, node_url=url, now=now)
            return founded

    founded = asyncio.run(deploy())
    trust = home_of(home) / "trust.json"
    write_output(trust, (root / "trust.json").read_bytes())
    if as_json:
        json_line(
            {
                "contract": f"0x{founded.contract.hex()}",
                "fingerprint": founded.fingerprint,
                "trust": str(trust),
            }
        )
        return
    say(f"Founded {config.registry}: contract 0x{founded.contract.hex()} on chain {config.chain_id}")
    say(f"Trust file {trust}, fingerprint {founded.fingerprint}")
    say("Print it, publish it, read the fingerprint aloud: everything is verified against this file.")


def run_node(*, passphrase_file: Path | None, home: Path | None) -> None:
    """Run until SIGINT or SIGTERM."""
    from testamur.node.service.logs import configure_logs
    from testamur.node.service.node import Node
    from testamur.node.service.port import ServicePort

    root = node_folder(home_of(home))
    config = load_config(root)
    keystore = Keystore(root / "keys", passphrase(passphrase_file))
    configure_logs()

    async def serve() -> None:
        node = Node(root, config, keystore, clock=lambda: datetime.now(UTC))
        try:
            await until_signalled(node.run(port=ServicePort(node)))
        finally:
            await node.close()

    asyncio.run(serve())


async def until_signalled(work: Coroutine[None, None, None]) -> None:
    """Run until the work ends by itself or a signal asks to stop; a stop is not an error."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise


def show_status(*, url: str | None, as_json: bool, home: Path | None) -> int:
    """Parts and logs of a running node; the exit code."""
    with RegistryClient(url or default_node(home)) as client:
        ready = Shape(client.readiness(), "readiness")
        issuers = client.issuers()
    is_ready = ready.any("status") == "ready"
    if as_json:
        json_line({"node": client.url, "ready": is_ready, "parts": ready.any("parts"), "issuers": issuers})
        return 0 if is_ready else EXIT_NOT_READY
    say(f"{client.url}  {'ready' if is_ready else 'NOT READY'}")
    parts = ready.any("parts")
    for name, state in parts.items() if isinstance(parts, dict) else ():
        say(f"  {name:<10} {state}")
    for row in Shape(issuers, "issuers").shapes("issuers", maximum=100_000):
        sizes = f"{row.integer('size')} leaves, {row.integer('anchoredSize')} anchored"
        standing = f"statement {row.integer('statement')}, {row.text('lifecycle')}"
        say(f"  {row.text('origin'):<40} {sizes}, {standing}")
    return 0 if is_ready else EXIT_NOT_READY


def _names(keystore: Keystore) -> list[str]:
    return [info.name for info in keystore.list()]


def _key_row(keystore: Keystore, name: str) -> Json:
    info = keystore.find(name)
    if info is None:
        raise NodeError(f"the key {name} vanished")
    return {
        "name": info.name,
        "algorithm": str(info.public_key.algorithm),
        "publicKeyMultibase": info.public_key.to_multikey(),
        "fingerprint": info.fingerprint,
        "address": info.address,
    }


def _print_keys(keystore: Keystore) -> None:
    for info in keystore.list():
        shown = info.address or info.public_key.to_multikey()
        say(f"  {info.name:<14} {info.public_key.algorithm:<10} {shown}")
