"""The state of an embedded chain on disk: the newest snapshot, one older copy, and which chain it is.

A snapshot is gzip over Anvil's JSON, as `anvil_dumpState` gives it. Files are replaced whole; a crash at any
moment leaves the newest snapshot or the one before under the newest name.
"""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any, Final

from testamur.node.chain.values import ChainIdentity
from testamur.node.errors import StoreCorrupt
from testamur.node.files import make_folders, read_file, translated_errors, write_atomically
from testamur.registry.errors import RegistryError
from testamur.registry.evm.headers import encode_header

MAX_SNAPSHOT_BYTES: Final = 1 << 30
"""A devnet keeps some 8 kB a block; this much would be a hundred thousand blocks."""

SNAPSHOT: Final = "state.json.gz"
OLDER_SNAPSHOT: Final = "state.older.json.gz"
IDENTITY: Final = "chain.json"
LOADED: Final = "state.loaded.json"

_STATE_MEMBERS: Final = ("block", "accounts", "blocks", "historical_states")


class SnapshotFolder:
    """The folder of one embedded chain. One process at a time."""

    def __init__(self, path: Path) -> None:
        make_folders(path)
        self.path = path

    def save(self, packed: bytes) -> None:
        """The snapshot, durable on return; the one before becomes the older copy. Raises StoreCorrupt."""
        _unpacked(packed, self.path / SNAPSHOT)
        newest = self.path / SNAPSHOT
        previous = read_file(newest, max_bytes=MAX_SNAPSHOT_BYTES)
        if previous is not None:
            write_atomically(self.path / OLDER_SNAPSHOT, previous)
        write_atomically(newest, packed)

    def unpack(self) -> Path | None:
        """The newest snapshot as a file that Anvil loads, until `discard_unpacked`; None for a new chain.

        Raises StoreCorrupt naming the cure.
        """
        path = self.path / SNAPSHOT
        packed = read_file(path, max_bytes=MAX_SNAPSHOT_BYTES)
        if packed is None:
            if self.identity() is not None:
                cure = f"rename {OLDER_SNAPSHOT} to it, or remove the whole folder for a new chain"
                raise StoreCorrupt(f"{path} is missing although the chain began; {cure}")
            return None
        state, identity = _unpacked(packed, path), self.identity()
        if identity is not None:
            state = _with_one_genesis(state, identity.genesis_hash)
        write_atomically(self.path / LOADED, state)
        return self.path / LOADED

    def discard_unpacked(self) -> None:
        """Anvil has read the unpacked state."""
        with translated_errors(self.path / LOADED):
            (self.path / LOADED).unlink(missing_ok=True)

    def identity(self) -> ChainIdentity | None:
        """Which chain the folder holds; None before the first start. Raises StoreCorrupt."""
        path = self.path / IDENTITY
        content = read_file(path, max_bytes=4096)
        if content is None:
            return None
        try:
            row = json.loads(content)
            return ChainIdentity(chain_id=int(row["chainId"]), genesis_hash=bytes.fromhex(row["genesisHash"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise StoreCorrupt(
                f"{path} is unreadable; write the chain's id and genesis into it again"
            ) from exc

    def remember(self, identity: ChainIdentity) -> None:
        """The folder is this chain's from now on. To be called after the first snapshot, never before."""
        row = {"chainId": identity.chain_id, "genesisHash": identity.genesis_hash.hex()}
        write_atomically(self.path / IDENTITY, json.dumps(row).encode())


def _with_one_genesis(state: bytes, genesis_hash: bytes) -> bytes:
    """The state without the first blocks of other chains.

    Anvil makes a genesis at every start, also when it loads a state, and dumps it beside the loaded one. With
    two of them the next start serves either. Without the right one the state stays as it is, and the chain is
    found to be another one.
    """
    members = json.loads(state)
    first = [block for block in members["blocks"] if _is_first(block)]
    right = [block for block in first if _has_hash(block["header"], genesis_hash)]
    if not right or len(first) == 1:
        return state
    members["blocks"] = right[:1] + [block for block in members["blocks"] if not _is_first(block)]
    return json.dumps(members).encode()


def _is_first(block: dict[str, Any]) -> bool:
    return int(block["header"]["number"], 16) == 0


def _has_hash(header: dict[str, Any], block_hash: bytes) -> bool:
    try:
        encode_header({**header, "hash": f"0x{block_hash.hex()}"})
    except RegistryError:
        return False
    return True


def _unpacked(packed: bytes, path: Path) -> bytes:
    """The state as JSON text. Anvil exits without a word over one that was cut off."""
    cure = f"replace it by {OLDER_SNAPSHOT} beside it"
    try:
        state = gzip.decompress(packed)
        members = json.loads(state)
    except (OSError, EOFError, zlib.error, ValueError) as exc:
        raise StoreCorrupt(f"{path} is damaged ({exc}); {cure}") from exc
    if not isinstance(members, dict) or any(name not in members for name in _STATE_MEMBERS):
        raise StoreCorrupt(f"{path} is no state of a chain; {cure}")
    return state
