"""After issuing: wait until credentials are anchored, and complete their dossiers with the evidence."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from testamur.node.fetch.registry import RegistryClient
from testamur.node.files import FileBatch, read_file
from testamur.node.issuing.batch import EXTENSION
from testamur.node.issuing.workspace import Workspace
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.evidence import MAX_EVIDENCE_BYTES, parse_evidence
from testamur.registry.evidence_building import is_weaker, tailored

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


def issued_in(workspace: Workspace, folder: Path) -> list[Issued]:
    """The logged credentials whose dossiers lie in `folder`, in order of their leaves."""
    rows = workspace.ledger.run(
        "SELECT c.file, c.digest, c.leaf_index FROM credentials c JOIN jobs j ON j.id = c.job"
        " WHERE j.folder = ? AND c.leaf_index IS NOT NULL ORDER BY c.leaf_index",
        (str(folder.resolve()),),
    )
    return [
        Issued(path=folder / f"{file}{EXTENSION}", digest=bytes(digest), leaf_index=int(leaf_index))
        for file, digest, leaf_index in rows
    ]


def wait_until_anchored(
    client: RegistryClient,
    origin: str,
    issued: Sequence[Issued],
    *,
    timeout_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait until the host's anchored evidence covers every credential; whether it does within the time."""
    last = max((item.leaf_index for item in issued), default=-1)
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
    """How many dossiers have evidence, how many of those anchored, and how many files were not there."""

    completed: int
    anchored: int
    missing: int


def complete(
    client: RegistryClient,
    origin: str,
    issued: Sequence[Issued],
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Completed:
    """Write evidence into every dossier. One that was moved or deleted is counted, and is no error."""
    completed = anchored = missing = 0
    batch = FileBatch()
    for number, item in enumerate(issued, 1):
        data = read_file(item.path, max_bytes=MAX_DOSSIER_BYTES)
        if data is None:
            missing += 1
        else:
            credential, kept = parse_dossier(data)
            evidence = client.evidence_at(origin, item.leaf_index, item.digest)
            if evidence is not None:
                evidence = tailored(evidence, credential)
                if is_weaker(evidence, kept):
                    evidence = kept
                completed += 1
                anchored += bool(parse_evidence(evidence).anchors)
                batch.add(item.path, encode_dossier(credential, evidence))
        if number % BATCH_FILES == 0 or number == len(issued):
            batch.commit()
            progress(number, len(issued))
    return Completed(completed=completed, anchored=anchored, missing=missing)
