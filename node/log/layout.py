"""The folder of one log on disk: which file holds what. The names under `tile/` are those of C2SP tlog-tiles.

lock                the process that may write here
log.json            what this log is: origin and verifier key; written once
journal             accepted entries that are not published yet (journal.py)
signed-head         the newest head ever signed; written before anything else shows it (heads.py)
checkpoint          the newest published head, with the cosignatures that came in since
checkpoints/…       every published head by its size, with its cosignatures
tile/…              tiles and entry bundles; beyond the published size they mean nothing
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testamur.node.files import DISK, DamagedFile, Disk, read_file, write_atomically
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.notes import ED25519, VerifierKey, parse_vkey
from testamur.registry.shapes import Shape
from testamur.registry.tiles import TileId

MAX_IDENTITY_BYTES = 4096
"""An origin, a key and a version: some 200 bytes."""

END_OF_LOG = "this log cannot go on (docs/operating.md)"
"""What an operator is told where nothing mends a log: what can be done then is more than a line."""

_CHECKPOINT_GROUP = re.compile(r"\d{3,}")


class LogFolder:
    """Paths inside one log's folder; touches nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.identity = root / "log.json"
        self.journal = root / "journal"
        self.signed_head = root / "signed-head"
        self.checkpoint = root / "checkpoint"
        self.checkpoints = root / "checkpoints"

    def tile(self, tile: TileId) -> Path:
        """A tile of hashes or a bundle of entries."""
        return self.root / tile.path

    def checkpoint_at(self, size: int) -> Path:
        """The head that was published at `size`; a thousand names in a folder at most, in order of size."""
        digits = f"{size:012d}"
        return self.checkpoints / digits[:-9] / digits[-9:-6] / digits[-6:-3] / digits[-3:]

    def checkpoint_sizes(self) -> Iterator[int]:
        """The sizes at which a head was published, ascending."""
        for path in _ascending(self.checkpoints, 4):
            yield int("".join(path.parts[-4:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIdentity:
    """What never changes in the life of a log: its origin and the key that signs its checkpoints."""

    origin: str
    key: VerifierKey


def write_identity(folder: LogFolder, identity: LogIdentity, *, disk: Disk = DISK) -> None:
    """The identity is on disk, durably. Raises StoreUnavailable."""
    document: Json = {
        "type": "Log",
        "version": 1,
        "origin": identity.origin,
        "key": identity.key.to_text(),
    }
    write_atomically(folder.identity, canonicalize(document) + b"\n", disk=disk)


def find_identity(folder: LogFolder) -> LogIdentity | None:
    """The identity, or None when no log was ever made here. Raises StoreCorrupt, StoreUnavailable."""
    data = read_file(folder.identity, max_bytes=MAX_IDENTITY_BYTES)
    if data is None:
        return None
    try:
        shape = Shape(parse_json(data, subject="log.json"), "log.json")
        shape.expect("type", "Log")
        shape.expect("version", 1)
        origin, key = shape.text("origin"), parse_vkey(shape.text("key"))
        parse_origin(origin)
        shape.refuse_unknown()
    except MalformedError as exc:
        raise DamagedFile(folder.identity, exc.reason) from exc
    if key.name != origin:
        raise DamagedFile(folder.identity, f"names the key of {key.name}")
    if key.algorithm != ED25519:
        raise DamagedFile(folder.identity, f"names a key of signature type {key.algorithm:#04x}")
    return LogIdentity(origin=origin, key=key)


def _ascending(folder: Path, depth: int) -> Iterator[Path]:
    """Files exactly `depth` names below `folder`, in numeric order; other names are not ours."""
    if not folder.is_dir():
        return
    names = [path for path in folder.iterdir() if _CHECKPOINT_GROUP.fullmatch(path.name)]
    for path in sorted(names, key=lambda found: int(found.name)):
        if depth == 1:
            yield path
        else:
            yield from _ascending(path, depth - 1)
