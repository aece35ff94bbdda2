import os
import shutil
import threading

import pytest

from fakes.disks import CountingDisk, FullDisk
from testamur.node.errors import StoreCorrupt, StoreUnavailable
from testamur.node.log.journal import Journal, create_journal

LOG_ID = bytes(range(32))
HEADER_BYTES = 60
RECORD_BYTES = 56


def entries(count, start=0):
    return [b"\x01\x01" + number.to_bytes(32, "big") for number in range(start, start + count)]


def new_journal(path, first=0, disk=None):
    create_journal(path, LOG_ID, first)
    return Journal(path, LOG_ID, disk=disk or CountingDisk())


def filled(path, *batches):
    journal = new_journal(path)
    for batch in batches:
        journal.sync(journal.write(batch) + len(batch))
    journal.close()
    return path.read_bytes()


def reopen(path, data):
    path.write_bytes(data)
    journal = Journal(path, LOG_ID)
    try:
        return journal.read(journal.first, journal.next - journal.first)
    finally:
        journal.close()


def test_entries_come_back_in_leaf_order_after_reopening(tmp_path):
    data = filled(tmp_path / "journal", entries(3), entries(2, 3))
    assert reopen(tmp_path / "journal", data) == entries(5)


def test_leaf_indexes_go_on_from_the_first(tmp_path):
    journal = new_journal(tmp_path / "journal", first=1000)
    assert (journal.write(entries(2)), journal.write(entries(1)), journal.next) == (1000, 1002, 1003)


def test_a_tail_torn_at_any_byte_is_cut_off_and_everything_before_it_stays(tmp_path):
    path = tmp_path / "journal"
    data = filled(path, entries(3))
    for length in range(HEADER_BYTES, len(data)):
        whole = (length - HEADER_BYTES) // RECORD_BYTES
        assert reopen(path, data[:length]) == entries(whole), length
        assert path.stat().st_size == HEADER_BYTES + whole * RECORD_BYTES


def test_a_tail_of_zeros_is_cut_off_at_any_byte(tmp_path):
    path = tmp_path / "journal"
    data = filled(path, entries(3))
    for length in range(HEADER_BYTES, len(data)):
        torn = data[:length].ljust(len(data), b"\0")
        assert reopen(path, torn) == entries((length - HEADER_BYTES) // RECORD_BYTES), length


def test_a_page_that_was_lost_before_the_sync_is_a_torn_tail(tmp_path):
    path = tmp_path / "journal"
    data = bytearray(filled(path, entries(4)))
    second = HEADER_BYTES + RECORD_BYTES
    data[second : second + RECORD_BYTES] = bytes(RECORD_BYTES)
    assert reopen(path, bytes(data)) == entries(1)


def test_zeros_in_what_a_later_record_calls_durable_are_damage(tmp_path):
    path = tmp_path / "journal"
    data = bytearray(filled(path, entries(2), entries(2, 2)))
    data[HEADER_BYTES : HEADER_BYTES + RECORD_BYTES] = bytes(RECORD_BYTES)
    with pytest.raises(StoreCorrupt, match="journal: the record of leaf 0 is damaged"):
        reopen(path, bytes(data))


@pytest.mark.parametrize("leaf", [0, 1, 2])
def test_any_flipped_bit_in_a_record_is_damage(tmp_path, leaf):
    path = tmp_path / "journal"
    data = filled(path, entries(3))
    start = HEADER_BYTES + leaf * RECORD_BYTES
    for offset in range(start, start + RECORD_BYTES):
        damaged = bytearray(data)
        damaged[offset] ^= 0x10
        with pytest.raises(StoreCorrupt, match=f"journal: the record of leaf {leaf} is damaged; restore"):
            reopen(path, bytes(damaged))


def test_any_flipped_bit_in_the_header_is_damage(tmp_path):
    path = tmp_path / "journal"
    data = filled(path, entries(1))
    for offset in range(HEADER_BYTES):
        damaged = bytearray(data)
        damaged[offset] ^= 1
        with pytest.raises(StoreCorrupt, match="journal"):
            reopen(path, bytes(damaged))


def test_records_in_another_order_are_damage(tmp_path):
    path = tmp_path / "journal"
    data = filled(path, entries(2))
    first, second = data[HEADER_BYTES : HEADER_BYTES + RECORD_BYTES], data[HEADER_BYTES + RECORD_BYTES :]
    with pytest.raises(StoreCorrupt, match="leaf 0"):
        reopen(path, data[:HEADER_BYTES] + second + first)


def test_the_journal_of_another_log_is_refused(tmp_path):
    new_journal(tmp_path / "journal").close()
    with pytest.raises(StoreCorrupt, match="belongs to another log"):
        Journal(tmp_path / "journal", b"\xff" * 32)


def test_damage_after_opening_is_seen_when_reading(tmp_path):
    path = tmp_path / "journal"
    journal = new_journal(path)
    journal.write(entries(2))
    with path.open("r+b") as file:
        file.seek(HEADER_BYTES + RECORD_BYTES + 30)
        file.write(b"\xee")
    assert journal.read(0, 1) == entries(1)
    with pytest.raises(StoreCorrupt, match="leaf 1"):
        journal.read(0, 2)


def test_reading_outside_is_a_mistake_of_the_caller(tmp_path):
    journal = new_journal(tmp_path / "journal", first=5)
    journal.write(entries(2))
    for start, count in ((4, 1), (5, 3), (7, 1), (6, -1)):
        with pytest.raises(ValueError, match="holds leaves 5 to 6"):
            journal.read(start, count)
    assert journal.read(7, 0) == []


def test_trimming_forgets_what_is_published_and_keeps_the_rest(tmp_path):
    path = tmp_path / "journal"
    journal = new_journal(path)
    journal.write(entries(5))
    journal.trim(3)
    assert (journal.first, journal.next, journal.read(3, 2)) == (3, 5, entries(2, 3))
    journal.sync(journal.write(entries(1, 5)) + 1)
    journal.close()
    again = Journal(path, LOG_ID)
    assert (again.first, again.read(3, 3)) == (3, entries(3, 3))


def test_a_sync_covers_every_record_written_before_it(tmp_path):
    disk = CountingDisk()
    journal = new_journal(tmp_path / "journal", disk=disk)
    before = disk.syncs
    ends = [journal.write(entries(1)) + 1 for _ in range(5)]
    journal.sync(ends[-1])
    for end in ends:
        journal.sync(end)
    assert disk.syncs == before + 1


def test_callers_that_wait_together_share_one_sync(tmp_path):
    class SlowDisk(CountingDisk):
        def __init__(self):
            super().__init__()
            self.started, self.go_on = threading.Event(), threading.Event()

        def fsync(self, descriptor):
            super().fsync(descriptor)
            self.started.set()
            assert self.go_on.wait(10)

    disk = SlowDisk()
    disk.go_on.set()
    journal = new_journal(tmp_path / "journal", disk=disk)
    disk.go_on.clear()
    disk.started.clear()
    before = disk.syncs
    first = threading.Thread(target=journal.sync, args=(journal.write(entries(1)) + 1,))
    first.start()
    assert disk.started.wait(10)
    end = journal.write(entries(7, 1)) + 7
    others = [threading.Thread(target=journal.sync, args=(end,)) for _ in range(7)]
    for thread in others:
        thread.start()
    disk.go_on.set()
    for thread in (first, *others):
        thread.join(10)
    assert disk.syncs == before + 2


def test_after_a_failed_write_nothing_is_accepted_until_it_is_opened_again(tmp_path):
    disk = FullDisk(room=1)
    journal = new_journal(tmp_path / "journal", disk=disk)
    journal.sync(journal.write(entries(1)) + 1)
    with pytest.raises(StoreUnavailable, match="No space left"):
        journal.write(entries(1, 1))
    disk.room = 100
    with pytest.raises(StoreUnavailable, match="reopen"):
        journal.write(entries(1, 1))
    with pytest.raises(StoreUnavailable, match="reopen"):
        journal.sync(2)
    journal.close()
    assert Journal(tmp_path / "journal", LOG_ID).read(0, 1) == entries(1)


def test_a_journal_that_is_closed_during_a_sync_keeps_its_file_until_the_sync_ends(tmp_path):
    """Else the number of its file may mean another one, which would be synced in its place."""
    path = tmp_path / "journal"

    class SlowDisk(CountingDisk):
        def __init__(self):
            super().__init__()
            self.is_slow, self.started, self.go_on, self.synced = (
                False,
                threading.Event(),
                threading.Event(),
                [],
            )

        def fsync(self, descriptor):
            if self.is_slow:
                self.started.set()
                self.go_on.wait(0.2)
                self.synced.append(os.fstat(descriptor).st_ino)
            super().fsync(descriptor)

    disk = SlowDisk()
    journal = new_journal(path, disk=disk)
    disk.is_slow = True
    end = journal.write(entries(1)) + 1
    syncing = threading.Thread(target=journal.sync, args=(end,))
    syncing.start()
    assert disk.started.wait(10)
    inode = path.stat().st_ino
    journal.close()
    syncing.join(10)
    assert disk.synced == [inode]


def test_a_closed_journal_refuses(tmp_path):
    journal = new_journal(tmp_path / "journal")
    journal.close()
    journal.close()
    with pytest.raises(StoreUnavailable):
        journal.write(entries(1))


def test_a_copied_journal_is_as_good_as_the_first(tmp_path):
    filled(tmp_path / "journal", entries(2))
    shutil.copy(tmp_path / "journal", tmp_path / "copy")
    assert Journal(tmp_path / "copy", LOG_ID).read(0, 2) == entries(2)
