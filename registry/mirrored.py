"""Which checkpoints a quorum of mirrors cosigned: of those the chain need not say how large they are."""

from collections.abc import Iterable
from datetime import UTC, datetime

from testamur.registry.checkpoints import SignedCheckpoint, verify_cosignatures
from testamur.registry.errors import RegistryError
from testamur.registry.evidence import LogEvidence
from testamur.registry.policies import NO_QUORUM
from testamur.registry.trust import TrustFile


def mirrored_logs(logs: Iterable[LogEvidence], trust: TrustFile) -> frozenset[str]:
    """The origins of the logs whose checkpoint a quorum of the trust file's mirrors cosigned.

    None where the trust file asks for no mirror. A false cosignature makes no quorum; that it is false is for
    a verification to say.
    """
    if trust.mirror_policy.quorum == NO_QUORUM:
        return frozenset()
    return frozenset(log.origin for log in logs if is_cosigned(log.checkpoint, trust, "mirror"))


def is_cosigned(signed: SignedCheckpoint, trust: TrustFile, role: str) -> bool:
    """Whether a quorum of the trust file's members cosigned it in this role, `witness` or `mirror`."""
    policy = trust.witness_policy if role == "witness" else trust.mirror_policy
    try:
        cosigned = verify_cosignatures(signed, list(policy.witnesses.values()))
    except RegistryError:
        return False
    counted = set()
    for key, seconds in cosigned.items():
        dated = trust.dated_key(role, key)
        if dated is not None and dated.is_valid_at(datetime.fromtimestamp(seconds, UTC)):
            counted.add(key)
    return policy.is_satisfied_by(counted)
