"""A whole wallet as one document, which is what a backup seals: key files as they are, and every dossier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from testamur.node.holding.store import MAX_CREDENTIALS, Held
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.dossiers import encode_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape
from testamur.registry.timestamps import format_timestamp

BACKUP_TYPE = "TestamurWalletBackup"
"""The type of the sealed file."""

MAX_ARCHIVE_BYTES = 32 << 20
"""Of what is in it."""

MAX_KEYS = 100
"""Keys of one person: one for each place that should not know of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Key files by name, encrypted as they lie in the wallet, and dossiers as files."""

    made: str
    keys: dict[str, bytes]
    dossiers: tuple[bytes, ...]


def encode_archive(keys: dict[str, bytes], held: Sequence[Held], now: datetime) -> bytes:
    """The document. `keys` are key files by name. Raises MalformedError for one that is not JSON."""
    document: Json = {
        "type": "TestamurWallet",
        "version": 1,
        "made": format_timestamp(now),
        "keys": {name: parse_json(data, subject=f"key {name}") for name, data in keys.items()},
        "credentials": [item.document for item in held],
    }
    return canonicalize(document)


def parse_archive(data: bytes) -> Archive:
    """What `encode_archive` wrote. Raises MalformedError."""
    shape = Shape(parse_json(data, subject="wallet", max_bytes=MAX_ARCHIVE_BYTES), "wallet")
    shape.expect("type", "TestamurWallet")
    shape.expect("version", 1)
    made = shape.text("made", max_length=64)
    keys = shape.any("keys")
    if not isinstance(keys, dict) or len(keys) > MAX_KEYS:
        raise MalformedError("wallet /keys", f"must be an object of at most {MAX_KEYS} key files")
    dossiers = []
    for item in shape.shapes("credentials", maximum=MAX_CREDENTIALS):
        dossiers.append(encode_dossier(item.any("credential"), item.any("evidence")))
        item.refuse_unknown()
    shape.refuse_unknown()
    files = {name: canonicalize(document) + b"\n" for name, document in keys.items()}
    return Archive(made=made, keys=files, dossiers=tuple(dossiers))
