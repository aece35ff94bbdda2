"""A log folder in tlog-tiles layout, written in the plainest way: for tests that read one."""

from testamur.registry.entries import Entry, EntryKind
from testamur.registry.hashing import sha256
from testamur.registry.merkle import root_hash
from testamur.registry.tiles import TILE_WIDTH, encode_entry_bundle, entries_path, tile_path


def entry_bytes(number):
    """The entry of leaf `number`."""
    return Entry(kind=EntryKind.CREDENTIAL, digest=sha256(number.to_bytes(8, "big"))).to_bytes()


def tiles_of(leaf_hashes):
    """{path: bytes} of every tile of the tree over these leaf hashes, partial ones included."""
    found = {}
    level, row = 0, list(leaf_hashes)
    while row:
        full = []
        for index, start in enumerate(range(0, len(row), TILE_WIDTH)):
            hashes = row[start : start + TILE_WIDTH]
            found[tile_path(level, index, len(hashes))] = b"".join(hashes)
            if len(hashes) == TILE_WIDTH:
                full.append(root_hash(hashes))
        level, row = level + 1, full
    return found


def bundles_of(entries):
    """{path: bytes} of every entry bundle."""
    chunks = [entries[start : start + TILE_WIDTH] for start in range(0, len(entries), TILE_WIDTH)]
    return {entries_path(index, len(chunk)): encode_entry_bundle(chunk) for index, chunk in enumerate(chunks)}


def write(folder, files):
    """Put {path: bytes} below `folder`."""
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def reader_of(files, reads=None):
    """A `ReadTile` over {path: bytes}; every path that is read is appended to `reads`."""

    def read(level, index, width):
        path = tile_path(level, index, width)
        if reads is not None:
            reads.append(path)
        return files[path]

    return read
