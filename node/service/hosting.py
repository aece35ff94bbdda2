"""One hosted log: what its issuer submits becomes entries, statements and sealed, cosigned checkpoints.

The host holds the log key and orders; it cannot make a statement, so it cannot revoke or give itself a key.
Methods block; the node calls them from the log's own worker thread, one at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from testamur.node.api.ports import NotReady, Stale
from testamur.node.index.store import Index
from testamur.node.log.documents import DocumentStore
from testamur.node.log.reader import LogReader
from testamur.node.log.writer import LogWriter
from testamur.node.service.statements import PublicationStore
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.entries import Entry, EntryKind, Origin
from testamur.registry.key_events import Position
from testamur.registry.publications import Bundle, Publication, verify_bundle
from testamur.registry.seals import Seal, parse_seal
from testamur.registry.timestamps import format_timestamp, parse_timestamp

PROJECTION_ENTRIES = 8192
"""Entries that go from the log to the index at once: half a megabyte in memory."""


class Cosigner(Protocol):
    """A witness or mirror of this member: gives its signature lines for a checkpoint, or raises."""

    def cosign(self, reader: LogReader, head: SignedCheckpoint, documents: DocumentStore) -> bytes:
        """Signature lines for `head`, whose log can be read through `reader`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Leaf indexes in the order of the submission, and how many of the digests were new."""

    leaf_indexes: tuple[int, ...]
    new: int


class HostedLog:
    """The current log of one issuer on this node."""

    def __init__(
        self,
        *,
        origin: Origin,
        did: str,
        first_key_event: bytes,
        writer: LogWriter,
        index: Index,
        publications: PublicationStore,
        clock: Callable[[], datetime],
    ) -> None:
        self.origin = origin
        self.did = did
        self.first_key_event = first_key_event
        """Digest that the issuer's admission names, and with it the contract."""
        self.writer = writer
        self.publications = publications
        self._index = index
        self._clock = clock
        # What a crash left unprojected is projected by the same call as in normal operation.
        self._project()

    @property
    def name(self) -> str:
        """The log's origin as text."""
        return self.writer.origin

    def submit(self, digests: Sequence[bytes]) -> Placed:
        """Log credential digests; durable on return. A digest that is logged keeps its leaf index."""
        places: dict[bytes, int] = {}
        fresh: list[bytes] = []
        for digest in dict.fromkeys(digests):
            found = self._index.find_leaf(self.name, digest)
            if found is None:
                fresh.append(digest)
            else:
                places[digest] = found
        if fresh:
            entries = [Entry(kind=EntryKind.CREDENTIAL, digest=digest) for digest in fresh]
            places.update(zip(fresh, self.writer.append(entries), strict=True))
            self._project()
        return Placed(leaf_indexes=tuple(places[digest] for digest in digests), new=len(fresh))

    def publish_statement(self, bundle: Bundle) -> Publication:
        """Prove an issuer's new statement, log what is new in it, and have the next seal name it.

        Raises VerificationError with nothing logged; Stale when it does not follow.
        """
        newest = self.publications.newest()
        if newest is not None and bundle.statement.sequence > newest.statement.sequence + 1:
            raise Stale("the statement does not follow the newest one", sequence=newest.statement.sequence)
        if newest is not None and bundle.statement.sequence < newest.statement.sequence:
            raise Stale("a newer statement is in force", sequence=newest.statement.sequence)
        publication = verify_bundle(
            newest,
            bundle,
            did=self.did,
            published=Position(self.origin.epoch, self.writer.size),
            logged=Position(self.origin.epoch, self.writer.next_index),
        )
        self._log_documents(publication.fresh)
        self.publications.put(publication)
        return publication

    def seal(self, *, heartbeat: bool = False) -> SignedCheckpoint:
        """Seal and publish what is new; with nothing new the head as it is, unless a heartbeat is due."""
        newest = self.publications.newest()
        if newest is None:
            raise NotReady("the issuer has not published its first statement")
        head = self.writer.reader.find_head()
        if head is not None and self.writer.pending == 0 and not heartbeat:
            return head
        previous = self.writer.size or None

        def make_seal(size: int) -> bytes:
            seal = Seal(
                origin=self.name,
                size=size,
                time=format_timestamp(self._clock()),
                statement_sequence=newest.statement.sequence,
                statement_digest=newest.statement.digest,
                previous_seal=previous,
            )
            return canonicalize(seal.to_json())

        head = self.writer.publish(make_seal)
        self._project()
        return head

    def is_silent(self, longest: timedelta) -> bool:
        """Whether the newest seal is older than `longest`, so that a heartbeat is due."""
        head = self.writer.reader.find_head()
        if head is None:
            return False
        return self._clock() - parse_timestamp(self.seal_of(head).time) >= longest

    def seal_of(self, head: SignedCheckpoint) -> Seal:
        """The seal that is the last entry of a published head."""
        entry = self.writer.reader.read_entries(head.checkpoint.size - 1, 1)[0]
        return parse_seal(self.writer.documents.get(entry.digest))

    def _log_documents(self, documents: Sequence[Json]) -> None:
        """Store and log documents, each once: a repeat after a crash finds those that are there."""
        entries = []
        for document in documents:
            digest = self.writer.documents.put(canonicalize(document))
            if self._index.find_leaf(self.name, digest, EntryKind.DOCUMENT) is None:
                entries.append(Entry(kind=EntryKind.DOCUMENT, digest=digest))
        if entries:
            self.writer.append(entries)
            self._project()

    def _project(self) -> None:
        start = self._index.projected_size(self.name)
        while start < self.writer.next_index:
            count = min(PROJECTION_ENTRIES, self.writer.next_index - start)
            self._index.put_entries(self.name, start, self.writer.read_entries(start, count))
            start += count
