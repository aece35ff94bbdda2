import json
from typing import Any

import pytest

from fakes.awards import award
from fakes.issuers import signing_key
from testamur.registry.canonical import canonicalize
from testamur.registry.dids import did_key_verification_method
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.jose import (
    ENVELOPE_PREFIX,
    envelop,
    is_envelope,
    parse_token,
    sign_token,
    token_digest,
    token_of,
    verify_token,
)
from testamur.registry.jwk import encode_base64url, to_jwk
from testamur.registry.keys import Algorithm, SigningKey

KEY = signing_key(1)
METHOD = did_key_verification_method(KEY.public_key)
HEADER: dict[str, Any] = {"alg": "Ed25519", "kid": METHOD, "typ": "vc+jwt"}


def token(header: Any = None, payload: Any = None, key: SigningKey = KEY) -> str:
    parts = [
        part if isinstance(part, bytes) else canonicalize(part)
        for part in (HEADER if header is None else header, award() if payload is None else payload)
    ]
    signed = ".".join(encode_base64url(part) for part in parts)
    return f"{signed}.{encode_base64url(key.sign(signed.encode()))}"


@pytest.mark.parametrize(
    ("algorithm", "size", "alg"),
    [(Algorithm.ED25519, 32, "Ed25519"), (Algorithm.P256, 32, "ES256"), (Algorithm.P384, 48, "ES384")],
)
def test_a_token_says_the_algorithm_of_its_key_and_verifies(
    algorithm: Algorithm, size: int, alg: str
) -> None:
    key = SigningKey.from_seed(algorithm, b"\x07" * size)
    text = sign_token(award(), key, key_id="did:web:ada.example#key-1")
    parsed = parse_token(text)
    assert (parsed.algorithm, parsed.key_id) == (alg, "did:web:ada.example#key-1")
    assert verify_token(parsed, key.public_key) == award()
    assert sign_token(award(), key, key_id="did:web:ada.example#key-1") == text


def test_the_old_name_of_ed25519_is_read_and_not_written() -> None:
    verify_token(parse_token(token({**HEADER, "alg": "EdDSA"})), KEY.public_key)
    assert parse_token(sign_token(award(), KEY, key_id=METHOD)).algorithm == "Ed25519"


@pytest.mark.parametrize("alg", ["ES256", "HS256", "RS256", "ES384", "ed25519", "EdDSA448"])
def test_the_key_decides_what_the_algorithm_may_be(alg: str) -> None:
    with pytest.raises(VerificationError, match="token-algorithm-mismatch"):
        verify_token(parse_token(token({**HEADER, "alg": alg})), KEY.public_key)


def test_a_public_key_is_never_a_shared_secret() -> None:
    other = SigningKey.from_seed(Algorithm.P256, b"\x07" * 32)
    with pytest.raises(VerificationError, match="token-algorithm-mismatch"):
        verify_token(parse_token(token()), other.public_key)


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "None"},
        {"typ": "vc+jwt"},
        {**HEADER, "jku": "https://evil.example/keys"},
        {**HEADER, "x5u": "https://evil.example/chain"},
        {**HEADER, "x5c": ["MII"]},
        {**HEADER, "jwk": to_jwk(KEY.public_key)},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "b64": False},
        {**HEADER, "zip": "DEF"},
        {**HEADER, "typ": "JWT"},
        {"alg": "Ed25519", "kid": METHOD},
        {**HEADER, "typ": "vp+jwt"},
        {**HEADER, "cty": "vp"},
        {**HEADER, "kid": 5},
        {**HEADER, "padding": "x" * 9000},
        [],
        b"{",
        json.dumps(HEADER)[:-1].encode() + b', "alg": "none"}',
    ],
)
def test_a_header_that_would_choose_the_key_or_hide_something_is_refused(header: Any) -> None:
    with pytest.raises(MalformedError):
        parse_token(token(header))


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {"vc": award()},
        {**award(), "vp": {}},
        {**award(), "exp": "tomorrow"},
        {**award(), "nbf": True},
        {**award(), "exp": -1},
        b'{"id": "urn:a", "id": "urn:b"}',
    ],
)
def test_a_payload_that_is_no_credential_of_today_is_refused(payload: Any) -> None:
    with pytest.raises(MalformedError):
        parse_token(token(payload=payload))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "..", "e30.e30.", "e30.e30.AA==", "é.e30.AA"])
def test_a_text_that_is_no_token_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_token(text)


def test_an_unsigned_token_is_malformed() -> None:
    with pytest.raises(MalformedError, match="not signed"):
        parse_token(token().rpartition(".")[0] + ".")


def test_any_change_to_a_token_breaks_it() -> None:
    head, body, signature = token().split(".")
    changed = encode_base64url(canonicalize({**award(), "name": "Other"}))
    for text in (f"{head}.{changed}.{signature}", f"{head}.{body}.{'A' * len(signature)}"):
        with pytest.raises(VerificationError, match="signature-invalid"):
            verify_token(parse_token(text), KEY.public_key)


def test_header_and_payload_name_one_issuer() -> None:
    issuer = award()["issuer"]["id"]
    assert parse_token(token({**HEADER, "iss": issuer}, {**award(), "iss": issuer})).issuer == issuer
    with pytest.raises(MalformedError, match="/iss"):
        parse_token(token({**HEADER, "iss": issuer}, {**award(), "iss": "did:web:other.example"}))


def test_the_digest_of_a_token_survives_selective_disclosure() -> None:
    text = token()
    assert token_digest(text) == sha256(text.encode())
    assert token_digest(text + "~disclosure~") == token_digest(text)
    with pytest.raises(MalformedError):
        token_digest("é")


def test_an_envelope_is_a_document_around_a_token() -> None:
    text = token()
    assert is_envelope(envelop(text))
    assert token_of(envelop(text)) == text
    assert not is_envelope(award())
    for broken in (
        {**envelop(text), "@context": ["https://www.w3.org/2018/credentials/v1"]},
        {**envelop(text), "id": "https://ada.example/token"},
        {**envelop(text), "id": None},
    ):
        with pytest.raises(MalformedError):
            token_of(broken)
    with pytest.raises(VerificationError, match="envelope-type-unknown"):
        token_of({**envelop(text), "id": ENVELOPE_PREFIX.replace("vc+jwt", "vc+cose") + "AA"})
