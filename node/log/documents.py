"""Public documents by the SHA-256 digest of their bytes."""

import threading
from pathlib import Path

from testamur.node.files import (
    DISK,
    DamagedFile,
    Disk,
    make_folders,
    read_file,
    sync_folder,
    write_atomically,
)
from testamur.registry.canonical import MAX_DOCUMENT_BYTES
from testamur.registry.hashing import DIGEST_BYTES, sha256


class DocumentStore:
    """Documents that were put are there, whole and unchanged, for ever. Callable from any thread.

    One folder serves every log of a node. The digest is that of the bytes, so whoever stores a JSON document
    whose digest is defined over its canonical form stores the canonical form.
    """

    def __init__(self, folder: Path, *, disk: Disk = DISK) -> None:
        self.folder = folder
        self._disk = disk
        self._lock = threading.Lock()

    def put(self, data: bytes) -> bytes:
        """Keep `data` (at most 1 MiB), durable on return, and give its digest. Putting it again does no harm.

        Raises ValueError when it is larger, StoreUnavailable when the disk refuses.
        """
        if len(data) > MAX_DOCUMENT_BYTES:
            raise ValueError(f"a document has at most {MAX_DOCUMENT_BYTES} bytes, not {len(data)}")
        digest = sha256(data)
        path = self.path(digest)
        with self._lock:
            make_folders(path.parent, disk=self._disk)
            if read_file(path, max_bytes=MAX_DOCUMENT_BYTES) == data:
                # It may have got its name a moment ago: only the folder's sync makes that name last.
                sync_folder(path.parent, disk=self._disk)
            else:
                write_atomically(path, data, disk=self._disk)
        return digest

    def find(self, digest: bytes) -> bytes | None:
        """The document, or None. Raises StoreCorrupt when the file is not what its name says."""
        path = self.path(digest)
        data = read_file(path, max_bytes=MAX_DOCUMENT_BYTES)
        if data is not None and sha256(data) != digest:
            raise DamagedFile(path, "is damaged", "put the document again, or restore it from a backup")
        return data

    def get(self, digest: bytes) -> bytes:
        """The document. Raises KeyError when it was never put, StoreCorrupt when the file is damaged."""
        data = self.find(digest)
        if data is None:
            raise KeyError(digest.hex())
        return data

    def has(self, digest: bytes) -> bool:
        """Whether a file of that name is there; says nothing about its content."""
        return self.path(digest).is_file()

    def path(self, digest: bytes) -> Path:
        """Where the document is or would be. Raises ValueError unless `digest` has 32 bytes."""
        if len(digest) != DIGEST_BYTES:
            raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
        name = digest.hex()
        return self.folder / name[:2] / name[2:]
