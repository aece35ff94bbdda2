"""One log of a stopped node mended from a backup or from another node's HTTP interface."""

from pathlib import Path

from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.fetch.http import HttpClient
from testamur.node.files import read_file
from testamur.node.keystore.store import Keystore
from testamur.node.log.documents import DocumentStore
from testamur.node.log.layout import LogFolder, LogIdentity, find_identity
from testamur.node.log.mending import LogMender
from testamur.node.log.sources import FolderSource, LogSource
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import FIRST_EPOCH
from testamur.node.service.roles import log_key_name
from testamur.registry.checkpoints import SignedCheckpoint, parse_signed_checkpoint
from testamur.registry.entries import Origin, parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest
from testamur.registry.notes import ED25519, MAX_NOTE_BYTES, VerifierKey
from testamur.registry.tiles import TileId

HTTP_OK = 200


class HttpSource:
    """A log as another node serves it: tlog-tiles, and documents by digest. Needs no trust."""

    def __init__(self, client: HttpClient, origin: Origin) -> None:
        self._client = client
        self._prefix = f"/log/{origin.log_id.hex()}"

    def find_tile(self, tile: TileId) -> bytes | None:
        """See LogSource."""
        return self._get(f"{self._prefix}/{tile.path}")

    def find_newest_head(self) -> bytes | None:
        """See LogSource."""
        return self._get(f"{self._prefix}/checkpoint")

    def find_head_at(self, size: int) -> bytes | None:
        """tlog-tiles serves the newest head only."""
        del size
        return None

    def find_document(self, digest: bytes) -> bytes | None:
        """See LogSource."""
        return self._get(f"/v1/documents/{encode_digest(digest)}")

    def find_journal(self) -> bytes | None:
        """Pending entries are nobody else's."""
        return None

    def _get(self, path: str) -> bytes | None:
        answer = self._client.get(path)
        return answer.body if answer.status == HTTP_OK else None


def log_mender(
    root: Path, config: NodeConfig, log: str, source: Path | HttpClient, keystore: Keystore, *, sign: bool
) -> LogMender:
    """What mends the log of this slug or origin in the node's folder `root`.

    With `sign`, `keystore` has its passphrase, and heads that are lost are signed again. Raises ConfigError
    when neither a key nor log.json says which log it is.
    """
    folders = NodeFolders(root)
    try:
        origin = parse_origin(log if "/" in log else str(_origin(config, log)))
    except MalformedError as error:
        raise ConfigError("--log", str(error)) from error
    copy: LogSource
    if isinstance(source, HttpClient):
        copy = HttpSource(source, origin)
    else:
        theirs = NodeFolders(source)
        copy = FolderSource(theirs.log(origin), theirs.documents)
    name = log_key_name(origin.slug, origin.epoch)
    return LogMender(
        folders.log(origin),
        _identity(folders, origin, keystore),
        DocumentStore(folders.documents),
        copy,
        known=_cosigned(folders, origin),
        key=keystore.load(name) if sign else None,
    )


def _origin(config: NodeConfig, slug: str) -> Origin:
    return Origin(registry=config.registry, slug=slug, epoch=FIRST_EPOCH)


def _identity(folders: NodeFolders, origin: Origin, keystore: Keystore) -> LogIdentity:
    """Origin and key as the keystore has them, whose public parts need no passphrase; else from log.json."""
    info = keystore.find(log_key_name(origin.slug, origin.epoch))
    if info is not None:
        key = VerifierKey(name=str(origin), algorithm=ED25519, raw=info.public_key.raw)
        return LogIdentity(origin=str(origin), key=key)
    found = find_identity(LogFolder(folders.log(origin)))
    if found is None:
        raise ConfigError("--log", f"{origin} is not hosted here: there is neither its key nor its folder")
    return found


def _cosigned(folders: NodeFolders, origin: Origin) -> list[SignedCheckpoint]:
    """What this member's witness and mirror have cosigned of the log: it must not end before that."""
    found = []
    for folder in (folders.witness, folders.mirror):
        path = folder / f"{sha256(str(origin).encode()).hex()}.checkpoint"
        try:
            data = read_file(path, max_bytes=MAX_NOTE_BYTES)
            if data is not None:
                found.append(parse_signed_checkpoint(data))
        except (StoreCorrupt, MalformedError):
            continue
    return found
