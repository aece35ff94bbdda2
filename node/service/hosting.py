"""One hosted log: what its issuer submits becomes entries, statements and sealed, cosigned checkpoints.

The host holds the log key and orders; it cannot make a statement, so it cannot revoke or give itself a key.
Methods block; the node calls them from the log's own worker thread, one at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from testamur.node.api.ports import NotReady, Stale
from testamur.node.index.store import Index
from testamur.node.log.writer import LogWriter
from testamur.node.service.health import LogHealth
from testamur.node.service.projecting import project
from testamur.node.service.statements import PublicationStore
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.entries import Entry, EntryKind, Origin
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import Position
from testamur.registry.publications import Bundle, Publication, verify_bundle
from testamur.registry.seals import Seal, parse_seal
from testamur.registry.statements import Statement
from testamur.registry.timestamps import format_timestamp, parse_timestamp

MAX_PENDING_ENTRIES = 1 << 19
"""Accepted entries that no checkpoint covers yet: a journal of 30 MB, which publishing reads within a second
or two. More only gather when sealing does not work, and then the issuer has to know."""

SEALING_SECONDS = 5
"""When to ask again a log that waits for its next seal."""


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
        health: LogHealth | None = None,
        max_pending: int = MAX_PENDING_ENTRIES,
    ) -> None:
        self.origin = origin
        self.did = did
        self.first_key_event = first_key_event
        """Digest that the issuer's admission names, and with it the contract."""
        self.writer = writer
        self.publications = publications
        self._index = index
        self._clock = clock
        self.health = health or LogHealth(clock)
        """Whether this log may sign; without one of its own, it may."""
        self._max_pending = max_pending
        newest = publications.newest()
        self.key_chains: tuple[KeyChainRecord, ...] = newest.key_chains if newest else ()
        """What the contract is known to have recorded of replaced key chains of this issuer."""
        self.is_superseded = False
        """Whether the contract is known to have opened the issuer's next epoch."""
        self.checkpoints = 0
        """Checkpoints that were signed since the start."""
        # What a crash left unprojected is projected by the same call as in normal operation.
        self._project()

    @property
    def name(self) -> str:
        """The log's origin as text."""
        return self.writer.origin

    def learn_key_chains(self, records: tuple[KeyChainRecord, ...]) -> None:
        """What the contract has recorded, proven; it only ever adds, so an older answer changes nothing."""
        self.key_chains = max(self.key_chains, records, key=len)

    def submit(self, digests: Sequence[bytes]) -> Placed:
        """Log credential digests; durable on return. A digest that is logged keeps its leaf index.

        Raises NotReady when too many entries wait for a seal.
        """
        (placed,) = self.submit_all([digests])
        if isinstance(placed, NotReady):
            raise placed
        return placed

    def submit_all(self, submissions: Sequence[Sequence[bytes]]) -> list[Placed | NotReady]:
        """The same for several submissions with one write and one sync; the answer to each, in order.

        All of them are looked up before any is appended, in one thread: the same digest in two submissions
        is one leaf. Raises StoreUnavailable for all of them.
        """
        places: dict[bytes, int] = {}
        fresh: list[bytes] = []
        answers: list[int | NotReady] = []
        planned: set[bytes] = set()
        for digests in submissions:
            unseen = [
                digest for digest in dict.fromkeys(digests) if digest not in places and digest not in planned
            ]
            found = self._index.find_leaves(self.name, unseen)
            places.update(found)
            unknown = [digest for digest in unseen if digest not in found]
            if unknown and self.writer.pending + len(fresh) + len(unknown) > self._max_pending:
                reason = f"{self.writer.pending} entries of this log wait for its next checkpoint"
                answers.append(NotReady(reason, retry_after_seconds=SEALING_SECONDS))
                continue
            planned.update(unknown)
            fresh += unknown
            answers.append(len(unknown))
        if fresh:
            appended = self.writer.append(
                [Entry(kind=EntryKind.CREDENTIAL, digest=digest) for digest in fresh]
            )
            places.update(zip(fresh, appended, strict=True))
            self._project()
        return [
            answer
            if isinstance(answer, NotReady)
            else Placed(leaf_indexes=tuple(places[digest] for digest in digests), new=answer)
            for digests, answer in zip(submissions, answers, strict=True)
        ]

    def publish_statement(self, bundle: Bundle) -> Publication:
        """Prove an issuer's new statement, log what is new in it, and have the next seal name it.

        Raises VerificationError with nothing logged; Stale when it does not follow.
        """
        newest = self.publications.newest()
        if newest is not None:
            _refuse_stale(newest.statement, bundle.statement)
        publication = verify_bundle(
            newest,
            bundle,
            did=self.did,
            key_chains=self.key_chains,
            published=Position(self.origin.epoch, self.writer.size),
            logged=Position(self.origin.epoch, self.writer.next_index),
        )
        self._log_documents(publication.fresh)
        self.publications.put(publication)
        return publication

    def seal(self, *, heartbeat: bool = False) -> SignedCheckpoint:
        """Seal and publish what is new; with nothing new the head as it is, unless a heartbeat is due.

        A statement is new until a seal names it, wherever its documents are. Raises DamagedFile or NotReady
        when this log may not sign, NotReady before the first statement.
        """
        newest = self.publications.newest()
        if newest is None:
            raise NotReady("the issuer has not published its first statement")
        head = self.writer.reader.find_head()
        is_quiet = not heartbeat and self.writer.pending == 0
        # Dying between logging a statement's documents and keeping it lets the next seal cover them under the
        # statement before: when the issuer sends it again, nothing is pending, and it is new all the same.
        if head is not None and is_quiet and self.seal_of(head).statement_digest == newest.statement.digest:
            return head
        self.health.check()
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
        self.checkpoints += 1
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
        project(self._index, self.writer.documents, self.writer)


def _refuse_stale(newest: Statement, sent: Statement) -> None:
    """Whoever sent it has missed one of ours, or has one that we have missed and must send first.

    Right after the newest there is room for none: a next number that does not chain is a broken chain, and
    an equal number equivocation; both are for `verify_bundle` to refuse.
    """
    if sent.sequence < newest.sequence:
        raise Stale("a newer statement is in force", sequence=newest.sequence)
    if sent.sequence > newest.sequence + 1 and sent.previous != newest.digest:
        raise Stale("the statement does not follow the newest one", sequence=newest.sequence)
