import hashlib
from copy import deepcopy
from typing import Any

import pytest

from fakes.awards import award
from fakes.issuers import signing_key
from testamur.registry.canonical import canonicalize, digest
from testamur.registry.cryptosuites import CRYPTOSUITES, PROOF_TYPES
from testamur.registry.dids import did_key_verification_method
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.proofs import (
    MAX_PROOFS,
    MAX_RDF_FORMS,
    SecuredDocument,
    in_chain_order,
    proofs_of,
    secure_document,
    sign_document,
    verify_document_proof,
)
from testamur.registry.rdfc import canonicalize_rdf

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
        ("type", "Ed25519Signature2018", "proof-type-unknown"),
        ("cryptosuite", "bbs-2023", "cryptosuite-unknown"),
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
    assert {name: suite.name for name, suite in CRYPTOSUITES.items()} == {
        name: name for name in ("eddsa-jcs-2022", "eddsa-rdfc-2022", "ecdsa-jcs-2019", "ecdsa-rdfc-2019")
    }
    assert set(PROOF_TYPES) == {"Ed25519Signature2020"}


# -- every suite


SUITES = [
    ("eddsa-jcs-2022", Algorithm.ED25519, 64),
    ("eddsa-rdfc-2022", Algorithm.ED25519, 64),
    ("ecdsa-jcs-2019", Algorithm.P256, 64),
    ("ecdsa-jcs-2019", Algorithm.P384, 96),
    ("ecdsa-rdfc-2019", Algorithm.P256, 64),
    ("ecdsa-rdfc-2019", Algorithm.P384, 96),
]
SECRET = {Algorithm.ED25519: 32, Algorithm.P256: 32, Algorithm.P384: 48}


def key_of(algorithm: Algorithm) -> SigningKey:
    return SigningKey.from_seed(algorithm, b"\x07" * SECRET[algorithm])


def sign_award(suite: str, key: SigningKey, document: Any = None, **options: Any) -> dict[str, Any]:
    return sign_document(
        award() if document is None else document,
        key,
        verification_method=did_key_verification_method(key.public_key),
        created=CREATED,
        cryptosuite=suite,
        **options,
    )


@pytest.mark.parametrize(("suite", "algorithm", "length"), SUITES)
def test_every_suite_signs_what_it_verifies(suite: str, algorithm: Algorithm, length: int) -> None:
    key = key_of(algorithm)
    document = sign_award(suite, key)
    proof = proof_of(document)
    assert (proof["type"], proof["cryptosuite"]) == ("DataIntegrityProof", suite)
    assert len(decode_multibase(str(proof["proofValue"]))) == length
    assert ("@context" in proof) == ("jcs" in suite)
    assert verify_document_proof(document, proof, key.public_key) == award()
    assert sign_award(suite, key) == document


@pytest.mark.parametrize(("suite", "algorithm", "length"), SUITES)
def test_a_proof_copied_to_another_credential_does_not_hold(
    suite: str, algorithm: Algorithm, length: int
) -> None:
    key = key_of(algorithm)
    other = {**award(), "id": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc99"}
    copied = {**other, "proof": sign_award(suite, key)["proof"]}
    with pytest.raises(VerificationError, match="signature-invalid"):
        verify_document_proof(copied, proof_of(copied), key.public_key)


@pytest.mark.parametrize(("suite", "algorithm", "length"), SUITES)
def test_a_suite_named_after_signing_does_not_hold(suite: str, algorithm: Algorithm, length: int) -> None:
    key = key_of(algorithm)
    document = sign_award(suite, key)
    for other, _, _ in SUITES:
        if other != suite:
            proof = {**proof_of(document), "cryptosuite": other}
            with pytest.raises(RegistryError, match=r"signature-invalid|proof-key-mismatch|96 bytes, not 64"):
                verify_document_proof({**document, "proof": proof}, proof, key.public_key)


@pytest.mark.parametrize("suite", ["ecdsa-jcs-2019", "ecdsa-rdfc-2019"])
def test_a_signature_as_long_as_the_other_curve_has_is_malformed(suite: str) -> None:
    key = key_of(Algorithm.P256)
    document = sign_award(suite, key)
    proof = {**proof_of(document), "proofValue": encode_multibase("z", bytes(96))}
    with pytest.raises(MalformedError, match="96 bytes, not 64"):
        verify_document_proof(document, proof, key.public_key)


def test_a_p_384_signature_is_over_sha_384_all_the_way() -> None:
    key = key_of(Algorithm.P384)
    document = sign_award("ecdsa-rdfc-2019", key)
    proof = dict(proof_of(document))
    signature = decode_multibase(str(proof.pop("proofValue")))
    forms = {
        name: (
            canonicalize_rdf(award(), algorithm=name),
            canonicalize_rdf({**proof, "@context": award()["@context"]}, algorithm=name),
        )
        for name in ("sha256", "sha384")
    }
    assert forms["sha256"][0] != forms["sha384"][0]  # the award has blank nodes, so the hash inside counts
    data = {
        name: hashlib.sha384(two).digest() + hashlib.sha384(one).digest()
        for name, (one, two) in forms.items()
    }
    key.public_key.verify(signature, data["sha384"])
    with pytest.raises(VerificationError):
        key.public_key.verify(signature, data["sha256"])


def test_a_term_that_no_context_defines_is_not_signed_by_its_meaning() -> None:
    with pytest.raises(MalformedError, match="unheardOf"):
        sign_award("eddsa-rdfc-2022", KEY, {**award(), "unheardOf": 1})


def test_a_term_added_after_signing_is_refused_and_never_silently_outside_of_the_proof() -> None:
    document = {**sign_award("eddsa-rdfc-2022", KEY), "unheardOf": 1}
    with pytest.raises(MalformedError, match="unheardOf"):
        verify_document_proof(document, proof_of(document), KEY.public_key)


def test_suites_that_are_only_read_do_not_sign() -> None:
    for name in ("Ed25519Signature2020", "bbs-2023"):
        with pytest.raises(ValueError, match="does not sign here"):
            sign_award(name, KEY)


# -- Ed25519Signature2020


ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"


def signed_2020() -> dict[str, Any]:
    unsigned = {**award(), "@context": [*award()["@context"], ED25519_2020]}
    proof = {
        "type": "Ed25519Signature2020",
        "created": CREATED,
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
    }
    configuration = canonicalize_rdf({**proof, "@context": unsigned["@context"]})
    data = hashlib.sha256(configuration).digest() + hashlib.sha256(canonicalize_rdf(unsigned)).digest()
    return {**unsigned, "proof": {**proof, "proofValue": encode_multibase("z", KEY.sign(data))}}


def test_an_ed25519_signature_of_2020_is_read() -> None:
    document = signed_2020()
    verify_document_proof(document, proof_of(document), KEY.public_key)
    broken = {**document, "name": "Data Literacy II"}
    with pytest.raises(VerificationError, match="signature-invalid"):
        verify_document_proof(broken, proof_of(broken), KEY.public_key)


def test_an_ed25519_signature_of_2020_needs_its_time_and_its_kind_of_key() -> None:
    document = signed_2020()
    proof = {name: value for name, value in proof_of(document).items() if name != "created"}
    with pytest.raises(MalformedError, match="/created"):
        verify_document_proof({**document, "proof": proof}, proof, KEY.public_key)
    with pytest.raises(VerificationError, match="proof-key-mismatch"):
        verify_document_proof(document, proof_of(document), key_of(Algorithm.P256).public_key)


# -- chains


def chain(suite: str = "eddsa-jcs-2022") -> dict[str, Any]:
    first = sign_award(suite, signing_key(1), options={"id": "urn:proof:1"})
    second = sign_award(suite, signing_key(2), first, options={"id": "urn:proof:2"})
    return sign_award(
        suite,
        signing_key(3),
        second,
        options={"id": "urn:proof:3", "previousProof": ["urn:proof:1", "urn:proof:2"]},
    )


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_a_chain_covers_all_that_it_names(suite: str) -> None:
    document = chain(suite)
    last = proofs_of(document)[2]
    verify_document_proof(document, last, signing_key(3).public_key)
    for position in (0, 1):
        broken = deepcopy(document)
        broken["proof"][position]["created"] = "2026-11-20T10:00:00Z"
        with pytest.raises(VerificationError, match="signature-invalid"):
            verify_document_proof(broken, last, signing_key(3).public_key)


def test_proofs_are_looked_at_after_those_that_they_build_on() -> None:
    proofs = proofs_of(chain())
    assert in_chain_order(proofs) == [0, 1, 2]
    assert in_chain_order(proofs[::-1]) == [1, 2, 0]


def test_proofs_that_build_on_each_other_are_refused() -> None:
    one = {"type": "x", "id": "urn:1", "previousProof": "urn:2"}
    other = {"type": "x", "id": "urn:2", "previousProof": ["urn:1"]}
    for circle in ([one, other], [{**one, "previousProof": "urn:1"}]):
        with pytest.raises(VerificationError, match="proof-chain-circular"):
            in_chain_order(circle)  # type: ignore[arg-type]


@pytest.mark.parametrize("named", [[], [5], {"id": "urn:proof:1"}, None, ["urn:proof:1", "urn:proof:1"]])
def test_a_previous_proof_that_names_none_is_malformed(named: Any) -> None:
    proofs = proofs_of(chain())
    with pytest.raises(MalformedError, match="/previousProof"):
        in_chain_order([{**proofs[0], "previousProof": named}])


def test_the_graphs_of_one_document_are_bounded() -> None:
    document = sign_award("eddsa-rdfc-2022", KEY, options={"id": "urn:proof:0"})
    for number in range(1, MAX_RDF_FORMS + 1):
        previous = f"urn:proof:{number - 1}"
        options = {"id": f"urn:proof:{number}", "previousProof": previous}
        document = sign_award("eddsa-rdfc-2022", KEY, document, options=options)
    secured = SecuredDocument(document)
    proofs = proofs_of(document)
    for proof in proofs[:MAX_RDF_FORMS]:
        secured.verify(proof, KEY.public_key)
    with pytest.raises(MalformedError, match="more than 8 different sets"):
        secured.verify(proofs[MAX_RDF_FORMS], KEY.public_key)
