"""Issuing jobs in the ledger: which award of which job stands where, so that none is made twice.

A job is planned as a whole, then signed and logged chunk by chunk. What an award's signature depends on (its
random token, its status index, the job's time) is durable before anything is signed, so that doing it again
after a crash gives the same bytes.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from testamur.node.issuing.decks import RandomBytes, draw
from testamur.node.issuing.ledger import Ledger
from testamur.registry.errors import MalformedError

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


def plan(ledger: Ledger, job: int, first_row: int, files: Sequence[str], random_bytes: RandomBytes) -> None:
    """Rows `first_row` on get their token and their status index; inside a transaction.

    Raises MalformedError when two awards of the job would have the same file name.
    """
    places = draw(ledger, len(files), random_bytes)
    tokens = random_bytes(TOKEN_BYTES * len(files))
    rows = [
        (
            job,
            first_row + number,
            tokens[TOKEN_BYTES * number : TOKEN_BYTES * (number + 1)],
            deck,
            index,
            file,
        )
        for number, (file, (deck, index)) in enumerate(zip(files, places, strict=True))
    ]
    try:
        ledger.run_many(
            "INSERT INTO credentials (job, row, token, deck, status_index, file) VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
    except sqlite3.IntegrityError as exc:
        raise MalformedError("file names", _same_name(ledger, job, first_row, files)) from exc


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


def _same_name(ledger: Ledger, job: int, first_row: int, files: Sequence[str]) -> str:
    seen: dict[str, int] = {}
    for number, file in enumerate(files, first_row):
        known = ledger.run("SELECT row FROM credentials WHERE job = ? AND file = ?", (job, file))
        earlier = seen.get(file, known[0][0] if known else None)
        if earlier is not None and earlier != number:
            return f"rows {earlier} and {number} would both be written to {file!r}"
        seen[file] = number
    return "a status index or a random token occurred twice"
