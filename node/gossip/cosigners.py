"""What witness and mirror share: a name and a key of their own, times that never fall, and their files."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from testamur.node.files import DISK, DamagedFile, Disk, FolderLock, make_folders, read_file, write_atomically
from testamur.registry.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    cosign,
    parse_signed_checkpoint,
    verify_cosignature,
)
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.keys import SigningKey
from testamur.registry.notes import (
    COSIGNATURE_ED25519,
    MAX_NOTE_BYTES,
    Note,
    NoteSignature,
    NoteSigner,
    VerifierKey,
)

Clock = Callable[[], int]
"""POSIX seconds, above 0."""


class CosignedHeads:
    """The newest head of each log that one cosigner has cosigned, in one file for each log.

    Owns its folder: no second process can cosign from the same state. What was saved is durable before any
    cosignature is given away.
    """

    def __init__(self, folder: Path, name: str, key: SigningKey, clock: Clock, *, disk: Disk = DISK) -> None:
        """Raises StoreLocked when another process cosigns from this folder, StoreUnavailable."""
        self.folder = folder
        self.verifier_key: VerifierKey = NoteSigner(
            name=name, key=key, algorithm=COSIGNATURE_ED25519
        ).verifier_key
        self._key = key
        self._clock = clock
        self._disk = disk
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        make_folders(folder, disk=disk)
        self._folder_lock = FolderLock(folder)

    def lock_of(self, origin: str) -> threading.Lock:
        """The lock that whoever reads, decides and saves for this log holds all the while."""
        with self._guard:
            return self._locks.setdefault(origin, threading.Lock())

    def find(self, origin: str) -> SignedCheckpoint | None:
        """The newest head that was cosigned, with the log's line and this cosigner's. Raises StoreCorrupt."""
        path = self._path(origin)
        data = read_file(path, max_bytes=MAX_NOTE_BYTES)
        if data is None:
            return None
        try:
            head = parse_signed_checkpoint(data)
            verify_cosignature(head, self.verifier_key)
        except (MalformedError, VerificationError) as exc:
            cure = "ask the other members for the newest head with this cosigner's line"
            raise DamagedFile(path, f"is not a head that was cosigned here ({exc})", cure) from exc
        if head.checkpoint.origin != origin:
            raise DamagedFile(path, f"is the head of {head.checkpoint.origin}", "put the right file back")
        return head

    def cosign(self, head: SignedCheckpoint, previous: SignedCheckpoint | None) -> NoteSignature:
        """Cosign `head`, save it with its signatures, and give the line: the caller has checked everything.

        The time is the clock's, but never before that of `previous`: a clock set back must not make a larger
        tree seem older than a smaller one. Raises StoreUnavailable, and nothing has left then.
        """
        checkpoint: Checkpoint = head.checkpoint
        earlier = 1 if previous is None else verify_cosignature(previous, self.verifier_key)
        line = cosign(checkpoint, self.verifier_key.name, self._key, max(self._clock(), earlier))
        write_atomically(
            self._path(checkpoint.origin), head.with_signatures([line]).to_bytes(), disk=self._disk
        )
        return line

    def close(self) -> None:
        """Give the folder up."""
        self._folder_lock.release()

    def _path(self, origin: str) -> Path:
        return self.folder / f"{sha256(origin.encode('utf-8')).hex()}.checkpoint"


def only_from(head: SignedCheckpoint, log_key: VerifierKey) -> SignedCheckpoint:
    """The head with its log's own lines: nobody else's were verified, and they could fill a file."""
    lines = tuple(line for line in head.note.signatures if line.is_claimed_by(log_key))
    return replace(head, note=Note(text=head.note.text, signatures=lines))
