from copy import deepcopy
from typing import Any

import pytest

from fakes.issuers import signing_key
from testamur.registry.canonical import canonicalize, digest
from testamur.registry.cryptosuites import CRYPTOSUITES
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import (
    MAX_PROOFS,
    proofs_of,
    secure_document,
    sign_document,
    verify_document_proof,
)

KEY = signing_key(1)
METHOD = "did:web:ada.example#key"
CREATED = "2026-11-21T10:00:00Z"
DOCUMENT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://ada.example/context"],
    "id": "urn:uuid:1",
    "zeta": {"b": 1, "a": "é"},
}


def signed(**options: Any) -> dict[str, Any]:
    return sign_document(DOCUMENT, KEY, verification_method=METHOD, created=CREATED, **options)


def proof_of(document: dict[str, Any]) -> dict[str, Any]:
    (proof,) = proofs_of(document)
    return proof


def test_a_signed_document_verifies_and_gives_back_what_was_signed() -> None:
    document = signed()
    assert verify_document_proof(document, proof_of(document), KEY.public_key) == DOCUMENT


def test_the_context_is_copied_into_the_proof() -> None:
    assert proof_of(signed())["@context"] == DOCUMENT["@context"]


def test_a_document_without_a_context_has_a_proof_without_one() -> None:
    document = sign_document({"type": "Statement"}, KEY, verification_method=METHOD)
    assert "@context" not in proof_of(document)
    assert verify_document_proof(document, proof_of(document), KEY.public_key) == {"type": "Statement"}


@pytest.mark.parametrize("document", [DOCUMENT, {}, {"a": 1}, {"z": 1}, {"proofs": 1, "prooe": 2}])
def test_canonical_bytes_and_digest_are_those_of_the_whole_document(document: dict[str, Any]) -> None:
    secured = secure_document(document, KEY, verification_method=METHOD, created=CREATED)
    assert secured.canonical == canonicalize(secured.document)
    assert secured.digest == digest(secured.document)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert signed() == signed()


@pytest.mark.parametrize("member", ["id", "zeta", "proofPurpose", "created", "verificationMethod", "expires"])
def test_any_change_to_document_or_options_breaks_the_signature(member: str) -> None:
    document = deepcopy(signed(options={"expires": "2030-01-01T00:00:00Z"}))
    target = document if member in document else document["proof"]
    changed: dict[str, Any] = {"created": CREATED.replace("21", "22"), "expires": "2031-01-01T00:00:00Z"}
    target[member] = changed.get(member, "changed")
    purpose = target[member] if member == "proofPurpose" else "assertionMethod"
    with pytest.raises(VerificationError, match="signature-invalid"):
        verify_document_proof(document, proof_of(document), KEY.public_key, purpose=purpose)


def test_another_key_does_not_verify() -> None:
    document = signed()
    with pytest.raises(VerificationError, match="signature-invalid"):
        verify_document_proof(document, proof_of(document), signing_key(2).public_key)


def test_a_context_appended_later_is_allowed_and_not_part_of_what_is_proven() -> None:
    document = signed()
    document["@context"] = [*document["@context"], "https://later.example"]
    proven = verify_document_proof(document, proof_of(document), KEY.public_key)
    assert proven["@context"] == DOCUMENT["@context"]


@pytest.mark.parametrize(
    "contexts", [None, [], ["https://www.w3.org/ns/credentials/v2"], "https://x.example"]
)
def test_a_context_taken_away_or_replaced_is_refused(contexts: Any) -> None:
    document = signed()
    document["@context"] = contexts
    with pytest.raises(VerificationError, match="proof-context-mismatch"):
        verify_document_proof(document, proof_of(document), KEY.public_key)


def test_a_proof_for_another_purpose_is_refused_although_its_signature_holds() -> None:
    document = signed(purpose="authentication")
    with pytest.raises(VerificationError) as caught:
        verify_document_proof(document, proof_of(document), KEY.public_key)
    assert caught.value.reason == "proof-purpose-mismatch"
    verify_document_proof(document, proof_of(document), KEY.public_key, purpose="authentication")


def test_a_second_proof_stands_beside_the_first_and_both_verify() -> None:
    other = signing_key(2)
    document = sign_document(signed(), other, verification_method="did:web:b.example#key", created=CREATED)
    first, second = proofs_of(document)
    assert verify_document_proof(document, first, KEY.public_key) == DOCUMENT
    assert verify_document_proof(document, second, other.public_key) == DOCUMENT


def test_a_chained_proof_also_covers_the_proof_before_it() -> None:
    first = sign_document(DOCUMENT, KEY, verification_method=METHOD, options={"id": "urn:proof:1"})
    other = signing_key(2)
    chained = sign_document(
        first, other, verification_method="did:web:b.example#key", options={"previousProof": "urn:proof:1"}
    )
    _, second = proofs_of(chained)
    verify_document_proof(chained, second, other.public_key)
    tampered = deepcopy(chained)
    tampered["proof"][0]["proofValue"] = second["proofValue"]  # type: ignore[call-overload,index]
    with pytest.raises(VerificationError, match="signature-invalid"):
        verify_document_proof(tampered, second, other.public_key)


def test_a_chained_proof_whose_predecessor_is_gone_is_refused() -> None:
    document = signed()
    proof = {**proof_of(document), "previousProof": "urn:proof:1"}
    with pytest.raises(VerificationError, match="proof-previous-missing"):
        verify_document_proof({**document, "proof": [proof]}, proof, KEY.public_key)


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("type", "Ed25519Signature2020", "proof-type-unknown"),
        ("cryptosuite", "eddsa-rdfc-2022", "cryptosuite-unknown"),
    ],
)
def test_a_kind_of_proof_that_is_not_known_is_not_called_invalid(
    member: str, value: str, reason: str
) -> None:
    document = signed()
    with pytest.raises(VerificationError) as caught:
        verify_document_proof(document, {**proof_of(document), member: value}, KEY.public_key)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("cryptosuite", None),
        ("cryptosuite", 5),
        ("verificationMethod", {"id": METHOD}),
        ("verificationMethod", "x" * 3000),
        ("proofPurpose", None),
        ("proofValue", None),
        ("proofValue", "u" + "A" * 86),
        ("proofValue", "z"),
        ("proofValue", "z" + "1" * 63),
        ("created", "yesterday"),
        ("expires", "2026-11-21T10:00:00"),
    ],
)
def test_a_proof_of_the_wrong_shape_is_malformed_before_anything_is_hashed(member: str, value: Any) -> None:
    document = signed()
    proof = {**proof_of(document), member: value}
    if value is None:
        del proof[member]
    with pytest.raises(MalformedError, match=f"/{member}"):
        verify_document_proof(document, proof, KEY.public_key)


def test_a_key_of_another_algorithm_is_named_as_such() -> None:
    document, other = signed(), SigningKey.from_seed(Algorithm.P256, bytes(31) + b"\1")
    with pytest.raises(VerificationError, match="proof-key-mismatch"):
        verify_document_proof(document, proof_of(document), other.public_key)
    with pytest.raises(ValueError, match="P-256"):
        sign_document(DOCUMENT, other, verification_method=METHOD)


def test_numbers_that_other_readers_would_round_are_not_signed() -> None:
    with pytest.raises(MalformedError):
        sign_document({"a": 2**53}, KEY, verification_method=METHOD)


@pytest.mark.parametrize("proof", [None, [], "x", [1], {}, {"type": ""}, {"type": ["DataIntegrityProof"]}])
def test_a_proof_member_that_is_none_is_malformed(proof: Any) -> None:
    with pytest.raises(MalformedError, match="/proof"):
        proofs_of({"proof": proof})


def test_the_number_of_proofs_is_bounded() -> None:
    proof = proof_of(signed())
    assert len(proofs_of({"proof": [proof] * MAX_PROOFS})) == MAX_PROOFS
    with pytest.raises(MalformedError, match="33 proofs"):
        proofs_of({"proof": [proof] * (MAX_PROOFS + 1)})


def test_the_table_of_suites_is_found_by_name() -> None:
    assert {name: suite.name for name, suite in CRYPTOSUITES.items()} == {"eddsa-jcs-2022": "eddsa-jcs-2022"}
