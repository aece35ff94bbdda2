"""Credentials across implementations: ours verify with Digital Bazaar's npm packages, and theirs with us."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.awards import award
from testamur.node.issuing.bundles import build_bundle
from testamur.registry.contexts import BUNDLED, find_context
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.key_events import build_key_event, commitment
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import encode_multibase
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import StatusListEntry
from testamur.registry.vc_issuing import issue_credential
from testamur.registry.vc_verification import verify_credential

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
CREATED = "2026-11-20T10:00:00Z"
ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"

SECRETS = {Algorithm.ED25519: 32, Algorithm.P256: 32, Algorithm.P384: 48}
PRIVATE_CODECS = {Algorithm.P256: bytes.fromhex("8626"), Algorithm.P384: bytes.fromhex("8726")}

SHARED_SUITES = [
    ("eddsa-rdfc-2022", Algorithm.ED25519),
    ("eddsa-jcs-2022", Algorithm.ED25519),
    ("ecdsa-rdfc-2019", Algorithm.P256),
    ("ecdsa-rdfc-2019", Algorithm.P384),
]


@pytest.fixture(scope="module")
def node() -> str:
    program = shutil.which("node")
    if program is None or not (ROOT / "node_modules" / "@digitalbazaar" / "vc").is_dir():
        pytest.skip("needs Node.js and the npm packages of package.json: npm ci --ignore-scripts")
    return program


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    found = {url: find_context(url) for url in BUNDLED}
    file = ROOT / "node_modules/ed25519-signature-2020-context/contexts/ed25519-signature-2020-v1.jsonld"
    if file.exists():
        found.setdefault(ED25519_2020, json.loads(file.read_bytes()))
    return found


def ask(node: str, request: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [node, str(ROOT / "tests" / "npm" / "verifier.mjs")],
        input=json.dumps(request).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def key_of(algorithm: Algorithm) -> SigningKey:
    return SigningKey.from_seed(algorithm, b"\x07" * SECRETS[algorithm])


def unsigned(key: SigningKey) -> dict[str, Any]:
    """The award in every member, but for its status: an outside verifier would want to fetch the list."""
    document = award()
    document["issuer"]["id"] = did_key(key.public_key)
    del document["credentialStatus"]
    return document


def judged_there(node: str, credential: Any, documents: dict[str, Any]) -> dict[str, Any]:
    now = NOW.isoformat()
    return ask(node, {"action": "verify", "credential": credential, "documents": documents, "now": now})


@pytest.mark.parametrize(("suite", "algorithm"), SHARED_SUITES)
def test_what_we_sign_verifies_there_and_not_once_it_is_altered(
    node: str, documents: dict[str, Any], suite: str, algorithm: Algorithm
) -> None:
    key = key_of(algorithm)
    signed = issue_credential(
        unsigned(key),
        key,
        verification_method=did_key_verification_method(key.public_key),
        documents={},
        cryptosuite=suite,
        created=CREATED,
    ).document
    assert judged_there(node, signed, documents) == {"verified": True, "errors": []}
    altered = json.loads(json.dumps(signed).replace("Data Literacy", "Rocket Science"))
    assert judged_there(node, altered, documents)["verified"] is False


@pytest.mark.parametrize("index", [7, 8])
def test_they_read_a_revocation_from_our_list_as_a_node_serves_it(
    node: str, documents: dict[str, Any], index: int
) -> None:
    key, list_id = key_of(Algorithm.ED25519), "https://status.ada.example/ada/revocation/1"
    did, bits = did_key(key.public_key), StatusBits()
    bits.set(index)
    event = build_key_event(
        did=did, keys=[key], next_commitment=commitment([key_of(Algorithm.P256).public_key]), created=CREATED
    )
    lists = [(list_id, "revocation", bits)]
    bundle: Any = build_bundle(None, did=did, lists=lists, key=key, now=NOW, key_events=[event])
    document = unsigned(key)
    document["credentialStatus"] = StatusListEntry(purpose="revocation", index=7, list_id=list_id).to_json()
    signed = issue_credential(
        document,
        key,
        verification_method=did_key_verification_method(key.public_key),
        documents={},
        cryptosuite="eddsa-jcs-2022",
        created=CREATED,
    ).document
    answer = judged_there(node, signed, {**documents, list_id: bundle["statusLists"][0]})
    assert answer["statuses"] == [index == 7], answer


@pytest.mark.parametrize(
    ("suite", "algorithm"), [*SHARED_SUITES, ("Ed25519Signature2020", Algorithm.ED25519)]
)
def test_what_they_sign_verifies_here_and_not_once_it_is_altered(
    node: str, documents: dict[str, Any], suite: str, algorithm: Algorithm
) -> None:
    key = key_of(algorithm)
    document = unsigned(key)
    if suite == "Ed25519Signature2020":
        document["@context"].append(ED25519_2020)
    request: dict[str, Any] = {
        "action": "issue",
        "credential": document,
        "suite": suite,
        "seed": key.seed.hex(),
        "created": CREATED,
        "controller": did_key(key.public_key),
        "method": did_key_verification_method(key.public_key),
        "publicKeyMultibase": key.public_key.to_multikey(),
        "documents": documents,
    }
    if algorithm in PRIVATE_CODECS:
        request["secretKeyMultibase"] = encode_multibase("z", PRIVATE_CODECS[algorithm] + key.seed)
    signed = ask(node, request)["credential"]
    result = verify_credential(signed, documents=documents, now=NOW)
    assert (result.verified, result.problems) == (True, ())
    altered = json.loads(json.dumps(signed).replace("Data Literacy", "Rocket Science"))
    refused = verify_credential(altered, documents=documents, now=NOW)
    assert [problem.reason for problem in refused.problems] == ["signature-invalid"]


DIRECTED = {"@value": "\u0634\u0647\u0627\u062f\u0629", "@language": "AR-eg", "@direction": "rtl"}


@pytest.mark.parametrize(("suite", "algorithm"), SHARED_SUITES)
@pytest.mark.parametrize("name", [DIRECTED, [DIRECTED, {"@value": "x", "@direction": "ltr"}]])
def test_a_text_with_a_direction_is_the_same_statement_in_both(
    node: str, documents: dict[str, Any], suite: str, algorithm: Algorithm, name: Any
) -> None:
    key = key_of(algorithm)
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": did_key(key.public_key),
        "name": name,
        "credentialSubject": {"id": "did:example:learner"},
    }
    signed = issue_credential(
        document,
        key,
        verification_method=did_key_verification_method(key.public_key),
        documents={},
        cryptosuite=suite,
        created=CREATED,
    ).document
    assert judged_there(node, signed, documents) == {"verified": True, "errors": []}
    assert verify_credential(signed, documents={}, now=NOW).verified
    turned = json.loads(json.dumps(signed).replace('"rtl"', '"ltr"'))
    assert judged_there(node, turned, documents)["verified"] is False
    assert not verify_credential(turned, documents={}, now=NOW).verified
