"""An index that is thrown away comes back with the same rows, from files and chain, or from files alone."""

import hashlib
import json

import pytest
from typer.testing import CliRunner

from fakes.chain import FakeChain
from fakes.hostings import LIST, StoppedNode
from fakes.whole_registry import trust_document
from testamur.node.chain.events import Anchored
from testamur.node.cli.main import app
from testamur.node.errors import ConfigError, StoreCorrupt, StoreLocked
from testamur.node.index import keys
from testamur.node.index.store import Index
from testamur.node.service import anchor_filling, reindexing
from testamur.node.service.anchor_filling import AnchorFiller
from testamur.node.service.reindexing import reindex
from testamur.registry.canonical import canonicalize

SLUGS = ("ada", "bit", "cecily")


def digest(number):
    return hashlib.sha256(b"credential %d" % number).digest()


def rows_of(index):
    """Every row with the log's origin in place of its number."""
    origins = {keys.parse_origin_key(key): value.decode() for key, value in index._rows(keys.ORIGINS)}
    found = {"origins": sorted(origins.values()), "sizes": {}, "places": {}, "anchors": {}, "ids": {}}
    found["meta"] = dict(index._rows(b"m"))
    for ordinal, origin in origins.items():
        found["sizes"][origin] = index.projected_size(origin)
        found["anchors"][origin] = index.anchors(origin)
        assert index._db.get(keys.origin_key(ordinal)) is not None
    for prefix in (b"c", b"d"):
        for key, value in index._rows(prefix):
            places = keys.parse_places(value)
            found["places"][key] = sorted((origins[ordinal], leaf) for ordinal, leaf in places)
    for key, value in index._rows(b"i"):
        ordinal, leaf_index, digest_, document_id = keys.parse_document(key, value)
        found["ids"][document_id, origins[ordinal], leaf_index] = digest_
    return found


@pytest.fixture
def node(tmp_path):
    """Three logs with documents, published and pending credentials, one of them in two logs."""
    made = StoppedNode(tmp_path / "home" / "node")
    for number, slug in enumerate(SLUGS):
        hosting = made.host(slug)
        hosting.log.submit([digest(item) for item in range(1000 * number, 1000 * number + 300)])
        hosting.log.seal()
        made.state(slug, 3)
        hosting.log.submit([digest(item) for item in (1, 5000 + number)])
        hosting.log.seal()
        hosting.log.submit([digest(6000 + number)])
    yield made
    made.close()


class Chain(FakeChain):
    """With two anchors of every log, and the events that tell their transactions."""

    def __init__(self, node):
        super().__init__()
        self.node = node
        self.rows = []
        for slug in SLUGS:
            self.anchor(slug, node)
        self.mine(5)

    async def close(self):
        """Nothing is open."""

    def anchor(self, slug, node):
        log = node.hostings[slug].log
        origin = log.origin
        self.open_log(origin.log_id, origin.issuer_id)
        sizes = list(log.writer.reader.checkpoint_sizes())
        root = log.writer.reader.get_head(sizes[-1]).checkpoint.root
        self.state.log(origin.log_id, origin.issuer_id, root=root, sequence=len(sizes), key=b"\x02" * 32)
        for sequence, size in enumerate(sizes, 1):
            self.state.anchor(
                origin.log_id, sequence, size=size, block_number=sequence, timestamp=sequence, statement=1
            )
            self.rows.append(
                Anchored(
                    log_id=origin.log_id,
                    sequence=sequence,
                    size=size,
                    root=root,
                    statement=1,
                    block_number=sequence,
                    block_hash=bytes(32),
                    transaction_hash=hashlib.sha256(b"%d" % len(self.rows)).digest(),
                )
            )


@pytest.fixture
def chain(node, monkeypatch):
    made = Chain(node)
    config = node.with_config(
        contract=f"0x{made.contract.hex()}", rpc_url="http://127.0.0.1:9", chain_id=31337
    )
    node.folders.trust.write_bytes(canonicalize(trust_document()))

    async def events(_client, _contract, *, first, last):
        made._called("events")
        return {(row.log_id, row.sequence): row.transaction_hash for row in made.rows}

    monkeypatch.setattr(anchor_filling, "read_anchoring_transactions", events)
    monkeypatch.setattr(reindexing, "open_chain", lambda _config, trust: made)
    assert config.contract
    return made


async def fill(node, chain):
    filler = AnchorFiller(chain, chain.contract, node.index, from_block=0)
    logs = {item.log.name: item.log.writer.reader.folder for item in node.hostings.values()}
    return await filler.fill(logs)


async def test_the_rows_before_and_after_are_equal(node, chain):
    assert await fill(node, chain) == 6
    before = rows_of(node.index)
    assert [len(item) for item in before["anchors"].values()] == [2, 2, 2]
    assert {document_id for document_id, _, _ in before["ids"]} == {LIST}
    assert len(before["places"][b"c" + digest(1)]) == 3
    node.close()
    shown = []
    done = await reindex(node.root, node.config, progress=lambda *row: shown.append(row))
    assert done.chain_problem is None
    assert [(log.origin, log.anchors) for log in done.logs] == [
        (f"registry.example/{slug}/1", 2) for slug in SLUGS
    ]
    assert {stage for stage, _, _ in shown} == {*SLUGS, "anchors"}
    node.open()
    assert rows_of(node.index) == before


async def test_without_the_chain_everything_else_is_rebuilt_and_the_node_fills_the_anchors_later(node, chain):
    await fill(node, chain)
    before = rows_of(node.index)
    node.close()
    chain.outages = 1_000
    done = await reindex(node.root, node.config)
    assert done.chain_problem
    node.open()
    after = rows_of(node.index)
    assert {**after, "anchors": before["anchors"]} == before
    assert not any(after["anchors"].values())
    chain.outages = 0
    for slug in SLUGS:
        node.host(slug)
    assert await fill(node, chain) == 6
    assert rows_of(node.index) == before
    assert await fill(node, chain) == 0


async def test_one_anchor_that_a_crash_kept_from_the_index_is_filled_in(node, chain):
    await fill(node, chain)
    before = rows_of(node.index)
    ordinal = node.index._ordinals["registry.example/bit/1"]
    node.index._db._db.delete(keys.anchor_key(ordinal, 1))
    assert await fill(node, chain) == 1
    assert rows_of(node.index) == before


async def test_a_head_in_the_contract_that_the_log_does_not_have_is_refused(node, chain):
    log = node.hostings["ada"].log
    chain.state.log(log.origin.log_id, log.origin.issuer_id, root=b"\x07" * 32, sequence=2, key=b"\x02" * 32)
    chain.mine(5)
    with pytest.raises(StoreCorrupt, match="another root"):
        await fill(node, chain)
    chain.state.anchor(log.origin.log_id, 2, size=9999, block_number=3, timestamp=3, statement=1)
    chain.mine(5)
    with pytest.raises(StoreCorrupt, match="9999 entries"):
        await fill(node, chain)


async def test_it_is_refused_while_the_node_runs(node):
    before = rows_of(node.index)
    with pytest.raises(StoreLocked, match="stop it first"):
        await reindex(node.root, node.config)
    assert rows_of(node.index) == before


async def test_an_index_that_is_open_elsewhere_is_refused_without_any_log(tmp_path):
    node = StoppedNode(tmp_path / "node")
    with pytest.raises(StoreLocked):
        await reindex(node.root, node.config)
    node.close()


async def test_an_index_that_cannot_be_read_names_the_command_that_mends_it(node):
    await_rows = rows_of(node.index)
    node.close()
    (node.folders.index / "CURRENT").write_text("MANIFEST-999999\n")
    with pytest.raises(StoreCorrupt, match="testamur node reindex"):
        Index(node.folders.index)
    await reindex(node.root, node.config)
    node.open()
    assert rows_of(node.index) == await_rows


async def test_a_damaged_document_costs_its_id_and_not_the_index(node):
    before = rows_of(node.index)
    node.close()
    (_, _, _), wanted = next(iter(before["ids"].items()))
    node.documents.path(wanted).write_bytes(b"{}")
    await reindex(node.root, node.config)
    node.open()
    after = rows_of(node.index)
    assert after["places"] == before["places"]
    assert wanted not in after["ids"].values()


def test_the_command_says_what_it_did_and_why_anchors_are_missing(node, tmp_path):
    node.close()
    result = CliRunner().invoke(app, ["node", "reindex", "--home", str(tmp_path / "home"), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output)
    assert [log["entries"] for log in answer["logs"]] == [log["entries"] for log in answer["logs"]]
    assert len(answer["logs"]) == 3
    assert "contract" in answer["chain"]
    told = CliRunner().invoke(app, ["node", "reindex", "--home", str(tmp_path / "home")])
    assert "fills them in" in told.output


def test_without_a_trust_file_it_says_so(tmp_path):
    with pytest.raises(ConfigError, match=r"trust\.json"):
        reindexing._trust(reindexing.NodeFolders(tmp_path))
