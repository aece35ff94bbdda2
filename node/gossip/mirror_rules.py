"""What a mirror demands of a log before it vouches for it (docs/spec/statements.md), entry by entry."""

from collections.abc import Sequence

from testamur.node.gossip.mirror_keys import (
    KeyReader,
    LogCopy,
    MirroredLog,
    read_document,
    read_statement,
)
from testamur.node.gossip.mirror_lists import ListRule
from testamur.node.gossip.mirror_state import MAX_UNSEALED, MirrorState, StatementMark
from testamur.registry.canonical import Json, parse_json
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.entries import Entry, EntryKind, parse_origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.key_events import Position
from testamur.registry.seals import Seal, parse_seal
from testamur.registry.statements import Statement, parse_statement, verify_succession

MAX_STATEMENT_STEPS = 4096
"""Statements between two seals; a host that logs more without sealing one of them is not working."""


class RuleCheck:
    """Takes the entries of a log in order and changes `state`; raises at the first that breaks a rule."""

    def __init__(self, log: MirroredLog, copy: LogCopy, state: MirrorState) -> None:
        self._log = log
        self._copy = copy
        self._state = state
        self._epoch = parse_origin(log.origin).epoch
        self._lists = ListRule(state, self._document)
        first = log.first_key_event
        self._keys = None if first is None else KeyReader(log, copy, first)

    def add(self, entries: Sequence[Entry]) -> None:
        """Check the next entries.

        Raises VerificationError with a code that starts with `mirror-`, and those of `verify_succession`,
        `verify_key_events`, `verify_extension`, `verify_repudiations` and `verify_statement`.
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
        else:
            self._lists.note(document, digest, leaf_index)

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
            self._lists.follow(later, self._mark_of(later).leaf_index)
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
        if self._keys is None:
            return
        index = seal.size - 1 if mark.leaf_index is None else mark.leaf_index
        self._keys.verify_signed(later, Position(self._epoch, index))
        self._keys.verify_growth(before, later, Position(self._epoch, seal.previous_seal or 0))

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
        if self._keys is None:
            return True
        try:
            self._keys.verify_signed(statement, Position(self._epoch, mark.leaf_index))
        except (MalformedError, VerificationError):
            return False
        return True

    def _mark_of(self, statement: Statement) -> StatementMark:
        """Where the statement was logged: before the seal that names it, in this log."""
        mark = self._state.unsealed.get(statement.digest)
        if mark is not None:
            return mark
        if self._epoch == 1 or self._state.sealed_size:
            raise VerificationError("mirror-statement-not-logged", sequence=statement.sequence)
        return StatementMark(sequence=statement.sequence, digest=statement.digest)

    def _statement(self, digest: bytes) -> Statement:
        return read_statement(self._copy, digest)

    def _document(self, digest: bytes) -> bytes:
        return read_document(self._copy, digest)


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
