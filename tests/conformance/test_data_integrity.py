"""The W3C's vectors of Data Integrity: every intermediate value, the signature, and the signed document."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testamur.registry.canonical import canonicalize
from testamur.registry.cryptosuites import CRYPTOSUITES, Canonicalization, Cryptosuite
from testamur.registry.errors import RegistryError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof
from testamur.registry.rdfc import canonicalize_rdf

SETS = (
    "ecdsa-jcs-2019-p256",
    "ecdsa-rdfc-2019-p256",
    "eddsa-jcs-2022",
    "eddsa-rdfc-2022",
    "eddsa-rdfc-2022-employment",
)
PRIVATE = {bytes.fromhex("8026"): Algorithm.ED25519, bytes.fromhex("8626"): Algorithm.P256}
VALUES = (
    ("unsigned", "canonDoc", "docHash"),
    ("proofConfig", "proofCanon", "proofHash"),
)


@pytest.fixture(scope="module")
def contexts(vectors: Path) -> dict[str, Any]:
    folder = vectors / "contexts"
    table = json.loads((folder / "map.json").read_bytes())
    return {url: json.loads((folder / entry["file"]).read_bytes()) for url, entry in _entries(table)}


def _entries(table: Any) -> Iterator[tuple[str, dict[str, str]]]:
    for url, entry in table.items():
        yield url, entry if isinstance(entry, dict) else {"file": entry}


@pytest.fixture(scope="module", params=SETS)
def case(request: pytest.FixtureRequest, vectors: Path) -> dict[str, Any]:
    path = vectors / "data-integrity" / f"{request.param}.json"
    loaded: dict[str, Any] = json.loads(path.read_bytes())
    return loaded


@pytest.fixture(scope="module")
def suite(case: dict[str, Any]) -> Cryptosuite:
    return CRYPTOSUITES[case["cryptosuite"]]


@pytest.fixture(scope="module")
def key(case: dict[str, Any]) -> SigningKey:
    pair = case["keyPair"]
    private = decode_multibase(pair.get("privateKeyMultibase") or pair["secretKeyMultibase"])
    return SigningKey.from_seed(PRIVATE[private[:2]], private[2:])


def canonical(suite: Cryptosuite, document: dict[str, Any], contexts: dict[str, Any]) -> bytes:
    if suite.canonicalization is Canonicalization.JCS:
        return canonicalize(document)
    return canonicalize_rdf(document, contexts=contexts)


def test_the_key_pair_is_the_published_one(case: dict[str, Any], key: SigningKey) -> None:
    assert key.public_key.to_multikey() == case["keyPair"]["publicKeyMultibase"]


@pytest.mark.parametrize("value", VALUES)
def test_canonical_forms_and_their_hashes_are_the_published_ones(
    case: dict[str, Any], suite: Cryptosuite, contexts: dict[str, Any], value: tuple[str, str, str]
) -> None:
    document, form, hashed = value
    found = canonical(suite, case[document], contexts)
    assert found.decode() == case[form]
    assert hashlib.sha256(found).hexdigest() == case[hashed]


def test_what_is_signed_is_the_published_value(
    case: dict[str, Any], suite: Cryptosuite, key: SigningKey
) -> None:
    forms = (case["canonDoc"].encode(), case["proofCanon"].encode())
    assert suite.hash_data(*forms, key.public_key.algorithm).hex() == case["combinedHash"]


def test_the_signature_and_its_text_are_the_published_ones(case: dict[str, Any], key: SigningKey) -> None:
    signature = bytes.fromhex(case["sigHex"])
    assert encode_multibase("z", signature) == case["sigBTC58"]
    key.public_key.verify(signature, bytes.fromhex(case["combinedHash"]))
    if key.public_key.algorithm is Algorithm.ED25519:  # ECDSA of others may have its own randomness
        assert key.sign(bytes.fromhex(case["combinedHash"])) == signature


def test_signing_gives_the_published_document(
    case: dict[str, Any], key: SigningKey, contexts: dict[str, Any]
) -> None:
    configuration = case["proofConfig"]
    secured = secure_document(
        case["unsigned"],
        key,
        verification_method=configuration["verificationMethod"],
        created=configuration["created"],
        cryptosuite=case["cryptosuite"],
        contexts=contexts,
    )
    (ours,) = proofs_of(secured.document)
    (published,) = proofs_of(case["signed"])
    if key.public_key.algorithm is Algorithm.ED25519:
        assert secured.document == case["signed"]
    assert {**ours, "proofValue": ""} == {**published, "proofValue": ""}
    assert secured.canonical == canonicalize(secured.document)
    verify_document_proof(secured.document, ours, key.public_key, contexts=contexts)


def test_the_published_document_verifies(
    case: dict[str, Any], key: SigningKey, contexts: dict[str, Any]
) -> None:
    (proof,) = proofs_of(case["signed"])
    proven = verify_document_proof(case["signed"], proof, key.public_key, contexts=contexts)
    assert proven == case["unsigned"]


def test_the_published_document_with_any_text_changed_does_not_verify(
    case: dict[str, Any], key: SigningKey, contexts: dict[str, Any]
) -> None:
    refused = 0
    for path, text in _texts(case["signed"]):
        changed = json.loads(json.dumps(case["signed"]))
        target = changed
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = text[:-1] + ("1" if text[-1:] != "1" else "2")
        with pytest.raises(RegistryError):
            verify_document_proof(changed, proofs_of(changed)[0], key.public_key, contexts=contexts)
        refused += 1
    assert refused >= 12


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        # The context of an RDF proof is not part of it, and a verification method is the caller's to find.
        if path[:2] != ("proof", "@context"):
            yield path, value
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from _texts(item, (*path, name))


def test_there_are_five_sets_of_four_values(vectors: Path) -> None:
    files = {path.stem for path in (vectors / "data-integrity").glob("*.json")}
    assert files == set(SETS)
    assert len(files) * sum(len(item) - 1 for item in VALUES) == 20
