"""Captures of a log: the newest is what is given out, and the first time of everything is kept for ever."""

import copy
from datetime import timedelta

import pytest

from fakes.whole_registry import ANCHORED_AT, World, trust_document
from testamur.node.errors import PeerMisbehaved, StoreCorrupt
from testamur.node.fetch.registry import RegistryClient
from testamur.node.service.log_evidence import CaptureStore
from testamur.registry.canonical import canonicalize
from testamur.registry.hashing import sha256
from testamur.registry.tiles import TileTree

SMALL, LARGE = World(others=2), World(others=30)


def capture(world):
    return {**world.evidence(), "entries": []}


def size_of(world):
    return world.leaf_index + 2


@pytest.fixture
def store(tmp_path):
    made = CaptureStore(tmp_path / "captures")
    made.put(size_of(SMALL), capture(SMALL))
    made.put(size_of(LARGE), capture(LARGE))
    return made


def test_the_newest_capture_is_kept_and_every_checkpoint(store, tmp_path):
    names = sorted(path.name for path in (tmp_path / "captures").iterdir())
    assert names == [
        f"{size_of(SMALL):016d}.checkpoint",
        f"{size_of(LARGE):016d}.checkpoint",
        f"{size_of(LARGE):016d}.evidence.json",
    ]
    assert CaptureStore(tmp_path / "captures").newest() == (size_of(LARGE), capture(LARGE))


@pytest.mark.parametrize(
    ("leaf_index", "world"),
    [(0, SMALL), (size_of(SMALL) - 1, SMALL), (size_of(SMALL), LARGE), (size_of(LARGE) - 1, LARGE)],
)
def test_the_earliest_checkpoint_that_holds_a_leaf_is_found(store, leaf_index, world):
    assert store.first_covering(leaf_index) == world.head()


def test_before_the_first_capture_there_is_none(tmp_path):
    assert CaptureStore(tmp_path / "captures").first_covering(0) is None


def test_a_leaf_beyond_every_capture_was_seen_by_nobody(store):
    assert store.first_covering(size_of(LARGE)) is None


def test_a_checkpoint_that_is_captured_again_keeps_the_cosignatures_it_had(store):
    later = World(others=2, cosigned_at=ANCHORED_AT + timedelta(days=9))
    store.put(size_of(later), capture(later))
    assert store.first_covering(0) == SMALL.head()


def test_a_checkpoint_that_nobody_cosigned_dates_nothing_and_is_not_kept(tmp_path):
    store = CaptureStore(tmp_path / "captures")
    alone = World(witnesses=(), mirrors=())
    store.put(size_of(alone), capture(alone))
    assert store.first_covering(0) is None


def test_a_damaged_checkpoint_is_named_with_its_cure(store, tmp_path):
    path = tmp_path / "captures" / f"{size_of(SMALL):016d}.checkpoint"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(StoreCorrupt, match="restore it from a backup"):
        store.first_covering(0)
    assert store.first_covering(size_of(SMALL)) == LARGE.head()


def test_a_node_whose_log_does_not_extend_the_older_file_is_not_believed(monkeypatch):
    leaves = LARGE.leaves()
    tree = TileTree(len(leaves), lambda level, index, width: b"".join(leaves)[: 32 * width])
    kept = copy.deepcopy(LARGE.evidence())
    (log,) = kept["logs"].values()
    first = LARGE.leaf_index + 1
    with RegistryClient("http://127.0.0.1:9") as client:
        monkeypatch.setattr(client, "_tree", lambda _origin, _size: tree)
        monkeypatch.setattr(client, "trust_file", lambda: canonicalize(trust_document()))
        log["first"] = LARGE.first(first, ANCHORED_AT)
        refreshed = client.refreshed(LARGE.evidence(), kept, LARGE.credential)
        assert refreshed["logs"][str(LARGE.origin)]["first"] == log["first"]
        log["first"] = LARGE.first(first, ANCHORED_AT, root=sha256(b"fork"))
        with pytest.raises(PeerMisbehaved, match="does not extend"):
            client.refreshed(LARGE.evidence(), kept, LARGE.credential)
