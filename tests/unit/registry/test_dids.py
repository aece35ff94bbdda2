import pytest

from testamur.registry.dids import (
    Did,
    did_key,
    did_key_verification_method,
    parse_did,
    parse_did_url,
    resolve_did_key,
    resolve_did_key_public,
)
from testamur.registry.errors import MalformedError
from testamur.registry.keys import Algorithm, SigningKey

PUBLIC = SigningKey.from_seed(Algorithm.ED25519, bytes(range(32))).public_key


@pytest.mark.parametrize(
    ("text", "method", "identifier"),
    [
        ("did:web:ada.example", "web", "ada.example"),
        ("did:web:localhost%3A8080:path", "web", "localhost%3A8080:path"),
        ("did:3:_-.", "3", "_-."),
        ("did:x::a", "x", ":a"),
    ],
)
def test_dids_are_split_into_method_and_identifier(text, method, identifier):
    assert parse_did(text) == Did(method=method, identifier=identifier)
    assert str(parse_did(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did:web",
        "did:web:",
        "did:web:a:",
        "did::a",
        "did:Web:a",
        "DID:web:a",
        "did:web:a b",
        "did:web:a%3",
        "did:web:a%zz",
        "did:web:a/b",
        "did:web:a#b",
        "did:web:\u00e9",
        "did:web:a\n",
        " did:web:a",
        "did:web:" + "a" * 1024,
    ],
)
def test_other_texts_are_no_dids(text):
    with pytest.raises(MalformedError):
        parse_did(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("did:web:a", ("", None, None)),
        ("did:web:a#key-1", ("", None, "key-1")),
        ("did:web:a/p/q?x=1&y=/?#f?/", ("/p/q", "x=1&y=/?", "f?/")),
        ("did:web:a?#", ("", "", "")),
    ],
)
def test_did_urls_are_split_and_written_again(text, parts):
    url = parse_did_url(text)
    assert (url.path, url.query, url.fragment) == parts
    assert str(url) == text
    assert url.did == Did(method="web", identifier="a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#key-1",
        "did:web:a#b#c",
        "did:web:a# b",
        "did:web:a?\u00e9",
        "did:web:a#\n",
        "did:web:a?" + "x" * 2048,
    ],
)
def test_other_texts_are_no_did_urls(text):
    with pytest.raises(MalformedError) as caught:
        parse_did_url(text, subject="verificationMethod")
    assert caught.value.subject == "verificationMethod"


def test_a_did_key_document_is_computed_from_its_name():
    did = did_key(PUBLIC)
    document = resolve_did_key(did)
    (method,) = document["verificationMethod"]
    assert document["id"] == method["controller"] == did
    assert method["id"] == did_key_verification_method(PUBLIC) == f"{did}#{did.removeprefix('did:key:')}"
    assert method["publicKeyMultibase"] == PUBLIC.to_multikey()
    for relationship in ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"):
        assert document[relationship] == [method["id"]]
    assert "keyAgreement" not in document
    assert resolve_did_key_public(did) == PUBLIC


@pytest.mark.parametrize(
    "text",
    [
        "did:web:ada.example",
        "did:key:z",
        "did:key:zz",
        "did:key:" + PUBLIC.to_multikey()[:-1],
        "did:key:u" + PUBLIC.to_multikey()[1:],
        "did:key:1.1:" + PUBLIC.to_multikey(),
        "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",  # X25519: it cannot sign
        f"did:key:{PUBLIC.to_multikey()}#{PUBLIC.to_multikey()}",
    ],
)
def test_what_is_no_did_key_of_a_signing_key_is_malformed(text):
    with pytest.raises(MalformedError):
        resolve_did_key(text)
