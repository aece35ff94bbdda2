"""The life of a log on a disk: appending, the index and its rebuilding, opening, and memory.

The raw limit of appending is the plain hashing loop over what is appended, and one LevelDB batch and one
synced write per submission. Opening is what a start does with a log:
lock, identity, journal, edge, head, index; a start has the chain and the keys beside it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the log with its documents is a fake that the tests share

import plyvel  # noqa: E402
from _report import LONG, QUICK, Row, bounded, compare, not_measured, report  # noqa: E402
from merkle import plain_loop  # noqa: E402

from fakes.hosted_log import HostedLog, credentials  # noqa: E402
from testamur.node.files import Disk  # noqa: E402
from testamur.node.index.store import BLOOM_FILTER_BITS, WRITE_BUFFER_BYTES, Index  # noqa: E402
from testamur.node.log.reader import LogReader  # noqa: E402
from testamur.node.log.stopped import StoppedLog  # noqa: E402
from testamur.node.service.projecting import project  # noqa: E402
from testamur.registry.entries import Entry  # noqa: E402

SUBMISSION = 1_024
APPENDED = 8 * SUBMISSION if QUICK else 32 * SUBMISSION
INDEXED = 50_000 if QUICK else 1_000_000
MANY = 10_000_000
MAX_ROW_BYTES = 120
MIN_LEAVES_PER_SECOND = 50_000
MAX_READY_SECONDS = 2
MAX_MEGABYTES = 200


class Log:
    """A hosted log with its index in one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.hosted = HostedLog(folder, disk=Disk())
        self.index = Index(folder / "index")

    def add(self, entries: list[Entry]) -> None:
        """A submission: looked up, appended durably, indexed."""
        writer = self.hosted.writer
        self.index.find_leaves(writer.origin, [entry.digest for entry in entries])
        project(self.index, self.hosted.documents, _Known(writer.origin, writer.append(entries)[0], entries))

    def publish(self) -> None:
        """Sealed, tiles out."""
        self.hosted.publish()
        project(self.index, self.hosted.documents, self.hosted.writer)

    def close(self) -> None:
        """Give everything back."""
        self.index.close()
        self.hosted.writer.close()


class _Known:
    """What was just appended, so that it is not read again."""

    def __init__(self, origin: str, start: int, entries: list[Entry]) -> None:
        self.origin = origin
        self._start = start
        self._entries = entries
        self.next_index = start + len(entries)

    def read_entries(self, start: int, number: int) -> list[Entry]:
        """As `ProjectedLog`."""
        return self._entries[start - self._start :][:number]


def appending(place: Path) -> list[Row]:
    """Digests in, tiles out, indexed; each round goes on with the same log."""
    log, rounds = Log(place), count()
    database = plyvel.DB(
        str(place / "raw"),
        create_if_missing=True,
        bloom_filter_bits=BLOOM_FILTER_BITS,
        write_buffer_size=WRITE_BUFFER_BYTES,
    )
    raw = (place / "raw.log").open("wb")

    def ours() -> None:
        start = 1_000_000 + next(rounds) * APPENDED
        for position in range(start, start + APPENDED, SUBMISSION):
            log.add(credentials(position, SUBMISSION))
        log.publish()

    def limit() -> None:
        start = 900_000_000 + next(rounds) * APPENDED
        everything = []
        for position in range(start, start + APPENDED, SUBMISSION):
            entries = [entry.to_bytes() for entry in credentials(position, SUBMISSION)]
            everything += entries
            raw.write(b"".join(entries))
            raw.flush()
            os.fsync(raw.fileno())
            with database.write_batch() as batch:
                for number, entry in enumerate(entries, position):
                    batch.put(b"c" + entry[2:], number.to_bytes(10, "big"))
        plain_loop(everything)

    row = compare(
        f"append to the log, {APPENDED} in submissions of {SUBMISSION}, tiles and index",
        ours=ours,
        limit=limit,
        beside="hashing loop + LevelDB",
        count=APPENDED,
        at_most=2,
    )
    database.close()
    raw.close()
    log.close()
    return [row]


def grown(place: Path, size: int) -> None:
    """A published and indexed log of so many leaves."""
    log = Log(place)
    start = log.hosted.writer.next_index
    while start < size:
        for position in range(start, min(start + (1 << 18), size), SUBMISSION * 4):
            log.add(credentials(position, SUBMISSION * 4))
        log.publish()
        start = log.hosted.writer.next_index
    log.close()


def indexing(place: Path) -> list[Row]:
    """Size of the index after compaction, and how fast it is made again."""
    grown(place, INDEXED)
    reader = LogReader(place / "log")
    Index.destroy(place / "index")
    index = Index(place / "index")
    started = time.process_time()
    with StoppedLog(reader) as stopped:
        size = stopped.next_index
        project(index, HostedLogDocuments(place), stopped)
    rebuilt = size / (time.process_time() - started)
    index.close()
    database = plyvel.DB(str(place / "index"))
    database.compact_range()
    database.close()
    used = sum(path.stat().st_size for path in (place / "index").iterdir())
    return [
        bounded("index, all rows of a credential", value=used / size, unit="B", at_most=MAX_ROW_BYTES),
        Row(
            what=f"index rebuilt from {size:,} leaves",
            unit="/s",
            ours=rebuilt,
            beside="the goal",
            limit=MIN_LEAVES_PER_SECOND,
            ratio=rebuilt / MIN_LEAVES_PER_SECOND,
            goal=f"≥ {MIN_LEAVES_PER_SECOND}/s",
            met=rebuilt >= MIN_LEAVES_PER_SECOND,
        ),
    ]


def HostedLogDocuments(place: Path) -> object:  # noqa: N802  (stands for a store)
    """The documents of the log in this folder."""
    from testamur.node.log.documents import DocumentStore  # noqa: PLC0415

    return DocumentStore(place / "documents")


def opening(place: Path, size: int) -> list[Row]:
    """A process that opens the log and its index, looks something up, proves it, and appends."""
    done = subprocess.run(
        [sys.executable, __file__, "--open", str(place), str(size)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, megabytes, own = (float(word) for word in done.stdout.split())
    return [
        bounded(f"open a log of {size:,} leaves", value=seconds, unit="s", at_most=MAX_READY_SECONDS),
        bounded(f"memory with {size:,} leaves, appending", value=megabytes, unit="MB", at_most=MAX_MEGABYTES),
        bounded("of it the node's own, without mapped files", value=own, unit="MB", at_most=MAX_MEGABYTES),
    ]


def open_and_work(place: Path, size: int) -> None:
    """In a process of its own: prints seconds to open, the largest resident memory and its own part, in MB.

    The rest of it are pages of the index's files, which LevelDB maps: the more of them the more is looked up
    and the system has no better use for its memory.
    """
    started = time.perf_counter()
    log = Log(place)
    project(log.index, log.hosted.documents, log.hosted.writer)
    seconds = time.perf_counter() - started
    origin = log.hosted.writer.origin
    for number in range(0, size - 1, max(1, size // 20_000)):
        digest = hashlib.sha256(b"credential %d" % number).digest()
        log.index.find_leaf(origin, digest)
    for position in range(2_000_000_000, 2_000_000_000 + 16 * SUBMISSION, SUBMISSION):
        log.add(credentials(position, SUBMISSION))
    log.publish()
    status = Path("/proc/self/status").read_text("ascii")
    log.close()
    peak, own = (int(status.partition(name)[2].split()[0]) / 1024 for name in ("VmHWM:", "RssAnon:"))
    print(seconds, peak, own)


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--open"]:
        open_and_work(Path(sys.argv[2]), int(sys.argv[3]))
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        rows = appending(place / "appended")
        rows += indexing(place / "indexed")
        rows += opening(place / "indexed", INDEXED)
        if LONG:
            grown(place / "indexed", MANY)
            rows += opening(place / "indexed", MANY)
        else:
            rows.append(not_measured("memory with 10,000,000 leaves", "it takes --long", "≤ 200 MB"))
    report(rows)


if __name__ == "__main__":
    main()
