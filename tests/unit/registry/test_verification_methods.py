from datetime import UTC, datetime
from typing import Any

import pytest

from fakes.issuers import signing_key
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.jwk import did_jwk, to_jwk
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import encode_multibase
from testamur.registry.verification_methods import find_verification_method

KEY = signing_key(1).public_key
DID = "did:web:ada.example"
METHOD = f"{DID}#key-1"


def method(**changes: Any) -> dict[str, Any]:
    return {
        "id": METHOD,
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": KEY.to_multikey(),
        **changes,
    }


def document(**changes: Any) -> dict[str, Any]:
    return {"id": DID, "verificationMethod": [method()], "assertionMethod": [METHOD], **changes}


def find(found: Any, url: str = METHOD, purpose: str = "assertionMethod") -> Any:
    return find_verification_method(url, {DID: found}, purpose=purpose)


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.P256, Algorithm.P384])
def test_did_key_and_did_jwk_are_computed_whatever_documents_say(algorithm: Algorithm) -> None:
    size = 48 if algorithm is Algorithm.P384 else 32
    key = SigningKey.from_seed(algorithm, b"\x07" * size).public_key
    lies = {did_key(key): document(), did_jwk(key): document()}
    url = did_key_verification_method(key)
    found = find_verification_method(url, lies, purpose="assertionMethod")
    assert (found.public_key, found.controller, found.id) == (key, did_key(key), url)
    found = find_verification_method(f"{did_jwk(key)}#0", lies, purpose="authentication")
    assert (found.public_key, found.controller) == (key, did_jwk(key))


@pytest.mark.parametrize(
    "found",
    [
        document(),
        document(verificationMethod=[method(id="#key-1")], assertionMethod=["#key-1"]),
        document(verificationMethod=method(), assertionMethod=METHOD),
        {"id": DID, "assertionMethod": [method()]},
        {"id": DID, "assertionMethod": [method(type="Ed25519VerificationKey2020")]},
        {"@context": ["https://unknown.example"], "id": DID, "assertionMethod": [method()]},
    ],
)
def test_a_method_is_found_wherever_the_document_has_it(found: dict[str, Any]) -> None:
    assert find(found).public_key == KEY


def test_a_key_may_be_written_in_three_ways() -> None:
    as_jwk = {**method(type="JsonWebKey2020", publicKeyJwk=to_jwk(KEY))}
    del as_jwk["publicKeyMultibase"]
    assert find({"id": DID, "assertionMethod": [as_jwk]}).public_key == KEY
    base58 = encode_multibase("z", KEY.raw)[1:]
    old = method(type="Ed25519VerificationKey2018", publicKeyBase58=base58)
    del old["publicKeyMultibase"]
    assert find({"id": DID, "assertionMethod": [old]}).public_key == KEY
    with pytest.raises(MalformedError, match="publicKeyBase58"):
        find({"id": DID, "assertionMethod": [{**old, "type": "Multikey"}]})


def test_a_key_for_another_purpose_is_not_authorised() -> None:
    found = document(authentication=[METHOD], assertionMethod=[])
    assert find(found, purpose="authentication").public_key == KEY
    for purpose in ("assertionMethod", "keyAgreement", "somethingElse"):
        with pytest.raises(VerificationError, match="verification-method-unauthorised"):
            find(found, purpose=purpose)


@pytest.mark.parametrize(
    ("url", "found", "reason"),
    [
        (f"{DID}#key-2", document(), "verification-method-unknown"),
        ("did:web:other.example#key-1", document(), "controller-document-missing"),
        (METHOD, {"id": DID}, "verification-method-unknown"),
        (f"{did_key(KEY)}#key-1", document(), "verification-method-unknown"),
    ],
)
def test_what_is_not_there_is_said(url: str, found: Any, reason: str) -> None:
    with pytest.raises(VerificationError, match=reason):
        find(found, url)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (METHOD, document(id="did:web:other.example")),
        (METHOD, document(verificationMethod=[method(controller="did:web:other.example")])),
        (METHOD, document(verificationMethod=[method(publicKeyMultibase="zz")])),
        (METHOD, document(verificationMethod=[method(publicKeyJwk=to_jwk(KEY))])),
        (METHOD, document(verificationMethod=[method(), method(type="Other")])),
        (METHOD, document(verificationMethod=[5])),
        (METHOD, document(verificationMethod=[method()] * 300)),
        (METHOD, document(verificationMethod=[method(expires="soon")])),
        (METHOD, []),
        (DID, document()),
        ("key-1", document()),
        (f"{DID}#", document()),
        (
            METHOD,
            document(
                verificationMethod=[
                    method(
                        type="Ed25519VerificationKey2020",
                        publicKeyMultibase=SigningKey.from_seed(
                            Algorithm.P256, b"\x07" * 32
                        ).public_key.to_multikey(),
                    )
                ]
            ),
        ),
    ],
)
def test_a_document_or_url_of_the_wrong_shape_is_malformed(url: str, found: Any) -> None:
    with pytest.raises(MalformedError):
        find(found, url)


def test_a_key_ends_when_it_expires_or_is_revoked_whichever_is_first() -> None:
    dated = method(expires="2030-01-01T00:00:00Z", revoked="2026-01-01T00:00:00Z")
    assert find(document(verificationMethod=[dated])).ends_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert find(document()).ends_at is None
