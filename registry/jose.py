"""Credentials as signed tokens: `vc+jwt` of VC-JOSE, and the envelope in which a document carries one.

https://www.w3.org/TR/vc-jose-cose/#securing-with-jose, RFC 7515, RFC 8725. The key is the caller's to find;
nothing in a header brings one, and nothing in it chooses an algorithm that the key is not for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from testamur.registry.canonical import MAX_DOCUMENT_BYTES, Json, canonicalize_for_issuing, parse_json
from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.jwk import decode_base64url, encode_base64url
from testamur.registry.keys import Algorithm, PublicKey, SigningKey
from testamur.registry.shapes import Shape, kind_of

MAX_HEADER_BYTES: Final = 8192
"""An algorithm, a type and a key id; anything longer carries certificates or worse."""

MAX_TOKEN_CHARACTERS: Final = (MAX_DOCUMENT_BYTES + MAX_HEADER_BYTES) * 4 // 3 + 256
"""A document of the usual bound in base64url, its header, and a signature."""

ALGORITHMS: Final[Mapping[Algorithm, tuple[str, ...]]] = {
    Algorithm.ED25519: ("Ed25519", "EdDSA"),
    Algorithm.P256: ("ES256",),
    Algorithm.P384: ("ES384",),
}
"""The names that are accepted for each kind of key; the first is what we write (RFC 9864 retires EdDSA)."""

KEY_BEARING: Final = ("jku", "jwk", "x5u", "x5c")
"""Header members that bring a key, or say where to fetch one: whoever wrote the token would choose it."""

NOT_UNDERSTOOD: Final = ("crit", "b64", "zip", "enc")
"""Header members that change what is signed or how; a reader that ignores them reads something else."""

CLAIMS: Final = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf")
"""Registered claims that may stand beside a credential's members, and mean what RFC 7519 says."""

TOKEN_TYPE: Final = "vc+jwt"  # noqa: S105  a media type, not a password
CONTENT_TYPE: Final = "vc"
ENVELOPE_TYPE: Final = "EnvelopedVerifiableCredential"
ENVELOPE_PREFIX: Final = "data:application/vc+jwt,"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A signed token whose shape is right; nothing is proven until `verify_token`."""

    algorithm: str
    key_id: str | None
    issuer: str | None
    """The `iss` of header or payload, when one of them has it."""
    payload: dict[str, Json]
    signing_input: bytes
    signature: bytes
    not_before: datetime | None
    expires: datetime | None


def parse_token(text: str, subject: str = "token", *, token_type: str = TOKEN_TYPE) -> Token:
    """The token that `text` is: a compact JWS whose payload is a credential. Raises MalformedError.

    Refused: members twice in header or payload, keys or addresses of keys in the header, critical
    extensions, another `typ` or `cty`, unsigned tokens, and the `vc` and `vp` claims of older drafts.
    """
    if len(text) > MAX_TOKEN_CHARACTERS:
        raise MalformedError(subject, f"has {len(text)} characters, more than {MAX_TOKEN_CHARACTERS}")
    parts = text.split(".")
    if len(parts) != 3:
        raise MalformedError(subject, f"has {len(parts)} parts, not the 3 of a compact JWS")
    header_bytes, payload_bytes, signature = (
        decode_base64url(part, f"{subject} {name}")
        for part, name in zip(parts, ("header", "payload", "signature"), strict=True)
    )
    header = Shape(
        parse_json(header_bytes, subject=f"{subject} header", max_bytes=MAX_HEADER_BYTES), f"{subject} header"
    )
    payload = parse_json(payload_bytes, subject=f"{subject} payload")
    if not isinstance(payload, dict):
        raise MalformedError(f"{subject} payload", f"must be an object, not {kind_of(payload)}")
    _check_header(header, token_type)
    claims = Shape(payload, f"{subject} payload")
    for name in ("vc", "vp"):
        if claims.any(name) is not None:
            raise MalformedError(
                claims.path(name), "is a claim of older drafts; the payload is the credential"
            )
    if not signature:
        raise MalformedError(f"{subject} signature", "is empty: the token is not signed")
    return Token(
        algorithm=header.text("alg", max_length=64),
        key_id=header.optional_text("kid"),
        issuer=_issuer(header, claims),
        payload=payload,
        signing_input=f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature=signature,
        not_before=_moment(claims, "nbf"),
        expires=_moment(claims, "exp"),
    )


def verify_token(token: Token, key: PublicKey) -> dict[str, Json]:
    """The payload, proven to be signed with `key`, whose kind decides what `alg` may be.

    Raises VerificationError: token-algorithm-mismatch, signature-invalid.
    """
    if token.algorithm not in ALGORITHMS.get(key.algorithm, ()):
        raise VerificationError(
            "token-algorithm-mismatch", alg=token.algorithm[:64], algorithm=str(key.algorithm)
        )
    key.verify(token.signature, token.signing_input)
    return token.payload


def sign_token(
    payload: Mapping[str, Json], key: SigningKey, *, key_id: str, token_type: str = TOKEN_TYPE
) -> str:
    """`payload` (a credential) as a compact JWS by `key`; the same input gives the same text.

    `key_id` is the DID URL of the key. Raises MalformedError for numbers that other readers would round,
    ValueError for a key that has no algorithm here.
    """
    names = ALGORITHMS.get(key.public_key.algorithm)
    if names is None:
        raise ValueError(f"{key.public_key.algorithm} keys do not sign tokens here")
    header: dict[str, Json] = {"alg": names[0], "cty": CONTENT_TYPE, "kid": key_id, "typ": token_type}
    parts = (canonicalize_for_issuing(header), canonicalize_for_issuing(dict(payload)))
    signing_input = ".".join(encode_base64url(part) for part in parts)
    return f"{signing_input}.{encode_base64url(key.sign(signing_input.encode('ascii')))}"


def token_digest(text: str) -> bytes:
    """What the log holds of a token: SHA-256 of its ASCII bytes, up to the first `~` of an SD-JWT.

    Raises MalformedError for text that is not ASCII.
    """
    if not text.isascii():
        raise MalformedError("token", "holds characters outside of ASCII")
    return sha256(text.partition("~")[0].encode("ascii"))


def envelop(token: str) -> dict[str, Json]:
    """The token as a document that can stand where a credential stands.

    https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-credentials.
    """
    return {"@context": [CREDENTIALS_V2], "id": ENVELOPE_PREFIX + token, "type": [ENVELOPE_TYPE]}


def is_envelope(document: Json) -> bool:
    """Whether the document says that it is an enveloped credential."""
    types = document.get("type") if isinstance(document, dict) else None
    return ENVELOPE_TYPE in (types if isinstance(types, list) else [types])


def token_of(envelope: Json, subject: str = "credential") -> str:
    """The token in an envelope. Raises MalformedError, VerificationError("envelope-type-unknown")."""
    shape = Shape(envelope, subject)
    contexts = shape.any("@context")
    if CREDENTIALS_V2 not in (contexts if isinstance(contexts, list) else [contexts]):
        raise MalformedError(shape.path("@context"), f"must be {CREDENTIALS_V2}")
    url = shape.text("id", max_length=MAX_TOKEN_CHARACTERS + len(ENVELOPE_PREFIX))
    if not url.startswith("data:"):
        raise MalformedError(shape.path("id"), "must be a data: URL that holds the credential")
    if not url.startswith(ENVELOPE_PREFIX):
        kind = url.removeprefix("data:").partition(",")[0]
        raise VerificationError("envelope-type-unknown", type=kind[:100])
    return url.removeprefix(ENVELOPE_PREFIX)


def _check_header(header: Shape, token_type: str) -> None:
    for name in KEY_BEARING:
        if header.any(name) is not None:
            raise MalformedError(
                header.path(name), "brings a key of its writer's choice, and is not believed"
            )
    for name in NOT_UNDERSTOOD:
        if header.any(name) is not None:
            raise MalformedError(header.path(name), "changes what is signed, and is not understood")
    if header.text("alg", max_length=64).lower() == "none":
        raise MalformedError(header.path("alg"), "must not be none: the token is not signed")
    kind = header.text("typ", max_length=64).lower().removeprefix("application/")
    if kind != token_type:
        raise MalformedError(header.path("typ"), f"must be {token_type}, not {kind!r}")
    if header.has("cty") and header.text("cty", max_length=64).lower() not in ("vc", "application/vc"):
        raise MalformedError(header.path("cty"), "must be vc")


def _issuer(header: Shape, claims: Shape) -> str | None:
    said = [shape.optional_text("iss") for shape in (header, claims)]
    if None not in said and said[0] != said[1]:
        raise MalformedError(header.path("iss"), "differs from the iss of the payload")
    return said[0] or said[1]


def _moment(claims: Shape, name: str) -> datetime | None:
    """A NumericDate (RFC 7519 §2): seconds since 1970."""
    value = claims.any(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 253_402_300_800:
        raise MalformedError(claims.path(name), "must be seconds since 1970, before the year 10000")
    return datetime.fromtimestamp(value, UTC)
