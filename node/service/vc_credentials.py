"""What an issuer of the issuer service has issued, by name: for status changes, and for who asks again."""

import threading
from bisect import bisect_left
from pathlib import Path

from testamur.node.files import DamagedFile, make_folders, read_file, translated_errors, write_atomically
from testamur.node.service.vc_entries import entries_of
from testamur.registry.canonical import MAX_DOCUMENT_BYTES, Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.status_lists import StatusListEntry

MAX_KEPT_BYTES = 2 * MAX_DOCUMENT_BYTES

MAX_ISSUES = 1000
"""Credentials under one name. A status change by the name reads all of them, within a second or two."""

_SAME = "sameAs"


class IssuedCredentials:
    """Every credential ever issued under a name, in files of one folder that only its owner can read.

    Nothing replaces anything: an id that is issued again has one more. `forget` takes away everything but the
    status entries, which are what a revocation by the name has to reach. May be used from several threads at
    once, and by one process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def put(self, names: tuple[str, ...], credential: dict[str, Json]) -> None:
        """Keep it under each of these names; durable on return. Raises what `check_room` raises."""
        document = credential
        with self._lock:
            for name in names:
                self.check_room(name)
            for name in dict.fromkeys(names):
                path = self._path(name, self._count(name) + 1)
                make_folders(path.parent, mode=0o700)
                write_atomically(path, canonicalize(document), mode=0o600)
                if document is credential:
                    # Under a second name only where it lies: what is forgotten is forgotten under both.
                    document = {_SAME: path.stem}

    def check_room(self, name: str) -> None:
        """One more fits under this name. Raises MalformedError."""
        if self._count(name) >= MAX_ISSUES:
            reason = f"{name[:200]!r} was issued {MAX_ISSUES} times; give the credential another id"
            raise MalformedError("credential /id", reason)

    def find(self, name: str) -> dict[str, Json] | None:
        """The newest one that is not forgotten, or None. Raises StoreCorrupt."""
        count = self._count(name)
        found = self._read(self._path(name, count))[1] if count else {}
        return found if "type" in found else None

    def entries(self, name: str) -> list[tuple[StatusListEntry, ...]] | None:
        """The status entries of each, oldest first, forgotten ones too; None for an unknown name."""
        issued = [self._read(self._path(name, number + 1))[1] for number in range(self._count(name))]
        return [entries_of(document) for document in issued] or None

    def forget(self, name: str) -> bool:
        """Keep nothing but the status entries; durable on return. Whether there was more."""
        was_there = False
        with self._lock:
            for number in range(self._count(name)):
                path, document = self._read(self._path(name, number + 1))
                kept = {key: value for key, value in document.items() if key == "credentialStatus"}
                if document != kept:
                    write_atomically(path, canonicalize(kept), mode=0o600)
                    was_there = True
        return was_there

    def _count(self, name: str) -> int:
        """How many there are: their numbers have no gaps."""
        return bisect_left(range(1, MAX_ISSUES + 1), True, key=lambda number: not self._has(name, number))

    def _has(self, name: str, number: int) -> bool:
        path = self._path(name, number)
        with translated_errors(path):
            return path.exists()

    def _read(self, path: Path) -> tuple[Path, dict[str, Json]]:
        """The file that it lies in, and what is left of it."""
        document = _load(path)
        same = document.get(_SAME)
        if isinstance(same, str) and len(document) == 1:
            path = self._folder / same[:2] / f"{same}.json"
            document = _load(path)
        return path, document

    def _path(self, name: str, number: int) -> Path:
        digest = sha256(name.encode("utf-8", "surrogatepass")).hex()
        return self._folder / digest[:2] / (f"{digest}.json" if number == 1 else f"{digest}-{number}.json")


def _load(path: Path) -> dict[str, Json]:
    try:
        data = read_file(path, max_bytes=MAX_KEPT_BYTES)
        document = parse_json(data or b"", subject="credential", max_bytes=MAX_KEPT_BYTES)
    except MalformedError as error:
        raise DamagedFile(path, str(error)) from error
    if not isinstance(document, dict):
        raise DamagedFile(path, "is not a JSON object")
    return document
