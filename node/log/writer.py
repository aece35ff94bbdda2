"""The one process that adds to a log: promises leaf indexes, seals, signs and publishes."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Self

from testamur.node.errors import ConfigError, StoreCorrupt, StoreUnavailable
from testamur.node.files import DISK, DamagedFile, Disk, FolderLock, make_folders
from testamur.node.log.audit import audit_log
from testamur.node.log.documents import DocumentStore
from testamur.node.log.heads import Heads
from testamur.node.log.journal import READ_RECORDS, Journal, create_journal
from testamur.node.log.layout import LogFolder, LogIdentity, find_identity, write_identity
from testamur.node.log.publication import Publisher, remove_superseded
from testamur.node.log.reader import LogReader
from testamur.node.log.seal_chain import goes_back
from testamur.registry.checkpoints import Checkpoint, SignedCheckpoint
from testamur.registry.entries import Entry, EntryKind, parse_entry, parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.keys import SigningKey
from testamur.registry.merkle import EMPTY_ROOT
from testamur.registry.notes import NoteSigner, VerifierKey
from testamur.registry.seals import Seal, parse_seal

RESTORE_FOLDER = "restore the log's folder from a backup"


class LogWriter:
    """Appends to one log and publishes it. Callable from any thread; calls block.

    What `append` returned survives a crash at any later moment, under the same leaf index. Not deduplicating:
    the same entry twice is two leaves. After StoreUnavailable or StoreCorrupt nothing further is accepted:
    close it, mend the cause, open it again; opening recovers.
    """

    def __init__(
        self,
        folder: Path,
        origin: str,
        key: SigningKey,
        documents: DocumentStore,
        *,
        disk: Disk = DISK,
    ) -> None:
        """Open the log, or start it when there is none, and finish what a crash interrupted.

        Raises StoreLocked, StoreCorrupt (names file and cure), StoreUnavailable, ConfigError when the folder
        holds another log or the key is not this log's, MalformedError for an origin that is none.
        """
        parse_origin(origin)
        self.origin = origin
        self.documents = documents
        self._disk = disk
        self._folder = LogFolder(folder)
        self._append_lock = threading.RLock()
        self._publish_lock = threading.Lock()
        self._broken: BaseException | None = None
        make_folders(folder, disk=disk)
        self._lock = FolderLock(folder)
        with contextlib.ExitStack() as undo:
            undo.callback(self._lock.release)
            identity = LogIdentity(origin=origin, key=NoteSigner(name=origin, key=key).verifier_key)
            self._take_identity(identity)
            self._heads = Heads(self._folder, identity, disk=disk)
            self._publisher = Publisher(self._folder, origin, key, self._heads, disk)
            self._published = self._open_head()
            self._journal = Journal(self._folder.journal, parse_origin(origin).log_id, disk=disk)
            undo.callback(self._journal.close)
            self.reader = LogReader(folder)
            self._recover()
            undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def key(self) -> VerifierKey:
        """The key that verifies this log's checkpoints."""
        return self.reader.identity.key

    @property
    def size(self) -> int:
        """Published entries; the size of the newest seal."""
        return self._published.size

    @property
    def next_index(self) -> int:
        """Leaf index that the next entry gets: published entries and pending ones."""
        return self._journal.next

    @property
    def pending(self) -> int:
        """Accepted entries that are not published yet."""
        return self.next_index - self.size

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """The leaf index of each entry, in order and consecutive; durable on return.

        Raises ValueError for a seal (only `publish` makes seals) and for a document that is not in the
        document store, StoreUnavailable.
        """
        credential = EntryKind.CREDENTIAL
        for entry in entries:
            if entry.kind is credential:
                continue
            if entry.kind is EntryKind.SEAL:
                raise ValueError("seals are made by publish")
            if not self.documents.has(entry.digest):
                raise ValueError(f"the document {entry.digest.hex()} is not in the document store")
        if not entries:
            return []
        with self._failing_for_good():
            with self._append_lock:
                first = self._journal.write([entry.to_bytes() for entry in entries])
            self._journal.sync(first + len(entries))
        return list(range(first, first + len(entries)))

    def publish(self, make_seal: Callable[[int], bytes]) -> SignedCheckpoint:
        """Seal everything appended so far and publish it; the new head is durable and visible on return.

        `make_seal` is given the size of the tree including the seal, and returns the seal document in JCS
        form; its `previousSeal` is `size` of before (None at first). Appending waits while it runs. Raises
        ValueError when it makes another seal than asked, and what it raises, with nothing changed;
        StoreUnavailable, StoreCorrupt.
        """
        with self._publish_lock:
            with self._append_lock:
                size = self._journal.next + 1
                document = make_seal(size)
                self._check_seal(document, size)
                # The document first: a seal in the journal is published whatever happens.
                self.documents.put(document)
                seal = Entry(kind=EntryKind.SEAL, digest=sha256(document))
                with self._failing_for_good():
                    self._journal.write([seal.to_bytes()])
            with self._failing_for_good():
                self._journal.sync(size)
                return self._finish(size)

    def attach_cosignatures(self, size: int, lines: bytes, keys: Sequence[VerifierKey]) -> SignedCheckpoint:
        """Add the cosignatures of `keys` among signature lines (or none) to the head of `size`, durably.

        A key's first cosignature is kept, lines of other keys are dropped. Raises KeyError when no head has
        this size, MalformedError, VerificationError("note-signature-invalid"), StoreUnavailable.
        """
        return self._heads.attach(size, lines, keys)

    def read_entries(self, start: int, count: int) -> list[Entry]:
        """Entries `start` to `start + count - 1`, published or pending; ValueError beyond `next_index`."""
        with self._append_lock:
            published = self._published.size
            pending_start, end = max(start, published), start + count
            pending = self._journal.read(pending_start, end - pending_start) if end > published else []
        entries = [parse_entry(entry) for entry in pending]
        if start < published:
            return self.reader.read_entries(start, min(end, published) - start) + entries
        return entries

    def check_pending(self) -> None:
        """What is accepted and not published is still on disk as it was written. Raises DamagedFile."""
        with self._append_lock:
            self._journal.check()

    def close(self) -> None:
        """Give the folder to others; a second call does nothing, and appending afterwards is refused."""
        with self._publish_lock, self._append_lock:
            self._journal.close()
            self._lock.release()

    # -------------------------------------------------------------------------------------------- opening

    def _take_identity(self, identity: LogIdentity) -> None:
        """The folder holds exactly this log, or nothing, and then this log from now on."""
        found = find_identity(self._folder)
        path = self._folder.identity
        if found is None:
            if any(self._folder.root.glob("*checkpoint*")) or self._folder.signed_head.exists():
                raise DamagedFile(path, "is missing beside a log")
            # The journal first, so that beside a log.json a missing journal is a lost one.
            log_id = parse_origin(identity.origin).log_id
            create_journal(self._folder.journal, log_id, 0, disk=self._disk)
            write_identity(self._folder, identity, disk=self._disk)
        elif found.origin != identity.origin:
            raise ConfigError("log folder", f"{self._folder.root} holds the log {found.origin}")
        elif found.key != identity.key:
            raise ConfigError("log key", f"{path} names {found.key.to_text()}, not {identity.key.to_text()}")
        if not self._folder.journal.exists():
            raise DamagedFile(self._folder.journal, "is missing", RESTORE_FOLDER)

    def _open_head(self) -> Checkpoint:
        head = self._heads.reconcile()
        empty = Checkpoint(origin=self.origin, size=0, root=EMPTY_ROOT)
        return empty if head is None else head.checkpoint

    def _recover(self) -> None:
        """Publish what was sealed and forget what was published: what a crash may have left to do."""
        journal, published = self._journal, self._published.size
        if journal.first and not published:
            raise DamagedFile(self._folder.checkpoint, "is missing", RESTORE_FOLDER)
        if not journal.first <= published <= journal.next:
            reason = f"holds leaves {journal.first} to {journal.next - 1}, but {published} are published"
            raise DamagedFile(journal.path, reason, RESTORE_FOLDER)
        try:
            self._publisher.check_continues(self._published)
        except StoreCorrupt as exc:
            findings = audit_log(self._folder.root, self.documents).findings
            raise (DamagedFile(*astuple(findings[0])) if findings else exc) from exc
        if journal.first < published:
            self._check_repeated(published)
        seals = self._sealed_sizes()
        signed = self._heads.find_signed()
        if signed is not None and signed.checkpoint.size not in (published, *seals):
            reason = f"a head of {signed.checkpoint.size} was signed, and the journal does not lead there"
            raise DamagedFile(self._folder.signed_head, reason, RESTORE_FOLDER)
        for size in seals:
            self._finish(size)
        if journal.first < self._published.size:
            self._forget(journal.first)

    def _check_repeated(self, published: int) -> None:
        """What the journal still holds of the published part is what was published."""
        for start in range(self._journal.first, published, READ_RECORDS):
            count = min(READ_RECORDS, published - start)
            kept = [entry.to_bytes() for entry in self.reader.read_entries(start, count)]
            if kept != self._journal.read(start, count):
                raise DamagedFile(self._journal.path, "does not repeat what is published", RESTORE_FOLDER)

    def _sealed_sizes(self) -> list[int]:
        """The sizes that pending seals make, ascending; one, unless publishing failed and was not retried."""
        sizes, position = [], self._published.size
        for chunk in self._journal.read_chunks(position, self._journal.next):
            for entry in chunk:
                position += 1
                if parse_entry(entry).kind is EntryKind.SEAL:
                    sizes.append(position)
        return sizes

    # ----------------------------------------------------------------------------------------- publishing

    def _finish(self, size: int) -> SignedCheckpoint:
        """Publish the sealed entries below `size`. The same call after a crash as in normal operation."""
        head = self._publisher.publish(self._journal, self._published, size)
        before, self._published = self._published.size, head.checkpoint
        self._forget(before)
        return head

    def _forget(self, before: int) -> None:
        """Partial tiles of the tree of `before` and published records are gone; the journal last.

        Where it begins tells the next opening what a crash left in between.
        """
        remove_superseded(self._folder, before, self._published.size, self._disk)
        with self._append_lock:
            self._journal.trim(self._published.size)

    def _check_seal(self, document: bytes, size: int) -> None:
        try:
            seal = parse_seal(document)
        except MalformedError as exc:
            raise ValueError(f"not a seal: {exc}") from exc
        previous = self._newest_seal()
        if (seal.origin, seal.size, seal.previous_seal) != (self.origin, size, self.size or None):
            raise ValueError(f"not the seal of {self.origin} at {size} after {self.size}")
        if seal.digest != sha256(document):
            raise ValueError("the seal is not in canonical form")
        if previous is not None and goes_back(previous, seal):
            raise ValueError(f"the seal before names statement {previous.statement_sequence}")
        if not self.documents.has(seal.statement_digest):
            raise ValueError(f"statement {seal.statement_sequence} is not in the document store")

    def _newest_seal(self) -> Seal | None:
        if not self.size:
            return None
        entry = self.reader.read_entries(self.size - 1, 1)[0]
        document = self.documents.find(entry.digest)
        if document is None:
            path = self.documents.path(entry.digest)
            raise DamagedFile(path, "is missing; it is the newest seal", "copy it from a mirror or a backup")
        return parse_seal(document)

    @contextlib.contextmanager
    def _failing_for_good(self) -> Iterator[None]:
        """After a failure the memory and the disk may disagree: only opening anew tells what is true."""
        if self._broken is not None:
            reason = f"closed after a failure ({self._broken}); reopen the log to recover"
            raise StoreUnavailable(f"{self._folder.root}: {reason}") from self._broken
        try:
            yield
        except BaseException as exc:
            self._broken = exc
            raise
