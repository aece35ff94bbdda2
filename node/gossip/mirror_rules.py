"""What a mirror demands of a log before it vouches for it (docs/spec/statements.md), entry by entry."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from testamur.node.gossip.mirror_state import MAX_LISTS, MAX_UNSEALED, MirrorState, StatementMark
from testamur.registry.canonical import Json, parse_json
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.entries import Entry, EntryKind, parse_origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.key_events import (
    KeyChain,
    Position,
    parse_key_event,
    verify_extension,
    verify_key_events,
)
from testamur.registry.keys import PublicKey
from testamur.registry.notes import VerifierKey
from testamur.registry.seals import Seal, parse_seal
from testamur.registry.statements import Statement, parse_statement, verify_statement, verify_succession
from testamur.registry.status_lists import LIST_TYPE, REVOCATION, parse_status_list

MAX_KEY_EVENTS = 256
"""As in evidence: a rotation a month for twenty years."""

MAX_STATEMENT_STEPS = 4096
"""Statements between two seals; a host that logs more without sealing one of them is not working."""


class LogCopy(Protocol):
    """This member's own copy of a log: what its mirror vouches for. Durable, and read on every call."""

    def read_entries(self, start: int, count: int) -> Sequence[Entry]:
        """Entries from leaf `start` on: `count` of them, or fewer when the copy holds no more."""

    def find_document(self, digest: bytes) -> bytes | None:
        """The public document with this SHA-256 digest, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredLog:
    """A log that is mirrored, as the contract knows it.

    `first_key_events` are the digests that may begin the issuer's key chain: the admission's, and those of
    recoveries. None leaves the issuer's signatures unchecked: for tests and foreign logs only.
    """

    key: VerifierKey
    did: str | None = None
    first_key_events: Collection[bytes] | None = None

    @property
    def origin(self) -> str:
        """The log's origin, which is its key's name."""
        return self.key.name


class RuleCheck:
    """Takes the entries of a log in order and changes `state`; raises at the first that breaks a rule."""

    def __init__(self, log: MirroredLog, copy: LogCopy, state: MirrorState) -> None:
        self._log = log
        self._copy = copy
        self._state = state
        self._epoch = parse_origin(log.origin).epoch

    def add(self, entries: Sequence[Entry]) -> None:
        """Check the next entries.

        Raises VerificationError with a code that starts with `mirror-`, and those of `verify_succession`,
        `verify_key_events`, `verify_extension` and `verify_statement`.
        """
        state = self._state
        for entry in entries:
            leaf_index = state.edge.size
            state.edge.append(entry.leaf_hash)
            if entry.kind is EntryKind.DOCUMENT:
                self._add_document(self._document(entry.digest), entry.digest, leaf_index)
            elif entry.kind is EntryKind.SEAL:
                self._add_seal(entry.digest, leaf_index + 1)

    def finish(self, head: SignedCheckpoint) -> None:
        """The entries so far are the whole tree of `head`, sealed, with no older statement than is held."""
        checkpoint, state = head.checkpoint, self._state
        if state.edge.root() != checkpoint.root:
            raise VerificationError("mirror-root-mismatch", size=checkpoint.size)
        if state.sealed_size != checkpoint.size or state.sealed is None:
            raise VerificationError("mirror-not-sealed", size=checkpoint.size)
        if state.held is not None:
            _refuse_older(state.held, state.sealed)

    def _add_document(self, data: bytes, digest: bytes, leaf_index: int) -> None:
        try:
            document = parse_json(data, subject="document")
        except MalformedError:
            # Anything may be published as a document; only what a seal comes to name has to be readable.
            return
        kinds = document.get("type") if isinstance(document, dict) else None
        if kinds == "Statement":
            self._note_statement(document, digest, leaf_index)
        elif isinstance(kinds, list) and LIST_TYPE in kinds:
            self._note_status_list(document, digest)

    def _note_statement(self, document: Json, digest: bytes, leaf_index: int) -> None:
        try:
            sequence = parse_statement(document).sequence
        except MalformedError:
            return
        unsealed = self._state.unsealed
        if len(unsealed) >= MAX_UNSEALED:
            raise VerificationError("mirror-too-many-unsealed", count=len(unsealed))
        mark = StatementMark(sequence=sequence, digest=digest, leaf_index=leaf_index)
        # A repeated statement counts where it was logged first.
        unsealed.setdefault(digest, mark)

    def _note_status_list(self, document: Json, digest: bytes) -> None:
        """A revocation bit never clears (§3.5): each version of a list is compared with the one before."""
        try:
            later = parse_status_list(document)
        except MalformedError:
            return
        lists = self._state.lists
        before = lists.get(later.id)
        if before is None and len(lists) >= MAX_LISTS:
            raise VerificationError("mirror-too-many-lists", count=len(lists))
        if before is not None and REVOCATION in later.purposes:
            earlier = parse_status_list(parse_json(self._document(before), subject="status list"))
            old, new = int.from_bytes(earlier.data, "big"), int.from_bytes(later.data, "big")
            if len(earlier.data) != len(later.data) or old & ~new:
                raise VerificationError("mirror-revocation-cleared", list=later.id[:200])
        lists[later.id] = digest

    def _add_seal(self, digest: bytes, size: int) -> None:
        state = self._state
        try:
            seal = parse_seal(self._document(digest))
        except MalformedError as exc:
            raise VerificationError("mirror-seal-malformed", size=size) from exc
        expected = (self._log.origin, size, state.sealed_size or None)
        if (seal.origin, seal.size, seal.previous_seal) != expected:
            raise VerificationError("mirror-seal-mismatch", size=size)
        named = StatementMark(sequence=seal.statement_sequence, digest=seal.statement_digest)
        if state.sealed is not None:
            _refuse_older(state.sealed, named)
        if state.sealed is None or state.sealed.digest != named.digest:
            state.sealed = self._follow(seal)
        state.sealed_size = size

    def _follow(self, seal: Seal) -> StatementMark:
        """Prove the statements after the newest sealed one, up to the one that `seal` names, oldest first."""
        sealed = self._state.sealed
        chain = [self._statement(seal.statement_digest)]
        if chain[0].sequence != seal.statement_sequence:
            raise VerificationError("mirror-statement-mismatch", sequence=seal.statement_sequence)
        # A later epoch's first seal names a statement of the epoch before, whose log has the chain to it.
        first = chain[0].sequence if sealed is None and self._epoch > 1 else 1
        last_known = first - 1 if sealed is None else sealed.sequence
        end = None if sealed is None else sealed.digest
        # By digests: numbers may be left out, and right after the newest one there is room for none.
        while chain[0].sequence > last_known + 1:
            previous = chain[0].previous
            if previous is None or previous == end:
                break
            if len(chain) == MAX_STATEMENT_STEPS:
                raise VerificationError("mirror-statement-gap", sequence=chain[0].sequence)
            chain.insert(0, self._statement(previous))
        before = None if sealed is None else self._statement(sealed.digest)
        for later in chain:
            self._prove(before, later, seal)
            before = later
        self._refuse_skipped(chain, last_known)
        newest = self._mark_of(chain[-1])
        unsealed = self._state.unsealed
        self._state.unsealed = {
            digest: mark for digest, mark in unsealed.items() if mark.sequence > newest.sequence
        }
        return newest

    def _prove(self, before: Statement | None, later: Statement, seal: Seal) -> None:
        """One statement: by this issuer, after the one before it, signed by a key in force at its leaf."""
        log = self._log
        if log.did is not None and later.issuer != log.did:
            raise VerificationError("statement-issuer-mismatch", sequence=later.sequence)
        if before is not None:
            verify_succession(before, later)
        mark = self._mark_of(later)
        if log.first_key_events is None:
            return
        keys = self._keys(later, log.first_key_events)
        self._verify_signed(later, keys, seal.size - 1 if mark.leaf_index is None else mark.leaf_index)
        if before is not None:
            older = self._keys(before, log.first_key_events)
            # A recovery by the council begins another chain; within one, no event takes effect in the past.
            if older.first_digest == keys.first_digest:
                verify_extension(older, keys, Position(self._epoch, seal.previous_seal or 0))

    def _verify_signed(self, statement: Statement, keys: KeyChain, index: int) -> None:
        position = Position(self._epoch, index)

        def key_in_force(method: str) -> PublicKey:
            found = keys.find_key(method)
            if found is None or not found.contains(position):
                raise VerificationError("key-not-in-force", method=method[:200], index=position.index)
            return found.public_key

        verify_statement(statement, key_in_force)

    def _refuse_skipped(self, chain: Sequence[Statement], last_known: int) -> None:
        """No statement that the issuer made, as far as is known here, is left out of the chain to the newest.

        With a number left out a second statement after the same one need not have the same number, so that
        comparing numbers does not find it.
        """
        named, newest = {statement.digest for statement in chain}, chain[-1]
        parents = {statement.previous for statement in chain}
        held = self._state.held
        if held is not None and last_known < held.sequence <= newest.sequence and held.digest not in named:
            raise _left_out(held, chain)
        for mark in self._state.unsealed.values():
            if mark.digest in named or mark.sequence <= last_known:
                continue
            other = self._statement(mark.digest)
            is_in_the_past = mark.sequence <= newest.sequence or other.previous in parents
            if is_in_the_past and self._is_issuers(other, newest.issuer, mark):
                raise _left_out(mark, chain)

    def _is_issuers(self, statement: Statement, issuer: str, mark: StatementMark) -> bool:
        """Whether the issuer made it: anything may be published, also what only looks like a statement."""
        if statement.issuer != issuer or mark.leaf_index is None:
            return False
        if self._log.first_key_events is None:
            return True
        try:
            keys = self._keys(statement, self._log.first_key_events)
            self._verify_signed(statement, keys, mark.leaf_index)
        except (MalformedError, VerificationError):
            return False
        return True

    def _mark_of(self, statement: Statement) -> StatementMark:
        """Where the statement was logged: before the seal that names it, in this log."""
        mark = self._state.unsealed.get(statement.digest)
        if mark is not None:
            return mark
        if self._epoch == 1 or self._state.sealed is not None:
            raise VerificationError("mirror-statement-not-logged", sequence=statement.sequence)
        return StatementMark(sequence=statement.sequence, digest=statement.digest)

    def _keys(self, statement: Statement, first_key_events: Collection[bytes]) -> KeyChain:
        """The proven key chain that the statement names, from an event that the contract knows."""
        events: list[Json] = []
        digest: bytes | None = statement.key_events_head
        while digest is not None:
            if len(events) == MAX_KEY_EVENTS:
                raise VerificationError("mirror-key-chain-foreign", sequence=statement.sequence)
            document = parse_json(self._document(digest), subject="key event")
            events.append(document)
            digest = parse_key_event(document).previous
        keys = verify_key_events(events[::-1])
        if keys.first_digest not in first_key_events:
            raise VerificationError("mirror-key-chain-foreign", sequence=statement.sequence)
        return keys

    def _statement(self, digest: bytes) -> Statement:
        try:
            return parse_statement(parse_json(self._document(digest), subject="statement"))
        except MalformedError as exc:
            raise VerificationError("mirror-statement-malformed", digest=digest.hex()) from exc

    def _document(self, digest: bytes) -> bytes:
        data = self._copy.find_document(digest)
        if data is None:
            raise VerificationError("mirror-document-missing", digest=digest.hex())
        if sha256(data) != digest:
            raise VerificationError("mirror-document-damaged", digest=digest.hex())
        return data


def _refuse_older(known: StatementMark, named: StatementMark) -> None:
    """A seal names what is known, or something newer; not the issuer's past, and not a second truth."""
    if named.sequence < known.sequence:
        raise VerificationError("mirror-statement-older", got=named.sequence, held=known.sequence)
    if named.sequence == known.sequence and named.digest != known.digest:
        raise VerificationError("mirror-statement-equivocation", sequence=named.sequence)


def _left_out(mark: StatementMark, chain: Sequence[Statement]) -> VerificationError:
    if any(statement.sequence == mark.sequence for statement in chain):
        return VerificationError("mirror-statement-equivocation", sequence=mark.sequence)
    return VerificationError("mirror-statement-skipped", sequence=mark.sequence, named=chain[-1].sequence)
