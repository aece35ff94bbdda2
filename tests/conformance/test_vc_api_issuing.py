"""`POST /credentials/issue` as the W3C's suites ask for it: what must be signed, and what must be refused."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.vc_server import SUITES, VcClient, every_issuer, vc_server

V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
DIDS = {issuer.id: issuer.did for issuer in every_issuer()}
RESOURCE = {
    "id": V2,
    "digestSRI": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU",
}
SUBJECT = {"id": "did:example:subject", "name": "Ada"}


@pytest.fixture(scope="module")
def client(vectors: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VcClient]:
    documents = vectors / "http-cases" / "document-map.json"
    with vc_server(tmp_path_factory.mktemp("vc"), documents=documents) as running:
        yield running


def valid(signer: str = "eddsa-rdfc-2022", **changes: Any) -> dict[str, Any]:
    """A small credential; a change to `...` takes the member away."""
    document = {
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential"],
        "issuer": DIDS[signer],
        "credentialSubject": SUBJECT,
        **changes,
    }
    return {name: value for name, value in document.items() if value is not ...}


def issue(client: VcClient, credential: Any, issuer: str = "eddsa-rdfc-2022", **options: Any) -> Any:
    body = {"credential": credential, "options": options}
    return client.post(f"/issuers/{issuer}/credentials/issue", body)


@pytest.mark.parametrize("issuer", SUITES)
def test_every_suite_signs_what_every_verifier_here_accepts(client: VcClient, issuer: str) -> None:
    answer = issue(client, valid(issuer, id="urn:uuid:8e2f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f"), issuer)
    assert answer.status == 201
    signed = answer.body["verifiableCredential"]
    suite, _ = SUITES[issuer]
    proof = signed["proof"]
    assert (proof["type"], proof["cryptosuite"]) == ("DataIntegrityProof", suite)
    assert proof["proofPurpose"] == "assertionMethod"
    assert proof["verificationMethod"].startswith(DIDS[issuer] + "#")
    assert proof["created"].endswith("Z")
    assert proof["proofValue"].startswith("z")
    assert signed["@context"] == [V2, EXAMPLES]
    assert signed["id"] == "urn:uuid:8e2f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f"
    for options in ({}, {"checks": ["proof"]}, {"unheardOf": True}):
        verified = client.post("/credentials/verify", {"verifiableCredential": signed, "options": options})
        assert (verified.status, verified.body["verified"]) == (200, True)
    altered = {**signed, "credentialSubject": {**SUBJECT, "name": "Bob"}}
    refused = client.post("/credentials/verify", {"verifiableCredential": altered})
    assert (refused.status, refused.body["verified"]) == (400, False)


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"issuer": {"id": DIDS["eddsa-rdfc-2022"], "name": "Ada Lovelace University"}},
    {"@context": [V2, EXAMPLES, {"points": "https://points.example/#points"}], "points": "5"},
    {"credentialSubject": [SUBJECT, {"id": "did:example:other"}]},
    {"name": {"@value": "Award", "@language": "en"}},
    {"name": {"@value": "Award", "@language": "en", "@direction": "ltr"}},
    {"description": [{"@value": "Award", "@language": "en"}, {"@value": "Prix", "@language": "fr"}]},
    {
        "issuer": {
            "id": DIDS["eddsa-rdfc-2022"],
            "name": {"@value": "A", "@language": "en", "@direction": "rtl"},
        }
    },
    {"validFrom": "2024-01-01T00:00:00.123Z"},
    {"validFrom": "2024-01-01T00:00:00+02:00", "validUntil": "2099-01-01T00:00:00-05:00"},
    {"validFrom": "9000-01-01T00:00:00Z"},
    {"type": ["VerifiableCredential", "https://types.example/Award"]},
    {"credentialSchema": {"id": "https://schemas.example/1", "type": "JsonSchema"}},
    {"evidence": [{"type": ["Evidence"], "id": "https://evidence.example/1"}]},
    {"termsOfUse": {"type": "Policy"}},
    {"refreshService": {"type": "Refresh", "id": "https://refresh.example"}},
    {"relatedResource": RESOURCE},
    {"relatedResource": [{**RESOURCE, "mediaType": "application/ld+json"}]},
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=repr)
def test_what_the_data_model_allows_is_issued_and_verifies(client: VcClient, changes: dict[str, Any]) -> None:
    answer = issue(client, valid(**changes))
    assert answer.status == 201, answer.body
    signed = answer.body["verifiableCredential"]
    body = {"verifiableCredential": signed, "options": {"checks": ["proof"]}}
    assert client.post("/credentials/verify", body).status == 200


ENTRY = {
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "5",
    "statusListCredential": "https://status.example/1",
}
REFUSED: list[dict[str, Any]] = [
    {"@context": ...},
    {"@context": V2},
    {"@context": 4},
    {"@context": [V2, 4]},
    {"@context": [V2, None]},
    {"@context": [EXAMPLES, V2]},
    {"@context": [V2, "https://unknown.example/v1"]},
    {"@context": [V2, "not a url"]},
    {"@context": [V2, {"VerifiableCredential": "https://lies.example/"}]},
    {"@context": [V2, {"name": "https://lies.example/name"}]},
    {"@context": [V2], "undefinedTerm": "x"},
    {"@context": [V2], "type": ["VerifiableCredential", "UndefinedType"]},
    {"type": ...},
    {"type": []},
    {"type": 4},
    {"type": [None]},
    {"type": ["https://types.example/Award"]},
    {"credentialSubject": ...},
    {"credentialSubject": {}},
    {"credentialSubject": []},
    {"credentialSubject": [SUBJECT, {}]},
    {"credentialSubject": "did:example:1234"},
    {"credentialSubject": {"id": "not a url"}},
    {"credentialSubject": {"id": ["did:example:a", "did:example:b"]}},
    {"issuer": ...},
    {"issuer": None},
    {"issuer": 4},
    {"issuer": []},
    {"issuer": "not-a-url"},
    {"issuer": {"id": None}},
    {"issuer": {"name": "no id"}},
    {"issuer": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"},
    {"id": None},
    {"id": ["urn:uuid:1", "urn:uuid:2"]},
    {"id": "not a url"},
    {"validFrom": "2024-01-01"},
    {"validFrom": "2024-01-01T00:00:00"},
    {"validUntil": "yesterday"},
    {"validFrom": "2025-01-01T00:00:00Z", "validUntil": "2024-01-01T00:00:00Z"},
    {"name": {"@value": "x", "@language": "en", "extra": "y"}},
    {"description": {"@value": "x", "url": "https://did.example/issuer"}},
    {"issuer": {"id": DIDS["eddsa-rdfc-2022"], "name": {"@value": "x", "extra": "y"}}},
    {"credentialStatus": {"id": "https://status.example/1#5"}},
    {"credentialStatus": {"id": "not a url", "type": "https://types.example/Status"}},
    {"credentialStatus": {"id": ["urn:a", "urn:b"], "type": "https://types.example/Status"}},
    {"credentialStatus": {**ENTRY, "statusListIndex": True}},
    {"credentialStatus": {**ENTRY, "statusListIndex": 5}},
    {"credentialStatus": {**ENTRY, "statusListIndex": "-1"}},
    {"credentialStatus": {**ENTRY, "statusPurpose": ["revocation"]}},
    {"credentialStatus": {**ENTRY, "statusListCredential": "not a url"}},
    {"credentialStatus": {**ENTRY, "id": ENTRY["statusListCredential"]}},
    {"credentialSchema": {"id": "https://schemas.example/1"}},
    {"credentialSchema": {"type": "JsonSchema"}},
    {"credentialSchema": {"id": "not a url", "type": "JsonSchema"}},
    {"termsOfUse": {"id": "https://terms.example"}},
    {"evidence": {"id": "https://evidence.example"}},
    {"refreshService": {"id": "https://refresh.example"}},
    {"relatedResource": [V2]},
    {"relatedResource": {"digestSRI": RESOURCE["digestSRI"]}},
    {"relatedResource": [RESOURCE, RESOURCE]},
    {"relatedResource": {"id": V2}},
    {"relatedResource": {"id": V2, "digestMultibase": "uM4RgWQc3RUDtjJCSgTJtTfvpZ7SPEg_LNO0ESlovQC0"}},
    {"relatedResource": {"id": V2, "digestSRI": f"sha384-{'A' * 64}"}},
]


@pytest.mark.parametrize("changes", REFUSED, ids=repr)
@pytest.mark.parametrize("issuer", ["eddsa-rdfc-2022", "ecdsa-jcs-2019-p-384"])
def test_what_the_data_model_forbids_is_never_signed(
    client: VcClient, changes: dict[str, Any], issuer: str
) -> None:
    document = valid(issuer, **copy.deepcopy(changes))
    if isinstance(document.get("issuer"), dict) and document["issuer"].get("id"):
        document["issuer"]["id"] = DIDS[issuer]
    answer = issue(client, document, issuer)
    assert answer.status in {400, 422}, answer.body
    assert isinstance(answer.body, dict)
    assert answer.headers.get_content_type().endswith("json")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"4", b"{}", b'{"credential": null}', b'{"credential": "eyJ"}', b'{"credential": 5}'],
)
def test_a_body_without_a_credential_is_refused(client: VcClient, body: bytes) -> None:
    answer = client.ask("POST", "/issuers/eddsa-rdfc-2022/credentials/issue", body)
    assert answer.status == 400
    assert answer.body["status"] == 400


def test_version_1_1_is_issued_with_the_context_that_its_proof_needs(client: VcClient) -> None:
    document = {
        "@context": [V1],
        "id": "urn:uuid:8e2f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f",
        "type": ["VerifiableCredential"],
        "issuer": DIDS["eddsa-rdfc-2022"],
        "issuanceDate": "2024-01-01T00:00:00Z",
        "expirationDate": "2099-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:subject"},
    }
    answer = issue(client, document)
    assert answer.status == 201, answer.body
    signed = answer.body["verifiableCredential"]
    assert signed["@context"] == [V1, "https://w3id.org/security/data-integrity/v2"]
    assert client.post("/credentials/verify", {"verifiableCredential": signed}).status == 200
    assert issue(client, {**document, "issuanceDate": "yesterday"}).status == 400


def test_a_suite_in_the_options_counts_when_the_key_can_make_it(client: VcClient) -> None:
    answer = issue(client, valid(), cryptosuite="eddsa-jcs-2022", mandatoryPointers=["/issuer"])
    assert answer.body["verifiableCredential"]["proof"]["cryptosuite"] == "eddsa-jcs-2022"
    assert issue(client, valid(), cryptosuite="ecdsa-rdfc-2019").status == 400


def test_a_credential_of_five_megabytes_is_refused_before_it_is_read(client: VcClient) -> None:
    answer = issue(client, valid(name="x" * 5_000_000))
    assert answer.status == 413
    assert answer.body["limit"] < 2_000_000
