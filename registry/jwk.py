"""Public keys as JSON Web Keys, and did:jwk, whose document is computed from the name alone.

RFC 7517, RFC 8037, RFC 8812; https://github.com/quartzjer/did-jwk/blob/main/spec.md.
"""

import base64
import binascii
import re
from typing import Final

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.dids import parse_did
from testamur.registry.errors import MalformedError
from testamur.registry.keys import Algorithm, PublicKey, parse_public_key
from testamur.registry.shapes import Shape

MAX_JWK_BYTES: Final = 2048
"""A public key with a few optional members; P-384, the longest that is read, needs about 200."""

_EC_CURVES: Final = {
    "P-256": (Algorithm.P256, 32),
    "P-384": (Algorithm.P384, 48),
    "P-521": (Algorithm.P521, 66),
    "secp256k1": (Algorithm.SECP256K1, 32),
}
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")


def decode_base64url(text: str, subject: str) -> bytes:
    """The bytes of unpadded base64url, which has exactly one text for them. Raises MalformedError."""
    try:
        if _BASE64URL.fullmatch(text):
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            if encode_base64url(data) == text:
                return data
    except (binascii.Error, ValueError) as exc:
        raise MalformedError(subject, "is not base64url") from exc
    raise MalformedError(subject, "is not base64url without padding")


def encode_base64url(data: bytes) -> str:
    """Unpadded base64url (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def to_jwk(key: PublicKey) -> dict[str, Json]:
    """The public key as a JWK, with the members that its thumbprint needs and no others."""
    if key.algorithm is Algorithm.ED25519:
        return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(key.raw)}
    x, y = key.to_coordinates()
    return {"kty": "EC", "crv": str(key.algorithm), "x": encode_base64url(x), "y": encode_base64url(y)}


def parse_jwk(value: Json, subject: str = "publicKeyJwk") -> PublicKey:
    """The public key that a JWK is. Raises MalformedError.

    A private key is refused: whoever publishes one has lost it. So are `use` other than `sig` and
    `key_ops` without `verify`: a key for something else does not vouch for a credential.
    """
    shape = Shape(value, subject)
    private = [name for name in _PRIVATE if shape.any(name) is not None]
    if private:
        raise MalformedError(shape.path(private[0]), "is part of a private key")
    if shape.has("use") and shape.text("use") != "sig":
        raise MalformedError(shape.path("use"), "must be sig: the key is for something else")
    if shape.has("key_ops") and "verify" not in shape.texts("key_ops", maximum=16):
        raise MalformedError(shape.path("key_ops"), "must contain verify: the key is for something else")
    kind, curve = shape.text("kty"), shape.text("crv", max_length=64)
    if (kind, curve) == ("OKP", "Ed25519"):
        return parse_public_key(Algorithm.ED25519, _bytes(shape, "x", 32), subject=subject)
    if kind != "EC" or curve not in _EC_CURVES:
        raise MalformedError(subject, f"is a {kind[:20]} key of {curve[:20]}, which is not understood")
    algorithm, length = _EC_CURVES[curve]
    x, y = _bytes(shape, "x", length), _bytes(shape, "y", length)
    key = parse_public_key(algorithm, bytes((2 + (y[-1] & 1),)) + x, subject=subject)
    if key.to_coordinates() != (x, y):
        raise MalformedError(shape.path("y"), f"is not on the curve {curve} beside this x")
    return key


def did_jwk(key: PublicKey) -> str:
    """The did:jwk identifier of a public key, over its canonical JWK."""
    return f"did:jwk:{encode_base64url(canonicalize(to_jwk(key)))}"


def resolve_did_jwk_public(did: str) -> PublicKey:
    """The key that a did:jwk identifier is made of. Raises MalformedError."""
    parsed = parse_did(did)
    if parsed.method != "jwk":
        raise MalformedError("DID", f"is of the method {parsed.method}, not jwk")
    if len(parsed.identifier) > MAX_JWK_BYTES * 4 // 3:
        raise MalformedError("did:jwk", f"is longer than {MAX_JWK_BYTES} bytes")
    data = decode_base64url(parsed.identifier, "did:jwk")
    return parse_jwk(parse_json(data, subject="did:jwk", max_bytes=MAX_JWK_BYTES), "did:jwk")


def resolve_did_jwk(did: str) -> dict[str, Json]:
    """The DID document of a did:jwk identifier: one JsonWebKey with the id `#0`, for signing.

    There is no `keyAgreement`: nothing here encrypts to a key that signs. Raises MalformedError.
    """
    public = resolve_did_jwk_public(did)
    method = f"{did}#0"
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": did,
        "verificationMethod": [
            {"id": method, "type": "JsonWebKey", "controller": did, "publicKeyJwk": to_jwk(public)}
        ],
        "authentication": [method],
        "assertionMethod": [method],
        "capabilityInvocation": [method],
        "capabilityDelegation": [method],
    }


def _bytes(shape: Shape, name: str, length: int) -> bytes:
    data = decode_base64url(shape.text(name, max_length=128), shape.path(name))
    if len(data) != length:
        raise MalformedError(shape.path(name), f"has {len(data)} bytes, not {length}")
    return data
