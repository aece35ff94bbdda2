"""A C2SP tlog-witness: cosigns a log's checkpoints as long as each extends the one before.

It has seen no entry and vouches for none; it vouches that everybody is shown the same log.
https://c2sp.org/tlog-witness, `add-checkpoint`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from testamur.node.files import DISK, Disk
from testamur.node.gossip.cosigners import Clock, CosignedHeads, only_from
from testamur.registry.checkpoints import (
    AddCheckpointRequest,
    Checkpoint,
    SignedCheckpoint,
    parse_add_checkpoint,
    verify_checkpoint,
)
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.keys import SigningKey
from testamur.registry.merkle import EMPTY_ROOT, verify_consistency
from testamur.registry.notes import VerifierKey

SIZE_CONTENT_TYPE = "text/x.tlog.size"
TEXT_CONTENT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAnswer:
    """An answer to `add-checkpoint` as HTTP has it.

    `status` is 200 (body: signature lines), 400 malformed, 403 not signed by the log or superseded, 404
    unknown log, 409 another size is recorded (body: that size), or 422 not an extension. `reason` is a stable
    code.
    """

    status: int
    reason: str
    body: bytes
    content_type: str = TEXT_CONTENT_TYPE


class Witness:
    """Cosigns at most one history of each log. Callable from any thread; owns its folder."""

    def __init__(self, folder: Path, name: str, key: SigningKey, clock: Clock, *, disk: Disk = DISK) -> None:
        """`key` is this witness's own Ed25519 key, never that of a mirror. Raises StoreLocked."""
        self._heads = CosignedHeads(folder, name, key, clock, disk=disk)

    @property
    def verifier_key(self) -> VerifierKey:
        """The key that verifies this witness's cosignatures (type 0x04)."""
        return self._heads.verifier_key

    def add_checkpoint(
        self, body: bytes, log_keys: Mapping[str, VerifierKey], *, superseded: Collection[str] = ()
    ) -> WitnessAnswer:
        """The answer to a request; with 200, the checkpoint is recorded durably before this returns.

        `log_keys` holds the key of every log that is witnessed, by origin; of those that are `superseded` by
        their next epoch only the head that was cosigned last is cosigned again. Raises StoreCorrupt,
        StoreUnavailable; nothing was cosigned then.
        """
        try:
            request = parse_add_checkpoint(body)
        except MalformedError as exc:
            return _refusal(400, "malformed", str(exc))
        checkpoint = request.checkpoint.checkpoint
        log_key = log_keys.get(checkpoint.origin)
        if log_key is None:
            return _refusal(404, "log-unknown", "this witness does not follow that log")
        try:
            verify_checkpoint(request.checkpoint, log_key)
        except VerificationError as exc:
            return _refusal(403, exc.reason, "the checkpoint is not signed by its log")
        with self._heads.lock_of(checkpoint.origin):
            recorded = self._heads.find(checkpoint.origin)
            is_repeat = recorded is not None and recorded.checkpoint == checkpoint
            if checkpoint.origin in superseded and not is_repeat:
                return _refusal(403, "log-superseded", "the next epoch of this log has taken over")
            refusal = _contradiction(request, None if recorded is None else recorded.checkpoint)
            if refusal is not None:
                return refusal
            line = self._heads.cosign(only_from(request.checkpoint, log_key), recorded)
        return WitnessAnswer(status=200, reason="cosigned", body=line.to_text().encode("utf-8"))

    def find_checkpoint(self, origin: str) -> SignedCheckpoint | None:
        """The newest checkpoint cosigned for this log, with the log's line and ours; None before the first.

        What a witness serves to monitors at `<log id in hex>/checkpoint`. Raises StoreCorrupt.
        """
        return self._heads.find(origin)

    def close(self) -> None:
        """Give the folder up."""
        self._heads.close()


def _contradiction(request: AddCheckpointRequest, recorded: Checkpoint | None) -> WitnessAnswer | None:
    """Why the request is not a step from what is recorded; None when it is."""
    new = request.checkpoint.checkpoint
    recorded_size = 0 if recorded is None else recorded.size
    if request.old_size != recorded_size:
        return WitnessAnswer(
            status=409,
            reason="size-differs",
            body=f"{recorded_size}\n".encode("ascii"),
            content_type=SIZE_CONTENT_TYPE,
        )
    try:
        old_root = EMPTY_ROOT if recorded is None else recorded.root
        verify_consistency(recorded_size, old_root, new.size, new.root, request.proof)
    except VerificationError as exc:
        same_size = recorded is not None and recorded.size == new.size and recorded.root != new.root
        # Two signed roots for one size are the log's own proof against itself; a bad proof proves nothing.
        reason = "equivocation" if same_size else exc.reason
        return _refusal(422, reason, "the checkpoint does not extend the one that was cosigned last")
    return None


def _refusal(status: int, reason: str, text: str) -> WitnessAnswer:
    return WitnessAnswer(status=status, reason=reason, body=f"{text}\n".encode())
