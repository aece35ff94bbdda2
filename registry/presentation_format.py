"""Presentations as values: their shape, and how one is made.

https://www.w3.org/TR/vc-data-model-2.0/#verifiable-presentations; bounds: docs/spec/presentation.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.cryptosuites import EDDSA_JCS_2022
from testamur.registry.data_model import check_contexts, objects_of
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.errors import MalformedError
from testamur.registry.keys import SigningKey
from testamur.registry.members import check_types, check_url
from testamur.registry.proofs import proofs_of, sign_document
from testamur.registry.shapes import kind_of
from testamur.registry.timestamps import format_timestamp

AUTHENTICATION = "authentication"
"""The purpose of a presentation's proof: the key says who is there, it vouches for nothing."""

PRESENTATION_TYPE = "VerifiablePresentation"

MAX_PRESENTED = 32
"""Credentials in one presentation: a whole education has some twenty, and each costs a verification."""

MAX_CHALLENGE_CHARACTERS = 256
"""Of a challenge and of a domain: a random number takes 44, a host name 253."""

MAX_DOMAINS = 8
"""Domains that one proof may name; it is made for one verifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A well-formed presentation. `json` is the whole document, proofs included; it must not be changed."""

    json: dict[str, Json]
    id: str | None
    holder: str | None
    """Who the presentation says is showing; a proof says who is."""
    credentials: tuple[dict[str, Json], ...]
    proofs: tuple[dict[str, Json], ...]

    def first(self, member: str) -> str | None:
        """`challenge`, `created` … as the first proof says it."""
        value = self.proofs[0].get(member) if self.proofs else None
        return value if isinstance(value, str) else None


def make_presentation(
    credentials: Sequence[Json],
    keys: Sequence[SigningKey],
    *,
    challenge: str,
    domain: str,
    created: datetime,
    expires: datetime,
    cryptosuite: str = EDDSA_JCS_2022.name,
    contexts: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """A presentation of `credentials`, with one proof for each of `keys`; the first is the holder's.

    Holders are did:key identifiers. Raises MalformedError for what could not be verified again, ValueError
    without a key and for moments that are not in order.
    """
    if not keys or expires <= created:
        raise ValueError("a presentation has a key, and expires after it was created")
    _check_option(challenge, "challenge")
    _check_option(domain, "domain")
    document: dict[str, Json] = {
        "@context": [CREDENTIALS_V2],
        "type": [PRESENTATION_TYPE],
        "holder": did_key(keys[0].public_key),
        "verifiableCredential": list(credentials),
    }
    for key in keys:
        document = sign_document(
            document,
            key,
            verification_method=did_key_verification_method(key.public_key),
            created=format_timestamp(created),
            purpose=AUTHENTICATION,
            options={"challenge": challenge, "domain": domain, "expires": format_timestamp(expires)},
            cryptosuite=cryptosuite,
            contexts=contexts,
        )
    parse_presentation(document)
    return document


def parse_presentation(document: Json, subject: str = "presentation") -> Presentation:
    """A presentation as a value: shape only, of the credentials no more than that they are objects.

    `proofs` is empty when there is none. Raises MalformedError naming the JSON pointer.
    """
    if not isinstance(document, dict):
        raise MalformedError(subject, f"must be an object, not {kind_of(document)}")
    check_contexts(document.get("@context"), f"{subject} /@context")
    check_types(document, subject, PRESENTATION_TYPE)
    if "id" in document:
        check_url(document, "id", subject)
    credentials = objects_of(document, "verifiableCredential", subject, MAX_PRESENTED)
    proofs = proofs_of(document, subject) if "proof" in document else []
    for number, proof in enumerate(proofs):
        _check_proof(proof, f"{subject} /proof/{number}")
    identifier = document.get("id")
    return Presentation(
        json=document,
        id=identifier if isinstance(identifier, str) else None,
        holder=_holder(document, subject),
        credentials=tuple(item for _, item in credentials),
        proofs=tuple(proofs),
    )


def _holder(document: dict[str, Json], subject: str) -> str | None:
    """A URL, or an object with one as its `id`."""
    if "holder" not in document:
        return None
    holder = document["holder"]
    if isinstance(holder, dict):
        return check_url(holder, "id", f"{subject} /holder")
    return check_url(document, "holder", subject)


def _check_proof(proof: dict[str, Json], where: str) -> None:
    if "challenge" in proof:
        _check_option(proof["challenge"], f"{where}/challenge")
    if "domain" in proof:
        domain = proof["domain"]
        domains = domain if isinstance(domain, list) else [domain]
        if not 1 <= len(domains) <= MAX_DOMAINS:
            raise MalformedError(f"{where}/domain", f"has {len(domains)} items, outside 1 to {MAX_DOMAINS}")
        for item in domains:
            _check_option(item, f"{where}/domain")


def _check_option(value: Json, subject: str) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CHALLENGE_CHARACTERS:
        raise MalformedError(subject, f"must be a string of 1 to {MAX_CHALLENGE_CHARACTERS} characters")
