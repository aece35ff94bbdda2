"""did:key and did:jwk documents with their key in the form that is asked for.

https://w3c-ccg.github.io/did-key-spec/#document-creation-algorithm, whose error codes a `KeyProblem` carries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from testamur.registry.canonical import Json
from testamur.registry.dids import parse_did, resolve_did_key, resolve_did_key_public
from testamur.registry.errors import MalformedError
from testamur.registry.jwk import resolve_did_jwk, resolve_did_jwk_public, to_jwk
from testamur.registry.keys import Algorithm, PublicKey
from testamur.registry.multiformats import Multicodec, decode_multibase, encode_multibase, parse_multicodec

FORMATS: Final[Mapping[str, bool]] = {
    "Multikey": False,
    "JsonWebKey": False,
    "JsonWebKey2020": False,
    "Ed25519VerificationKey2020": False,
    "X25519KeyAgreementKey2020": False,
    "Ed25519VerificationKey2018": True,
}
"""Types of verification methods; True: superseded, and only given when experiments are allowed."""

_CONTEXTS: Final = {
    "Multikey": "https://w3id.org/security/multikey/v1",
    "JsonWebKey": "https://w3id.org/security/jwk/v1",
    "JsonWebKey2020": "https://w3id.org/security/suites/jws-2020/v1",
    "Ed25519VerificationKey2020": "https://w3id.org/security/suites/ed25519-2020/v1",
    "Ed25519VerificationKey2018": "https://w3id.org/security/suites/ed25519-2018/v1",
}


_KEY_BYTES: Final = {
    Multicodec.ED25519_PUB: 32,
    Multicodec.X25519_PUB: 32,
    Multicodec.SECP256K1_PUB: 33,
    Multicodec.P256_PUB: 33,
    Multicodec.P384_PUB: 49,
    Multicodec.P521_PUB: 67,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyProblem:
    """Why a DID is not made of a usable key, or its key is not written in a form. `code` is an error code."""

    code: str
    message: str


def in_format(did: str, key_format: str | None) -> dict[str, Json] | KeyProblem | None:
    """The document of a did:key or did:jwk, or what is wrong with it; None for another method."""
    method = parse_did(did).method
    if method not in {"key", "jwk"}:
        return None
    try:
        document = resolve_did_key(did) if method == "key" else resolve_did_jwk(did)
        key = resolve_did_key_public(did) if method == "key" else resolve_did_jwk_public(did)
    except MalformedError as error:
        return KeyProblem(code=_code(did), message=str(error))
    if key_format is None:
        return document
    material = _material(key, key_format)
    if isinstance(material, KeyProblem):
        return material
    fragment = parse_did(did).identifier if method == "key" else "0"
    own: dict[str, Json] = {
        "id": f"{did}#{fragment}",
        "type": key_format,
        "controller": did,
        **material,
    }
    return {
        **document,
        "@context": ["https://www.w3.org/ns/did/v1", _CONTEXTS[key_format]],
        "verificationMethod": [own],
    }


def _code(did: str) -> str:
    """The error code for a did:key or did:jwk that is not made of a usable key."""
    parsed = parse_did(did)
    if parsed.method != "key":
        return "invalidDid"
    try:
        codec, raw = parse_multicodec(decode_multibase(parsed.identifier, subject="did:key", allowed="z"))
    except MalformedError:
        return "invalidDid"
    if codec not in _KEY_BYTES:
        return "invalidDid"
    return "invalidPublicKey" if len(raw) == _KEY_BYTES[codec] else "invalidPublicKeyLength"


def _material(key: PublicKey, key_format: str) -> dict[str, Json] | KeyProblem:
    """The member that holds the key."""
    if key_format in {"JsonWebKey", "JsonWebKey2020"}:
        return {"publicKeyJwk": to_jwk(key)}
    if key_format == "Multikey":
        return {"publicKeyMultibase": key.to_multikey()}
    if key.algorithm is not Algorithm.ED25519 or key_format == "X25519KeyAgreementKey2020":
        message = f"a key of {key.algorithm} is not written as {key_format}"
        return KeyProblem(code="invalidPublicKeyType", message=message)
    if key_format == "Ed25519VerificationKey2018":
        return {"publicKeyBase58": encode_multibase("z", key.raw)[1:]}
    return {"publicKeyMultibase": key.to_multikey()}
