"""Joint awards: one credential that k of n institutions sign. Format: docs/spec/credentials.md.

The threshold and the institutions stand in the credential, so every signature covers them: nobody can add an
institution, or make fewer signatures suffice, after the first one has signed.
"""

from collections.abc import Collection
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.data_model import objects_of
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.members import check_text, check_types, check_url, object_member
from testamur.registry.proof_format import MAX_PROOFS
from testamur.registry.shapes import kind_of

JOINT_AWARD_TYPE = "JointAward"
"""The type of the `jointAward` member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointAward:
    """How many of which institutions have to sign; the issuer is the first and always has to."""

    threshold: int
    institutions: tuple[str, ...]


def parse_joint_award(document: dict[str, Json], issuer_id: str, subject: str) -> JointAward | None:
    """The joint award that a credential is, or None for one institution alone.

    2 ≤ threshold ≤ 1 + co-issuers ≤ `MAX_PROOFS`; nobody is named twice. Raises MalformedError.
    """
    if "jointAward" not in document:
        return None
    where = f"{subject} /jointAward"
    award = object_member(document, "jointAward", subject)
    check_types(award, where, JOINT_AWARD_TYPE)
    institutions = [issuer_id]
    for place, item in objects_of(award, "coIssuer", where, MAX_PROOFS - 1):
        institution = check_url(item, "id", place)
        if "name" in item:
            check_text(item, "name", place, translations=True)
        if institution in institutions:
            raise MalformedError(f"{place}/id", f"is named twice: {institution[:200]}")
        institutions.append(institution)
    threshold = award.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int):
        raise MalformedError(f"{where}/threshold", f"must be a number, not {kind_of(threshold)}")
    if not 2 <= threshold <= len(institutions):
        reason = f"is {threshold}, outside 2 to the {len(institutions)} institutions that are named"
        raise MalformedError(f"{where}/threshold", reason)
    return JointAward(threshold=threshold, institutions=tuple(institutions))


def verify_threshold(award: JointAward, signed_by: Collection[str]) -> tuple[str, ...]:
    """The institutions of the award that signed, in its order, when the issuer and enough others did.

    Raises VerificationError: joint-award-issuer-missing, joint-award-below-threshold.
    """
    signers = tuple(institution for institution in award.institutions if institution in signed_by)
    if award.institutions[0] not in signers:
        raise VerificationError("joint-award-issuer-missing", issuer=award.institutions[0][:200])
    if len(signers) < award.threshold:
        raise VerificationError(
            "joint-award-below-threshold",
            got=len(signers),
            wanted=award.threshold,
            of=len(award.institutions),
        )
    return signers
