"""Each issuer's publications on the host's disk: the newest statement with everything that it names."""

from pathlib import Path

from testamur.node.errors import StoreCorrupt
from testamur.node.files import make_folders, read_file, write_atomically
from testamur.registry.canonical import canonicalize, parse_json
from testamur.registry.errors import RegistryError
from testamur.registry.publications import Publication, restore_publication

MAX_PUBLICATION_BYTES = 256 << 20
"""A thousand populated status lists; a file of this node's own making."""


class PublicationStore:
    """Publications by statement sequence. A sealed checkpoint may name an older one, so all are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cached: Publication | None = None

    def put(self, publication: Publication) -> None:
        """Keep a publication, durable on return; repeating it is harmless."""
        make_folders(self._folder)
        path = self._path(publication.statement.sequence)
        if not path.exists():
            write_atomically(path, canonicalize(publication.to_json()))
        self._cached = publication

    def newest(self) -> Publication | None:
        """The publication with the highest sequence, or None before the first."""
        if self._cached is None:
            sequences = [int(path.stem) for path in self._folder.glob("*.json") if path.stem.isdigit()]
            if sequences:
                self._cached = self.get(max(sequences))
        return self._cached

    def get(self, sequence: int) -> Publication:
        """One publication. Raises StoreCorrupt."""
        if self._cached is not None and self._cached.statement.sequence == sequence:
            return self._cached
        path = self._path(sequence)
        data = read_file(path, max_bytes=MAX_PUBLICATION_BYTES)
        if data is None:
            raise StoreCorrupt(f"{path}: is missing; restore it from a backup")
        try:
            document = parse_json(data, subject="publication", max_bytes=MAX_PUBLICATION_BYTES)
            return restore_publication(document)
        except RegistryError as error:
            raise StoreCorrupt(f"{path}: {error}; restore it from a backup") from error

    def _path(self, sequence: int) -> Path:
        return self._folder / f"{sequence:010d}.json"
