"""Before anything is signed: every item of an input is checked and has its place in the ledger, or none."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.issuing import jobs
from testamur.node.issuing.awards import EXAMPLE
from testamur.node.issuing.decks import RandomBytes
from testamur.node.issuing.jobs import Job, Planned
from testamur.node.issuing.rejects import Reject, Rejects, RowsRejected
from testamur.node.issuing.work import Checked, Item, Work
from testamur.node.issuing.workspace import Workspace
from testamur.registry.errors import MalformedError
from testamur.registry.timestamps import format_timestamp

CHUNK_ROWS = 512
"""Rows per transaction, sync and submission: large enough to share their cost, small enough to redo."""

MEASURED_ITEMS = 32
"""Credentials that a dry run signs, with a key for the wastebasket, to tell how large they are."""

MAX_NOTES = 3
"""Remarks on rows that are right: the first ones show what is meant, and the rest only how often."""

EXTENSION = ".credential.json"

Progress = Callable[[str, int, int], None]
"""(stage "check", "sign" or "log"; rows done; rows in all, 0 while unknown)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """What checking an input has found; empty for a job that was planned before.

    `rejected` rows were left out and are in `rejects_file`; `rejects` and `warnings` are the first of each,
    for people. `known_before` were issued already. `mean_bytes` is the size of a signed credential, known
    after a dry run only.
    """

    rows: int = 0
    rejected: int = 0
    rejects: tuple[Reject, ...] = ()
    rejects_file: Path | None = None
    warnings: tuple[str, ...] = ()
    known_before: int = 0
    mean_bytes: int = 0


@dataclass(kw_only=True)
class _Found:
    """What checking has found so far."""

    rows: int = 0
    known_before: int = 0
    warned: int = 0
    sizes: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        self.warned += 1
        if len(self.warnings) < MAX_NOTES:
            self.warnings.append(text)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans one input of one workspace, for files in `folder`."""

    workspace: Workspace
    work: Work
    folder: Path
    progress: Progress

    def plan(
        self,
        job_key: bytes,
        now: datetime,
        random_bytes: RandomBytes,
        *,
        rejects: Path | None,
        keep: bool,
        lenient: bool,
    ) -> tuple[Job | None, Planning]:
        """The job (None unless it is kept), and what was found.

        Raises RowsRejected when rows are wrong, unless `lenient` leaves them out and others are left.
        """
        bad, found = Rejects(rejects, self.work.columns), _Found()
        try:
            with self.workspace.ledger.transaction(keep=keep):
                self._plan(job_key, format_timestamp(now), random_bytes, bad, found, keep=keep)
                if bad.count and (not lenient or not found.rows):
                    raise RowsRejected(bad.in_order, bad.count, bad.path)
        finally:
            bad.close()
        if found.warned > len(found.warnings):
            found.warnings.append(f"and {found.warned - len(found.warnings)} more")
        planning = Planning(
            rows=found.rows,
            rejected=bad.count,
            rejects=bad.in_order,
            rejects_file=bad.path if bad.count else None,
            warnings=tuple(found.warnings),
            known_before=found.known_before,
            mean_bytes=sum(found.sizes) // len(found.sizes) if found.sizes else 0,
        )
        return jobs.find_job(self.workspace.ledger, job_key), planning

    def _plan(
        self,
        job_key: bytes,
        started: str,
        random_bytes: RandomBytes,
        bad: Rejects,
        found: _Found,
        *,
        keep: bool,
    ) -> None:
        ledger, seen = self.workspace.ledger, 0
        jobs.forget_learners(ledger)
        job = jobs.add_job(
            ledger,
            job_key,
            template=self.work.template,
            source=self.work.name,
            folder=str(self.folder),
            started=started,
        )
        items = self.work.items(bad.add)
        while chunk := list(islice(items, CHUNK_ROWS)):
            planned = self._check(job, chunk, started, bad, found)
            if not keep and len(found.sizes) < MEASURED_ITEMS:
                good = {item.row for item in planned}
                for item in [item for item in chunk if item.number in good][:MEASURED_ITEMS]:
                    found.sizes.append(len(self.work.sign(item, EXAMPLE, started)))
            jobs.plan(ledger, job, planned, random_bytes)
            found.rows += len(planned)
            seen += len(chunk)
            self.progress("check", seen, 0)
        jobs.finish_plan(ledger, job, found.rows)

    def _check(self, job: int, chunk: list[Item], started: str, bad: Rejects, found: _Found) -> list[Planned]:
        """Those of a chunk that can be issued; the others are told to `bad`."""
        planned: dict[str, Planned] = {}
        for item in chunk:
            try:
                checked = self.work.check(item, started)
                if checked.logged_before is not None:
                    found.known_before += 1
                    found.warn(checked.logged_before)
                    continue
                self._check_file(job, checked, item, planned)
            except MalformedError as error:
                bad.add(item.line, item.cells, error)
                continue
            first = jobs.first_place_of(self.workspace.ledger, checked.learner, item.where)
            if first != item.where:
                found.warn(f"{item.where}: the same learner as in {first}")
            planned[checked.file] = Planned(
                row=item.number, file=checked.file, token=checked.token, is_signed=checked.is_signed
            )
        return list(planned.values())

    def _check_file(self, job: int, checked: Checked, item: Item, chunk: Mapping[str, Planned]) -> None:
        """The award's file is free, and the name not taken by another row."""
        near = chunk.get(checked.file)
        row = near.row if near else jobs.find_row(self.workspace.ledger, job, checked.file)
        if row is not None:
            reason = f"rows {row} and {item.number} would both be written to {checked.file!r}"
            raise MalformedError(item.where, reason)
        path = f"{self.folder}/{checked.file}{EXTENSION}"
        if os.path.lexists(path):
            reason = f"{path} exists and is not of this job; choose another folder ({item.where})"
            raise ConfigError("--out", reason)
