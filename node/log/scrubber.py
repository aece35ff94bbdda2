"""The published files of a log verified again, one bundle at a time, for ever.

Every full tile leads to a hash in the tile above it, and the tiles at the right edge lead to the signed root,
so that each bundle is checked by itself and a position is all that a pass has to remember.
"""

from pathlib import Path

from testamur.node.files import DamagedFile
from testamur.node.log.documents import DocumentStore
from testamur.node.log.heads import Heads
from testamur.node.log.layout import LogFolder, LogIdentity
from testamur.node.log.tree_files import CURE, TreeFiles
from testamur.registry.checkpoints import Checkpoint
from testamur.registry.entries import Entry, EntryKind, parse_entry
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.merkle import leaf_hashes, root_hash
from testamur.registry.seals import parse_seal
from testamur.registry.tiles import TILE_HEIGHT, TILE_WIDTH, TileId, TileTree

_CREDENTIAL = Entry(kind=EntryKind.CREDENTIAL, digest=bytes(DIGEST_BYTES)).to_bytes()[:-DIGEST_BYTES]
"""How nearly all entries begin; there is nothing behind them to look at."""


class Scrubber:
    """Checks a log's files piece by piece. For the thread in which its writer publishes; needs no key.

    What `audit_log` checks, but for the order of the seals: bits that rot, not a host that lies.
    """

    def __init__(self, folder: Path, identity: LogIdentity, documents: DocumentStore) -> None:
        self._folder = LogFolder(folder)
        self._identity = identity
        self._heads = Heads(self._folder, identity)
        self._documents = documents

    def steps(self) -> int:
        """How many pieces a whole pass has now: the bundles, and the edge. Raises DamagedFile."""
        return -(-self._head().size // TILE_WIDTH) + 1

    def check(self, position: int) -> bool:
        """Check piece `position`, counted from 0; whether it was the last one.

        Raises DamagedFile naming the file and the cure, StoreUnavailable.
        """
        head = self._head()
        tree = _Tree(TreeFiles(self._folder, head.size), head)
        if position < -(-head.size // TILE_WIDTH):
            self._check_bundle(tree, position)
            return False
        self._check_edge(tree)
        return True

    def _head(self) -> Checkpoint:
        """The newest head. Both of its files are read, because a lost `checkpoint` is damage as well."""
        signed, published = self._heads.find_signed(), self._heads.find_published()
        if published is not None:
            return published.checkpoint
        if signed is not None and self._heads.find_at(signed.checkpoint.size) is not None:
            raise DamagedFile(self._folder.checkpoint, "is missing", CURE)
        return Checkpoint(origin=self._identity.origin, size=0, root=root_hash([]))

    def _check_bundle(self, tree: "_Tree", index: int) -> None:
        files = tree.files
        entries, hashes = files.read_unchecked_bundle(index), files.read_hashes(0, index)
        tree.check_full(0, index, hashes)
        if leaf_hashes(entries) != hashes:
            tree.check_root(0, index)
            raise self._damage(TileId(level=None, index=index, width=len(hashes)), "holds a wrong entry")
        level, above = 0, index
        # With the last tile under a full tile, that one is checked too: each once in a pass.
        while above % TILE_WIDTH == TILE_WIDTH - 1 and len(hashes) == TILE_WIDTH:
            level, above = level + 1, above >> TILE_HEIGHT
            hashes = files.read_hashes(level, above)
            tree.check_full(level, above, hashes)
        for leaf_index, data in enumerate(entries, index * TILE_WIDTH):
            if not data.startswith(_CREDENTIAL):
                self._check_entry(tree, leaf_index, data)

    def _check_entry(self, tree: "_Tree", leaf_index: int, data: bytes) -> None:
        try:
            entry = parse_entry(data)
        except MalformedError as exc:
            tile = TileId(level=None, index=leaf_index // TILE_WIDTH, width=1)
            raise self._damage(tile, f"leaf {leaf_index} {exc.reason}") from exc
        if entry.kind is EntryKind.DOCUMENT:
            self._document(entry.digest)
        elif entry.kind is EntryKind.SEAL:
            self._check_seal(tree, leaf_index + 1, entry.digest)

    def _check_seal(self, tree: "_Tree", size: int, digest: bytes) -> None:
        path = self._documents.path(digest)
        try:
            seal = parse_seal(self._document(digest))
        except MalformedError as exc:
            raise DamagedFile(path, f"is not a seal ({exc})", CURE) from exc
        if (seal.origin, seal.size) != (self._identity.origin, size):
            raise DamagedFile(path, f"seals {seal.origin} at {seal.size}", CURE)
        self._document(seal.statement_digest)
        head, at = self._heads.find_at(size), self._folder.checkpoint_at(size)
        if head is None:
            raise DamagedFile(at, "is missing, and the entries hold a seal of that size", CURE)
        if head.checkpoint.root != tree.hashes.root(size):
            raise DamagedFile(at, "has another root than the tiles lead to", CURE)

    def _check_edge(self, tree: "_Tree") -> None:
        """The tiles that the next publication continues, the heads, and narrower tiles still served."""
        size = tree.files.size
        if not size:
            return
        tree.check_root(0, size // TILE_WIDTH)
        tree.files.builder(self._check_narrower).finish()
        signed, kept = self._heads.find_signed(), self._heads.find_at(size)
        if signed is None or signed.checkpoint.size < size:
            raise DamagedFile(self._folder.signed_head, "is not the newest head", CURE)
        if kept is None or kept.checkpoint != tree.head:
            raise DamagedFile(self._folder.checkpoint_at(size), "is not the published head", CURE)

    def _check_narrower(self, tile: TileId, data: bytes) -> None:
        item_bytes = DIGEST_BYTES if tile.level is not None else len(data) // tile.width
        files = TreeFiles(self._folder, 0)
        files.compare(tile, data)
        for width in range(1, tile.width):
            narrower = TileId(level=tile.level, index=tile.index, width=width)
            if self._folder.tile(narrower).exists():
                files.compare(narrower, data[: width * item_bytes])

    def _document(self, digest: bytes) -> bytes:
        found = self._documents.find(digest)
        if found is None:
            raise DamagedFile(self._documents.path(digest), "is missing", CURE)
        return found

    def _damage(self, tile: TileId, reason: str) -> DamagedFile:
        return DamagedFile(self._folder.tile(tile), reason, CURE)


class _Tree:
    """The tiles of one head, each led upwards until the signed root vouches for it."""

    def __init__(self, files: TreeFiles, head: Checkpoint) -> None:
        self.files = files
        self.head = head
        self.hashes = TileTree(head.size, files.read_tile)

    def check_full(self, level: int, index: int, hashes: list[bytes]) -> None:
        """A full tile has the root that the tile above says; a partial one is the edge's business."""
        if len(hashes) < TILE_WIDTH:
            return
        parent = self.files.read_hashes(level + 1, index >> TILE_HEIGHT)
        if root_hash(hashes) != parent[index % TILE_WIDTH]:
            # Either may be wrong: the parent is judged by what stands above it.
            self.check_full(level + 1, index >> TILE_HEIGHT, parent)
            if len(parent) < TILE_WIDTH:
                self.check_root(level + 1, index >> TILE_HEIGHT)
            raise self._damage(level, index, len(hashes), "does not lead to the tile above it")

    def check_root(self, level: int, index: int) -> None:
        """The right edge leads to the signed root; if not, the tile of `level` and `index` is named."""
        if self.hashes.root() != self.head.root:
            width = min(TILE_WIDTH, (self.head.size >> TILE_HEIGHT * level) - index * TILE_WIDTH)
            reason = f"or a partial tile above it does not lead to the signed root of {self.head.size}"
            raise self._damage(level, index, max(1, width), reason)

    def _damage(self, level: int, index: int, width: int, reason: str) -> DamagedFile:
        tile = TileId(level=level, index=index, width=width)
        return DamagedFile(self.files.folder.tile(tile), reason, CURE)
