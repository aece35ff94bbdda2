"""The write-ahead log of one Merkle log: entries that were promised a leaf index and are not published yet.

    header   "testamur journal" || log id[32] || first leaf index[8] || CRC-32[4]
    record   0x4A || leaf index[8] || durable[8] || entry[34] || CRC-32[4] || 0x0A          (56 bytes each)

`durable` says below which leaf index everything was synced when the record was written. It tells a torn tail
(never promised to anybody, cut off) from damage in what was promised (refused): a bad record is damage when a
later good one vouches for it, and when it is complete, since a write that was cut short leaves an end of file
or zeros where its pages are missing. All integers are big-endian.
"""

import contextlib
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from testamur.node.errors import StoreUnavailable
from testamur.node.files import DISK, DamagedFile, Disk, translated_errors, write_atomically
from testamur.node.log.layout import END_OF_LOG
from testamur.registry.entries import ENTRY_BYTES

MAGIC = b"testamur journal"
READ_RECORDS = 4096
"""Records read at once: 224 KiB, so that a journal of any length is scanned in constant memory."""

_HEADER = struct.Struct(f">{len(MAGIC)}s32sQI")
_RECORD = struct.Struct(f">BQQ{ENTRY_BYTES}sIB")
_BODY = struct.Struct(f">BQQ{ENTRY_BYTES}s")
_TRAILER = struct.Struct(">IB")
_CRC = struct.Struct(">I")
_MARK, _END = 0x4A, 0x0A
_CURE = f"restore the log's folder from a backup; without one {END_OF_LOG}"


def create_journal(path: Path, log_id: bytes, first: int, *, disk: Disk = DISK) -> None:
    """An empty journal, whose next record is leaf `first`, replaces whatever was there; durable on return."""
    write_atomically(path, _header(log_id, first), disk=disk)


class Journal:
    """An open journal. `write` and `trim` are for one caller at a time, `sync` and `read` for any number."""

    def __init__(self, path: Path, log_id: bytes, *, disk: Disk = DISK) -> None:
        """Open and check every record; a torn tail is cut off. Raises StoreCorrupt, StoreUnavailable."""
        self.path = path
        self._log_id = log_id
        self._disk = disk
        self._sync_lock = threading.Lock()
        self._file_lock = threading.Lock()
        self._failed = False
        with translated_errors(path):
            self._file = os.open(path, os.O_RDWR | os.O_APPEND)
        try:
            with translated_errors(path):
                self._first = self._read_header()
                self._next = self._first
                self._recover_records()
                # A process that died may have left records in the page cache only; from here on they count.
                disk.fsync(self._file)
            self._durable = self._next
        except BaseException:
            self.close()
            raise

    @property
    def first(self) -> int:
        """Leaf index of the oldest record."""
        return self._first

    @property
    def next(self) -> int:
        """Leaf index that the next written entry gets."""
        return self._next

    def write(self, entries: Sequence[bytes]) -> int:
        """Add entries of 34 bytes and give the leaf index of the first; not durable before `sync`."""
        self._refuse_after_failure()
        first, durable = self._next, self._durable
        with translated_errors(self.path), self._failing_for_good():
            self._disk.write(self._file, _encode(entries, first, durable))
        self._next = first + len(entries)
        return first

    def sync(self, size: int) -> None:
        """Every record below leaf index `size` is durable on return. Concurrent callers share one sync."""
        with self._sync_lock:
            self._refuse_after_failure()
            if self._durable >= size:
                return
            written = self._next
            with translated_errors(self.path), self._failing_for_good():
                self._disk.fsync(self._file)
            self._durable = written

    def read(self, start: int, count: int) -> list[bytes]:
        """The entries at leaf indexes `start` to `start + count - 1`, read and checked anew from the file.

        Raises ValueError outside of the journal, StoreCorrupt, StoreUnavailable.
        """
        data = self._read_records(start, count)
        entries = []
        at = 0
        for index, record in enumerate(_RECORD.iter_unpack(data), start):
            if not _is_good(record, index, data[at : at + _BODY.size]):
                raise self._damage(index)
            entries.append(record[3])
            at += _RECORD.size
        return entries

    def read_chunks(self, start: int, end: int, chunk: int = READ_RECORDS) -> Iterator[list[bytes]]:
        """The same for `start` to `end - 1` in pieces, in constant memory."""
        for position in range(start, end, chunk):
            yield self.read(position, min(chunk, end - position))

    def check(self) -> None:
        """Header and records are on disk as they were written. Raises StoreCorrupt, StoreUnavailable."""
        with translated_errors(self.path):
            first = self._read_header()
        if first != self._first:
            raise DamagedFile(self.path, f"begins with leaf {first} instead of {self._first}", _CURE)
        for _ in self.read_chunks(self._first, self._next):
            pass  # every record is checked as it is read

    def trim(self, published: int) -> None:
        """Forget the records below leaf index `published`; a crash leaves the old journal or the new."""
        with self._sync_lock, self._failing_for_good():
            self._refuse_after_failure()
            write_atomically(self.path, self._pieces_from(published), disk=self._disk)
            with translated_errors(self.path):
                replacement = os.open(self.path, os.O_RDWR | os.O_APPEND)
            with self._file_lock:
                os.close(self._file)
                self._file, self._first = replacement, published
            self._durable = self._next

    def close(self) -> None:
        """Give the file back; a second call does nothing."""
        # A sync that is under way keeps its file: its number may be another file's as soon as it is closed.
        with self._sync_lock, self._file_lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            self._failed = True

    def _read_header(self) -> int:
        header = os.pread(self._file, _HEADER.size, 0)
        if len(header) != _HEADER.size or _CRC.pack(zlib.crc32(header[:-4])) != header[-4:]:
            raise DamagedFile(self.path, "the header is damaged", _CURE)
        magic, log_id, first, _ = _HEADER.unpack(header)
        if magic != MAGIC or log_id != self._log_id:
            raise DamagedFile(self.path, "belongs to another log", "put the right file back")
        return int(first)

    def _recover_records(self) -> None:
        """Find the next leaf index; cut off what was never promised, refuse damage in what was."""
        torn_at: int | None = None
        index = self._first
        for record in self._raw_records():
            fields = _RECORD.unpack(record) if len(record) == _RECORD.size else None
            good = fields is not None and _is_good(fields, index, record[: _BODY.size])
            if torn_at is None and not good:
                if len(record) == _RECORD.size and record[0] != 0 and record[-1] != 0:
                    raise self._damage(index)
                torn_at = index
            elif torn_at is not None and good and fields is not None and fields[2] > torn_at:
                raise self._damage(torn_at)
            index += 1
        if torn_at is None:
            self._next = index
            return
        self._next = torn_at
        self._disk.truncate(self._file, self._offset(torn_at))

    def _raw_records(self) -> Iterator[bytes]:
        """Every record in the file as it is, the last one perhaps shorter."""
        offset = _HEADER.size
        while data := os.pread(self._file, READ_RECORDS * _RECORD.size, offset):
            yield from (data[at : at + _RECORD.size] for at in range(0, len(data), _RECORD.size))
            offset += len(data)

    def _read_records(self, start: int, count: int) -> bytes:
        with self._file_lock:
            if not self._first <= start <= start + count <= self._next:
                raise ValueError(f"the journal holds leaves {self._first} to {self._next - 1}")
            with translated_errors(self.path):
                data = os.pread(self._file, count * _RECORD.size, self._offset(start))
        if len(data) != count * _RECORD.size:
            raise self._damage(start + len(data) // _RECORD.size)
        return data

    def _pieces_from(self, published: int) -> Iterator[bytes]:
        """A whole new journal file that starts at leaf `published`."""
        yield _header(self._log_id, published)
        for start in range(published, self._next, READ_RECORDS):
            yield self._read_records(start, min(READ_RECORDS, self._next - start))

    def _offset(self, index: int) -> int:
        return _HEADER.size + (index - self._first) * _RECORD.size

    def _damage(self, index: int) -> DamagedFile:
        return DamagedFile(self.path, f"the record of leaf {index} is damaged", _CURE)

    def _refuse_after_failure(self) -> None:
        if self._failed:
            # After a failed sync the kernel may call the next one a success although the data is gone.
            raise StoreUnavailable(f"{self.path}: closed after a failed write; reopen the log to recover")

    @contextlib.contextmanager
    def _failing_for_good(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._failed = True
            raise


def write_journal(
    path: Path, log_id: bytes, first: int, entries: Sequence[bytes], *, disk: Disk = DISK
) -> None:
    """A journal with these pending entries, leaf `first` and on, replaces whatever was there; durable."""
    write_atomically(path, [_header(log_id, first), _encode(entries, first, first)], disk=disk)


def salvage_records(data: bytes) -> tuple[dict[int, bytes], int]:
    """What is good in a journal's bytes, damaged or not: entries by leaf index, and the next leaf index.

    The latter counts every record that was written whole, so that a damaged one is known to be missing.
    """
    found: dict[int, bytes] = {}
    base: int | None = None
    whole = 0
    for number, at in enumerate(range(_HEADER.size, len(data) - _RECORD.size + 1, _RECORD.size)):
        record = data[at : at + _RECORD.size]
        fields = _RECORD.unpack(record)
        if _is_good(fields, fields[1], record[: _BODY.size]):
            found[fields[1]] = fields[3]
            base = fields[1] - number
        if record[0] and record[-1]:
            whole = number + 1
    if base is None:
        header = data[: _HEADER.size]
        is_good = len(header) == _HEADER.size and _CRC.pack(zlib.crc32(header[:-4])) == header[-4:]
        base = int(_HEADER.unpack(header)[2]) if is_good else 0
    return found, base + whole


def _header(log_id: bytes, first: int) -> bytes:
    header = _HEADER.pack(MAGIC, log_id, first, 0)[:-4]
    return header + _CRC.pack(zlib.crc32(header))


def _encode(entries: Sequence[bytes], first: int, durable: int) -> bytes:
    """The records of `entries`, the first of which is leaf `first`."""
    pack_body, pack_trailer, checksum = _BODY.pack, _TRAILER.pack, zlib.crc32
    bodies = [pack_body(_MARK, index, durable, entry) for index, entry in enumerate(entries, first)]
    return b"".join([body + pack_trailer(checksum(body), _END) for body in bodies])


def _is_good(record: tuple[int, int, int, bytes, int, int], index: int, body: bytes) -> bool:
    mark, found, durable, _, crc, end = record
    return mark == _MARK and found == index and end == _END and durable <= index and crc == zlib.crc32(body)
