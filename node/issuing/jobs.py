"""Issuing jobs in the ledger: which award of which job stands where, so that none is made twice.

A job is planned as a whole, then signed and logged chunk by chunk. What an award's signature depends on (its
random token, its status index, the job's time) is durable before anything is signed, so that doing it again
after a crash gives the same bytes.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from testamur.node.errors import StoreCorrupt
from testamur.node.issuing.decks import SIGNED_ELSEWHERE, RandomBytes, draw, next_signed_elsewhere
from testamur.node.issuing.ledger import Ledger

TOKEN_BYTES = 16
"""The random part of an award: its `urn:uuid:` and its salt are made from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it was begun; `started` is the time that its credentials carry."""

    id: int
    template: str
    input: str
    folder: str
    started: str
    rows: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Award:
    """One row of a job: what its credential will be made from, and its file's name without the extension."""

    row: int
    token: bytes
    deck: int
    status_index: int
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A checked row that is to become an award: its file's name, and what is settled already.

    `token` is that of a credential which brings its id; `is_signed` says that somebody signed it elsewhere,
    so that none of our status indexes is for it.
    """

    row: int
    file: str
    token: bytes | None = None
    is_signed: bool = False


def find_job(ledger: Ledger, key: bytes) -> Job | None:
    """The job with this key, or None when its input was never issued."""
    columns = "id, template, input, folder, started, rows, complete"
    rows = ledger.run(f"SELECT {columns} FROM jobs WHERE key = ?", (key,))  # noqa: S608 - constant columns
    if not rows:
        return None
    job_id, template, source, folder, started, count, complete = rows[0]
    return Job(
        id=job_id,
        template=template,
        input=source,
        folder=folder,
        started=started,
        rows=count,
        complete=bool(complete),
    )


def add_job(ledger: Ledger, key: bytes, *, template: str, source: str, folder: str, started: str) -> int:
    """A new job without rows; inside a transaction. Returns its id."""
    ledger.run(
        "INSERT INTO jobs (key, template, input, folder, started, rows, complete)"
        " VALUES (?, ?, ?, ?, ?, 0, 0)",
        (key, template, source, folder, started),
    )
    job_id: int = ledger.run("SELECT last_insert_rowid()")[0][0]
    return job_id


def plan(ledger: Ledger, job: int, planned: Sequence[Planned], random_bytes: RandomBytes) -> None:
    """These rows get their token, and their status index unless they have one; inside a transaction.

    Raises StoreCorrupt when a place or a token is taken: chance does not do that.
    """
    places = iter(draw(ledger, sum(not item.is_signed for item in planned), random_bytes))
    tokens = random_bytes(TOKEN_BYTES * len(planned))
    signed_before = next_signed_elsewhere(ledger) if any(item.is_signed for item in planned) else 0
    rows = []
    for number, item in enumerate(planned):
        place = (SIGNED_ELSEWHERE, signed_before + number) if item.is_signed else next(places)
        token = item.token or id_bytes(tokens[TOKEN_BYTES * number : TOKEN_BYTES * (number + 1)])
        rows.append((job, item.row, token, *place, item.file))
    try:
        ledger.run_many(
            "INSERT INTO credentials (job, row, token, deck, status_index, file) VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
    except sqlite3.IntegrityError as exc:
        reason = "a status index, a random token or a file name occurred twice"
        raise StoreCorrupt(f"{ledger.path}: {reason}; restore it from a backup") from exc


def id_bytes(token: bytes) -> bytes:
    """Random bytes as those of a UUID of version 4 (RFC 9562 §5.4), so that an id leads back to its award."""
    digits = bytearray(token)
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    return bytes(digits)


def find_issued(
    ledger: Ledger, token: bytes | None, digest: bytes | None
) -> tuple[int, str, bytes | None, int | None] | None:
    """(job, file, digest, leaf index) of the credential with this digest, or else with this id; or None."""
    columns = "SELECT job, file, digest, leaf_index FROM credentials"
    rows = ledger.run(f"{columns} WHERE digest = ?", (digest,)) if digest is not None else []
    if not rows and token is not None:
        rows = ledger.run(f"{columns} WHERE token = ?", (token,))
    return rows[0] if rows else None


def find_row(ledger: Ledger, job: int, file: str) -> int | None:
    """The row of the job that is written to this file, or None."""
    rows = ledger.run("SELECT row FROM credentials WHERE job = ? AND file = ?", (job, file))
    return int(rows[0][0]) if rows else None


def files(ledger: Ledger, job: int, after: int, limit: int) -> list[tuple[int, str, bool]]:
    """(row, file, whether it is signed) of the first rows beyond row `after`, in order."""
    rows = ledger.run(
        "SELECT row, file, digest IS NOT NULL FROM credentials"
        " WHERE job = ? AND row > ? ORDER BY row LIMIT ?",
        (job, after, limit),
    )
    return [(row, file, bool(is_signed)) for row, file, is_signed in rows]


def set_folder(ledger: Ledger, job: int, folder: str) -> None:
    """The job's files are in this folder now; inside a transaction."""
    ledger.run("UPDATE jobs SET folder = ? WHERE id = ?", (folder, job))


def forget_learners(ledger: Ledger) -> None:
    """A new job's learners are compared among themselves; inside a transaction."""
    # A temporary table, because a job of a million rows must not need the memory for them.
    ledger.run(
        "CREATE TEMPORARY TABLE IF NOT EXISTS learners (key BLOB PRIMARY KEY, place TEXT) WITHOUT ROWID"
    )
    ledger.run("DELETE FROM learners")


def first_place_of(ledger: Ledger, learner: bytes, place: str) -> str:
    """Where this learner (a digest) was met first: at `place`, or before."""
    known = "INSERT INTO learners VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET place = place RETURNING place"
    first: str = ledger.run(known, (learner, place))[0][0]
    return first


def finish_plan(ledger: Ledger, job: int, rows: int) -> None:
    """The job has so many rows; inside a transaction."""
    ledger.run("UPDATE jobs SET rows = ? WHERE id = ?", (rows, job))


def unsigned(ledger: Ledger, job: int, after: int, limit: int) -> list[Award]:
    """The first rows beyond row `after` that are not signed yet, in order.

    `after` keeps a large job from looking at all its finished rows for every chunk.
    """
    rows = ledger.run(
        "SELECT row, token, deck, status_index, file FROM credentials"
        " WHERE job = ? AND row > ? AND digest IS NULL ORDER BY row LIMIT ?",
        (job, after, limit),
    )
    return [Award(*row) for row in rows]


def record_signed(ledger: Ledger, job: int, signed: Sequence[tuple[int, bytes]]) -> None:
    """(row, digest) of credentials whose files are durable; inside a transaction."""
    ledger.run_many(
        "UPDATE credentials SET digest = ? WHERE job = ? AND row = ?",
        [(digest, job, row) for row, digest in signed],
    )


def unlogged(ledger: Ledger, job: int, after: int, limit: int) -> list[tuple[int, bytes]]:
    """(row, digest) of signed credentials beyond row `after` that are not known to be logged, in order."""
    rows = ledger.run(
        "SELECT row, digest FROM credentials"
        " WHERE job = ? AND row > ? AND digest IS NOT NULL AND leaf_index IS NULL ORDER BY row LIMIT ?",
        (job, after, limit),
    )
    return [(row, digest) for row, digest in rows]


def record_logged(ledger: Ledger, logged: Sequence[tuple[bytes, int]]) -> None:
    """(digest, leaf index) of credentials that the host has logged; inside a transaction."""
    ledger.run_many(
        "UPDATE credentials SET leaf_index = ? WHERE digest = ?",
        [(index, digest) for digest, index in logged],
    )


def finish_job(ledger: Ledger, job: int) -> None:
    """Every row is logged; inside a transaction."""
    ledger.run("UPDATE jobs SET complete = 1 WHERE id = ?", (job,))


def counts(ledger: Ledger, job: int) -> tuple[int, int]:
    """(signed, logged) rows of a job."""
    rows = ledger.run("SELECT count(digest), count(leaf_index) FROM credentials WHERE job = ?", (job,))
    signed, logged = rows[0]
    return signed, logged
