"""The W3C's vectors of eddsa-jcs-2022: four intermediate values, the signature, and the signed document."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from testamur.registry.canonical import canonicalize, canonicalize_for_issuing
from testamur.registry.cryptosuites import EDDSA_JCS_2022
from testamur.registry.errors import RegistryError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof

MULTICODEC_ED25519_PRIV = bytes.fromhex("8026")


@pytest.fixture(scope="module")
def case(vectors: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((vectors / "data-integrity" / "eddsa-jcs-2022.json").read_bytes())
    return loaded


@pytest.fixture(scope="module")
def key(case: dict[str, Any]) -> SigningKey:
    private = decode_multibase(case["keyPair"]["privateKeyMultibase"])
    assert private[:2] == MULTICODEC_ED25519_PRIV
    return SigningKey.from_seed(Algorithm.ED25519, private[2:])


def test_the_key_pair_is_the_published_one(case: dict[str, Any], key: SigningKey) -> None:
    assert key.public_key.to_multikey() == case["keyPair"]["publicKeyMultibase"]


@pytest.mark.parametrize(
    ("document", "canonical", "hashed"),
    [("unsigned", "canonDoc", "docHash"), ("proofConfig", "proofCanon", "proofHash")],
)
def test_canonical_forms_and_their_hashes_are_the_published_ones(
    case: dict[str, Any], document: str, canonical: str, hashed: str
) -> None:
    assert canonicalize(case[document]).decode() == case[canonical]
    assert hashlib.sha256(canonicalize_for_issuing(case[document])).hexdigest() == case[hashed]


def test_what_is_signed_is_the_published_value(case: dict[str, Any]) -> None:
    data = EDDSA_JCS_2022.hash_data(canonicalize(case["unsigned"]), canonicalize(case["proofConfig"]))
    assert data.hex() == case["combinedHash"]


def test_the_signature_and_its_text_are_the_published_ones(case: dict[str, Any], key: SigningKey) -> None:
    signature = key.sign(bytes.fromhex(case["combinedHash"]))
    assert signature.hex() == case["sigHex"]
    assert encode_multibase("z", signature) == case["sigBTC58"]


def test_signing_gives_the_published_document(case: dict[str, Any], key: SigningKey) -> None:
    configuration = case["proofConfig"]
    secured = secure_document(
        case["unsigned"],
        key,
        verification_method=configuration["verificationMethod"],
        created=configuration["created"],
    )
    assert secured.document == case["signed"]
    assert secured.canonical == canonicalize(case["signed"])


def test_the_published_document_verifies(case: dict[str, Any], key: SigningKey) -> None:
    (proof,) = proofs_of(case["signed"])
    assert verify_document_proof(case["signed"], proof, key.public_key) == case["unsigned"]


def test_the_published_document_with_any_text_changed_does_not_verify(
    case: dict[str, Any], key: SigningKey
) -> None:
    text = json.dumps(case["signed"])
    refused = 0
    changes = [
        ("Alumni Credential", "Alumni Credentia1"),
        ("2023-01-01T00:00:00Z", "2023-01-01T00:00:01Z"),
        ("2023-02-24T23:36:38Z", "2023-02-24T23:36:39Z"),
        ("did:example:abcdefgh", "did:example:abcdefgi"),
        ("assertionMethod", "authentication"),
        ("credentials/examples/v2", "credentials/examples/v3"),
    ]
    for before, after in changes:
        assert before in text
        changed = json.loads(text.replace(before, after))
        with pytest.raises(RegistryError):
            verify_document_proof(changed, proofs_of(changed)[0], key.public_key)
        refused += 1
    assert refused == len(changes)
