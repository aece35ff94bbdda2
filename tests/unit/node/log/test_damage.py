"""A flipped bit anywhere in what a log needs to go on is refused by name, before anything is signed."""

import shutil

import pytest

from fakes.hosted_log import HostedLog
from testamur.node.errors import StoreCorrupt
from testamur.node.files import DamagedFile

SIZE = 600
FILES = {
    "checkpoint": "checkpoint",
    "signed-head": "signed-head",
    "log.json": "log.json",
    "journal": "journal",
    "the head of its size": "checkpoints/000/000/000/600",
    "the partial bundle": "tile/entries/002.p/88",
    "the partial tile of leaves": "tile/0/002.p/88",
    "the partial tile above": "tile/1/000.p/2",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    log = HostedLog(tmp_path_factory.mktemp("whole"))
    log.grow_to(300)
    log.grow_to(SIZE)
    log.add(2)
    log.writer.close()
    return log.folder


@pytest.fixture
def copied(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x04
    path.write_bytes(data)


@pytest.mark.parametrize("what", FILES)
def test_a_flipped_bit_is_refused_naming_the_file(copied, what):
    path = copied / "log" / FILES[what]
    name = "tile/0/002.p/88" if what == "the partial tile of leaves" else FILES[what]
    for offset in range(0, path.stat().st_size, max(1, path.stat().st_size // 16)):
        original = path.read_bytes()
        flip(path, offset)
        with pytest.raises(StoreCorrupt) as caught:
            HostedLog(copied)
        assert name in str(caught.value), offset
        assert ";" in str(caught.value)
        path.write_bytes(original)
    HostedLog(copied).writer.close()


@pytest.mark.parametrize("what", FILES)
def test_a_missing_file_is_refused_naming_it(copied, what):
    path = copied / "log" / FILES[what]
    path.unlink()
    with pytest.raises(StoreCorrupt) as caught:
        HostedLog(copied)
    assert FILES[what] in str(caught.value)


def test_a_damaged_full_tile_above_is_named_when_its_log_is_opened(tmp_path):
    log = HostedLog(tmp_path)
    log.grow_to(65_537)
    log.writer.close()
    flip(tmp_path / "log" / "tile" / "2" / "000.p" / "1", 3)
    with pytest.raises(
        StoreCorrupt, match=r"tile/2/000\.p/1: is not what the entries make of it; copy this file"
    ):
        HostedLog(tmp_path)


def test_a_tile_damaged_while_the_log_is_open_is_seen_before_the_next_head_is_signed(copied):
    log = HostedLog(copied)
    flip(copied / "log" / "tile" / "1" / "000.p" / "2", 5)
    before = (copied / "log" / "signed-head").read_bytes()
    with pytest.raises(StoreCorrupt, match="published root of 600"):
        log.publish()
    assert (copied / "log" / "signed-head").read_bytes() == before
    log.writer.close()


def test_what_the_disk_gives_back_is_compared_before_anything_is_signed(tmp_path):
    """A disk that stores a tile wrongly: the sync succeeds, and the content is another."""
    log = HostedLog(tmp_path)
    log.grow_to(200)
    wrong = []

    def replace(source, target):
        if target.match("tile/*/001.p/*") or target.match("tile/0/000"):
            flip(source, 1)
            wrong.append(target)
        source.replace(target)

    log.disk.replace = replace
    before = (tmp_path / "log" / "signed-head").read_bytes()
    with pytest.raises(DamagedFile, match="is not what the entries make of it"):
        log.grow_to(300)
    assert wrong
    assert (tmp_path / "log" / "signed-head").read_bytes() == before
    log.writer.close()
    again = HostedLog(tmp_path)
    assert again.writer.size == 300
    again.writer.close()


def test_an_older_backup_of_some_files_is_refused(whole, tmp_path):
    """Restoring the heads without the tiles, or the journal without the heads, must not rewrite history."""
    log = HostedLog(tmp_path)
    log.grow_to(10)
    log.add(1)
    log.writer.close()
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    log = HostedLog(tmp_path)
    log.grow_to(20)
    log.writer.close()
    for names in (["journal"], ["checkpoint"], ["signed-head"], ["checkpoint", "journal"]):
        shutil.copytree(tmp_path / "log", tmp_path / "mixed" / "log")
        shutil.copytree(tmp_path / "documents", tmp_path / "mixed" / "documents")
        for name in names:
            shutil.copy(tmp_path / "backup" / name, tmp_path / "mixed" / "log" / name)
        with pytest.raises(StoreCorrupt):
            HostedLog(tmp_path / "mixed")
        shutil.rmtree(tmp_path / "mixed")


def test_two_roots_for_one_size_are_never_signed(tmp_path):
    """The journal was exchanged for one with other entries after a head of that size had been signed."""
    mine, other = HostedLog(tmp_path / "mine"), HostedLog(tmp_path / "other")
    mine.publish(2)
    other.writer.append([*other.writer.read_entries(0, 0)])
    other.add(1)
    mine.add(1)
    signed = mine.publish()
    other.add(3)
    mine.writer.close()
    other.writer.close()
    folder = tmp_path / "mine" / "log"
    shutil.copy(tmp_path / "other" / "log" / "journal", folder / "journal")
    with pytest.raises(StoreCorrupt, match="journal"):
        HostedLog(tmp_path / "mine")
    assert (folder / "signed-head").read_bytes() == signed.to_bytes()
