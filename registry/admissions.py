"""The admission document: what the council admitted; its digest is the issuer's identity in the contract.

Nobody stores it: a verifier rebuilds it from the log's origin, the DID and the first key event.
"""

from dataclasses import dataclass

from testamur.registry.canonical import Json, digest
from testamur.registry.dids import parse_did
from testamur.registry.entries import check_registry_name, check_slug
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Registry, slug, DID and first key event (32-byte digest) of one issuer; they never change."""

    registry: str
    slug: str
    did: str
    first_key_event: bytes

    def __post_init__(self) -> None:
        check_registry_name(self.registry)
        check_slug(self.slug)
        parse_did(self.did)

    def to_json(self) -> dict[str, Json]:
        """The document that is hashed."""
        return {
            "type": "Admission",
            "version": 1,
            "registry": self.registry,
            "slug": self.slug,
            "did": self.did,
            "firstKeyEvent": encode_digest(self.first_key_event),
        }

    @property
    def digest(self) -> bytes:
        """SHA-256 of the JCS form: `Issuer.identity` in the contract (32 bytes)."""
        return digest(self.to_json())


def parse_admission(document: Json) -> Admission:
    """An admission in exactly this form; unknown members are refused. Raises MalformedError."""
    shape = Shape(document, "admission")
    shape.expect("type", "Admission")
    shape.expect("version", 1)
    admission = Admission(
        registry=shape.text("registry"),
        slug=shape.text("slug"),
        did=shape.text("did"),
        first_key_event=shape.digest("firstKeyEvent"),
    )
    shape.refuse_unknown()
    return admission
