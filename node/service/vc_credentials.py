"""What an issuer of the issuer service has issued, by id: for status changes, and for who asks again."""

import threading
from pathlib import Path

from testamur.node.files import make_folders, read_file, translated_errors, write_atomically
from testamur.registry.canonical import MAX_DOCUMENT_BYTES, Json, canonicalize, parse_json
from testamur.registry.hashing import sha256

MAX_KEPT_BYTES = 2 * MAX_DOCUMENT_BYTES


class IssuedCredentials:
    """Credentials by id in one folder, one file each, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def put(self, names: tuple[str, ...], credential: dict[str, Json]) -> None:
        """Keep it under each of these names; durable on return."""
        data = canonicalize(credential)
        for name in dict.fromkeys(names):
            path = self._path(name)
            with self._lock:
                make_folders(path.parent, mode=0o700)
                write_atomically(path, data, mode=0o600)

    def find(self, name: str) -> dict[str, Json] | None:
        """The credential, or None. Raises StoreCorrupt."""
        data = read_file(self._path(name), max_bytes=MAX_KEPT_BYTES)
        if data is None:
            return None
        found = parse_json(data, subject="credential", max_bytes=MAX_KEPT_BYTES)
        return found if isinstance(found, dict) else None

    def delete(self, name: str) -> bool:
        """Forget it; whether it was there. Its status stays what it is."""
        path = self._path(name)
        with self._lock, translated_errors(path):
            was_there = path.exists()
            path.unlink(missing_ok=True)
        return was_there

    def _path(self, name: str) -> Path:
        digest = sha256(name.encode()).hex()
        return self._folder / digest[:2] / f"{digest}.json"
