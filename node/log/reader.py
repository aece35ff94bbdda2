"""The published part of one log, for everybody who has no key."""

from collections.abc import Iterator
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import DamagedFile, read_file
from testamur.node.log.heads import Heads
from testamur.node.log.layout import LogFolder, LogIdentity, find_identity
from testamur.node.log.tree_files import CURE, TreeFiles
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.entries import Entry, parse_entry
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.merkle import verify_consistency, verify_inclusion
from testamur.registry.notes import MAX_NOTE_BYTES
from testamur.registry.tiles import TILE_WIDTH, TileTree, parse_tile_path, tile_width


class LogReader:
    """What a log has published: checkpoints, tiles, entries, proofs. Needs no lock and no key.

    Callable from any thread, and while the writer publishes: what is published never changes.
    Nothing is returned that does not fit the signed checkpoint, as far as the bytes at hand can tell.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError when no log is in the folder, StoreCorrupt when its log.json is damaged."""
        self.folder = folder
        self._files = LogFolder(folder)
        identity = find_identity(self._files)
        if identity is None:
            raise ConfigError("log folder", f"there is no log in {folder}")
        self.identity: LogIdentity = identity
        self._heads = Heads(self._files, identity)
        self._known: tuple[bytes, SignedCheckpoint] | None = None

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self.identity.origin

    @property
    def size(self) -> int:
        """Published entries; 0 before the first checkpoint."""
        head = self.find_head()
        return 0 if head is None else head.checkpoint.size

    def find_head(self) -> SignedCheckpoint | None:
        """The published checkpoint with its cosignatures; None before the first. Raises StoreCorrupt."""
        path = self._files.checkpoint
        data = read_file(path, max_bytes=MAX_NOTE_BYTES)
        if data is None:
            return None
        # Read on every call, because another process may publish; checked once for each content.
        known = self._known
        if known is None or known[0] != data:
            self._known = known = (data, self._heads.parse(path, data))
        return known[1]

    def get_head(self, size: int | None = None) -> SignedCheckpoint:
        """The checkpoint published at exactly `size` (default: the newest). Raises KeyError, StoreCorrupt."""
        found = self.find_head() if size is None else self._heads.find_at(size)
        if found is None:
            raise KeyError("no checkpoint yet" if size is None else size)
        return found

    def checkpoint_sizes(self) -> Iterator[int]:
        """Every size at which a checkpoint was published, ascending."""
        published = self.size
        return (size for size in self._files.checkpoint_sizes() if size <= published)

    def tree(self) -> TileTree:
        """The published tree, for proofs in bulk; the caller verifies what comes out. Not for two threads."""
        size = self.size
        return TileTree(size, TreeFiles(self._files, size).read_tile)

    def prove_inclusion(self, leaf_index: int, size: int | None = None) -> list[bytes]:
        """Inclusion proof of an entry in the checkpoint of `size` (default: the newest), verified.

        Raises KeyError when no checkpoint has that size, ValueError for a leaf outside of it, StoreCorrupt.
        """
        head = self.get_head(size).checkpoint
        tree = self.tree()
        proof = tree.prove_inclusion(leaf_index, head.size)
        try:
            verify_inclusion(tree.leaf_hash(leaf_index), leaf_index, head.size, proof, head.root)
        except VerificationError as exc:
            raise self._damage(
                f"the path of leaf {leaf_index} does not lead to the root of {head.size}"
            ) from exc
        return proof

    def prove_consistency(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """Consistency proof between two checkpoints (default: to the newest), verified. Raises as above.

        `old_size` may be any size, published or not.
        """
        head = self.get_head(new_size).checkpoint
        tree = self.tree()
        proof = tree.prove_consistency(old_size, head.size)
        try:
            verify_consistency(old_size, tree.root(old_size), head.size, head.root, proof)
        except VerificationError as exc:
            raise self._damage(f"the tree of {old_size} is no beginning of the tree of {head.size}") from exc
        return proof

    def read_entries(self, start: int, count: int) -> list[Entry]:
        """Published entries `start` to `start + count - 1`, compared with their leaf hashes.

        Raises ValueError outside of the published log, StoreCorrupt when a file is missing or damaged.
        """
        try:
            return [parse_entry(entry) for entry in self._read_raw(start, count)]
        except MalformedError as exc:
            raise self._damage(f"holds an entry that is none ({exc.reason})") from exc

    def find_resource(self, path: str) -> bytes | None:
        """What tlog-tiles serves under `path` ("checkpoint", "tile/…"), or None: nothing published is there.

        Narrower tiles of older trees are cut from the newest tree's. Raises MalformedError for a path that is
        none, StoreCorrupt when the file is missing or of another length.
        """
        if path == "checkpoint":
            head = self.find_head()
            return None if head is None else head.to_bytes()
        tile = parse_tile_path(path)
        size = self.size
        if tile.width > tile_width(tile.level or 0, tile.index, size):
            return None
        return TreeFiles(self._files, size).read_resource(tile)

    def _read_raw(self, start: int, count: int) -> list[bytes]:
        size = self.size
        if not 0 <= start <= start + count <= size:
            raise ValueError(f"the log has {size} published entries")
        files = TreeFiles(self._files, size)
        found: list[bytes] = []
        end = start + count
        while start < end:
            index, within = divmod(start, TILE_WIDTH)
            bundle = files.read_bundle(index)[within : within + end - start]
            found += bundle
            start += len(bundle)
        return found

    def _damage(self, reason: str) -> DamagedFile:
        return DamagedFile(self._files.root / "tile", reason, CURE)
