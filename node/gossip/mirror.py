"""A mirror: cosigns a checkpoint only after its member holds everything under it and has checked the rules.

Semantics of https://c2sp.org/tlog-mirror; another key and another name than the member's witness.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from testamur.node.files import DISK, DamagedFile, Disk, read_file, write_atomically
from testamur.node.gossip.cosigners import Clock, CosignedHeads, only_from
from testamur.node.gossip.mirror_keys import LogCopy, MirroredLog
from testamur.node.gossip.mirror_rules import RuleCheck
from testamur.node.gossip.mirror_state import MAX_STATE_BYTES, MirrorState, StatementMark, parse_mirror_state
from testamur.registry.checkpoints import SignedCheckpoint, verify_checkpoint
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.keys import SigningKey
from testamur.registry.notes import VerifierKey

READ_ENTRIES = 4096
"""Entries taken from the copy at once: half a megabyte in memory, whatever the size of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorAnswer:
    """What a mirror says to a checkpoint: its signature line, or the stable code of why there is none.

    `reason` is "cosigned", a code of `RuleCheck`, or of the registry's verification; `detail` is for the
    operator. A missing entry or document is worth another try once it has arrived; anything else is not.
    """

    reason: str
    detail: str
    line: bytes | None = None


class Mirror:
    """Cosigns what its member holds and has checked. Callable from any thread; owns its folder."""

    def __init__(self, folder: Path, name: str, key: SigningKey, clock: Clock, *, disk: Disk = DISK) -> None:
        """`key` is this mirror's own Ed25519 key. Raises StoreLocked when the folder is in use."""
        self._heads = CosignedHeads(folder, name, key, clock, disk=disk)
        self._disk = disk

    @property
    def verifier_key(self) -> VerifierKey:
        """The key that verifies this mirror's cosignatures (type 0x04)."""
        return self._heads.verifier_key

    def cosign(self, head: SignedCheckpoint, log: MirroredLog, copy: LogCopy) -> MirrorAnswer:
        """Check everything in `copy` that `head` covers and no earlier head did, then cosign.

        What was checked is durable before this returns. Cosigning the newest head again gives a line of a
        later time. Raises StoreCorrupt and StoreUnavailable about its own files, and what `copy` raises.
        """
        with self._heads.lock_of(log.origin):
            try:
                return self._cosign(head, log, copy)
            except VerificationError as exc:
                return MirrorAnswer(reason=exc.reason, detail=str(exc))
            except MalformedError as exc:
                return MirrorAnswer(reason="mirror-document-malformed", detail=str(exc))

    def hold_statement(self, origin: str, sequence: int, digest: bytes) -> None:
        """From now on no head is cosigned whose seal names an older statement than this one.

        For statements that the issuer hands to this member; the caller has verified it. Durable on return.
        Raises VerificationError("mirror-statement-equivocation") for a second statement of one sequence.
        """
        with self._heads.lock_of(origin):
            state = self._read_state(origin)
            for known in filter(None, (state.held, state.sealed)):
                if known.sequence == sequence and known.digest != digest:
                    raise VerificationError("mirror-statement-equivocation", sequence=sequence)
            if state.held is None or state.held.sequence < sequence:
                state.held = StatementMark(sequence=sequence, digest=digest)
                self._write_state(state)

    def find_checkpoint(self, origin: str) -> SignedCheckpoint | None:
        """The newest head that was cosigned for this log, or None. Raises StoreCorrupt."""
        return self._heads.find(origin)

    def close(self) -> None:
        """Give the folder up."""
        self._heads.close()

    def _cosign(self, head: SignedCheckpoint, log: MirroredLog, copy: LogCopy) -> MirrorAnswer:
        checkpoint = verify_checkpoint(head, log.key)
        cosigned = self._heads.find(log.origin)
        if log.superseded and (cosigned is None or cosigned.checkpoint != checkpoint):
            raise VerificationError("log-superseded", origin=log.origin)
        state = self._read_state(log.origin)
        if checkpoint.size < state.edge.size:
            raise VerificationError("mirror-size-fell", got=checkpoint.size, held=state.edge.size)
        check = RuleCheck(log, copy, state)
        while state.edge.size < checkpoint.size:
            start = state.edge.size
            entries = copy.read_entries(start, min(READ_ENTRIES, checkpoint.size - start))
            if not entries:
                raise VerificationError("mirror-entries-missing", held=start, size=checkpoint.size)
            check.add(entries)
        check.finish(head)
        # The proof first: a cosigned head without it would make the next check start from an older state.
        self._write_state(state)
        line = self._heads.cosign(only_from(head, log.key), cosigned)
        return MirrorAnswer(reason="cosigned", detail="", line=line.to_text().encode("utf-8"))

    def _read_state(self, origin: str) -> MirrorState:
        found = self._find_state(origin)
        if found is not None:
            return found
        if self._heads.find(origin) is not None:
            raise DamagedFile(self._state_path(origin), "is missing beside a cosigned head")
        # Statements and lists are the issuer's: what is known of them outlives the log.
        name = parse_origin(origin)
        for epoch in range(name.epoch - 1, 0, -1):
            earlier = self._find_state(str(replace(name, epoch=epoch)))
            if earlier is not None:
                return earlier.succeeded_by(origin)
        return MirrorState(origin=origin)

    def _find_state(self, origin: str) -> MirrorState | None:
        path = self._state_path(origin)
        data = read_file(path, max_bytes=MAX_STATE_BYTES)
        if data is None:
            return None
        try:
            return parse_mirror_state(data, origin)
        except MalformedError as exc:
            raise DamagedFile(path, f"{exc.subject} {exc.reason}") from exc

    def _write_state(self, state: MirrorState) -> None:
        write_atomically(self._state_path(state.origin), state.to_bytes(), disk=self._disk)

    def _state_path(self, origin: str) -> Path:
        return self._heads.folder / f"{sha256(origin.encode('utf-8')).hex()}.json"
