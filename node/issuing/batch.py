"""Issue a class: one table and one template in, one signed and logged credential per row out.

    checked ─▶ planned (one transaction) ─▶ signed, files durable ─▶ recorded ─▶ submitted ─▶ logged

Every row is checked before the first one is signed, because signed awards cannot be taken back by correcting
the table. Calling again with the same table and template resumes after a crash wherever it happened: what is
planned is signed to the same bytes, what is signed is only submitted, and a complete job does nothing.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from testamur.node.errors import ConfigError, PeerMisbehaved
from testamur.node.files import FileBatch, make_folders
from testamur.node.issuing import jobs
from testamur.node.issuing.awards import Desk, dossier
from testamur.node.issuing.decks import RandomBytes
from testamur.node.issuing.jobs import Award, Job
from testamur.node.issuing.ports import RegistryPort
from testamur.node.issuing.publishing import ensure_lists
from testamur.node.issuing.tables import Row, Table
from testamur.node.issuing.templates import Template
from testamur.node.issuing.workspace import Workspace
from testamur.registry.canonical import Json
from testamur.registry.hashing import sha256
from testamur.registry.keys import SigningKey
from testamur.registry.timestamps import format_timestamp

CHUNK_ROWS = 512
"""Rows per transaction, sync and submission: large enough to share their cost, small enough to redo."""

EXTENSION = ".credential.json"

Progress = Callable[[str, int, int], None]
"""(stage "check", "sign" or "log"; rows done; rows in all, 0 while unknown)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What a call of `issue` did: of `rows` awards, `signed` and `logged` in this call."""

    rows: int
    signed: int
    logged: int
    resumed: bool
    already_complete: bool
    folder: Path
    words: str


def issue(
    workspace: Workspace,
    *,
    table_path: Path,
    template: Template,
    folder: Path,
    key: SigningKey,
    port: RegistryPort,
    now: datetime,
    random_bytes: RandomBytes = os.urandom,
    dry_run: bool = False,
    contexts: Mapping[str, Json] | None = None,
    progress: Progress = lambda _stage, _done, _all: None,
) -> JobReport:
    """Every row of the table is a logged credential in `folder`, once, however often this is called.

    Files are `<folder>/<name>.credential.json`, names by the template. Memory does not grow with the table.
    A dry run does the checking and planning and leaves nothing behind. `contexts` are JSON-LD contexts that
    are not bundled, by URL; nothing is ever fetched. Raises MalformedError (table or
    template: nothing was signed), ConfigError, StoreUnavailable, PeerUnreachable and PeerMisbehaved (call
    again to resume).
    """
    with table_path.open("rb") as file:
        run = _Run(
            workspace=workspace,
            desk=Desk(workspace.settings, template, key, contexts),
            table=Table(file, table_path.name),
            file=file,
            identity=_identity(file),
            folder=folder.resolve(),
            progress=progress,
        )
        template.check_columns(run.table.columns, run.table.name)
        job_key = _job_key(workspace, template, file)
        job = jobs.find_job(workspace.ledger, job_key)
        resumed = job is not None
        if job is None:
            rows = run.plan(job_key, format_timestamp(now), random_bytes, keep=not dry_run)
            job = jobs.find_job(workspace.ledger, job_key)
            if job is None:
                return _report(rows, folder, words=f"{rows} rows are in order; nothing was signed (dry run)")
        if Path(job.folder) != run.folder:
            raise ConfigError("out", f"{run.table.name} is being issued into {job.folder}; name that folder")
        if job.complete or dry_run:
            state = (
                "is complete" if job.complete else "was begun; run it again without --dry-run to finish it"
            )
            words = f"job {job.id} of {run.table.name}, started {job.started}, {state}: nothing to do"
            return _report(job.rows, folder, complete=job.complete, resumed=True, words=words)
        ensure_lists(workspace, key=key, port=port, now=now)
        return run.finish(job, port, resumed=resumed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One call of `issue`: plan everything, then sign and log in chunks, each durable before the next."""

    workspace: Workspace
    desk: Desk
    table: Table
    file: BinaryIO
    identity: tuple[int, int]
    folder: Path
    progress: Progress

    def plan(self, job_key: bytes, started: str, random_bytes: RandomBytes, *, keep: bool) -> int:
        """Check every row and give it its place in the ledger, all of them or none; how many there are."""
        ledger, count = self.workspace.ledger, 0
        with ledger.transaction(keep=keep):
            job = jobs.add_job(
                ledger,
                job_key,
                template=self.desk.template.name,
                source=self.table.name,
                folder=str(self.folder),
                started=started,
            )
            rows = self.table.rows()
            while chunk := list(islice(rows, CHUNK_ROWS)):
                names = [self._check(row, count + number, started) for number, row in enumerate(chunk, 1)]
                jobs.plan(ledger, job, count + 1, names, random_bytes)
                count += len(chunk)
                self.progress("check", count, 0)
            jobs.finish_plan(ledger, job, count)
        return count

    def finish(self, job: Job, port: RegistryPort, *, resumed: bool) -> JobReport:
        """Everything that is left of a planned job."""
        make_folders(self.folder)
        before_signed, before_logged = jobs.counts(self.workspace.ledger, job.id)
        logged = before_logged + self._log(job, port, 0, before_logged)
        signed, last = before_signed, 0
        rows: Iterator[tuple[int, Row]] = enumerate(self.table.rows(), 1)
        while awards := jobs.unsigned(self.workspace.ledger, job.id, last, CHUNK_ROWS):
            self._sign(job, awards, rows)
            signed += len(awards)
            self.progress("sign", signed, job.rows)
            logged += self._log(job, port, last, logged)
            last = awards[-1].row
        with self.workspace.ledger.transaction():
            jobs.finish_job(self.workspace.ledger, job.id)
        return _report(
            job.rows,
            self.folder,
            signed=signed - before_signed,
            logged=logged - before_logged,
            resumed=resumed,
            words=f"{job.rows} credentials are signed, logged and written to {self.folder}",
        )

    def _check(self, row: Row, number: int, started: str) -> str:
        """The row's file name, once its credential is known to be one and its file to be free."""
        where = f"{self.table.name}, line {row.line}"
        name = self.desk.check(row, number, started, where)
        path = self.folder / f"{name}{EXTENSION}"
        if path.exists():
            raise ConfigError("out", f"{path} exists and is not of this job; choose another folder ({where})")
        return name

    def _sign(self, job: Job, awards: list[Award], rows: Iterator[tuple[int, Row]]) -> None:
        """Sign a chunk; its files are durable before the ledger says that they are signed."""
        if _identity(self.file) != self.identity:
            raise ConfigError("input", f"{self.table.name} was changed while it was being issued; restore it")
        files = FileBatch()
        signed = []
        try:
            for award in awards:
                row = next(row for number, row in rows if number == award.row)
                credential = self.desk.sign(row, award, job.started)
                files.add(self.folder / f"{award.file}{EXTENSION}", dossier(credential))
                signed.append((award.row, sha256(credential)))
            files.commit()
        finally:
            files.abandon()
        with self.workspace.ledger.transaction():
            jobs.record_signed(self.workspace.ledger, job.id, signed)

    def _log(self, job: Job, port: RegistryPort, after: int, done: int) -> int:
        """Submit what is signed beyond row `after` and not known to be logged; how many that were.

        `done` were logged before, for the progress.
        """
        count = 0
        while waiting := jobs.unlogged(self.workspace.ledger, job.id, after, CHUNK_ROWS):
            digests = [digest for _, digest in waiting]
            answer = port.submit(self.workspace.settings.slug, digests)
            if len(answer) != len(digests) or {digest for digest, _ in answer} != set(digests):
                raise PeerMisbehaved("the host's answer does not name exactly the digests that it was sent")
            with self.workspace.ledger.transaction():
                jobs.record_logged(self.workspace.ledger, answer)
            count, after = count + len(digests), waiting[-1][0]
            self.progress("log", done + count, job.rows)
        return count


def _job_key(workspace: Workspace, template: Template, file: BinaryIO) -> bytes:
    """What makes two jobs the same: issuer, template and table, byte for byte; not time, not folder."""
    settings = workspace.settings
    parts = [
        settings.registry.encode(),
        settings.slug.encode(),
        settings.did.encode(),
        template.digest_source,
    ]
    return sha256(b"".join(sha256(part) for part in parts) + _file_digest(file))


def _file_digest(file: BinaryIO) -> bytes:
    """A chained hash of the file in pieces, so that a large one is never in memory."""
    file.seek(0)
    running = bytes(32)
    while piece := file.read(1 << 20):
        running = sha256(running + piece)
    return running


def _identity(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _report(
    rows: int,
    folder: Path,
    *,
    words: str,
    signed: int = 0,
    logged: int = 0,
    resumed: bool = False,
    complete: bool = False,
) -> JobReport:
    return JobReport(
        rows=rows,
        signed=signed,
        logged=logged,
        resumed=resumed,
        already_complete=complete,
        folder=folder,
        words=words,
    )
