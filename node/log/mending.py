"""A stopped log's damaged files replaced from another copy of it, each proven against the signed head first.

From the top: heads are signed, the tiles at the right edge lead to the head, every tile vouches for those
below it, the lowest for the entries, and entries are digests of documents. What cannot be proven is not
written, and what is good is not touched. The newest head that anybody can show is the one that is mended to:
a log never goes back.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from testamur.node.errors import StoreCorrupt
from testamur.node.files import (
    DISK,
    DamagedFile,
    Disk,
    FolderLock,
    make_folders,
    read_file,
    write_atomically,
)
from testamur.node.log.audit import AuditReport, audit_log
from testamur.node.log.documents import DocumentStore
from testamur.node.log.heads import Heads
from testamur.node.log.layout import END_OF_LOG, LogFolder, LogIdentity, find_identity, write_identity
from testamur.node.log.mending_journal import mend_journal
from testamur.node.log.mending_tiles import TileMender
from testamur.node.log.sources import LogSource
from testamur.node.log.tree_files import TreeFiles
from testamur.registry.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
)
from testamur.registry.entries import EntryKind, parse_entry
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.keys import SigningKey
from testamur.registry.notes import MAX_NOTE_BYTES
from testamur.registry.seals import parse_seal
from testamur.registry.tiles import TILE_WIDTH, TileTree

Progress = Callable[[int, int], None]


class LogMender:
    """Mends one log of a stopped node. `mended` names what was written, `lost` what nobody could give."""

    def __init__(
        self,
        folder: Path,
        identity: LogIdentity,
        documents: DocumentStore,
        source: LogSource,
        *,
        known: Sequence[SignedCheckpoint] = (),
        key: SigningKey | None = None,
        disk: Disk = DISK,
    ) -> None:
        """`known` are heads that this member has cosigned; with `key`, heads that are lost are signed again.

        Signing again is not signing anew: the entries below the newest head say which heads there were, and
        Ed25519 gives the same bytes.
        """
        self.mended: list[Path] = []
        self.lost: list[str] = []
        self._files = LogFolder(folder)
        self._identity = identity
        self._documents = documents
        self._source = source
        self._known = known
        self._key = key
        self._disk = disk
        self._heads = Heads(self._files, identity, disk=disk)
        self._tiles = TileMender(self._files, source, self._write, self.lost)

    def run(self, progress: Progress = lambda _done, _all: None) -> AuditReport:
        """Mend what can be mended, then audit all of it. Raises StoreLocked while the node runs,

        StoreCorrupt when two heads contradict each other or there is none at all, StoreUnavailable.
        """
        make_folders(self._files.root, disk=self._disk)
        lock = FolderLock(self._files.root)
        try:
            self._mend_identity()
            head = self._newest_head()
            size = head.checkpoint.size
            self._tiles.mend(head.checkpoint)
            self._mend_entries(head, progress)
            self._mend_heads(head)
            written, lost = mend_journal(
                self._files, self._identity.origin, size, self._source, disk=self._disk
            )
            self.mended += written
            self.lost += lost
            return audit_log(self._files.root, self._documents, key=self._identity.key)
        finally:
            lock.release()

    def _mend_identity(self) -> None:
        try:
            found = find_identity(self._files)
        except StoreCorrupt:
            found = None
        if found != self._identity:
            write_identity(self._files, self._identity, disk=self._disk)
            self.mended.append(self._files.identity)

    # ---------------------------------------------------------------------------------------------- heads

    def _newest_head(self) -> SignedCheckpoint:
        """The newest published head among this copy, the other one, and what was cosigned here."""
        local = [read_file(self._files.checkpoint, max_bytes=MAX_NOTE_BYTES)]
        local += [
            read_file(self._files.checkpoint_at(size), max_bytes=MAX_NOTE_BYTES)
            for size in sorted(self._files.checkpoint_sizes(), reverse=True)[:3]
        ]
        found = [self._parse(data) for data in [*local, self._source.find_newest_head()]]
        heads = [head for head in (*found, *map(self._own, self._known)) if head is not None]
        if not heads:
            reason = "neither here nor in the other copy is a head signed by this log's key"
            raise StoreCorrupt(f"{self._files.root}: {reason}; name a copy that has one")
        newest = max(heads, key=lambda head: head.checkpoint.size)
        for head in heads:
            if head.checkpoint.size == newest.checkpoint.size and head.checkpoint != newest.checkpoint:
                reason = f"two heads of size {head.checkpoint.size} are signed"
                raise StoreCorrupt(f"{self._files.root}: {reason}; keep both: {END_OF_LOG}")
        signed = self._parse(read_file(self._files.signed_head, max_bytes=MAX_NOTE_BYTES))
        if signed is not None and signed.checkpoint.size > newest.checkpoint.size and self._is_here(signed):
            return signed
        return newest

    def _is_here(self, head: SignedCheckpoint) -> bool:
        """Whether the tiles lead to a head that was signed, so that it was published, or is about to be."""
        files = TreeFiles(self._files, head.checkpoint.size)
        try:
            return TileTree(files.size, files.read_tile).root() == head.checkpoint.root
        except DamagedFile:
            return False

    def _own(self, head: SignedCheckpoint) -> SignedCheckpoint | None:
        return self._parse(head.to_bytes())

    def _parse(self, data: bytes | None) -> SignedCheckpoint | None:
        """The head, if it is signed by this log's key: from wherever it came."""
        try:
            return None if data is None else self._heads.parse(self._files.checkpoint, data)
        except DamagedFile:
            return None

    def _mend_heads(self, head: SignedCheckpoint) -> None:
        """`checkpoint` and `signed-head`, once everything below them is there."""
        for path in (self._files.checkpoint, self._files.signed_head):
            found = self._parse(read_file(path, max_bytes=MAX_NOTE_BYTES))
            # Not before everything is there: what is served now stays good.
            if found is None or (found.checkpoint.size < head.checkpoint.size and not self.lost):
                self._write(path, head.to_bytes())

    def _mend_head_at(self, size: int, root: bytes, newest: SignedCheckpoint) -> None:
        path = self._files.checkpoint_at(size)
        wanted = Checkpoint(origin=self._identity.origin, size=size, root=root)
        here = self._parse(read_file(path, max_bytes=MAX_NOTE_BYTES))
        if here is not None and here.checkpoint == wanted:
            return
        other = newest if size == newest.checkpoint.size else self._parse(self._source.find_head_at(size))
        if (other is None or other.checkpoint != wanted) and self._key is not None:
            other = parse_signed_checkpoint(sign_checkpoint(wanted, self._key))
        if other is None or other.checkpoint != wanted:
            self.lost.append(f"{path}: the head of {size}; with --passphrase-file it is signed again")
            return
        self._write(path, other.to_bytes())

    # -------------------------------------------------------------------------------- entries and documents

    def _mend_entries(self, head: SignedCheckpoint, progress: Progress) -> None:
        size = head.checkpoint.size
        files = TreeFiles(self._files, size)
        tree = TileTree(size, files.read_tile)
        for index in range(-(-size // TILE_WIDTH)):
            try:
                hashes = files.read_hashes(0, index)
            except DamagedFile:
                continue  # lost, and said so
            for leaf_index, data in enumerate(
                self._tiles.mend_bundle(index, size, hashes), index * TILE_WIDTH
            ):
                entry = parse_entry(data)
                if entry.kind is not EntryKind.CREDENTIAL:
                    self._mend_document(entry.digest)
                if entry.kind is EntryKind.SEAL:
                    self._mend_statement(entry.digest)
                    try:
                        root = tree.root(leaf_index + 1)
                    except DamagedFile:
                        continue
                    self._mend_head_at(leaf_index + 1, root, head)
            progress(min(size, (index + 1) * TILE_WIDTH), size)

    def _mend_statement(self, digest: bytes) -> None:
        """The statement that a seal names: a document that may be logged in another bundle, or not yet."""
        try:
            document = self._documents.find(digest)
            if document is not None:
                self._mend_document(parse_seal(document).statement_digest)
        except (DamagedFile, MalformedError):
            return  # the seal itself is lost, and said so

    def _mend_document(self, digest: bytes) -> None:
        path = self._documents.path(digest)
        try:
            if self._documents.find(digest) is not None:
                return
        except DamagedFile:
            pass
        data = self._source.find_document(digest)
        if data is None or sha256(data) != digest:
            self.lost.append(f"{path}: this document")
        else:
            self._documents.put(data)
            self.mended.append(path)

    # ----------------------------------------------------------------------------------------------- files

    def _write(self, path: Path, data: bytes) -> None:
        make_folders(path.parent, disk=self._disk)
        write_atomically(path, data, disk=self._disk)
        self.mended.append(path)
