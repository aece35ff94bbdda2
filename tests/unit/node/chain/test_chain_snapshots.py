import gzip
import json

import pytest

from testamur.node.chain.snapshots import IDENTITY, OLDER_SNAPSHOT, SNAPSHOT, SnapshotFolder
from testamur.node.chain.values import ChainIdentity
from testamur.node.errors import StoreCorrupt


def state(number=1):
    return json.dumps(
        {"block": {"number": number}, "accounts": {}, "blocks": [], "historical_states": []}
    ).encode()


def packed(number=1):
    return gzip.compress(state(number))


KNOWN = ChainIdentity(chain_id=31337, genesis_hash=b"\x05" * 32)


@pytest.fixture
def folder(tmp_path):
    return SnapshotFolder(tmp_path / "chain")


def test_a_new_folder_has_no_state_and_no_identity(folder):
    assert (folder.unpack(), folder.identity()) == (None, None)


def test_the_newest_snapshot_is_unpacked_for_anvil_and_discarded(folder):
    folder.save(packed(1))
    folder.save(packed(2))
    path = folder.unpack()
    assert path.read_bytes() == state(2)
    assert gzip.decompress((folder.path / OLDER_SNAPSHOT).read_bytes()) == state(1)
    folder.discard_unpacked()
    folder.discard_unpacked()
    assert not path.exists()


def test_the_identity_is_remembered(folder):
    folder.remember(KNOWN)
    assert SnapshotFolder(folder.path).identity() == KNOWN


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        packed()[:20],
        packed()[:-1],
        b"not gzip",
        gzip.compress(b'{"block'),
        gzip.compress(b"[]"),
        gzip.compress(b"{}"),
    ],
    # gzip writes the time into its header: as names of tests these bytes would differ between workers.
    ids=["empty", "header-only", "last-byte-gone", "not-gzip", "cut-json", "a-list", "no-block"],
)
def test_a_damaged_snapshot_is_neither_saved_nor_loaded(folder, damaged):
    folder.save(packed(1))
    with pytest.raises(StoreCorrupt, match=OLDER_SNAPSHOT):
        folder.save(damaged)
    assert folder.unpack().read_bytes() == state(1)
    (folder.path / SNAPSHOT).write_bytes(damaged)
    with pytest.raises(StoreCorrupt, match=OLDER_SNAPSHOT):
        folder.unpack()


def test_a_lost_snapshot_of_a_chain_that_began_is_not_a_new_chain(folder):
    folder.save(packed())
    folder.remember(KNOWN)
    (folder.path / SNAPSHOT).unlink()
    with pytest.raises(StoreCorrupt, match="although the chain began"):
        folder.unpack()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"chainId": 1}', b'{"chainId": 1, "genesisHash": "xy"}'])
def test_an_unreadable_identity_is_said_so(folder, content):
    (folder.path / IDENTITY).write_bytes(content)
    with pytest.raises(StoreCorrupt, match="unreadable"):
        folder.identity()
