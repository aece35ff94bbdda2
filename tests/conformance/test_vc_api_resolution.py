"""DID resolution over HTTP, line by line of the did:key test suite's demands, and a bit beyond."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.vc_server import VcClient, key_of, vc_server
from testamur.registry.documents import Documents
from testamur.registry.jwk import did_jwk
from testamur.registry.keys import Algorithm

DID = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"
METHOD = f"{DID}#{DID.removeprefix('did:key:')}"
AGREEMENT = f"{DID}#z6LSfHfAMAopsuBxaBzvp51GXrPf38Az13j2fmwqadbwwrzJ"
ACCEPT = 'application/ld+json;profile="https://w3id.org/did-resolution"'
WEB = "did:web:ada.example"
WEB_DOCUMENT = {
    "id": WEB,
    "assertionMethod": [{"id": f"{WEB}#key", "type": "Multikey", "controller": WEB}],
    "service": [{"id": "#log", "type": "Log", "serviceEndpoint": "https://ada.example"}],
}
NOW_EXPERIMENTAL = "publicKeyFormat=Ed25519VerificationKey2018&enableExperimentalPublicKeyTypes=true"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VcClient]:
    documents = Documents({WEB: json.dumps(WEB_DOCUMENT).encode()})
    with vc_server(tmp_path_factory.mktemp("vc"), documents=documents) as running:
        yield running


def is_result(body: Any) -> bool:
    return {"@context", "didDocument", "didDocumentMetadata"} <= set(body) and (
        isinstance(body["didDocument"], dict)
    )


ERRORS = [
    (DID.replace("did:", "notDid:"), "", "didResolutionMetadata", "invalidDid"),
    (DID.replace(":key:", ":key:-4:"), "", "didResolutionMetadata", "invalidDid"),
    (DID.replace(":z", ":"), "", "didResolutionMetadata", "invalidDid"),
    ("did:key:@", "", "didResolutionMetadata", "invalidDid"),
    ("did:key:", "", "didResolutionMetadata", "invalidDid"),
    ("did:key:z" + "1" * 2000, "", "didResolutionMetadata", "invalidDid"),
    (DID.replace(":key:", ":experimental:"), "", "didResolutionMetadata", "methodNotSupported"),
    ("did:key:zTjsVPtY", "", "didResolutionMetadata", "invalidPublicKeyLength"),
    (f"{DID}/^bar^/?query=`#z6", "", "didDereferencingMetadata", "invalidDidUrl"),
    (DID, "?publicKeyFormat=unknown", "didResolutionMetadata", "unsupportedPublicKeyType"),
    (
        METHOD,
        "?publicKeyFormat=Ed25519VerificationKey2018&enableExperimentalPublicKeyTypes=false",
        "didDereferencingMetadata",
        "invalidPublicKeyType",
    ),
    (
        AGREEMENT,
        "?publicKeyFormat=Ed25519VerificationKey2018&enableExperimentalPublicKeyTypes=false",
        "didDereferencingMetadata",
        "invalidPublicKeyType",
    ),
    (AGREEMENT, "", "didDereferencingMetadata", "notFound"),
    (f"{DID}/path", "", "didDereferencingMetadata", "notFound"),
    (f"{DID}?service=files", "", "didDereferencingMetadata", "notFound"),
    (DID, "?versionTime=yesterday", "didResolutionMetadata", "invalidOptions"),
    ("did:web:elsewhere.example", "", "didResolutionMetadata", "notFound"),
    (WEB, "?versionTime=2024-01-01T00:00:00Z", "didResolutionMetadata", "notFound"),
    (WEB, "?versionId=1", "didResolutionMetadata", "notFound"),
    (f"{WEB}?versionId=1", "", "didDereferencingMetadata", "notFound"),
    (f"{WEB}#key", "?versionId=1", "didDereferencingMetadata", "notFound"),
    (DID, "?versionId=1", "didResolutionMetadata", "notFound"),
    ("did:jwk:e30", "", "didResolutionMetadata", "invalidDid"),
]


@pytest.mark.parametrize(("did", "query", "where", "error"), ERRORS)
def test_every_mistake_has_its_code_in_its_place(
    client: VcClient, did: str, query: str, where: str, error: str
) -> None:
    answer = client.resolve(did, query, Accept=ACCEPT)
    assert answer.status >= 400
    assert is_result(answer.body)
    assert answer.body[where]["error"] == error
    assert answer.body[where]["message"]


def test_a_path_may_be_encoded_and_who_asks_for_a_page_gets_an_answer(client: VcClient) -> None:
    assert client.ask("GET", f"/1.0/%69dentifiers/{DID}").body["didDocument"]["id"] == DID
    for path in ("/nothing", "/1.0/identifiers"):
        assert client.ask("GET", path, Accept="text/html").status == 404


def test_a_did_key_is_resolved_and_its_method_dereferenced(client: VcClient) -> None:
    answer = client.resolve(DID, Accept=ACCEPT)
    assert answer.status == 200
    assert is_result(answer.body)
    assert answer.body["didDocument"]["id"] == DID
    assert answer.body["didDocument"]["assertionMethod"] == [METHOD]
    assert answer.headers["Content-Type"] == ACCEPT
    method = client.resolve(METHOD)
    assert method.status == 200
    assert method.body["didDocument"]["controller"] == DID
    assert method.body["didDereferencingMetadata"].get("error") is None


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("publicKeyFormat=Multikey", "publicKeyMultibase"),
        ("publicKeyFormat=JsonWebKey2020", "publicKeyJwk"),
        ("publicKeyFormat=Ed25519VerificationKey2020", "publicKeyMultibase"),
        (NOW_EXPERIMENTAL, "publicKeyBase58"),
        ("publicKeyFormat=JsonWebKey&enableExperimentalPublicKeyTypes=false", "publicKeyJwk"),
    ],
)
def test_the_key_comes_in_the_form_that_is_asked_for(client: VcClient, query: str, member: str) -> None:
    (method,) = client.resolve(DID, f"?{query}").body["didDocument"]["verificationMethod"]
    assert method["type"] in query
    assert (method["id"], method["controller"]) == (METHOD, DID)
    assert member in method


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.P256, Algorithm.P384])
def test_did_jwk_and_every_curve_of_did_key_are_resolved(client: VcClient, algorithm: Algorithm) -> None:
    key = key_of(algorithm).public_key
    for did in (did_jwk(key), f"did:key:{key.to_multikey()}"):
        assert client.resolve(did).body["didDocument"]["id"] == did
    refused = client.resolve(f"did:key:{key.to_multikey()}", "?publicKeyFormat=Ed25519VerificationKey2020")
    assert refused.status == (200 if algorithm is Algorithm.ED25519 else 400)


def test_a_supplied_document_is_found_and_dereferenced_by_whole_and_by_relative_ids(client: VcClient) -> None:
    assert client.resolve(WEB).body["didDocument"] == WEB_DOCUMENT
    assert client.resolve(f"{WEB}#key").body["didDocument"]["type"] == "Multikey"
    assert client.resolve(f"{WEB}#log").body["didDocument"]["type"] == "Log"
    assert client.resolve(f"{WEB}#gone").status == 404


@pytest.mark.parametrize(
    ("accept", "media", "is_bare"),
    [
        ("*/*", ACCEPT, False),
        ("application/json", ACCEPT, False),
        ("application/did+json", "application/did+json", True),
        ("application/did+ld+json, text/html;q=0", "application/did+ld+json", True),
    ],
)
def test_who_accepts_only_the_document_gets_it_bare(
    client: VcClient, accept: str, media: str, is_bare: bool
) -> None:
    answer = client.resolve(DID, Accept=accept)
    assert answer.headers["Content-Type"] == media
    assert (answer.body.get("id") == DID) is is_bare


def test_what_we_cannot_write_is_refused_as_a_result(client: VcClient) -> None:
    answer = client.resolve(DID, Accept="text/html")
    assert answer.status == 406
    assert answer.body["didResolutionMetadata"]["error"] == "representationNotSupported"


def test_published_did_keys_are_resolved(client: VcClient, vectors: Path) -> None:
    count = 0
    for file in sorted((vectors / "did-key").glob("*.json")):
        for did in json.loads(file.read_bytes()):
            body = client.resolve(did).body["didDocument"]
            assert body["id"] == did
            assert body["verificationMethod"][0]["id"].startswith(f"{did}#")
            assert body["assertionMethod"]
            count += 1
    assert count == 18
