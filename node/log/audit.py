"""The whole log checked again from its files, as if nothing in them were known to be right."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import DamagedFile
from testamur.node.log.builder import TileBuilder
from testamur.node.log.bundles import encode_bundle
from testamur.node.log.documents import DocumentStore
from testamur.node.log.heads import Heads
from testamur.node.log.layout import LogFolder, find_identity
from testamur.node.log.seal_chain import SealChain
from testamur.node.log.tree_files import CURE, TreeFiles
from testamur.registry.checkpoints import Checkpoint
from testamur.registry.entries import Entry, EntryKind, parse_entry
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.merkle import CompactRange, leaf_hashes, root_hash
from testamur.registry.notes import VerifierKey
from testamur.registry.tiles import TILE_WIDTH, TileId

MAX_FINDINGS = 100
"""After so many the log is beyond repair by hand, and a report must fit in memory and on a screen."""

Progress = Callable[[int, int], None]
"""Told (entries checked, entries in all), once for each bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: the file, what is wrong with it, what to do."""

    path: Path
    reason: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; {self.cure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit saw. `findings` is empty exactly when everything held; at most `MAX_FINDINGS`."""

    origin: str
    size: int
    root: bytes
    credentials: int
    documents: int
    seals: int
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether everything held."""
        return not self.findings


def audit_log(
    folder: Path,
    documents: DocumentStore,
    *,
    key: VerifierKey | None = None,
    progress: Progress = lambda _done, _all: None,
) -> AuditReport:
    """Check every published file of a log against every other, in constant memory, without any lock.

    Every entry hashes to its leaf, every tile is what the leaves make of it, every published checkpoint is
    signed by the log's key and has the root of its size; each seal ends a checkpoint, follows the seal before
    it and names a statement no older; every document, seal and statement is in the document store, unchanged.
    `key` is the key to hold the log to; without it the one in `log.json` is believed.

    Damage is collected, not raised. Raises ConfigError when there is no log, or another key's, in the folder,
    StoreCorrupt when log.json or the newest checkpoint cannot be read at all, StoreUnavailable.
    """
    files = LogFolder(folder)
    identity = find_identity(files)
    if identity is None:
        raise ConfigError("log folder", f"there is no log in {folder}")
    if key is not None and key != identity.key:
        raise ConfigError("log key", f"{files.identity} names {identity.key.to_text()}")
    return _Audit(files, identity.origin, Heads(files, identity), documents).run(progress)


class _Audit:
    def __init__(self, folder: LogFolder, origin: str, heads: Heads, documents: DocumentStore) -> None:
        self._folder = folder
        self._origin = origin
        self._heads = heads
        self._documents = documents
        head = heads.find_published()
        self._head: Checkpoint | None = None if head is None else head.checkpoint
        self._size = 0 if head is None else head.checkpoint.size
        self._files = TreeFiles(folder, self._size)
        self._builder = TileBuilder(self._compare)
        self._edge = CompactRange()
        self._seals = SealChain(origin, documents)
        self._counts: Counter[EntryKind] = Counter()
        self._findings: list[Finding] = []

    def run(self, progress: Progress) -> AuditReport:
        for index in range(-(-self._size // TILE_WIDTH)):
            if not self._check_bundle(index):
                break
            progress(self._edge.size, self._size)
        else:
            self._builder.finish()
            self._check_heads()
        return AuditReport(
            origin=self._origin,
            size=self._size,
            root=self._edge.root(),
            credentials=self._counts[EntryKind.CREDENTIAL],
            documents=self._counts[EntryKind.DOCUMENT],
            seals=self._counts[EntryKind.SEAL],
            findings=tuple(self._findings),
        )

    def _check_bundle(self, index: int) -> bool:
        """One bundle with its tile. False when neither can be read: nothing after it can be proven then."""
        entries: list[bytes] | None = None
        hashes: list[bytes] | None = None
        is_reported = False
        try:
            entries = self._files.read_unchecked_bundle(index)
        except DamagedFile as exc:
            self._add(exc)
            is_reported = True
            entries = self._files.salvage_bundle(index)
        try:
            hashes = self._files.read_hashes(0, index)
        except DamagedFile as exc:
            # When the bundle is there, comparing the tile that it makes reports this one.
            if entries is None:
                self._add(exc)
        made = None if entries is None else leaf_hashes(entries)
        if entries is None or made is None:
            if hashes is None:
                return False
            self._walk(index, [None] * len(hashes), hashes)
        elif hashes is not None and hashes != made and self._are_true(index, hashes):
            if not is_reported:
                self._add(
                    self._damage(TileId(level=None, index=index, width=len(made)), "holds a wrong entry")
                )
            true = [entry if made[at] == hashes[at] else None for at, entry in enumerate(entries)]
            self._walk(index, true, hashes)
        else:
            self._walk(index, entries, made)
            if not is_reported:
                whole = TileId(level=None, index=index, width=len(entries))
                kept = entries
                self._compare_older(whole, lambda width: encode_bundle(kept[:width]))
        return True

    def _are_true(self, index: int, tile: list[bytes]) -> bool:
        """Whether the tile, and not the bundle that it contradicts, leads to what stands above it."""
        if len(tile) == TILE_WIDTH:
            try:
                above = self._files.read_hashes(1, index // TILE_WIDTH)[index % TILE_WIDTH]
            except DamagedFile:
                return False
            return root_hash(tile) == above
        return self._head is not None and self._builder.root(tile) == self._head.root

    def _walk(self, index: int, entries: Sequence[bytes | None], hashes: list[bytes]) -> None:
        """Add a bundle's leaves to the tree, and check the entries; None is an entry that is lost."""
        self._builder.extend(hashes)
        done = 0
        for at, data in enumerate(entries):
            if data is None:
                self._seals.skip()
                continue
            leaf_index = index * TILE_WIDTH + at
            try:
                entry = parse_entry(data)
            except MalformedError as exc:
                bundle = TileId(level=None, index=index, width=len(hashes))
                self._add(self._damage(bundle, f"leaf {leaf_index} {exc.reason}"))
                continue
            self._counts[entry.kind] += 1
            if entry.kind is EntryKind.SEAL:
                self._edge.extend(hashes[done : at + 1])
                done = at + 1
                self._check_seal(entry)
            elif entry.kind is EntryKind.DOCUMENT:
                self._check_document(entry.digest)
        self._edge.extend(hashes[done:])

    def _check_document(self, digest: bytes) -> None:
        try:
            found = self._documents.find(digest)
        except DamagedFile as exc:
            self._add(exc)
            return
        if found is None:
            self._add(DamagedFile(self._documents.path(digest), "is missing", CURE))

    def _check_seal(self, entry: Entry) -> None:
        """The tree so far ends in this seal, which follows the one before; a head was published here."""
        size = self._edge.size
        try:
            self._seals.add(entry.digest, size)
        except DamagedFile as exc:
            self._add(exc)
        path = self._folder.checkpoint_at(size)
        try:
            head = self._heads.find_at(size)
        except DamagedFile as exc:
            self._add(exc)
            return
        if head is None:
            self._add(DamagedFile(path, "is missing, and the entries hold a seal of that size", CURE))
        elif head.checkpoint.root != self._edge.root():
            self._add(DamagedFile(path, "has another root than the entries lead to", CURE))

    def _check_heads(self) -> None:
        if self._head is not None and self._edge.root() != self._head.root:
            self._add(DamagedFile(self._folder.checkpoint, "has another root than the entries lead to", CURE))
        if self._size and self._seals.size != self._size and not self._seals.is_broken:
            self._add(DamagedFile(self._folder.checkpoint, "does not end in a seal", CURE))
        try:
            signed = self._heads.find_signed()
        except DamagedFile as exc:
            self._add(exc)
            return
        newest = None if signed is None else signed.checkpoint
        if newest != self._head and (newest is None or newest.size <= self._size):
            self._add(DamagedFile(self._folder.signed_head, "is not the newest head", CURE))
        kept = sum(size <= self._size for size in self._folder.checkpoint_sizes())
        extra = kept - self._counts[EntryKind.SEAL]
        if extra > 0 and not self._findings:
            self._add(DamagedFile(self._folder.checkpoints, f"holds {extra} heads that no seal ends", CURE))

    def _compare(self, tile: TileId, data: bytes) -> None:
        """The tile's file, and the narrower ones that older checkpoints left beside it, hold these hashes."""
        try:
            self._files.compare(tile, data)
        except DamagedFile as exc:
            self._add(exc)
        self._compare_older(tile, lambda width: data[: width * DIGEST_BYTES])

    def _compare_older(self, tile: TileId, prefix: Callable[[int], bytes]) -> None:
        """The narrower files beside a partial one, of older checkpoints, hold its beginning."""
        for width in range(1, tile.width if tile.width < TILE_WIDTH else 0):
            older = TileId(level=tile.level, index=tile.index, width=width)
            if self._folder.tile(older).exists():
                try:
                    self._files.compare(older, prefix(width))
                except DamagedFile as exc:
                    self._add(exc)

    def _damage(self, tile: TileId, reason: str) -> DamagedFile:
        return DamagedFile(self._folder.tile(tile), reason, CURE)

    def _add(self, found: DamagedFile) -> None:
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(Finding(path=found.path, reason=found.reason, cure=found.cure))
