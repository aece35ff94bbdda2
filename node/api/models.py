"""What the interface takes and answers with, as types: the schemas in /openapi.json are made from these.

Bodies are parsed by them and answers are built from them, so that neither can say what the other does not.
Documents with a specification of their own (credentials, evidence, statements …) stay as they are.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from testamur.registry.publications import MAX_BUNDLE_ITEMS

DIGEST_PATTERN = "^u[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
"""32 bytes in base64url: the last character carries four bits, and the two that are left over are zero."""

SLUG_PATTERN = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
LOG_ID_PATTERN = "^[0-9a-f]{64}$"

MAX_SUBMITTED_DIGESTS = 4096
"""One request is one durable write; more come as further requests, each as idempotent as the first."""

MAX_ID_CHARACTERS = 2048
"""Ids of documents are URLs and DIDs."""

Digest = Annotated[
    str,
    Field(pattern=DIGEST_PATTERN, min_length=44, max_length=44, description="SHA-256, multibase base64url"),
]
Slug = Annotated[str, Field(pattern=SLUG_PATTERN, description="the issuer's slug")]
Origin = Annotated[str, Field(description="<registry name>/<issuer slug>/<epoch>")]
Count = Annotated[int, Field(ge=0)]
Document = dict[str, Any]
State = Literal["logged", "sealed", "anchored"]

_EXACT = ConfigDict(extra="forbid", strict=True)


class Model(BaseModel):
    """A JSON object with exactly these members, in camel case."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )


# -- what is taken


class Submission(Model):
    """Credential digests for the issuer's log. Repeating one is harmless: it keeps its leaf index."""

    digests: list[Digest] = Field(min_length=1, max_length=MAX_SUBMITTED_DIGESTS)


class BundleDocument(Model):
    """A public document under its id."""

    id: str = Field(min_length=1, max_length=MAX_ID_CHARACTERS)
    document: Document


class StatementBundle(Model):
    """A signed statement, and what it names that the node may not have yet (docs/spec/statements.md)."""

    statement: Document
    key_events: list[Document] = Field(default=[], max_length=MAX_BUNDLE_ITEMS)
    status_lists: list[Document] = Field(
        default=[], max_length=MAX_BUNDLE_ITEMS, description="signed BitstringStatusListCredentials"
    )
    documents: list[BundleDocument] = Field(default=[], max_length=MAX_BUNDLE_ITEMS)


class ChallengeRequest(Model):
    """For whom a presentation is to be made; the node's own name when nothing is said."""

    domain: str | None = Field(
        default=None, min_length=1, max_length=256, description="e.g. employer.example"
    )


class Nothing(Model):
    """An empty object, where clients that always send JSON have nothing to say."""


# -- what is answered


class Placed(Model):
    """A submitted digest and its entry."""

    digest: Digest
    leaf_index: Count


class Submitted(Model):
    """Durable on answer; in the order of the request."""

    origin: Origin
    new: Count = Field(description="how many were not logged before")
    entries: list[Placed]


class AcceptedStatement(Model):
    """The next seal names this statement."""

    sequence: int = Field(ge=1)
    digest: Digest


class SealedHead(Model):
    """The published head of the log."""

    origin: Origin
    size: Count = Field(description="leaves, the seal included")
    statement: Count = Field(description="sequence of the statement that the seal names")
    checkpoint: str = Field(description="C2SP checkpoint, verbatim")


# Look-ups are what is asked most, and may have thousands of items: these are dictionaries with a type.


@with_config(_EXACT)
class Place(TypedDict):
    """An entry of a log."""

    origin: Origin
    leafIndex: Count


@with_config(_EXACT)
class StatedPlace(TypedDict):
    """An entry of a log, and how far it has come."""

    origin: Origin
    leafIndex: Count
    state: State


@with_config(_EXACT)
class LoggedCredential(TypedDict):
    """Where a credential digest is logged."""

    digest: Digest
    entries: Annotated[list[StatedPlace], Field(min_length=1)]


@with_config(_EXACT)
class FoundCredential(TypedDict):
    """A credential digest and its entries."""

    digest: Digest
    entries: list[Place]


@with_config(_EXACT)
class PrefixAnswer(TypedDict):
    """Every digest that begins with the prefix, and its neighbours in order until they are 1 024 or all."""

    prefix: Annotated[str, Field(pattern="^[0-9a-f]{0,64}$", description="the prefix that was asked for")]
    isEverything: bool
    credentials: list[FoundCredential]


class Challenge(Model):
    """What a holder signs to show that the presentation is made now, and for this domain."""

    challenge: str = Field(description="good once")
    domain: str
    expires: str = Field(json_schema_extra={"format": "date-time"})


class Issuer(Model):
    """An issuer and its current log."""

    slug: Slug
    did: str
    name: str | None
    lifecycle: Literal["active", "suspended", "closed"] = Field(description="on-chain lifecycle")
    epoch: int = Field(ge=1)
    origin: Origin
    log_id: str = Field(pattern=LOG_ID_PATTERN, description="hex; the log is served under /log/{logId}/")
    verifier_key: str = Field(description="the log's verifier key, C2SP signed-note")
    size: Count = Field(description="leaves in the published checkpoint")
    anchored_size: Count = Field(description="leaves in the anchored checkpoint")
    statement: Count = Field(description="sequence of the newest statement")
    devnet: bool = Field(description="true: a development chain, worth nothing")


class Issuers(Model):
    """A page of the registry's issuers, in order of slug."""

    registry: str
    devnet: bool
    issuers: list[Issuer]
    next: str | None = Field(description="cursor for `after`; null on the last page")


class ListedDocument(Model):
    """A public document that an issuer's newest statement names."""

    id: str
    digest: Digest
    type: Literal["document", "status-list"]


class Documents(Model):
    """A page of what an issuer's newest statement names, in order of id."""

    statement: Count = Field(description="sequence of the newest statement")
    documents: list[ListedDocument]
    next: str | None = Field(description="cursor for `after`; null on the last page")


class Health(Model):
    """The process answers."""

    status: Literal["alive"]


class Behind(Model):
    """A part of the node that does not do its whole job."""

    part: str
    state: str
    since: str | None = Field(description="when the node noticed")
    cure: str


class Ready(Model):
    """The state of each part."""

    status: Literal["ready"]
    parts: dict[str, str]
    behind: list[Behind] = Field(description="parts that the node works without")


class Problem(Model):
    """RFC 9457. Types: docs/http-api.md."""

    type: str = Field(json_schema_extra={"format": "uri"})
    title: str
    status: int = Field(ge=400, le=599)
    detail: str | None = None
    request_id: str
    subject: str | None = Field(default=None, description="malformed: what does not have its form")
    reason: str | None = Field(default=None, description="not-proven: the reason code of the check")
    parameters: dict[str, Any] | None = Field(
        default=None, description="not-proven: the parameters of the reason"
    )
    current: dict[str, Count] | None = Field(default=None, description="stale: what is the newest")
    limit: int | None = Field(default=None, ge=0, description="too-large: the bound")
    parts: dict[str, str] | None = Field(default=None, description="not ready: the state of each part")
    behind: list[Behind] | None = Field(default=None, description="not ready: what is behind, and its cure")
