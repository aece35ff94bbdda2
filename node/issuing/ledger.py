"""The issuer's ledger: what was promised to whom, in one SQLite file that survives a power cut at any moment.

Nothing here is ever sent anywhere. It holds file names, so it is as private as the issuer's student records.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from testamur.node.errors import SchemaMismatch, StoreCorrupt, StoreUnavailable

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- schema version, and the newest accepted publication

CREATE TABLE decks (number INTEGER PRIMARY KEY, indexes BLOB NOT NULL, used INTEGER NOT NULL);
-- one per pair of status lists: all its indexes, shuffled, four bytes each, the first `used` are given

CREATE TABLE statements (sequence INTEGER PRIMARY KEY, bundle BLOB NOT NULL, accepted INTEGER NOT NULL);
-- every statement ever signed, one per sequence, with what was sent along, and at most one not accepted yet

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, template TEXT NOT NULL, input TEXT NOT NULL,
    folder TEXT NOT NULL, started TEXT NOT NULL, rows INTEGER NOT NULL, complete INTEGER NOT NULL
);

CREATE TABLE credentials (
    job INTEGER NOT NULL REFERENCES jobs, row INTEGER NOT NULL, token BLOB NOT NULL,
    deck INTEGER NOT NULL REFERENCES decks, status_index INTEGER NOT NULL, file TEXT NOT NULL,
    digest BLOB, leaf_index INTEGER, PRIMARY KEY (job, row)
) WITHOUT ROWID;
-- planned: no digest. signed: a digest and no leaf index. logged: both. The token makes id and salt.
-- deck 0 is for credentials that were signed elsewhere: they have no place in our status lists.
CREATE UNIQUE INDEX credentials_by_status ON credentials (deck, status_index);
CREATE UNIQUE INDEX credentials_by_file ON credentials (job, file);
CREATE UNIQUE INDEX credentials_by_digest ON credentials (digest) WHERE digest IS NOT NULL;
"""

LATER_ADDITIONS = (
    "CREATE INDEX IF NOT EXISTS credentials_by_token ON credentials (token)",
    # Why a status changed: the records of each statement in the order of their batch, salts included.
    (
        "CREATE TABLE IF NOT EXISTS status_records (statement INTEGER NOT NULL REFERENCES statements,"
        " list TEXT NOT NULL, position INTEGER NOT NULL, digest BLOB NOT NULL, record BLOB NOT NULL,"
        " PRIMARY KEY (statement, list, position)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS status_records_by_digest ON status_records (digest)",
)
"""What ledgers of this schema may lack, because they were made before it was needed."""


class Ledger:
    """An open ledger. Every transaction is durable when its block ends, and undone when the block raises.

    One thread, one process: the workspace's lock sees to it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or create it. Raises SchemaMismatch, StoreCorrupt, StoreUnavailable."""
        self.path = path
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            path.chmod(0o600)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-8192"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._create_or_check()
        except sqlite3.DatabaseError as exc:
            raise self._translated(exc) from exc
        except OSError as exc:
            raise StoreUnavailable(f"{path}: {exc.strerror or exc}") from exc

    @contextlib.contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """All or nothing, durable at the end of the block; nothing unless `keep`.

        sqlite3.IntegrityError passes.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT" if keep else "ROLLBACK")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as exc:
            raise self._translated(exc) from exc

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """One statement; all its rows. sqlite3.IntegrityError passes, for the caller to name."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as exc:
            raise self._translated(exc) from exc

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows. sqlite3.IntegrityError passes, for the caller to name."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as exc:
            raise self._translated(exc) from exc

    def find_fact(self, name: str) -> bytes | None:
        """The value of a fact, or None."""
        rows = self.run("SELECT value FROM facts WHERE name = ?", (name,))
        return bytes(rows[0][0]) if rows else None

    def put_fact(self, name: str, value: bytes) -> None:
        """Set a fact; inside a transaction."""
        self.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()

    def _create_or_check(self) -> None:
        known = self.run("SELECT name FROM sqlite_master WHERE name = 'facts'")
        if not known:
            with self.transaction():
                for statement in SCHEMA.split(";"):
                    self._connection.execute(statement)
                self.put_fact("schema", str(SCHEMA_VERSION).encode())
        found = self.find_fact("schema")
        if found != str(SCHEMA_VERSION).encode():
            shown = (found or b"none").decode("ascii", "replace")
            raise SchemaMismatch(f"{self.path}: schema {shown}, this version reads {SCHEMA_VERSION}")
        for statement in LATER_ADDITIONS:
            self.run(statement)

    def _translated(self, error: sqlite3.DatabaseError) -> StoreCorrupt | StoreUnavailable:
        if isinstance(error, sqlite3.OperationalError):
            return StoreUnavailable(f"{self.path}: {error}; mend the disk or free space")
        return StoreCorrupt(f"{self.path}: {error}; restore it from a backup of the workspace")
