"""Seals of one log in order: each follows the one before, and its document and statement are at hand."""

from testamur.node.files import DamagedFile
from testamur.node.log.documents import DocumentStore
from testamur.registry.errors import MalformedError
from testamur.registry.seals import Seal, parse_seal

CURE = "copy it from a mirror or a backup"


class SealChain:
    """Takes the seals of a log one by one, and remembers only the newest."""

    def __init__(self, origin: str, documents: DocumentStore) -> None:
        self._origin = origin
        self._documents = documents
        self._newest: Seal | None = None
        self._is_broken = False
        self.size = 0
        """Size of the tree that the newest seal ends; 0 before the first."""

    def add(self, digest: bytes, size: int) -> Seal:
        """The seal with this digest, as the last entry of the tree of `size`.

        Raises StoreCorrupt when its document or its statement is missing, or when it does not follow the
        seal before it; it counts as the newest all the same.
        """
        before, before_size = self._newest, self.size
        follows_known = not self._is_broken
        self._newest, self.size, self._is_broken = None, size, False
        seal = self._read(digest)
        self._newest = seal
        path = self._documents.path(digest)
        if (seal.origin, seal.size) != (self._origin, size):
            raise DamagedFile(path, f"seals {seal.origin} at {seal.size}, not {self._origin} at {size}", CURE)
        if follows_known and seal.previous_seal != (before_size or None):
            raise DamagedFile(path, f"follows a seal of {seal.previous_seal}, not of {before_size}", CURE)
        if before is not None and goes_back(before, seal):
            reason = f"names another statement than {before.statement_sequence} or a later one"
            raise DamagedFile(path, reason, "ask the issuer for its newest statement")
        if self._documents.find(seal.statement_digest) is None:
            raise DamagedFile(
                self._documents.path(seal.statement_digest), "is missing; a seal names it", CURE
            )
        return seal

    def skip(self) -> None:
        """An entry is lost, and it may have been a seal: the next one follows nothing that is known."""
        self._newest, self._is_broken = None, True

    @property
    def is_broken(self) -> bool:
        """Whether an entry after the newest known seal is lost."""
        return self._is_broken

    def _read(self, digest: bytes) -> Seal:
        path = self._documents.path(digest)
        document = self._documents.find(digest)
        if document is None:
            raise DamagedFile(path, "is missing; it is a seal", CURE)
        try:
            return parse_seal(document)
        except MalformedError as exc:
            raise DamagedFile(path, f"is not a seal ({exc})", CURE) from exc


def goes_back(before: Seal, seal: Seal) -> bool:
    """Whether `seal` names an older statement than the one before it, or another one of the same sequence."""
    if seal.statement_sequence == before.statement_sequence:
        return seal.statement_digest != before.statement_digest
    return seal.statement_sequence < before.statement_sequence
