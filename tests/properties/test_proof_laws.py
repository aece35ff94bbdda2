"""Laws of signed credentials: nothing altered verifies, and nothing that anybody sends raises what it may not."""

import contextlib
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fakes.awards import award
from fakes.issuers import signing_key
from testamur.registry.canonical import canonicalize
from testamur.registry.credentials import parse_credential
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.jose import envelop, parse_token, sign_token, verify_token
from testamur.registry.jwk import parse_jwk, to_jwk
from testamur.registry.keys import SECRET_BYTES, Algorithm, SigningKey
from testamur.registry.proofs import proofs_of, sign_document, verify_document_proof
from testamur.registry.rdfc import canonicalize_rdf
from testamur.registry.schemas import check_against_schema
from testamur.registry.vc_verification import verify_credential
from testamur.registry.verification_methods import find_verification_method

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SUITES = [
    ("eddsa-jcs-2022", Algorithm.ED25519),
    ("eddsa-rdfc-2022", Algorithm.ED25519),
    ("ecdsa-jcs-2019", Algorithm.P256),
    ("ecdsa-jcs-2019", Algorithm.P384),
    ("ecdsa-rdfc-2019", Algorithm.P256),
    ("ecdsa-rdfc-2019", Algorithm.P384),
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(
        ["https://ada.example/x", "did:web:ada.example", "2026-07-03T00:00:00Z", "Address", "@id"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@cache
def key_of(algorithm: Algorithm) -> SigningKey:
    return SigningKey.from_seed(algorithm, b"\x07" * SECRET_BYTES[algorithm])


@cache
def signed(suite: str, algorithm: Algorithm) -> dict[str, Any]:
    key = key_of(algorithm)
    document = award()
    document["issuer"]["id"] = did_key(key.public_key)
    return sign_document(
        document,
        key,
        verification_method=did_key_verification_method(key.public_key),
        created="2026-11-20T10:00:00Z",
        options={"id": "urn:proof:1"},
        cryptosuite=suite,
    )


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    found = [path] if path else []
    for name, value in items:
        found += places(value, (*path, name))
    return found


def altered(document: dict[str, Any], path: tuple[Any, ...], value: Any, remove: bool) -> dict[str, Any]:
    changed = deepcopy(document)
    target: Any = changed
    for step in path[:-1]:
        target = target[step]
    if remove:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return changed


def meaning(document: dict[str, Any], suite: str, algorithm: Algorithm) -> tuple[bytes, bytes]:
    """What the signature is over: two documents with one meaning may have one signature."""
    body = {name: value for name, value in document.items() if name != "proof"}
    proof = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    if "jcs" in suite:
        return canonicalize(body), canonicalize(proof)
    name = "sha384" if algorithm is Algorithm.P384 else "sha256"
    return (
        canonicalize_rdf(body, algorithm=name),
        canonicalize_rdf({**proof, "@context": body["@context"]}, algorithm=name),
    )


@pytest.mark.parametrize(("suite", "algorithm"), SUITES)
@given(data=st.data())
def test_a_document_with_another_meaning_never_verifies(suite: str, algorithm: Algorithm, data: Any) -> None:
    original = signed(suite, algorithm)
    path = data.draw(st.sampled_from(places(original)))
    changed = altered(original, path, data.draw(values), data.draw(st.booleans()))
    assume(canonicalize(changed) != canonicalize(original))
    try:
        verify_document_proof(changed, proofs_of(changed)[0], key_of(algorithm).public_key)
    except (MalformedError, VerificationError):
        return
    assert meaning(changed, suite, algorithm) == meaning(original, suite, algorithm)


@pytest.mark.parametrize(("suite", "algorithm"), SUITES[:2])
@given(data=st.data())
def test_verifying_answers_whatever_it_is_given(suite: str, algorithm: Algorithm, data: Any) -> None:
    original = signed(suite, algorithm)
    path = data.draw(st.sampled_from(places(original)))
    changed = altered(original, path, data.draw(values), data.draw(st.booleans()))
    assume(canonicalize(changed) != canonicalize(original))
    result = verify_credential(changed, documents={}, now=NOW)
    assert isinstance(result.to_json(), dict)
    assert result.verified is False  # its status list is not supplied, altered or not


@given(value=values, documents=st.dictionaries(st.text(max_size=6), values, max_size=3))
def test_verifying_any_json_at_all_answers_no(value: Any, documents: Any) -> None:
    assert verify_credential(value, documents=documents, now=NOW).verified is False


@given(listed=values)
def test_any_document_may_stand_where_a_status_list_is_expected(listed: Any) -> None:
    original = signed("eddsa-jcs-2022", Algorithm.ED25519)
    url = original["credentialStatus"][0]["statusListCredential"]
    result = verify_credential(original, documents={url: listed}, now=NOW)
    assert (result.verified, str(result.status)) == (False, "unknown")


@given(data=st.data())
def test_reading_a_credential_raises_malformed_and_nothing_else(data: Any) -> None:
    document = altered(
        award(), data.draw(st.sampled_from(places(award()))), data.draw(values), data.draw(st.booleans())
    )
    for strict in (True, False):
        try:
            credential = parse_credential(document, strict=strict)
        except MalformedError:
            continue
        assert credential.json == document


KEY = signing_key(1)
TOKEN = sign_token(award(), KEY, key_id=did_key_verification_method(KEY.public_key))


@given(data=st.data())
def test_a_token_with_any_character_changed_does_not_verify(data: Any) -> None:
    position = data.draw(st.integers(0, len(TOKEN) - 1))
    character = data.draw(st.sampled_from("AZaz09-_.=+ é"))
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    assume(changed != TOKEN)
    with pytest.raises(RegistryError):
        verify_token(parse_token(changed), KEY.public_key)
    assert not verify_credential(envelop(changed), documents={}, now=NOW).verified


@given(
    text=st.text(max_size=40)
    | st.from_regex(r"[A-Za-z0-9_-]{0,12}(\.[A-Za-z0-9_-]{0,12}){0,3}", fullmatch=True)
)
def test_any_text_is_a_token_or_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_token(text)


@given(member=st.sampled_from(["kty", "crv", "x", "y", "use", "key_ops", "d"]), value=values)
def test_a_jwk_is_a_key_or_malformed(member: str, value: Any) -> None:
    for algorithm in SECRET_BYTES:
        try:
            parse_jwk({**to_jwk(key_of(algorithm).public_key), member: value})
        except MalformedError:
            continue


@given(data=st.data())
def test_a_controller_document_gives_a_key_or_one_of_two_errors(data: Any) -> None:
    did = "did:web:ada.example"
    method = {
        "id": f"{did}#1",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": KEY.public_key.to_multikey(),
    }
    document = {"id": did, "verificationMethod": [method], "assertionMethod": [f"{did}#1", method]}
    path = data.draw(st.sampled_from(places(document)))
    changed = altered(document, path, data.draw(values), data.draw(st.booleans()))
    try:
        found = find_verification_method(f"{did}#1", {did: changed}, purpose="assertionMethod")
    except (MalformedError, VerificationError):
        return
    assert found.public_key == KEY.public_key


@given(
    name=st.sampled_from(
        ["type", "properties", "items", "pattern", "$ref", "allOf", "enum", "maxLength", "not"]
    ),
    value=values,
)
def test_a_schema_is_used_or_malformed(name: str, value: Any) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", name: value}
    with contextlib.suppress(MalformedError):
        check_against_schema(award(), schema, {})
