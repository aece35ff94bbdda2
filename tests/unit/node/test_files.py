import os
import stat
from pathlib import Path

import pytest

from fakes.disks import CountingDisk, FullDisk, PowerCut, StoppingDisk
from testamur.node.errors import StoreCorrupt, StoreLocked, StoreUnavailable
from testamur.node.files import (
    MAX_BATCH_OPEN_FILES,
    DamagedFile,
    Disk,
    FileBatch,
    FolderLock,
    make_folders,
    read_file,
    write_atomically,
    write_new,
)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_written_file_is_read_back_with_its_mode(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"one", mode=0o600)
    write_atomically(path, [b"t", b"wo"], mode=0o600)
    assert read_file(path, max_bytes=10) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("landed", [True, False])
def test_a_file_is_old_or_new_whenever_the_power_is_cut(tmp_path, landed):
    for stop_at in range(1, 10):
        path = tmp_path / f"file-{stop_at}"
        write_atomically(path, b"old")
        disk = StoppingDisk(stop_at, landed=landed)
        try:
            write_atomically(path, b"new", disk=disk)
        except PowerCut:
            disk.lose_unsynced()
            assert path.read_bytes() in (b"old", b"new")
        else:
            disk.lose_unsynced()
            assert path.read_bytes() == b"new"
            return
    raise AssertionError("the file was never written")


def test_a_leftover_temporary_of_another_mode_does_not_matter(tmp_path):
    leftover = tmp_path / f"file.{os.getpid()}.tmp"
    leftover.write_bytes(b"half of someth")
    leftover.chmod(0o666)
    write_atomically(tmp_path / "file", b"secret", mode=0o600)
    assert (tmp_path / "file").read_bytes() == b"secret"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_a_new_file_never_replaces_one_that_is_there(tmp_path):
    write_new(tmp_path / "file", b"one")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", b"two")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("file", b"one")]


def test_a_full_disk_is_our_error_and_the_old_file_stays(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(StoreUnavailable, match="No space left on device; free space"):
        write_atomically(path, b"new", disk=FullDisk(room=0))
    assert path.read_bytes() == b"old"


def test_an_absent_file_is_none_and_a_grown_one_is_damage(tmp_path):
    assert read_file(tmp_path / "nothing", max_bytes=1) is None
    assert read_file(tmp_path / "nothing" / "below", max_bytes=1) is None
    (tmp_path / "file").write_bytes(b"12")
    assert read_file(tmp_path / "file" / "below", max_bytes=1) is None
    assert read_file(tmp_path / "file", max_bytes=2) == b"12"
    with pytest.raises(StoreCorrupt, match="larger than 1 bytes"):
        read_file(tmp_path / "file", max_bytes=1)
    with pytest.raises(StoreUnavailable):
        read_file(tmp_path, max_bytes=1)


def test_damage_names_file_reason_and_cure(tmp_path):
    damage = DamagedFile(tmp_path / "x", "is torn", "sew it")
    assert str(damage) == f"{tmp_path / 'x'}: is torn; sew it"
    assert (damage.path, damage.reason, damage.cure) == (tmp_path / "x", "is torn", "sew it")


def test_folders_are_made_durably_one_by_one(tmp_path):
    disk = CountingDisk()
    make_folders(tmp_path / "a" / "b" / "c", disk=disk)
    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert disk.syncs == 3
    make_folders(tmp_path / "a" / "b" / "c", disk=disk)
    assert disk.syncs == 3


def test_a_batch_is_whole_after_commit_and_holds_few_files_open(tmp_path):
    batch, before = FileBatch(CountingDisk()), open_files()
    for number in range(3 * MAX_BATCH_OPEN_FILES + 5):
        batch.add(tmp_path / str(number % 3) / str(number), b"%d" % number)
        assert open_files() < before + MAX_BATCH_OPEN_FILES + 2
    batch.commit()
    for number in range(3 * MAX_BATCH_OPEN_FILES + 5):
        assert (tmp_path / str(number % 3) / str(number)).read_bytes() == b"%d" % number
    assert not list(tmp_path.rglob("*.tmp"))


class _Diary(Disk):
    """A disk that writes down what was done to which file."""

    def __init__(self):
        self.done = []

    def fsync(self, descriptor):
        self.done.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync")

    def replace(self, source, target):
        self.done.append("rename")
        super().replace(source, target)


def test_a_batch_syncs_all_of_a_group_before_it_names_the_first(tmp_path):
    """In turns, every rename would be written to the file system's journal by the sync that follows it."""
    disk = _Diary()
    batch = FileBatch(disk)
    for number in range(MAX_BATCH_OPEN_FILES + 2):
        batch.add(tmp_path / str(number), b"x")
    batch.commit()
    group = ["sync"] * MAX_BATCH_OPEN_FILES + ["rename"] * MAX_BATCH_OPEN_FILES
    assert disk.done == [*group, "sync", "sync", "rename", "rename", "sync folder"]


@pytest.mark.parametrize("landed", [True, False])
def test_a_file_of_a_batch_is_old_or_new_whenever_the_power_is_cut(tmp_path, landed):
    for stop_at in range(1, 30):
        folder = tmp_path / str(stop_at)
        folder.mkdir()
        for number in range(3):
            write_atomically(folder / str(number), b"old")
        disk = StoppingDisk(stop_at, landed=landed)
        batch = FileBatch(disk)
        try:
            for number in range(3):
                batch.add(folder / str(number), b"new")
            batch.commit()
        except PowerCut:
            batch.abandon()
            disk.lose_unsynced()
            assert {(folder / str(number)).read_bytes() for number in range(3)} <= {b"old", b"new"}
        else:
            disk.lose_unsynced()
            assert {(folder / str(number)).read_bytes() for number in range(3)} == {b"new"}
            return
    raise AssertionError("the batch was never written")


def test_a_file_that_waits_in_a_batch_is_not_added_twice(tmp_path):
    batch = FileBatch(CountingDisk())
    batch.add(tmp_path / "x", b"1")
    with pytest.raises(ValueError, match="already"):
        batch.add(tmp_path / "x", b"2")
    batch.commit()
    assert (tmp_path / "x").read_bytes() == b"1"
    batch.add(tmp_path / "x", b"2")
    batch.commit()
    assert (tmp_path / "x").read_bytes() == b"2"


def test_an_abandoned_batch_leaves_nothing_open_and_nothing_behind(tmp_path):
    before = open_files()
    batch = FileBatch(FullDisk(room=3))
    for number in range(3):
        batch.add(tmp_path / str(number), b"x")
    with pytest.raises(StoreUnavailable):
        batch.add(tmp_path / "3", b"x")
    batch.abandon()
    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


def test_a_folder_has_one_owner_at_a_time(tmp_path):
    first = FolderLock(tmp_path)
    with pytest.raises(StoreLocked, match=f"in use by process {os.getpid()}; stop it first"):
        FolderLock(tmp_path)
    first.release()
    first.release()
    FolderLock(tmp_path).release()


def test_a_real_disk_does_what_it_says(tmp_path):
    disk = Disk()
    path = tmp_path / "file"
    with path.open("wb") as file:
        disk.write(file.fileno(), b"x" * 100_000)
        disk.fsync(file.fileno())
        disk.truncate(file.fileno(), 5)
    disk.link(path, tmp_path / "second")
    disk.replace(path, tmp_path / "third")
    disk.make_folder(tmp_path / "folder", 0o755)
    disk.remove_folder(tmp_path / "folder")
    disk.unlink(tmp_path / "second")
    disk.unlink(tmp_path / "second")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("third", b"xxxxx")]
