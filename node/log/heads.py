"""The heads of one log on disk: what was signed, what is published, and the cosignatures that came in since.

A head is signed at most once for each size: `signed-head` is durable before any other file or any peer can
show the signature, and publishing refuses to go below it or beside it.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

from testamur.node.files import DISK, DamagedFile, Disk, make_folders, read_file, write_atomically
from testamur.node.log.layout import END_OF_LOG, LogFolder, LogIdentity
from testamur.registry.checkpoints import (
    SignedCheckpoint,
    parse_signed_checkpoint,
    verify_checkpoint,
    verify_cosignatures,
)
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.notes import MAX_NOTE_BYTES, VerifierKey, parse_signature_lines


class Heads:
    """Reads and writes the head files. Callable from any thread; one writer process."""

    def __init__(self, folder: LogFolder, identity: LogIdentity, *, disk: Disk = DISK) -> None:
        self._folder = folder
        self._identity = identity
        self._disk = disk
        self._lock = threading.Lock()

    def find_signed(self) -> SignedCheckpoint | None:
        """The newest head that was ever signed, published or not. Raises StoreCorrupt."""
        return self._read(self._folder.signed_head)

    def find_published(self) -> SignedCheckpoint | None:
        """The newest published head with its cosignatures. Raises StoreCorrupt."""
        return self._read(self._folder.checkpoint)

    def find_at(self, size: int) -> SignedCheckpoint | None:
        """The head published at exactly this size, with its cosignatures. Raises StoreCorrupt."""
        found = self._read(self._folder.checkpoint_at(size))
        if found is not None and found.checkpoint.size != size:
            raise self._damage(
                self._folder.checkpoint_at(size), f"is the head of size {found.checkpoint.size}"
            )
        return found

    def publish(self, head: SignedCheckpoint) -> None:
        """`head` is the published head, durable on return. Publishing it again, after a crash, does no harm.

        Raises StoreCorrupt when another head of this size, or any of a larger size, was signed before.
        """
        signed = self.find_signed()
        if signed is not None and signed.checkpoint != head.checkpoint:
            if signed.checkpoint.size >= head.checkpoint.size:
                reason = f"a head of size {signed.checkpoint.size} was signed that the entries do not lead to"
                raise self._damage(self._folder.signed_head, reason)
            signed = None
        if signed is None:
            write_atomically(self._folder.signed_head, head.to_bytes(), disk=self._disk)
        with self._lock:
            self._write_at(head)
            write_atomically(self._folder.checkpoint, head.to_bytes(), disk=self._disk)

    def attach(self, size: int, lines: bytes, keys: Sequence[VerifierKey]) -> SignedCheckpoint:
        """Add the cosignatures of `keys` among `lines` to the head of this size, durably, and give that head.

        A key that has cosigned before keeps its first cosignature. Lines of other keys are dropped; there may
        be no line at all.
        Raises KeyError when no head has this size, MalformedError for lines that are none,
        VerificationError("note-signature-invalid") when one names a key and is not its.
        """
        with self._lock:
            head = self.find_at(size)
            if head is None:
                raise KeyError(size)
            if not lines:
                return head
            cosigned = verify_cosignatures(head, keys)
            missing = [key for key in keys if key not in cosigned]
            found = [
                line
                for line in parse_signature_lines(_text(lines))
                if any(line.is_claimed_by(key) for key in missing)
            ]
            if not found:
                return head
            merged = head.with_signatures(found)
            verify_cosignatures(merged, missing)
            self._write_at(merged)
            published = self.find_published()
            if published is not None and published.checkpoint == merged.checkpoint:
                write_atomically(self._folder.checkpoint, merged.to_bytes(), disk=self._disk)
            return merged

    def reconcile(self) -> SignedCheckpoint | None:
        """The published head, after `checkpoint` has caught up with the file of its size.

        Every head is written there first, so that a crash between the two leaves `checkpoint` behind.
        Raises StoreCorrupt when the files contradict each other.
        """
        signed, published = self.find_signed(), self.find_published()
        if published is None:
            return None
        size = published.checkpoint.size
        if signed is None or signed.checkpoint.size < size:
            raise self._damage(self._folder.signed_head, f"is older than the published head of size {size}")
        if signed.checkpoint.size == size and signed.checkpoint != published.checkpoint:
            raise self._damage(self._folder.checkpoint, "is not the head that was signed")
        kept = self.find_at(size)
        if kept is None or kept.checkpoint != published.checkpoint:
            raise self._damage(self._folder.checkpoint_at(size), "is not the published head")
        if kept != published:
            write_atomically(self._folder.checkpoint, kept.to_bytes(), disk=self._disk)
        return kept

    def _write_at(self, head: SignedCheckpoint) -> None:
        path = self._folder.checkpoint_at(head.checkpoint.size)
        make_folders(path.parent, disk=self._disk)
        write_atomically(path, head.to_bytes(), disk=self._disk)

    def parse(self, path: Path, data: bytes) -> SignedCheckpoint:
        """The head in the file `path`, signed by this log's key. Raises StoreCorrupt."""
        try:
            signed = parse_signed_checkpoint(data)
            verify_checkpoint(signed, self._identity.key)
        except (MalformedError, VerificationError) as exc:
            raise self._damage(path, f"is not a head signed by this log's key ({exc})") from exc
        return signed

    def _read(self, path: Path) -> SignedCheckpoint | None:
        data = read_file(path, max_bytes=MAX_NOTE_BYTES)
        return None if data is None else self.parse(path, data)

    def _damage(self, path: Path, reason: str) -> DamagedFile:
        return DamagedFile(path, reason, f"restore the log's folder; without a backup {END_OF_LOG}")


def _text(lines: bytes) -> str:
    try:
        return lines.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedError("cosignature", "is not UTF-8") from exc
