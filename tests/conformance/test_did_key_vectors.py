"""w3c-ccg/did-method-key: identifiers of five curves, and the key that each of them carries.

The published documents use older key types than Multikey, so what is compared does not depend on the type.
"""

import base64
import json

import pytest

from testamur.registry.dids import did_key, resolve_did_key, resolve_did_key_public
from testamur.registry.keys import Algorithm
from testamur.registry.multiformats import decode_multibase


def jwk_bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def published_key(method):
    """The raw key in a published verification method: 32 bytes, or a compressed point."""
    if "publicKeyBase58" in method:
        return decode_multibase("z" + method["publicKeyBase58"])
    jwk = method["publicKeyJwk"]
    if jwk["kty"] == "OKP":
        return jwk_bytes(jwk["x"])
    return bytes([2 + (jwk_bytes(jwk["y"])[-1] & 1)]) + jwk_bytes(jwk["x"])


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("ed25519-x25519.json", {Algorithm.ED25519: 5}),
        ("nist-curves.json", {Algorithm.P256: 3, Algorithm.P384: 2, Algorithm.P521: 2}),
        ("secp256k1.json", {Algorithm.SECP256K1: 6}),
    ],
)
def test_every_identifier_resolves_to_its_key(vectors, file, expected):
    counted = {}
    for did, case in json.loads((vectors / "did-key" / file).read_text()).items():
        public = resolve_did_key_public(did)
        counted[public.algorithm] = counted.get(public.algorithm, 0) + 1
        document = resolve_did_key(did)
        published = case["didDocument"]["verificationMethod"][0]
        (method,) = document["verificationMethod"]
        assert did_key(public) == document["id"] == did
        assert public.raw == published_key(published)
        assert (method["id"], method["controller"]) == (published["id"], did)
        assert document["assertionMethod"] == [method["id"]]
    assert counted == expected
