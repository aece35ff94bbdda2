"""What the VC API takes and answers with, as types. Options that are not known never fail a request."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from testamur.node.api.models import Document

MAX_CHECKS = 32
"""Names of checks in one request; there are six."""

MAX_ASKED_CHARACTERS = 2048
"""Of a challenge and of a domain; a domain is a host name or a URL."""


class OpenModel(BaseModel):
    """A JSON object with at least these members, in camel case: the specification lets others be."""

    model_config = ConfigDict(
        frozen=True, extra="allow", strict=True, alias_generator=to_camel, populate_by_name=True
    )


class VerifyOptions(OpenModel):
    """How much is checked, and how much is answered."""

    checks: list[str] | None = Field(
        default=None,
        max_length=MAX_CHECKS,
        description="`proof`, `issuer`, `validity`, `status`, `schema`, `contained`; absent or unknown: all",
    )
    return_credential: bool = False
    return_problem_details: bool = True
    return_results: bool = True


class PresentationOptions(VerifyOptions):
    """The same, and what the presentation has to be made for."""

    challenge: str | None = Field(default=None, max_length=MAX_ASKED_CHARACTERS)
    domain: str | None = Field(default=None, max_length=MAX_ASKED_CHARACTERS)
    return_presentation: bool = False


class CredentialToVerify(OpenModel):
    """A credential with its proofs, or an EnvelopedVerifiableCredential."""

    verifiable_credential: Any
    options: VerifyOptions | None = None


class PresentationToVerify(OpenModel):
    """A presentation with its proofs."""

    verifiable_presentation: Any
    options: PresentationOptions | None = None


class VerificationProblem(OpenModel):
    """One thing that is wrong (RFC 9457); `title` is a reason code of docs/reasons.md."""

    type: str = Field(json_schema_extra={"format": "uri"})
    title: str
    detail: str


class VerificationResult(OpenModel):
    """docs/spec/credentials.md. `verified` is false when anything is wrong, or is not known."""

    verified: bool
    problem_details: list[VerificationProblem] = []
    warnings: list[str] = []
    results: Document | None = None
    credential: Document | None = None
    verifiable_presentation: Document | None = None


class CredentialToIssue(OpenModel):
    """A credential without its proof."""

    credential: Any
    options: Document = Field(default={}, description="`credentialId`, `cryptosuite`; others are left alone")


class StatusToSet(OpenModel):
    """Which entry of which credential, and whether it is set (the default) or cleared."""

    credential_id: str = Field(min_length=1, max_length=MAX_ASKED_CHARACTERS)
    credential_status: Document
    status: bool = True


class ListToCreate(OpenModel):
    """A new status list of this purpose."""

    status_purpose: str = Field(min_length=1, max_length=64)
