"""Making Data Integrity proofs: one document, or many with one configuration.

https://www.w3.org/TR/vc-di-eddsa/#create-proof-eddsa-jcs-2022 and its equals in the other suites.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from testamur.registry.canonical import Json, canonicalize_for_issuing
from testamur.registry.cryptosuites import (
    EDDSA_JCS_2022,
    Canonicalization,
    Cryptosuite,
    suite_for_signing,
)
from testamur.registry.hashing import sha256
from testamur.registry.keys import SigningKey
from testamur.registry.multiformats import encode_multibase
from testamur.registry.proof_format import proofs_of
from testamur.registry.proofs_chain import previous_proofs
from testamur.registry.rdfc import canonicalize_rdf

ASSERTION = "assertionMethod"
"""The purpose of every proof on a credential, a status list, a statement and a key event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """A document with its new proof, and the RFC 8785 form of the whole, which is what digests are of."""

    document: dict[str, Json]
    canonical: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical form."""
        return sha256(self.canonical)


def sign_document(
    document: Mapping[str, Json],
    key: SigningKey,
    *,
    verification_method: str,
    created: str | None = None,
    purpose: str = ASSERTION,
    options: Mapping[str, Json] | None = None,
    cryptosuite: str = EDDSA_JCS_2022.name,
    contexts: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """`secure_document`, for callers that need no digest."""
    signed = secure_document(
        document,
        key,
        verification_method=verification_method,
        created=created,
        purpose=purpose,
        options=options,
        cryptosuite=cryptosuite,
        contexts=contexts,
    )
    return signed.document


def secure_document(
    document: Mapping[str, Json],
    key: SigningKey,
    *,
    verification_method: str,
    created: str | None = None,
    purpose: str = ASSERTION,
    options: Mapping[str, Json] | None = None,
    cryptosuite: str = EDDSA_JCS_2022.name,
    contexts: Mapping[str, Json] | None = None,
) -> SignedDocument:
    """`document` secured with a proof by `key`, beside the proofs that it already has.

    `created` is a timestamp as text; `options` are further members of the proof (`id`, `expires`, `domain`,
    `previousProof` …), which are signed too. The suites that hash JSON copy the document's @context into the
    proof, so that it stays whole when contexts are appended later; those that hash RDF look contexts up, in
    `contexts` beside the bundled ones.
    Raises MalformedError for numbers that JCS cannot carry and for terms that no context defines,
    VerificationError for a `previousProof` that is not there, ValueError for a key of another algorithm.
    """
    suite = suite_for_signing(cryptosuite)
    is_json = suite.canonicalization is Canonicalization.JCS
    shared = {"@context": document["@context"]} if is_json and "@context" in document else {}
    maker = ProofMaker(
        key,
        verification_method=verification_method,
        created=created,
        purpose=purpose,
        options={**(options or {}), **shared},
        suite=suite,
    )
    earlier = proofs_of(document) if "proof" in document else []
    chained: list[Json] = previous_proofs(maker.configuration, earlier)
    head, tail = split_at(document, "proof")
    if is_json:
        covered = canonicalize_for_issuing(chained) if chained else None
        proof, canonical_proof = maker.make(join_at(head, "proof", covered, tail))
    else:
        unsecured = {name: value for name, value in document.items() if name != "proof"}
        proof = maker.make_rdf({**unsecured, "proof": chained} if chained else unsecured, contexts)
        canonical_proof = canonicalize_for_issuing(proof)
    if earlier:
        proofs: Json = [*earlier, proof]
        return SignedDocument(
            document={**document, "proof": proofs},
            canonical=join_at(head, "proof", canonicalize_for_issuing(proofs), tail),
        )
    return SignedDocument(
        document={**document, "proof": proof}, canonical=join_at(head, "proof", canonical_proof, tail)
    )


class ProofMaker:
    """Proofs with one configuration for many documents; what they share is computed once."""

    __slots__ = ("_canonical", "_head", "_key", "_suite", "_tail", "configuration")

    def __init__(
        self,
        key: SigningKey,
        *,
        verification_method: str,
        created: str | None = None,
        purpose: str = ASSERTION,
        options: Mapping[str, Json] | None = None,
        suite: Cryptosuite = EDDSA_JCS_2022,
    ) -> None:
        """`options` hold the documents' @context, if they have one; the rest is as in `secure_document`."""
        algorithm = key.public_key.algorithm
        if algorithm not in suite.signature_bytes:
            wanted = " or ".join(suite.signature_bytes)
            raise ValueError(f"{suite.name} signs with {wanted}, not with {algorithm}")
        self._key = key
        self._suite = suite
        self.configuration: dict[str, Json] = {
            **(options or {}),
            "type": suite.proof_type,
            "cryptosuite": suite.name,
            "verificationMethod": verification_method,
            "proofPurpose": purpose,
        }
        if created is not None:
            self.configuration["created"] = created
        self._head, self._tail = split_at(self.configuration, "proofValue")
        self._canonical = join_at(self._head, "proofValue", None, self._tail)

    def make(self, canonical_document: bytes) -> tuple[dict[str, Json], bytes]:
        """(proof, its RFC 8785 form) of a document given in RFC 8785 form, without its proofs."""
        if self._suite.canonicalization is not Canonicalization.JCS:
            raise ValueError(f"{self._suite.name} does not hash RFC 8785 forms; use make_rdf")
        value = self._sign(canonical_document, self._canonical)
        proof: dict[str, Json] = {**self.configuration, "proofValue": value}
        return proof, join_at(self._head, "proofValue", b'"%s"' % value.encode(), self._tail)

    def make_rdf(
        self, document: Mapping[str, Json], contexts: Mapping[str, Json] | None = None
    ) -> dict[str, Json]:
        """The proof of a document by its meaning. Raises MalformedError for what no context defines."""
        name = self._suite.hash_name(self._key.public_key.algorithm)
        configuration = {**self.configuration, "@context": document.get("@context")}
        value = self._sign(
            canonicalize_rdf(document, contexts=contexts, algorithm=name, subject="document"),
            canonicalize_rdf(configuration, contexts=contexts, algorithm=name, subject="proof"),
        )
        return {**self.configuration, "proofValue": value}

    def _sign(self, document: bytes, configuration: bytes) -> str:
        algorithm = self._key.public_key.algorithm
        signature = self._key.sign(self._suite.hash_data(document, configuration, algorithm))
        return encode_multibase("z", signature)


def split_at(document: Mapping[str, Json], member: str) -> tuple[bytes, bytes]:
    """(members before, members after) where `member` belongs, each as a canonical object; for `join_at`.

    So that a document with and without its proof is canonicalised once. `member` is ASCII.
    """
    before = {name: value for name, value in document.items() if name < member}
    after = {name: value for name, value in document.items() if name > member}
    return canonicalize_for_issuing(before), canonicalize_for_issuing(after)


def join_at(before: bytes, member: str, value: bytes | None, after: bytes) -> bytes:
    """The canonical object of the two halves, with `member` between them unless its value is None."""
    middle = b"" if value is None else b'"%s":%s' % (member.encode(), value)
    return b"{%s}" % b",".join([part for part in (before[1:-1], middle, after[1:-1]) if part])
