"""What a verification of a credential by its own proofs says: one answer, and everything it is made of.

Reason codes are those of `reasons`; member names are a stable interface (docs/spec/credentials.md).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from testamur.registry.canonical import Json
from testamur.registry.credentials import Credential
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.rdf.processor import UnknownContextError
from testamur.registry.reasons import words
from testamur.registry.schemas import SchemaResult
from testamur.registry.timestamps import format_timestamp
from testamur.registry.verification.verdict import CredentialStatus


class Part(StrEnum):
    """What was looked at. `model` and `proof` always are; the others are `checks` that can be left out."""

    MODEL = "model"
    PROOF = "proof"
    ISSUER = "issuer"
    VALIDITY = "validity"
    STATUS = "status"
    SCHEMA = "schema"
    CONTAINED = "contained"


UNTOLD = frozenset(
    {"context-unknown", "controller-document-missing", "cryptosuite-unknown", "proof-type-unknown"}
)
"""What is wrong with a proof that cannot be checked here: nothing is known against whoever made it."""

_TYPES = {
    Part.MODEL: "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
    Part.PROOF: "https://w3id.org/security#PROOF_VERIFICATION_ERROR",
    Part.ISSUER: "https://w3id.org/security#INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID",
    Part.VALIDITY: "https://www.w3.org/TR/vc-data-model#RANGE_ERROR",
    Part.STATUS: "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR",
    Part.SCHEMA: "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
    Part.CONTAINED: "https://w3id.org/security#PROOF_VERIFICATION_ERROR",
}
"""The W3C's problem types; where a part can fail in many ways, the reason code says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or cannot be told. `where` is a JSON pointer behind the thing's name."""

    part: Part
    reason: str
    parameters: dict[str, str | int] = field(default_factory=dict)
    where: str | None = None

    @property
    def words(self) -> str:
        """The sentence for people."""
        return words(self.reason, self.parameters)

    def to_json(self) -> dict[str, Json]:
        """A member of `problemDetails` of the VC API."""
        detail: dict[str, Json] = {"type": _TYPES[self.part], "title": self.reason, "detail": self.words}
        if self.where is not None:
            detail["where"] = self.where
        return detail


def problem_of(part: Part, error: RegistryError, where: str | None = None) -> Problem:
    """An error as a problem, its JSON pointer kept."""
    if isinstance(error, UnknownContextError):
        return Problem(
            part=part, reason="context-unknown", parameters={"url": error.url}, where=where or error.subject
        )
    if isinstance(error, MalformedError):
        parameters: dict[str, str | int] = {"where": error.subject, "problem": error.reason}
        return Problem(part=part, reason="malformed", parameters=parameters, where=error.subject)
    if isinstance(error, VerificationError):
        return Problem(part=part, reason=error.reason, parameters=error.parameters, where=where)
    raise TypeError(f"{type(error).__name__} is not an error of a credential")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofResult:
    """One proof: who made it, and whether it holds. `is_whole`: it covers every context of the document."""

    where: str
    type: str
    cryptosuite: str | None
    verification_method: str | None
    purpose: str | None
    controller: str | None
    verified: bool
    is_whole: bool = True
    expires: datetime | None = None
    problem: Problem | None = None

    def to_json(self) -> dict[str, Json]:
        """A member of `results.proof` of the VC API."""
        return {
            "where": self.where,
            "type": self.type,
            "cryptosuite": self.cryptosuite,
            "verificationMethod": self.verification_method,
            "controller": self.controller,
            "verified": self.verified,
            "problem": self.problem.to_json() if self.problem else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """One status entry: `value` is what the list says (a message is its number), None when it is unknown."""

    entry: Json
    type: str
    purpose: str | None
    value: int | None
    problem: Problem | None = None

    def to_json(self) -> dict[str, Json]:
        """A member of `results.credentialStatus` of the VC API."""
        return {
            "value": self.value,
            "verified": self.value is not None,
            "purpose": self.purpose,
            "input": self.entry,
            "problem": self.problem.to_json() if self.problem else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VcResult:
    """The whole answer. `credential` is what the proofs prove, and nothing else of the input should be used.

    `status` is never `active` when something about it is unknown.
    """

    verified: bool
    credential: Credential | None
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    proofs: tuple[ProofResult, ...]
    signed_by: tuple[str, ...]
    """The controllers of the proofs that hold; of a joint award, those of its institutions."""
    status: CredentialStatus
    statuses: tuple[StatusResult, ...] = ()
    schemas: tuple[SchemaResult, ...] = ()
    contained: tuple["VcResult", ...] = ()
    """The credentials inside a learner record that carry proofs of their own."""

    def to_json(self) -> dict[str, Json]:
        """The result in the members of the VC API, with ours beside them."""
        credential = self.credential
        valid_from = credential.valid_from if credential else None
        valid_until = credential.valid_until if credential else None
        return {
            "verified": self.verified,
            "problemDetails": [problem.to_json() for problem in self.problems],
            "warnings": list(self.warnings),
            "results": {
                "validFrom": format_timestamp(valid_from) if valid_from else None,
                "validUntil": format_timestamp(valid_until) if valid_until else None,
                "credentialSchema": [result.to_json() for result in self.schemas],
                "credentialStatus": [result.to_json() for result in self.statuses],
                "status": str(self.status),
                "proof": [result.to_json() for result in self.proofs],
                "signedBy": list(self.signed_by),
                "contained": [result.to_json() for result in self.contained],
            },
        }
