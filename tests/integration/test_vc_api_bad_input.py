"""What strangers send to the VC API: poison graphs, tokens that bring their own keys, depth, size."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fakes.vc_server import VcClient, key_of, vc_server
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.keys import Algorithm
from testamur.registry.multiformats import encode_multibase

V2 = "https://www.w3.org/ns/credentials/v2"
KEY = key_of(Algorithm.ED25519)
METHOD = did_key_verification_method(KEY.public_key)
DID = did_key(KEY.public_key)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VcClient]:
    with vc_server(tmp_path_factory.mktemp("vc")) as running:
        yield running


def poison(nodes: int = 12) -> dict[str, Any]:
    """Blank nodes that each know all others: nothing tells them apart."""
    knows = {"@id": "https://poison.example/knows", "@type": "@id"}
    clique = [
        {"@id": f"_:n{one}", "knows": [f"_:n{other}" for other in range(nodes) if other != one]}
        for one in range(nodes)
    ]
    return {
        "@context": [V2, {"knows": knows}],
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"id": "did:example:learner", "knows": clique},
        "proof": {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "created": "2026-01-01T00:00:00Z",
            "verificationMethod": METHOD,
            "proofPurpose": "assertionMethod",
            "proofValue": "z" + "2" * 86,
        },
    }


def verify(client: VcClient, document: Any) -> Any:
    return client.post("/credentials/verify", {"verifiableCredential": document})


def reasons(answer: Any) -> list[str]:
    return [problem["title"] for problem in answer.body["problemDetails"]]


def test_poison_is_refused_and_others_are_served_meanwhile(client: VcClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        poisoned = [pool.submit(verify, client, _sized(poison())) for _ in range(8)]
        served = [client.resolve(DID).status for _ in range(20)]
        answers = [item.result(60) for item in poisoned]
    assert served == [200] * 20
    for answer in answers:
        assert (answer.status, answer.body["verified"]) == (400, False)
        assert reasons(answer)[0] == "too-much-work"


def _sized(document: dict[str, Any]) -> dict[str, Any]:
    """With a signature of the right length, so that the graph is really looked at."""
    document["proof"]["proofValue"] = encode_multibase("z", b"\x01" * 64)
    return document


def test_poison_is_not_signed_either(client: VcClient) -> None:
    document = poison()
    del document["proof"]
    answer = client.post("/issuers/eddsa-rdfc-2022/credentials/issue", {"credential": document})
    assert answer.status in {400, 422}


def enveloped(header: dict[str, Any], payload: dict[str, Any] | None = None) -> dict[str, Any]:
    credential = payload or {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"id": "did:example:learner"},
    }
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, credential)
    )
    signature = base64.urlsafe_b64encode(KEY.sign(head + b"." + body)).rstrip(b"=")
    token = b".".join((head, body, signature)).decode()
    return {"@context": V2, "type": "EnvelopedVerifiableCredential", "id": f"data:application/vc+jwt,{token}"}


GOOD = {"alg": "EdDSA", "typ": "vc+jwt", "kid": METHOD}


@pytest.mark.parametrize(
    "more",
    [
        {"jku": "https://attacker.example/keys"},
        {"x5u": "https://attacker.example/chain"},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"crit": ["exp"]},
        {"kid": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#x"},
    ],
)
def test_a_token_that_brings_its_own_key_or_rules_is_refused(client: VcClient, more: dict[str, Any]) -> None:
    assert verify(client, enveloped(GOOD)).status == 200
    answer = verify(client, enveloped({**GOOD, **more}))
    assert (answer.status, answer.body["verified"]) == (400, False)


@pytest.mark.parametrize("path", ["/credentials/verify", "/presentations/verify"])
def test_size_depth_and_doubled_members_are_refused_before_anything_is_computed(
    client: VcClient, path: str
) -> None:
    assert client.ask("POST", path, b'{"verifiableCredential": "' + b"x" * 5_000_000 + b'"}').status == 413
    assert client.ask("POST", path, b"[" * 50_000 + b"]" * 50_000).status == 400
    assert client.ask("POST", path, b'{"options": {}, "options": {}}').status == 400
    assert client.ask("POST", path, b"\xff\xfe").status == 400


def test_ten_thousand_alignments_are_answered(client: VcClient) -> None:
    document = poison(0)
    document["credentialSubject"] = {
        "id": "did:example:learner",
        "alignment": [{"type": "Alignment", "targetName": f"a{number}"} for number in range(10_000)],
    }
    answer = verify(client, document)
    assert (answer.status, answer.body["verified"]) == (400, False)
    assert reasons(answer)


def test_a_lie_about_a_protected_term_is_refused(client: VcClient) -> None:
    document = poison(0)
    document["credentialSubject"] = {"id": "did:example:learner"}
    document["@context"] = [V2, {"type": "https://lies.example/type"}]
    answer = verify(client, document)
    assert answer.status == 400
    assert "malformed" in reasons(answer)
