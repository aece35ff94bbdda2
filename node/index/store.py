"""The LevelDB index: where a digest is logged, what is anchored, which document has an id.

Nothing here is truth: every row is rebuilt from files and chain; an index that cannot be read is thrown away.
All calls block for microseconds to milliseconds and may come from any thread.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import plyvel

from testamur.node.errors import NodeError, SchemaMismatch, StoreCorrupt, StoreLocked, StoreUnavailable
from testamur.node.index import keys
from testamur.node.index.keys import Location
from testamur.node.index.records import Database, Records
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES

BLOOM_FILTER_BITS = 10
"""Per key; one in a hundred questions for an absent digest reads the disk in vain."""

WRITE_BUFFER_BYTES = 8 << 20
"""Rows kept in memory before they are sorted into a file: fewer rewrites of a large batch."""

BLOCK_CACHE_BYTES = 32 << 20
"""Within the node's 200 MB, and enough to look up half a million credentials without reading the disk."""

MIN_PREFIX_DIGESTS = 1024
"""An answer to a prefix holds so many digests, or all: the node does not learn which one is meant."""

MAX_PREFIX_DIGESTS = 16_384
"""A shorter prefix than this answers is refused: it would only make the answer huge."""

BATCH_ENTRIES = 4096
"""Rows written at once: large enough to be cheap, small enough that nothing waits long behind a batch."""

MAX_REMEMBERED_ABSENT = 1 << 16
"""Digests that `find_leaf` missed are not looked for again when they are put; so many take about 8 MB."""

_SCHEMA = str(keys.SCHEMA).encode("ascii")
_CURE = "rebuild it with `testamur node reindex`"


class Index(Records):
    """An open index folder; one process at a time. Anchors and documents by id: `Records`."""

    def __init__(self, folder: Path) -> None:
        """Open, or make an empty index.

        Raises StoreLocked when another process has it open, SchemaMismatch when it was written by another
        version, StoreCorrupt when LevelDB cannot read it, StoreUnavailable when the disk refuses.
        """
        self.folder = folder
        database = _LevelDb(folder)
        try:
            _check_schema(folder, database)
            super().__init__(database)
        except BaseException:
            database.close()
            raise
        self._absent_lock = threading.Lock()
        self._absent: set[bytes] = set()
        self._puts = 0

    @staticmethod
    def destroy(folder: Path) -> None:
        """Throw the whole index away, before it is rebuilt. Raises StoreLocked, StoreUnavailable."""
        try:
            plyvel.destroy_db(str(folder))
        except plyvel.Error as exc:
            raise _translated(folder, exc) from exc

    def close(self) -> None:
        """Give the folder back; calls after this one raise RuntimeError."""
        self._db.close()

    # ------------------------------------------------------------------------------------------ credentials

    def put_entries(self, origin: str, start: int, entries: Sequence[Entry]) -> None:
        """Entries `start`, `start + 1` … can be found; after a crash, as many as `projected_size` says.

        The same entries may come again. A digest that the log holds twice is found at its first leaf: what
        counts for a credential is when it was logged first. Raises ValueError when entries before `start`
        were never put.
        """
        with self._lock:
            ordinal = self._ordinal_for(origin)
            projected = self._projected(ordinal)
            if start > projected:
                raise ValueError(f"{origin}: entries {projected} to {start - 1} were not put")
            for position in range(projected, start + len(entries), BATCH_ENTRIES):
                self._put_batch(
                    ordinal, position, entries[position - start : position - start + BATCH_ENTRIES]
                )

    def projected_size(self, origin: str) -> int:
        """How many entries of the log have been put; 0 for a log that is not known."""
        ordinal = self._ordinals.get(origin)
        return 0 if ordinal is None else self._projected(ordinal)

    def find_leaf(self, origin: str, digest: bytes, kind: EntryKind = EntryKind.CREDENTIAL) -> int | None:
        """The first leaf of this log that holds the digest as an entry of this kind, or None."""
        return self.find_leaves(origin, (digest,), kind).get(digest)

    def find_leaves(
        self, origin: str, digests: Sequence[bytes], kind: EntryKind = EntryKind.CREDENTIAL
    ) -> dict[bytes, int]:
        """The same for many digests: the first leaf of each that this log holds."""
        ordinal, puts = self._ordinals.get(origin), self._puts
        wanted = keys.digest_keys(kind, digests)
        found: dict[bytes, int] = {}
        absent: list[bytes] = []
        for digest, key, value in zip(digests, wanted, self._db.get_all(wanted), strict=True):
            if value is None:
                absent.append(key)
                continue
            for number, leaf_index in keys.parse_places(value):
                if number == ordinal:
                    found[digest] = leaf_index
                    break
        self._remember_absent(absent, puts)
        return found

    def find_credential(self, digest: bytes) -> list[Location]:
        """Every log that holds the credential, with the first leaf in each."""
        return [self._location(place) for place in self._places(EntryKind.CREDENTIAL, digest)]

    def find_documents(self, digest: bytes) -> list[Location]:
        """Every log that holds the public document, with the first leaf in each."""
        return [self._location(place) for place in self._places(EntryKind.DOCUMENT, digest)]

    def digests_with_prefix(
        self, prefix: bytes, bits: int | None = None, *, minimum: int = MIN_PREFIX_DIGESTS
    ) -> tuple[bool, list[tuple[bytes, list[Location]]]]:
        """All credentials that share the first `bits` bits (default: all) of `prefix`, ascending.

        When they are fewer than `minimum`, their neighbours fill the answer up: those after, then those
        before. Whoever logs digests beside another's can make an answer no larger than that. The first is
        whether these are all credentials there are. Raises MalformedError when more than
        `MAX_PREFIX_DIGESTS` share the bits: more bits make them fewer, and all of a digest make it one.
        """
        bits = 8 * len(prefix) if bits is None else bits
        if not 0 <= bits <= 8 * min(len(prefix), DIGEST_BYTES):
            raise ValueError(f"{len(prefix)} bytes do not have {bits} bits of a digest")
        start, stop = keys.prefix_bounds(prefix, bits)
        first, last = keys.CREDENTIALS, keys.after(keys.CREDENTIALS)
        found: list[tuple[bytes, list[Location]]] = []
        is_everything = True
        for key, value in self._db.rows(start, last):
            is_neighbour = stop is not None and key >= stop
            if is_neighbour and len(found) >= minimum:
                is_everything = False
                break
            if len(found) == MAX_PREFIX_DIGESTS:
                reason = f"matches more than {MAX_PREFIX_DIGESTS} digests; give more bits"
                raise MalformedError("prefix", reason)
            found.append(self._found(key, value))
        for key, value in self._db.rows(first, start, reverse=True):
            if len(found) >= minimum:
                is_everything = False
                break
            found.append(self._found(key, value))
        return is_everything, sorted(found, key=lambda item: item[0])

    # ----------------------------------------------------------------------------------------------- the rest

    def put_meta(self, name: str, value: bytes) -> None:
        """Keep a fact about the index, such as how far the chain was followed."""
        if name == keys.SCHEMA_NAME:
            raise ValueError("the schema is not a cursor")
        self._db.write([(keys.meta_key(name), value)])

    def find_meta(self, name: str) -> bytes | None:
        """The fact, or None."""
        return self._db.get(keys.meta_key(name))

    def _projected(self, ordinal: int) -> int:
        value = self._db.get(keys.projected_key(ordinal))
        return 0 if value is None else keys.parse_size(value)

    def _put_batch(self, ordinal: int, start: int, entries: Sequence[Entry]) -> None:
        key_of, place, seal = keys.digest_key, keys.encode_place, EntryKind.SEAL
        first: dict[bytes, int] = {}
        for leaf_index, entry in enumerate(entries, start):
            if entry.kind is not seal:
                first.setdefault(key_of(entry.kind, entry.digest), leaf_index)
        rows = {key: place(ordinal, leaf_index) for key, leaf_index in first.items()}
        # In their order in the database: neighbours share the blocks and filters that answer for them.
        absent = self._absent
        unknown = sorted([key for key in first if key not in absent])
        for key, before in zip(unknown, self._db.get_all(unknown), strict=True):
            if before is None:
                continue
            if any(number == ordinal for number, _ in keys.parse_places(before)):
                del rows[key]
            else:
                rows[key] = before + rows[key]
        cursor = (keys.projected_key(ordinal), keys.encode_size(start + len(entries)))
        self._db.write([*rows.items(), cursor])
        with self._absent_lock:
            self._absent.difference_update(rows)
            self._puts += 1

    def _places(self, kind: EntryKind, digest: bytes) -> list[tuple[int, int]]:
        value = self._db.get(keys.digest_key(kind, digest))
        return [] if value is None else keys.parse_places(value)

    def _remember_absent(self, absent: Sequence[bytes], puts: int) -> None:
        """They were not there when `puts` puts had been made; worth knowing unless one came in between."""
        with self._absent_lock:
            if puts == self._puts:
                if len(self._absent) + len(absent) > MAX_REMEMBERED_ABSENT:
                    self._absent.clear()
                self._absent.update(absent[:MAX_REMEMBERED_ABSENT])

    def _found(self, key: bytes, value: bytes) -> tuple[bytes, list[Location]]:
        return key[1:], [self._location(place) for place in keys.parse_places(value)]


class _LevelDb:
    """LevelDB behind our own errors: the only place that knows plyvel."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._translated():
            folder.mkdir(parents=True, exist_ok=True)
            self._db = plyvel.DB(
                str(folder),
                create_if_missing=True,
                # A flipped bit must be an error with a cure: a row that is silently missing is a credential
                # that would be logged again.
                paranoid_checks=True,
                bloom_filter_bits=BLOOM_FILTER_BITS,
                write_buffer_size=WRITE_BUFFER_BYTES,
                lru_cache_size=BLOCK_CACHE_BYTES,
            )

    def get(self, key: bytes) -> bytes | None:
        try:
            return cast("bytes | None", self._db.get(key, verify_checksums=True))
        except plyvel.Error as exc:
            raise _translated(self._folder, exc) from exc

    def get_all(self, keys: Iterable[bytes]) -> list[bytes | None]:
        get = self._db.get
        try:
            return [get(key, verify_checksums=True) for key in keys]
        except plyvel.Error as exc:
            raise _translated(self._folder, exc) from exc

    def write(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with self._translated(), self._db.write_batch() as batch:
            put = batch.put
            for key, value in rows:
                put(key, value)

    def rows(
        self, start: bytes, stop: bytes | None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        with (
            self._translated(),
            self._db.iterator(start=start, stop=stop, reverse=reverse, verify_checksums=True) as rows,
        ):
            yield from rows

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (plyvel.Error, OSError) as exc:
            raise _translated(self._folder, exc) from exc


def _check_schema(folder: Path, database: Database) -> None:
    """The rows mean what this program thinks; an empty database gets this program's schema."""
    schema = database.get(keys.meta_key(keys.SCHEMA_NAME))
    if next(database.rows(b"", None), None) is None:
        database.write([(keys.meta_key(keys.SCHEMA_NAME), _SCHEMA)])
    elif schema != _SCHEMA:
        found = "none" if schema is None else schema.decode("ascii", "replace")
        raise SchemaMismatch(f"{folder}: written with schema {found}, this is {keys.SCHEMA}; {_CURE}")


def _translated(folder: Path, exc: Exception) -> NodeError:
    """The answer of ours to an error of LevelDB's, whose classes say less than their text."""
    text = str(exc)
    if isinstance(exc, plyvel.CorruptionError) or "orruption" in text or "does not exist" in text:
        return StoreCorrupt(f"{folder}: LevelDB cannot read the index ({text}); {_CURE}")
    if "lock" in text:
        return StoreLocked(f"{folder}: the index is open in another process; stop it first")
    return StoreUnavailable(f"{folder}: {text}; mend the disk or free space")
