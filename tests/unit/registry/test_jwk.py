from typing import Any

import pytest

from fakes.issuers import signing_key
from testamur.registry.errors import MalformedError
from testamur.registry.jwk import (
    decode_base64url,
    did_jwk,
    encode_base64url,
    parse_jwk,
    resolve_did_jwk,
    resolve_did_jwk_public,
    to_jwk,
)
from testamur.registry.keys import Algorithm, PublicKey, SigningKey, parse_multikey

RFC_8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RFC_7515_ES256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
SECP256K1 = parse_multikey("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme")


def keys() -> list[PublicKey]:
    return [
        signing_key(1).public_key,
        SigningKey.from_seed(Algorithm.P256, b"\x07" * 32).public_key,
        SigningKey.from_seed(Algorithm.P384, b"\x07" * 48).public_key,
        SECP256K1,
    ]


@pytest.mark.parametrize("key", keys(), ids=lambda key: str(key.algorithm))
def test_a_key_survives_its_jwk_and_its_did(key: PublicKey) -> None:
    assert parse_jwk(to_jwk(key)) == key
    did = did_jwk(key)
    assert resolve_did_jwk_public(did) == key
    document: Any = resolve_did_jwk(did)
    assert document["id"] == did
    (method,) = document["verificationMethod"]
    assert (method["id"], method["controller"]) == (f"{did}#0", did)
    assert document["assertionMethod"] == [f"{did}#0"]


def test_published_keys_are_read() -> None:
    assert parse_jwk(RFC_8037).raw.hex().startswith("d75a9801")
    assert to_jwk(parse_jwk(RFC_7515_ES256)) == RFC_7515_ES256


@pytest.mark.parametrize(
    ("base", "changes", "pointer"),
    [
        (RFC_8037, {"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}, "/d"),
        (RFC_8037, {"use": "enc"}, "/use"),
        (RFC_8037, {"key_ops": ["sign"]}, "/key_ops"),
        (RFC_8037, {"x": "AAAA"}, "/x"),
        (RFC_8037, {"x": RFC_8037["x"] + "="}, "/x"),
        (RFC_8037, {"crv": "X25519"}, "publicKeyJwk"),
        (RFC_8037, {"kty": "RSA"}, "publicKeyJwk"),
        (RFC_8037, {"kty": "oct", "k": "AAAA"}, "/k"),
        (RFC_8037, {"x": encode_base64url(bytes(32))}, "publicKeyJwk"),
        (RFC_7515_ES256, {"y": RFC_7515_ES256["x"]}, "/y"),
        (RFC_7515_ES256, {"crv": "P-384"}, "/x"),
        (RFC_7515_ES256, {"x": encode_base64url(b"\xff" * 32)}, "publicKeyJwk"),
    ],
)
def test_a_jwk_that_is_no_public_key_for_signatures_is_malformed(
    base: dict[str, Any], changes: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_jwk({**base, **changes})
    assert caught.value.subject.endswith(pointer)


@pytest.mark.parametrize("did", ["did:key:z6Mk", "did:jwk:e30", "did:jwk:!", "did:jwk:" + "A" * 3000, "x"])
def test_what_is_no_did_jwk_is_malformed(did: str) -> None:
    with pytest.raises(MalformedError):
        resolve_did_jwk(did)


@pytest.mark.parametrize("text", ["A", "AA==", "A+", "AB", "AÄ"])
def test_base64url_has_one_text_for_every_value(text: str) -> None:
    with pytest.raises(MalformedError):
        decode_base64url(text, "text")
    assert decode_base64url("AA", "text") == b"\0"
