import errno
import threading

import pytest

from fakes.hosted_log import ORIGIN, HostedLog, credentials
from testamur.node.errors import ConfigError, StoreCorrupt, StoreUnavailable
from testamur.node.log.reader import LogReader
from testamur.registry.errors import MalformedError
from testamur.registry.merkle import prove_consistency, prove_inclusion, root_hash
from testamur.registry.tiles import TileId, parse_entry_bundle, tile_width

SIZES = (1, 2, 255, 256, 257, 300, 513)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    hosted = HostedLog(tmp_path_factory.mktemp("log"))
    for size in SIZES:
        hosted.grow_to(size)
    hosted.add(3)
    yield hosted
    hosted.writer.close()


@pytest.fixture
def reader(log):
    return LogReader(log.folder / "log")


def leaves(reader):
    return [entry.leaf_hash for entry in reader.read_entries(0, reader.size)]


def test_a_reader_needs_neither_lock_nor_key_and_sees_only_what_is_published(log, reader):
    assert (reader.origin, reader.size, log.writer.pending) == (ORIGIN, 513, 3)
    assert reader.identity.key == log.writer.key
    with pytest.raises(ValueError, match="513 published entries"):
        reader.read_entries(512, 2)


def test_every_published_head_stays(reader):
    assert tuple(reader.checkpoint_sizes()) == SIZES
    assert [reader.get_head(size).checkpoint.size for size in SIZES] == list(SIZES)
    assert reader.get_head() == reader.get_head(513)
    with pytest.raises(KeyError):
        reader.get_head(3)


def test_proofs_are_those_of_the_tree_in_memory(reader):
    hashes = leaves(reader)
    for size in SIZES:
        for leaf_index in {0, size // 2, size - 1}:
            assert reader.prove_inclusion(leaf_index, size) == prove_inclusion(hashes, leaf_index, size)
        for old_size in (1, 128, 256, 257):
            if old_size <= size:
                assert reader.prove_consistency(old_size, size) == prove_consistency(hashes, old_size, size)
    assert reader.tree().root() == root_hash(hashes) == reader.get_head().checkpoint.root


def test_proofs_outside_of_the_log_are_mistakes_of_the_caller(reader):
    with pytest.raises(ValueError, match="no leaf 513"):
        reader.prove_inclusion(513)
    with pytest.raises(ValueError):  # noqa: PT011
        reader.prove_consistency(514)
    with pytest.raises(KeyError):
        reader.prove_inclusion(0, 77)


def test_everything_that_tlog_tiles_names_is_served_and_nothing_beyond(reader):
    hashes = leaves(reader)
    for level, index, width in ((0, 0, 256), (0, 0, 7), (0, 2, 1), (1, 0, 2), (1, 0, 1)):
        expected = hashes[index * 256 : index * 256 + width] if level == 0 else None
        data = reader.find_resource(TileId(level=level, index=index, width=width).path)
        assert data is not None
        assert len(data) == 32 * width
        assert expected is None or data == b"".join(expected)
    bundle = reader.find_resource("tile/entries/001.p/44")
    entries = [entry.to_bytes() for entry in reader.read_entries(256, 44)]
    assert parse_entry_bundle(bundle, count=44) == entries
    for beyond in (
        "tile/0/002.p/2",
        "tile/0/002",
        "tile/0/003.p/1",
        "tile/1/000.p/3",
        "tile/entries/002.p/2",
        "tile/2/000.p/1",
    ):
        assert reader.find_resource(beyond) is None, beyond
    assert reader.find_resource("checkpoint") == reader.get_head().to_bytes()


@pytest.mark.parametrize(
    "path", ["", "journal", "log.json", "tile/0/../journal", "tile/0/1", "/etc/passwd", "checkpoints"]
)
def test_other_paths_are_refused(reader, path):
    with pytest.raises(MalformedError):
        reader.find_resource(path)


def test_an_old_partial_tile_is_cut_from_the_full_one(log, reader):
    assert not (log.folder / "log" / "tile" / "0" / "000.p").exists()
    for level in (None, 0):
        whole = reader.find_resource(TileId(level=level, index=0, width=256).path)
        part = reader.find_resource(TileId(level=level, index=0, width=255).path)
        assert whole.startswith(part)
        assert len(part) == len(whole) // 256 * 255


def out_of_order(_path):
    raise OSError(errno.EIO, "out of order")


@pytest.mark.parametrize("name", ["tile/0/000.p/100", "tile/entries/000.p/100"])
def test_what_a_crash_left_beside_a_full_tile_is_neither_served_nor_kept(tmp_path, name):
    hosted = HostedLog(tmp_path)
    hosted.grow_to(100)
    path = tmp_path / "log" / name
    narrow = path.read_bytes()
    hosted.add(199)
    hosted.disk.unlink = out_of_order
    with pytest.raises(StoreUnavailable):
        hosted.publish()
    path.write_bytes(bytes(len(narrow)))
    assert LogReader(tmp_path / "log").find_resource(name) == narrow
    del hosted.disk.unlink
    reopened = hosted.reopened()
    assert not path.parent.exists()
    assert reopened.writer.reader.find_resource(name) == narrow
    reopened.writer.close()


def test_a_narrower_tile_of_an_older_head_is_cut_from_the_newest(tmp_path):
    hosted = HostedLog(tmp_path)
    hosted.grow_to(100)
    path = tmp_path / "log" / "tile/0/000.p/100"
    narrow = path.read_bytes()
    hosted.grow_to(200)
    path.write_bytes(bytes(3200))
    assert hosted.writer.reader.find_resource("tile/0/000.p/100") == narrow
    hosted.writer.close()


def test_a_log_without_a_head_serves_nothing(tmp_path):
    hosted = HostedLog(tmp_path)
    hosted.add(2)
    reader = LogReader(tmp_path / "log")
    assert (reader.size, reader.find_head(), list(reader.checkpoint_sizes())) == (0, None, [])
    assert reader.find_resource("checkpoint") is None
    assert reader.find_resource("tile/0/000.p/1") is None
    with pytest.raises(KeyError):
        reader.get_head()
    hosted.writer.close()


def test_a_folder_without_a_log_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no log"):
        LogReader(tmp_path)


def test_a_reader_follows_another_process_s_writer(tmp_path):
    hosted = HostedLog(tmp_path)
    reader = LogReader(tmp_path / "log")
    for size in (2, 5, 300):
        hosted.grow_to(size)
        assert (reader.size, reader.get_head().checkpoint.size) == (size, size)
    hosted.writer.close()


def test_readers_see_whole_heads_and_true_proofs_while_the_writer_publishes(tmp_path):
    hosted = HostedLog(tmp_path)
    hosted.publish(1)
    stop, failures = threading.Event(), []

    def read():
        reader = LogReader(tmp_path / "log")
        try:
            while not stop.is_set():
                size = reader.get_head().checkpoint.size
                reader.prove_inclusion(size - 1, size)
                assert reader.read_entries(0, 1) == credentials(0, 1)
        except Exception as exc:  # noqa: BLE001  a thread's failure has to reach the test
            failures.append(exc)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        hosted.publish(20)
    stop.set()
    for thread in threads:
        thread.join(60)
    hosted.writer.close()
    assert failures == []


def test_a_wrong_path_in_a_damaged_tile_is_refused_rather_than_served(tmp_path):
    hosted = HostedLog(tmp_path)
    hosted.grow_to(600)
    tile = tmp_path / "log" / "tile" / "0" / "000"
    data = bytearray(tile.read_bytes())
    data[40] ^= 1
    tile.write_bytes(data)
    reader = LogReader(tmp_path / "log")
    with pytest.raises(StoreCorrupt, match="does not lead to the root of 600"):
        reader.prove_inclusion(7)
    with pytest.raises(StoreCorrupt, match="does not hash to the leaves in"):
        reader.read_entries(7, 1)
    assert reader.read_entries(300, 1) == credentials(300, 1)
    hosted.writer.close()


def test_every_partial_tile_of_every_published_size_can_be_had(reader):
    for size in SIZES:
        for level in (0, 1):
            for index in range(3):
                width = tile_width(level, index, size)
                if width:
                    path = TileId(level=level, index=index, width=width).path
                    assert len(reader.find_resource(path)) == 32 * width, (size, path)
