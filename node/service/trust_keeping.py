"""The trust file that a node uses and serves: it goes forward over proven successions, and never back.

The node that hosts the registry's own log takes a version before it is logged only if a quorum of the version
before it signed it, and adopts what the log names: the same call after a publication and at every start, so a
crash in between costs nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.files import read_file, write_atomically
from testamur.node.log.documents import DocumentStore
from testamur.node.service.hostings import Hosting
from testamur.registry.canonical import Json, canonicalize, digest, parse_json
from testamur.registry.errors import RegistryError, VerificationError
from testamur.registry.publications import Bundle, Publication
from testamur.registry.statements import DocumentEntry
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, TrustFile, parse_trust_file
from testamur.registry.trust_successions import (
    MAX_SUCCESSIONS_PER_ANSWER,
    OWN_SLUG,
    advance,
    encode_successions,
    version_id,
)

TRUST_TYPE = "TestamurTrust"

logger = structlog.get_logger(__name__)


class TrustKeeper:
    """One node's trust file. `listeners` are told of every version that it adopts."""

    def __init__(self, path: Path, registry: str) -> None:
        """Load it. Raises ConfigError when there is none or it is another registry's, MalformedError."""
        self._path = path
        data = read_file(path, max_bytes=MAX_TRUST_FILE_BYTES)
        if data is None:
            reason = "is missing; copy the registry's trust file here, or found a registry"
            raise ConfigError(str(path), reason)
        trust = parse_trust_file(data)
        if trust.registry != registry:
            raise ConfigError(str(path), f"is the trust file of {trust.registry}, not of {registry}")
        self.trust = trust
        self.data = data
        self.listeners: list[Callable[[TrustFile], None]] = []
        self._publishing = asyncio.Lock()

    async def publish(self, hosting: Hosting, bundle: Bundle, documents: DocumentStore) -> Publication:
        """A statement in the registry's own log; versions of the trust file in it are proven, then adopted.

        Raises VerificationError with nothing logged; what `HostedLog.publish_statement` raises.
        """
        # One at a time: two successors of one version must not both be found to be good.
        async with self._publishing:
            newest = hosting.log.publications.newest()
            check_versions(self.trust, newest.documents if newest else {}, bundle)
            publication = await hosting.run(hosting.log.publish_statement, bundle)
            found = await hosting.run(read_versions, self.trust, publication, documents)
            self.adopt(found)
        return publication

    def adopt_published(self, hosting: Hosting, documents: DocumentStore) -> None:
        """What the registry's own log names and this node does not use yet: at a start, after a restore."""
        newest = hosting.log.publications.newest()
        if newest is not None:
            self.adopt(read_versions(self.trust, newest, documents))

    def adopt(self, files: list[TrustFile]) -> None:
        """Go forward to the newest of these versions. Raises VerificationError, StoreUnavailable."""
        newest = advance(self.trust, files)
        if newest.sequence == self.trust.sequence:
            return
        data = canonicalize(newest.json) + b"\n"
        write_atomically(self._path, data)
        self.trust, self.data = newest, data
        logger.info("trust-file-adopted", sequence=newest.sequence, fingerprint=newest.fingerprint)
        for listener in self.listeners:
            listener(newest)

    def successions(self, after: int, publication: Publication | None, documents: DocumentStore) -> bytes:
        """The versions after `after` that this node can hand out, without a gap, and which one it uses.

        A node that does not host the registry's own log has the newest one only.
        """
        items: list[Json] = []
        entries = publication.documents if publication else {}
        sequence = after + 1
        while len(items) < MAX_SUCCESSIONS_PER_ANSWER and sequence <= self.trust.sequence:
            entry = entries.get(version_id(self.trust.registry, sequence))
            if entry is not None:
                items.append(_document(documents, entry))
            elif sequence == self.trust.sequence:
                items.append(self.trust.json)
            else:
                break
            sequence += 1
        return encode_successions(self.trust.registry, self.trust.sequence, items)


def check_versions(trust: TrustFile, published: Mapping[str, DocumentEntry], bundle: Bundle) -> None:
    """Prove that the trust files among a bundle's documents are the next ones, each under its own id.

    Raises MalformedError, and VerificationError: trust-version-misplaced, trust-version-replaced, and what
    `advance` raises.
    """
    files = []
    for name, document in bundle.documents:
        is_file = isinstance(document, dict) and document.get("type") == TRUST_TYPE
        if not is_file and not name.startswith(version_id(trust.registry, 0)[:-1]):
            continue
        later = parse_trust_file(canonicalize(document))
        if name != version_id(trust.registry, later.sequence):
            raise VerificationError("trust-version-misplaced", id=name[:200])
        known = published.get(name)
        if known is not None and known.digest == digest(document):
            continue
        if known is not None or later.sequence <= trust.sequence:
            raise VerificationError("trust-version-replaced", sequence=later.sequence)
        files.append(later)
    advance(trust, sorted(files, key=lambda item: item.sequence))


def read_versions(trust: TrustFile, publication: Publication, documents: DocumentStore) -> list[TrustFile]:
    """The versions after `trust` that the registry's statement names, in order. Raises StoreCorrupt."""
    found: list[TrustFile] = []
    while True:
        name = version_id(trust.registry, trust.sequence + len(found) + 1)
        entry = publication.documents.get(name)
        if entry is None:
            return found
        try:
            found.append(parse_trust_file(canonicalize(_document(documents, entry))))
        except RegistryError as error:
            raise StoreCorrupt(f"{name} in the log {OWN_SLUG}: {error}; restore it from a backup") from error


def _document(documents: DocumentStore, entry: DocumentEntry) -> Json:
    data = documents.find(entry.digest)
    if data is None:
        raise StoreCorrupt(f"the document {entry.id} is missing; restore it from a backup")
    return parse_json(data, subject=entry.id)
