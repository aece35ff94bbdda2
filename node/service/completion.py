"""After issuing: wait until credentials are anchored, and complete their dossiers with the evidence."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from testamur.node.fetch.registry import RegistryClient
from testamur.node.files import SECRET_MODE, DamagedFile, FileBatch, read_file
from testamur.node.issuing.batch import EXTENSION
from testamur.node.issuing.workspace import Workspace
from testamur.registry.canonical import Json
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_EVIDENCE_BYTES
from testamur.registry.newer_evidence import is_anchored, is_weaker

POLL_SECONDS = 0.5
MAX_DOSSIER_BYTES = 2 * MAX_EVIDENCE_BYTES
"""A credential and its evidence, each at its own bound."""

BATCH_FILES = 256
"""Dossiers that share one round of syncing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One logged credential of a job: its dossier, its digest, and its place in the log."""

    path: Path
    digest: bytes
    leaf_index: int


class IssuedFiles:
    """The logged credentials whose dossiers were written to one folder; one page of them in memory."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self._ledger = workspace.ledger
        self._folder = folder
        named = str(folder.resolve())
        self._jobs = [job for (job,) in self._ledger.run("SELECT id FROM jobs WHERE folder = ?", (named,))]
        counted = [
            self._ledger.run(
                "SELECT count(leaf_index), max(leaf_index) FROM credentials WHERE job = ?", (job,)
            )
            for job in self._jobs
        ]
        self._count: int = sum(rows[0][0] for rows in counted)
        self.last_leaf: int = max((rows[0][1] for rows in counted if rows[0][1] is not None), default=-1)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Issued]:
        for job in self._jobs:
            row = 0
            while page := self._ledger.run(
                "SELECT row, file, digest, leaf_index FROM credentials"
                " WHERE job = ? AND row > ? AND leaf_index IS NOT NULL ORDER BY row LIMIT ?",
                (job, row, BATCH_FILES),
            ):
                for row, file, digest, leaf_index in page:  # noqa: B007 - the last row is where the next page begins
                    path = self._folder / f"{file}{EXTENSION}"
                    yield Issued(path=path, digest=bytes(digest), leaf_index=int(leaf_index))


def issued_in(workspace: Workspace, folder: Path) -> IssuedFiles:
    """The logged credentials whose dossiers lie in `folder`."""
    return IssuedFiles(workspace, folder)


def wait_until_anchored(
    client: RegistryClient,
    origin: str,
    issued: IssuedFiles,
    *,
    timeout_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait until the host's anchored evidence covers every credential; whether it does within the time."""
    last = issued.last_leaf
    deadline = clock() + timeout_seconds
    while True:
        client.forget_logs()
        if client.anchored_size(origin) > last:
            return True
        if clock() >= deadline:
            return False
        sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How many dossiers have evidence, how many of those anchored; how many files were gone, or damaged."""

    completed: int
    anchored: int
    missing: int = 0
    damaged: int = 0


def complete(
    client: RegistryClient,
    origin: str,
    issued: IssuedFiles,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Completed:
    """Write evidence into every dossier. One that was moved, deleted or damaged is counted, and no error."""
    completed = anchored = missing = damaged = 0
    batch = FileBatch()
    try:
        for number, item in enumerate(issued, 1):
            try:
                data = read_file(item.path, max_bytes=MAX_DOSSIER_BYTES)
                if data is None:
                    missing += 1
                else:
                    credential, kept = parse_dossier(data)
                    evidence = _evidence(client, origin, item, credential, kept)
                    if evidence is not None:
                        batch.add(item.path, encode_dossier(credential, evidence), mode=SECRET_MODE)
                        completed += 1
                        anchored += is_anchored(evidence)
            except (MalformedError, DamagedFile):
                damaged += 1
            if number % BATCH_FILES == 0 or number == len(issued):
                batch.commit()
                progress(number, len(issued))
    finally:
        batch.abandon()
    return Completed(completed=completed, anchored=anchored, missing=missing, damaged=damaged)


def _evidence(client: RegistryClient, origin: str, item: Issued, credential: Json, kept: Json) -> Json:
    """The newest evidence as the holder needs it; what is in the file already, when that proves more."""
    if kept is None:
        return client.first_evidence_at(credential, origin, item.leaf_index, item.digest)
    evidence = client.evidence_at(origin, item.leaf_index, item.digest)
    if evidence is None:
        return None
    evidence = client.refreshed(evidence, kept, credential)
    return kept if is_weaker(evidence, kept) else evidence
