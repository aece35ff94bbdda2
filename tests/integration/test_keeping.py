"""A real node on a real chain: backed up while it runs, indexed anew, damaged, and mended."""

import asyncio
import contextlib
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from fakes.sample_devnet import devnet_in, now, small_class
from testamur.node.cli.main import app
from testamur.node.fetch.registry import RegistryClient
from testamur.node.index import keys
from testamur.node.index.store import Index
from testamur.node.service.backup import back_up
from testamur.node.service.devnet import SampleIssuer
from testamur.node.service.reindexing import reindex
from testamur.node.service.restoring import restore
from testamur.node.service.sample import issue_sample

ISSUERS = (
    SampleIssuer(),
    SampleIssuer(slug="bit", did="did:web:bit.example", name="Bit (sample)"),
    SampleIssuer(slug="cecily", did="did:web:cecily.example", name="Cecily (sample)"),
)

pytestmark = pytest.mark.chain


def rows_of(index):
    """Every row but the numbers of the logs; an anchor's transaction only where it is known."""
    names = {keys.parse_origin_key(key): value for key, value in index._rows(keys.ORIGINS)}
    found = []
    for key, value in index._rows(b""):
        kind = key[:1]
        if kind in b"cd":
            found.append((key, sorted((names[number], leaf) for number, leaf in keys.parse_places(value))))
        elif kind == b"p":
            found.append((b"p" + names[int.from_bytes(key[1:5])], value))
        elif kind == b"a":
            found.append((b"a" + names[int.from_bytes(key[1:5])] + key[5:], value))
        elif kind == b"i":
            found.append((key[:33] + names[int.from_bytes(key[33:37])] + key[37:], value))
    return sorted(found, key=str)


def test_backup_reindex_and_mending_of_a_node_that_issues(tmp_path):
    home = tmp_path / "home"

    async def life():
        async with devnet_in(home) as devnet:
            for issuer in ISSUERS:
                await devnet.admit_sample(issuer)
            for rows in (2, 4):
                report = await issue_sample(devnet, ISSUERS[0], small_class(tmp_path, rows))
                assert report.anchored == rows
            node = devnet.node
            while len(node.index.origins()) < 4 or any(  # noqa: ASYNC110  the node has no event for it
                item.uncaptured_block is not None or not node.index.anchors(item.log.name)
                for item in node.hostings.values()
            ):
                await asyncio.sleep(0.2)
            done = await asyncio.to_thread(
                back_up, node.folders.root, node.config, tmp_path / "backup", with_keys=True, now=now()
            )
            assert len(done.logs) == 4  # the registry's own is one of them
            before = rows_of(node.index)
            restored = tmp_path / "restored" / "node"
            restored.parent.mkdir()
            await asyncio.to_thread(restore, restored, tmp_path / "backup", now=now())
            rebuilt = await reindex(restored, replace(node.config, rpc_url=devnet.chain.rpc_url))
            assert rebuilt.chain_problem is None
            with contextlib.closing(Index(restored / "index")) as index:
                assert rows_of(index) == before
                assert len(index.anchors("devnet.testamur.example/ada/1")) >= 2
            await damaged(devnet)
            return node.hostings["ada"].log.writer.reader.folder

    async def damaged(devnet):
        """One log is damaged while the node runs: it stops signing, the others go on, reads go on."""
        hosting = devnet.node.hostings["ada"]
        flip(tile_of(hosting.log.writer.reader.folder))
        while hosting.log.health.damage is None:
            with contextlib.suppress(Exception):
                await hosting.run(hosting.log.writer.reader.read_entries, 0, hosting.log.writer.size)
            await asyncio.sleep(0.05)
        with RegistryClient(devnet.url) as client:
            shown = await asyncio.to_thread(client.readiness)
            assert shown["status"] != "ready"
            assert "ada: damaged" in shown["parts"]["logs"]
            assert await asyncio.to_thread(client.issuers)
        await devnet.node.seal(devnet.node.hostings["bit"], heartbeat=True)

    folder = asyncio.run(life())
    tile = tile_of(folder)
    damaged_bytes = tile.read_bytes()
    mended = CliRunner().invoke(
        app, ["node", "restore", str(tmp_path / "backup"), "--log", "ada", "--home", str(home)]
    )
    assert mended.exit_code == 0, mended.output
    assert tile.read_bytes() != damaged_bytes

    async def again():
        async with devnet_in(home) as devnet:
            return (await issue_sample(devnet, ISSUERS[0], small_class(tmp_path, 5))).anchored

    assert asyncio.run(again()) == 5


def tile_of(folder):
    """The tile of leaves that the newest head uses."""
    return max((folder / "tile" / "0").rglob("*.p/*"), key=lambda path: int(path.name))


def flip(path):
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
