"""Who cosigned a checkpoint within their keys' time, and since when that was a quorum."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from testamur.registry import merkle
from testamur.registry.checkpoints import SignedCheckpoint, verify_checkpoint, verify_cosignatures
from testamur.registry.evidence import LogEvidence
from testamur.registry.notes import VerifierKey
from testamur.registry.policies import WitnessPolicy
from testamur.registry.remembered import remembering
from testamur.registry.trust import TrustFile

CLOCK_SKEW = timedelta(minutes=5)
"""A cosignature from further in the future is not counted: its witness's clock, or ours, is wrong."""

MAX_REMEMBERED_CHECKPOINTS = 512
"""The newest and the first of hundreds of logs, as witnesses and as mirrors saw them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The cosignatures of one checkpoint that count under a policy, with the time of each."""

    policy: WitnessPolicy
    times: Mapping[VerifierKey, datetime]

    @property
    def is_quorum(self) -> bool:
        """Whether they are enough; a policy that asks for nobody has enough of none."""
        return self.policy.is_satisfied_by(set(self.times))

    @property
    def quorum_at(self) -> datetime | None:
        """When they became enough: the time of the last cosignature that was needed. None without one."""
        seen: set[VerifierKey] = set()
        for key, moment in sorted(self.times.items(), key=lambda item: item[1]):
            seen.add(key)
            if self.policy.is_satisfied_by(seen):
                return moment
        return None


def count_cosignatures(trust: TrustFile, role: str, signed: SignedCheckpoint, *, now: datetime) -> Counted:
    """The members' cosignatures of a role (`witness` or `mirror`), each within its key's time.

    Raises VerificationError("note-signature-invalid") when a line names one of the keys and fails.
    """
    policy = trust.witness_policy if role == "witness" else trust.mirror_policy
    times = {}
    for key, seconds in _cosigned(signed, tuple(policy.witnesses.values())).items():
        dated = trust.dated_key(role, key)
        if dated is None or seconds > (now + CLOCK_SKEW).timestamp():
            continue
        moment = datetime.fromtimestamp(seconds, UTC)
        if dated.is_valid_at(moment):
            times[key] = moment
    return Counted(policy=policy, times=times)


def seen_first(
    trust: TrustFile, log: LogEvidence, key: VerifierKey, leaf_index: int, *, now: datetime
) -> datetime | None:
    """When a quorum of witnesses had seen the leaf, by the log's `first` checkpoint; None when it cannot say.

    It cannot without a quorum, and when it is of a smaller tree than the leaf needs. What it claims is proven
    all the same: signed by the log's key, and extended by the log's checkpoint, so that leaf `leaf_index` of
    the one is leaf `leaf_index` of the other (RFC 9162 §2.1.4). Raises VerificationError as
    `verify_checkpoint`, `verify_cosignatures` and `merkle.verify_consistency` do.
    """
    if log.first is None:
        return None
    early = verify_checkpoint(log.first.checkpoint, key)
    newest = log.checkpoint.checkpoint
    merkle.verify_consistency(early.size, early.root, newest.size, newest.root, log.first.proof)
    counted = count_cosignatures(trust, "witness", log.first.checkpoint, now=now)
    return counted.quorum_at if early.size > leaf_index else None


_cosigned = remembering(MAX_REMEMBERED_CHECKPOINTS)(verify_cosignatures)
