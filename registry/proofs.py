"""Data Integrity proofs: a document signed as JSON, by suites kept in one table.

https://www.w3.org/TR/vc-data-integrity/ and https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from testamur.registry.canonical import Json, canonicalize, canonicalize_for_issuing
from testamur.registry.cryptosuites import CRYPTOSUITES, EDDSA_JCS_2022, Cryptosuite
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.keys import PublicKey, SigningKey
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.shapes import kind_of
from testamur.registry.timestamps import parse_timestamp

MAX_PROOFS = 32
"""A joint award of many institutions, renewed once; each proof costs a signature check."""

MAX_VERIFICATION_METHOD_CHARACTERS = 2048
"""A DID URL; the longest did:key of a post-quantum key stays below it."""

MAX_OPTION_CHARACTERS = 256
"""Types, suites, purposes, times, and the base58 text of a 64-byte signature (88 characters)."""

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
) -> dict[str, Json]:
    """`secure_document`, for callers that need no digest."""
    signed = secure_document(
        document,
        key,
        verification_method=verification_method,
        created=created,
        purpose=purpose,
        options=options,
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
) -> SignedDocument:
    """`document` secured with an eddsa-jcs-2022 proof by `key`, beside the proofs that it already has.

    `created` is a timestamp as text; `options` are further members of the proof (`expires`, `domain`,
    `previousProof` …), which are signed too. The document's @context is copied into the proof, so that the
    proof stays whole when contexts are appended later
    (https://www.w3.org/TR/vc-di-eddsa/#create-proof-eddsa-jcs-2022, step 2).
    Raises MalformedError for numbers that JCS cannot carry, ValueError for a key of another algorithm.
    """
    shared = {"@context": document["@context"]} if "@context" in document else {}
    maker = ProofMaker(
        key,
        verification_method=verification_method,
        created=created,
        purpose=purpose,
        options={**(options or {}), **shared},
    )
    earlier = proofs_of(document) if "proof" in document else []
    head, tail = split_at(document, "proof")
    chained = None
    if "previousProof" in maker.configuration:
        chained = canonicalize_for_issuing(_previous_proofs(maker.configuration, earlier))
    proof, canonical_proof = maker.make(join_at(head, "proof", chained, tail))
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
    """eddsa-jcs-2022 proofs with one configuration for many documents; what they share is computed once."""

    __slots__ = ("_canonical", "_head", "_key", "_tail", "configuration")

    def __init__(
        self,
        key: SigningKey,
        *,
        verification_method: str,
        created: str | None = None,
        purpose: str = ASSERTION,
        options: Mapping[str, Json] | None = None,
    ) -> None:
        """`options` hold the documents' @context, if they have one; the rest is as in `secure_document`."""
        suite = EDDSA_JCS_2022
        if key.public_key.algorithm is not suite.algorithm:
            raise ValueError(
                f"{suite.name} signs with {suite.algorithm}, not with {key.public_key.algorithm}"
            )
        self._key = key
        self.configuration: dict[str, Json] = {
            **(options or {}),
            "type": "DataIntegrityProof",
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
        signature = self._key.sign(EDDSA_JCS_2022.hash_data(canonical_document, self._canonical))
        value = encode_multibase("z", signature)
        proof: dict[str, Json] = {**self.configuration, "proofValue": value}
        return proof, join_at(self._head, "proofValue", b'"%s"' % value.encode(), self._tail)


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


def verify_document_proof(
    document: Mapping[str, Json], proof: Mapping[str, Json], key: PublicKey, *, purpose: str = ASSERTION
) -> dict[str, Json]:
    """The document as `proof` proves it to be signed with `key`: without proofs, under the proof's @context.

    Use what is returned: contexts that were appended after signing are not in it. `proof` is one of
    `proofs_of(document)`. That `key` is the one its verificationMethod names is the caller's to decide, and
    so are `expires`, `domain` and `challenge`. A proof with `previousProof` counts only if those are verified
    too.
    https://www.w3.org/TR/vc-di-eddsa/#verify-proof-eddsa-jcs-2022.

    Raises MalformedError (shape of the proof) and VerificationError: proof-type-unknown, cryptosuite-unknown,
    proof-purpose-mismatch, proof-key-mismatch, proof-context-mismatch, proof-previous-missing,
    signature-invalid.
    """
    suite, signature = _check_options(proof, purpose, key)
    proven = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in proof:
        wanted, found = _as_list(proof["@context"]), _as_list(document.get("@context"))
        if found[: len(wanted)] != wanted:
            raise VerificationError("proof-context-mismatch")
        proven["@context"] = proof["@context"]
    hashed = proven
    if "previousProof" in proof:
        hashed = {**proven, "proof": _previous_proofs(proof, proofs_of(document))}
    configuration = {name: value for name, value in proof.items() if name != "proofValue"}
    key.verify(signature, suite.hash_data(canonicalize(hashed), canonicalize(configuration)))
    return proven


def proofs_of(document: Mapping[str, Json], subject: str = "document") -> list[dict[str, Json]]:
    """The proofs of a secured document: at least one object, each with a `type`. Raises MalformedError."""
    value = document.get("proof")
    listed = isinstance(value, list)
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= MAX_PROOFS:
        raise MalformedError(f"{subject} /proof", f"has {len(items)} proofs, outside 1 to {MAX_PROOFS}")
    found = []
    for number, item in enumerate(items):
        where = f"{subject} /proof/{number}" if listed else f"{subject} /proof"
        if not isinstance(item, dict):
            raise MalformedError(where, f"must be an object, not {kind_of(item)}")
        _text(item, "type", where=where)
        found.append(item)
    return found


def _check_options(proof: Mapping[str, Json], purpose: str, key: PublicKey) -> tuple[Cryptosuite, bytes]:
    """The suite and the signature; shape first, so that "malformed" and "untrue" never blur."""
    kind = _text(proof, "type")
    if kind != "DataIntegrityProof":
        raise VerificationError("proof-type-unknown", type=kind)
    name = _text(proof, "cryptosuite")
    _text(proof, "verificationMethod", MAX_VERIFICATION_METHOD_CHARACTERS)
    found_purpose = _text(proof, "proofPurpose")
    for member in ("created", "expires"):
        if member in proof:
            parse_timestamp(_text(proof, member), f"proof /{member}")
    if name not in CRYPTOSUITES:
        raise VerificationError("cryptosuite-unknown", cryptosuite=name)
    suite = CRYPTOSUITES[name]
    where = "proof /proofValue"
    signature = decode_multibase(_text(proof, "proofValue"), subject=where, allowed="z")
    if len(signature) != suite.signature_bytes:
        raise MalformedError(where, f"has {len(signature)} bytes, not {suite.signature_bytes}")
    if found_purpose != purpose:
        raise VerificationError("proof-purpose-mismatch", expected=purpose, found=found_purpose)
    if key.algorithm is not suite.algorithm:
        raise VerificationError("proof-key-mismatch", cryptosuite=name, algorithm=str(key.algorithm))
    return suite, signature


def _text(
    proof: Mapping[str, Json],
    member: str,
    maximum: int = MAX_OPTION_CHARACTERS,
    where: str = "proof",
) -> str:
    """A non-empty string; written out here because every verification reads six of them."""
    value = proof.get(member)
    if isinstance(value, str) and 0 < len(value) <= maximum:
        return value
    place = f"{where}/{member}" if " /" in where else f"{where} /{member}"
    shown = f"{len(value)} characters" if isinstance(value, str) else kind_of(value)
    raise MalformedError(place, f"must be a string of 1 to {maximum} characters, not {shown}")


def _previous_proofs(proof: Mapping[str, Json], proofs: list[dict[str, Json]]) -> list[Json]:
    """The proofs that a chained proof names: https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains."""
    found: list[Json] = []
    wanted_ids = _as_list(proof["previousProof"])
    if len(wanted_ids) > MAX_PROOFS:
        raise MalformedError(
            "proof /previousProof", f"names {len(wanted_ids)} proofs, more than {MAX_PROOFS}"
        )
    for position, wanted in enumerate(wanted_ids):
        if not isinstance(wanted, str):
            raise MalformedError("proof /previousProof", f"must name proofs, not {kind_of(wanted)}")
        if wanted in wanted_ids[:position]:
            # Every repetition would be hashed as a whole proof: a few kilobytes of names, gigabytes to hash.
            raise MalformedError("proof /previousProof", f"names {wanted[:120]!r} twice")
        matching = [item for item in proofs if item.get("id") == wanted]
        if not matching:
            raise VerificationError("proof-previous-missing", id=wanted[:200])
        found += matching
    return found


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]
