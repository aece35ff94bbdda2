"""Issue a class: one input (a table and a template, or ready credentials), a logged credential per item.

    checked ─▶ planned (one transaction) ─▶ signed, files durable ─▶ recorded ─▶ submitted ─▶ logged

Every item is checked before the first one is signed, because signed awards cannot be taken back by correcting
the table. Calling again with the same input resumes after a crash wherever it happened: what is planned is
signed to the same bytes, what is signed is only submitted, and a complete job does nothing.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from testamur.node.errors import ConfigError, PeerMisbehaved
from testamur.node.files import SECRET_MODE, FileBatch, make_folders
from testamur.node.issuing import jobs
from testamur.node.issuing.awards import Desk, KeySource, dossier, key_from
from testamur.node.issuing.decks import RandomBytes
from testamur.node.issuing.jobs import Award, Job
from testamur.node.issuing.outputs import check_folder, move_job, sweep
from testamur.node.issuing.planning import CHUNK_ROWS, EXTENSION, Planner, Planning, Progress
from testamur.node.issuing.ports import RegistryPort
from testamur.node.issuing.publishing import ensure_lists
from testamur.node.issuing.ready import ReadyFiles
from testamur.node.issuing.ready_work import ReadyWork
from testamur.node.issuing.templates import Template
from testamur.node.issuing.work import Item, TableWork, Work
from testamur.node.issuing.workspace import Workspace
from testamur.registry.canonical import Json
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.verification.words import counted

__all__ = ["CHUNK_ROWS", "EXTENSION", "JobReport", "issue"]


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
    planning: Planning


def issue(
    workspace: Workspace,
    *,
    table_path: Path,
    template: Template | None,
    folder: Path,
    key: KeySource,
    port: RegistryPort,
    now: datetime,
    random_bytes: RandomBytes = os.urandom,
    dry_run: bool = False,
    contexts: Mapping[str, Json] | None = None,
    progress: Progress = lambda _stage, _done, _all: None,
    leave_out_bad: bool = False,
    rejects_path: Path | None = None,
    strict_profile: bool = False,
) -> JobReport:
    """Every item of the input is a logged credential in `folder`, once, however often this is called.

    With a template the input is a table; without, it is ready credentials (`ready.ReadyFiles`). Files are
    `<folder>/<name>.credential.json`, readable by their owner alone. Memory does not grow with the input.
    A dry run does the checking and planning, leaves nothing behind, and needs neither `key` nor `port`.
    `contexts` are JSON-LD contexts that are not bundled, by URL; nothing is ever fetched. With
    `strict_profile` a row that lacks an element of a European micro-credential is wrong. Wrong rows end it
    (RowsRejected: nothing was signed), or with `leave_out_bad` are left out; either way they are in
    `rejects_path`. Raises also MalformedError (input or template: nothing was signed), ConfigError,
    StoreUnavailable, PeerUnreachable and PeerMisbehaved (call again to resume).
    """
    if dry_run:
        key = SigningKey.from_seed(Algorithm.ED25519, random_bytes(32))
    if template is None:
        with ReadyFiles(table_path) as files:
            work: Work = ReadyWork(files, workspace, key, contexts, strict_profile=strict_profile)
            run = _Run(workspace, work, folder.resolve(), progress, work.identity())
            return run.issue(
                key, port, now, random_bytes, dry_run=dry_run, lenient=leave_out_bad, rejects=rejects_path
            )
    with table_path.open("rb") as file:
        desk = Desk(workspace.settings, template, key, contexts, strict_profile=strict_profile)
        work = TableWork(file, table_path.name, desk)
        run = _Run(workspace, work, folder.resolve(), progress, work.identity())
        return run.issue(
            key, port, now, random_bytes, dry_run=dry_run, lenient=leave_out_bad, rejects=rejects_path
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """One call of `issue`: plan everything, then sign and log in chunks, each durable before the next."""

    workspace: Workspace
    work: Work
    folder: Path
    progress: Progress
    identity: object

    def issue(
        self,
        key: KeySource,
        port: RegistryPort,
        now: datetime,
        random_bytes: RandomBytes,
        *,
        dry_run: bool,
        lenient: bool,
        rejects: Path | None,
    ) -> JobReport:
        """Find the job, or plan it; then everything that is left of it."""
        job_key = _job_key(self.workspace, self.work)
        job = jobs.find_job(self.workspace.ledger, job_key)
        resumed, planning = job is not None, Planning()
        if job is None or not job.complete:
            check_folder(self.folder, "--out")
        if job is None:
            if not dry_run:
                key_from(key)  # A wrong passphrase is told before a hundred thousand rows are checked.
                make_folders(self.folder)  # A job keeps to its folder, so that must be there first.
            planner = Planner(self.workspace, self.work, self.folder, self.progress)
            job, planning = planner.plan(
                job_key, now, random_bytes, rejects=rejects, keep=not dry_run, lenient=lenient
            )
        if job is None:
            words = f"{counted(planning.rows, 'row')} in order; nothing was signed (dry run)"
            return self._report(planning.rows, words=words, planning=planning)
        if Path(job.folder) != self.folder:
            move_job(self.workspace.ledger, job, self.folder, keep=not dry_run)
        if resumed and not dry_run and self.folder.is_dir():
            sweep(self.workspace.ledger, job, self.folder)
        if job.complete or dry_run:
            state = (
                "is complete" if job.complete else "was begun; run it again without --dry-run to finish it"
            )
            words = f"job {job.id} of {self.work.name}, started {job.started}, {state}: nothing to do"
            return self._report(job.rows, already_complete=job.complete, resumed=True, words=words)
        ensure_lists(self.workspace, key=key_from(key), port=port, now=now)
        signed, logged = self._finish(job, port)
        words = f"{counted(job.rows, 'credential')} signed, logged and written to {self.folder}"
        return self._report(
            job.rows, signed=signed, logged=logged, resumed=resumed, words=words, planning=planning
        )

    def _finish(self, job: Job, port: RegistryPort) -> tuple[int, int]:
        """Everything that is left of a planned job: (signed, logged) in this call."""
        make_folders(self.folder)
        before_signed, before_logged = jobs.counts(self.workspace.ledger, job.id)
        logged = before_logged + self._log(job, port, 0, before_logged)
        signed, last = before_signed, 0
        items = self.work.items(lambda _line, _cells, _problem: None)
        while awards := jobs.unsigned(self.workspace.ledger, job.id, last, CHUNK_ROWS):
            self._sign(job, awards, items)
            signed += len(awards)
            self.progress("sign", signed, job.rows)
            logged += self._log(job, port, last, logged)
            last = awards[-1].row
        with self.workspace.ledger.transaction():
            jobs.finish_job(self.workspace.ledger, job.id)
        return signed - before_signed, logged - before_logged

    def _sign(self, job: Job, awards: list[Award], items: Iterator[Item]) -> None:
        """Sign a chunk; its files are durable before the ledger says that they are signed."""
        if self.work.identity() != self.identity:
            raise ConfigError("input", f"{self.work.name} was changed while it was being issued; restore it")
        files = FileBatch()
        signed = []
        try:
            for award in awards:
                item = next(item for item in items if item.number == award.row)
                credential = self.work.sign(item, award, job.started)
                files.add(self.folder / f"{award.file}{EXTENSION}", dossier(credential), mode=SECRET_MODE)
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

    def _report(
        self,
        rows: int,
        *,
        words: str,
        signed: int = 0,
        logged: int = 0,
        resumed: bool = False,
        already_complete: bool = False,
        planning: Planning | None = None,
    ) -> JobReport:
        return JobReport(
            rows=rows,
            signed=signed,
            logged=logged,
            resumed=resumed,
            already_complete=already_complete,
            folder=self.folder,
            words=words,
            planning=planning or Planning(),
        )


def _job_key(workspace: Workspace, work: Work) -> bytes:
    """What makes two jobs the same: issuer, template and input, byte for byte; not time, not folder."""
    settings = workspace.settings
    parts = [settings.registry.encode(), settings.slug.encode(), settings.did.encode()]
    return sha256(b"".join(sha256(part) for part in parts) + work.key())
