"""Bitstring status lists over the VC API: entries added by themselves, set, published, and believed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.vc_server import VcClient, every_issuer, vc_server
from testamur.registry.status import MIN_STATUS_LIST_BITS, decode_list, is_set

V2 = "https://www.w3.org/ns/credentials/v2"
ISSUER = every_issuer()[-1]
BASE = ISSUER.path
ID = "urn:uuid:8e2f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f"
TOKEN = "a-token-of-the-service"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[VcClient]:
    with vc_server(tmp_path) as running:
        yield running


def issued(client: VcClient, **more: Any) -> dict[str, Any]:
    document = {
        "@context": [V2],
        "id": ID,
        "type": ["VerifiableCredential"],
        "issuer": ISSUER.did,
        "credentialSubject": {"id": "did:example:learner"},
    }
    answer = client.post(f"{BASE}/credentials/issue", {"credential": document, **more})
    assert answer.status == 201, answer.body
    signed: dict[str, Any] = answer.body["verifiableCredential"]
    return signed


def set_status(client: VcClient, credential_id: str = ID, **body: Any) -> Any:
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
    return client.post(
        f"{BASE}/credentials/status", {"credentialId": credential_id, "credentialStatus": entry, **body}
    )


def bit_of(client: VcClient, entry: dict[str, Any]) -> bool:
    listed = client.ask("GET", entry["statusListCredential"]).body
    data = decode_list(listed["credentialSubject"]["encodedList"])
    assert 8 * len(data) >= MIN_STATUS_LIST_BITS
    return is_set(data, int(entry["statusListIndex"]))


def test_entries_are_added_and_name_a_list_that_everybody_can_read(client: VcClient) -> None:
    entries = issued(client)["credentialStatus"]
    assert [entry["statusPurpose"] for entry in entries] == ["revocation", "suspension"]
    for entry in entries:
        assert entry["type"] == "BitstringStatusListEntry"
        assert isinstance(entry["statusListIndex"], str)
        assert entry["statusListIndex"].isdecimal()
        assert entry.get("id") != entry["statusListCredential"]
        answer = client.ask("GET", entry["statusListCredential"])
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/vc")
        listed = answer.body
        assert listed["id"] == entry["statusListCredential"]
        assert {"VerifiableCredential", "BitstringStatusListCredential"} <= set(listed["type"])
        subject = listed["credentialSubject"]
        assert subject["type"] == "BitstringStatusList"
        assert subject["statusPurpose"] == entry["statusPurpose"]
        assert subject["encodedList"].startswith("u")
        assert listed["issuer"] == ISSUER.did
        assert client.post("/credentials/verify", {"verifiableCredential": listed}).status == 200
        assert bit_of(client, entry) is False


def test_a_revoked_credential_is_refused_from_then_on_and_for_ever(client: VcClient) -> None:
    signed = issued(client)
    asked = {"verifiableCredential": signed, "options": {"checks": ["proof", "credentialStatus"]}}
    assert client.post("/credentials/verify", asked).status == 200
    assert client.post("/credentials/verify", {"verifiableCredential": signed}).status == 200
    assert set_status(client, status=True).status == 200
    assert bit_of(client, signed["credentialStatus"][0]) is True
    refused = client.post("/credentials/verify", asked)
    assert refused.status == 400
    assert refused.body["results"]["credentialStatus"][0]["value"] == 1
    assert [problem["title"] for problem in refused.body["problemDetails"]] == ["revoked-by-list"]
    cleared = set_status(client, status=False)
    assert (cleared.status, cleared.body["reason"]) == (422, "status-bit-cleared")
    assert client.post("/credentials/verify", asked).status == 400


def test_a_suspension_is_set_and_lifted_and_absent_status_means_set(client: VcClient) -> None:
    signed = issued(client, options={"credentialId": "my-reference"})
    entry = signed["credentialStatus"][1]
    assert set_status(client, "my-reference", credentialStatus=entry).status == 200
    assert bit_of(client, entry) is True
    assert client.post("/credentials/verify", {"verifiableCredential": signed}).status == 400
    assert set_status(client, credentialStatus=entry, status=False).status == 200
    assert client.post("/credentials/verify", {"verifiableCredential": signed}).status == 200
    published = client.post(f"{entry['statusListCredential']}/publish", {})
    assert published.status == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"credentialId": "urn:uuid:nobody"}, 404),
        ({"credentialId": 5}, 400),
        ({"credentialStatus": {"type": "Other", "statusPurpose": "revocation"}}, 400),
        ({"credentialStatus": {"type": "BitstringStatusListEntry"}}, 400),
        ({"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "message"}}, 400),
        ({"credentialStatus": "revocation"}, 400),
        ({"status": "true"}, 400),
    ],
)
def test_a_status_that_nobody_has_is_not_set(client: VcClient, body: dict[str, Any], status: int) -> None:
    signed = issued(client)
    assert set_status(client, **body).status == status
    assert client.post("/credentials/verify", {"verifiableCredential": signed}).status == 200


def test_lists_are_made_on_request(client: VcClient) -> None:
    answer = client.post(f"{BASE}/status-lists", {"statusPurpose": "suspension"})
    assert answer.status == 201
    assert answer.headers["Location"] == answer.body["id"]
    assert client.ask("GET", answer.body["id"]).body == answer.body["verifiableCredential"]
    assert client.post(f"{BASE}/status-lists", {"statusPurpose": "unheard"}).status == 400
    assert client.ask("GET", f"{BASE}/status-lists/revocation-99").status == 404
    assert client.ask("GET", f"{BASE}/status-lists/..%2Fsecret").status == 404


def test_what_was_issued_is_found_and_forgotten(client: VcClient) -> None:
    signed = issued(client)
    path = f"{BASE}/credentials/{ID.replace(':', '%3A')}"
    assert client.ask("GET", path).body == {"verifiableCredential": signed}
    assert client.ask("DELETE", path).status == 202
    assert client.ask("GET", path).status == client.ask("DELETE", path).status == 404


def test_all_of_it_survives_a_restart_but_for_the_port(tmp_path: Path) -> None:
    with vc_server(tmp_path) as client:
        signed = issued(client)
        assert set_status(client, status=True).status == 200
        index = int(signed["credentialStatus"][0]["statusListIndex"])
    with vc_server(tmp_path) as client:
        listed = client.ask("GET", f"{BASE}/status-lists/revocation-1").body
        assert is_set(decode_list(listed["credentialSubject"]["encodedList"]), index)
        path = f"{BASE}/credentials/{ID.replace(':', '%3A')}"
        assert client.ask("GET", path).body == {"verifiableCredential": signed}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/vc", "application/vc"),
        ("*/*", "application/vc"),
        ("text/html", "application/vc"),
        ("application/json, application/vc", "application/vc"),
        ("application/ld+json, application/json", "application/ld+json"),
        ("Application/JSON;q=0.9", "application/json"),
    ],
)
def test_a_client_that_reads_only_json_is_told_that_a_list_is_json(
    client: VcClient, accept: str, media: str
) -> None:
    url = issued(client)["credentialStatus"][0]["statusListCredential"]
    answer = client.ask("GET", url, Accept=accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, media)
    assert "Accept" in answer.headers["Vary"]
    assert answer.body["id"] == url


def test_with_a_token_only_its_holder_writes_and_no_verifier_is_served(tmp_path: Path) -> None:
    with vc_server(tmp_path, token=TOKEN) as owner:
        signed = issued(owner)
        for token in (None, "another-token-entirely", f"{TOKEN}x"):
            other = VcClient(owner.url, token)
            assert other.post(f"{BASE}/credentials/issue", {"credential": signed}).status == 401
            assert set_status(other).status == 401
            assert other.post(f"{BASE}/status-lists", {"statusPurpose": "revocation"}).status == 401
            assert other.ask("GET", f"{BASE}/credentials/{ID}").status == 401
            assert other.ask("DELETE", f"{BASE}/credentials/{ID}").status == 401
            assert other.post("/challenges", {}).status == 401
            listed = signed["credentialStatus"][0]["statusListCredential"]
            assert other.ask("GET", listed).status == 200
        challenges = [owner.post("/challenges", {}).body["challenge"] for _ in range(3)]
        assert len(set(challenges)) == 3
        assert owner.post("/credentials/verify", {"verifiableCredential": signed}).status == 404
