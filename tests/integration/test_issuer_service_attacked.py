"""The issuer service under attack: what was issued can be revoked, and nobody touches what is another's."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.vc_server import VcClient, key_of, vc_server
from testamur.node.errors import ConfigError, StoreLocked
from testamur.node.service import vc_credentials
from testamur.node.service.vc_issuers import VcIssuer, make_issuer
from testamur.node.service.vc_service import IssuerServiceOptions, issuer_service
from testamur.registry.dids import did_key
from testamur.registry.documents import Documents
from testamur.registry.keys import Algorithm
from testamur.registry.status import decode_list, is_set

V2 = "https://www.w3.org/ns/credentials/v2"
ID = "https://ada.example/credentials/5"
ADA, BOB = "/issuers/ada", "/issuers/bob"
KEY = key_of(Algorithm.ED25519, 3)
DID = did_key(KEY.public_key)
TOKENS = {ADA: "the-token-of-ada-only", BOB: "the-token-of-bob-only"}
FOREIGN = {
    "id": "https://elsewhere.example/status/3#94567",
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "94567",
    "statusListCredential": "https://elsewhere.example/status/3",
}


def issuers(*, has_tokens: bool = False) -> tuple[VcIssuer, ...]:
    """Two, with the same key: only their paths and tokens tell them apart."""
    return tuple(
        make_issuer(
            base.rpartition("/")[2],
            suite="eddsa-jcs-2022",
            key=KEY,
            status=("revocation", "suspension"),
            token=TOKENS[base] if has_tokens else None,
        )
        for base in (ADA, BOB)
    )


@pytest.fixture
def client(tmp_path: Path) -> Iterator[VcClient]:
    with vc_server(tmp_path, issuers=issuers()) as running:
        yield running


def credential(learner: str = "did:example:learner", **changes: Any) -> dict[str, Any]:
    document = {
        "@context": [V2],
        "id": ID,
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"id": learner},
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def issue(client: VcClient, document: dict[str, Any], base: str = ADA, **options: Any) -> dict[str, Any]:
    answer = client.post(f"{base}/credentials/issue", {"credential": document, "options": options})
    assert answer.status == 201, answer.body
    signed: dict[str, Any] = answer.body["verifiableCredential"]
    return signed


def revoke(client: VcClient, name: str = ID, base: str = ADA, value: bool = True, **entry: Any) -> Any:
    wanted = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", **entry}
    body = {"credentialId": name, "credentialStatus": wanted, "status": value}
    return client.post(f"{base}/credentials/status", body)


def is_revoked(client: VcClient, signed: dict[str, Any]) -> bool:
    entry = signed["credentialStatus"][0]
    place = urllib.parse.urlsplit(entry["statusListCredential"]).path
    listed = client.ask("GET", place).body
    assert listed["id"] == entry["statusListCredential"]
    return is_set(decode_list(listed["credentialSubject"]["encodedList"]), int(entry["statusListIndex"]))


def stored(client: VcClient, name: str = ID, base: str = ADA) -> Any:
    return client.ask("GET", f"{base}/credentials/{urllib.parse.quote(name, safe='')}")


def forget(client: VcClient, name: str = ID, base: str = ADA) -> int:
    return client.ask("DELETE", f"{base}/credentials/{urllib.parse.quote(name, safe='')}").status


def test_a_revocation_by_id_reaches_everything_that_was_issued_under_it(client: VcClient) -> None:
    issued = [issue(client, credential(f"did:example:{name}")) for name in ("one", "two", "two")]
    other = issue(client, credential(id="https://ada.example/credentials/6"))
    entries = [item["credentialStatus"][0] for item in issued]
    assert len({entry["id"] for entry in entries}) == 3
    assert stored(client).body["verifiableCredential"] == issued[-1]
    answer = revoke(client)
    assert (answer.status, answer.body) == (200, {"credentialStatus": entries})
    assert [is_revoked(client, item) for item in (*issued, other)] == [True, True, True, False]
    assert [item for item in issued if verified(client, item)] == []
    again = issue(client, credential())
    assert verified(client, again)
    assert revoke(client).body["credentialStatus"][-1] == again["credentialStatus"][0]
    assert not verified(client, again)


def verified(client: VcClient, signed: dict[str, Any]) -> bool:
    return client.post("/credentials/verify", {"verifiableCredential": signed}).status == 200


def test_a_request_that_names_the_entry_means_that_one_alone(client: VcClient) -> None:
    first, second, third = (issue(client, credential()) for _ in range(3))
    assert revoke(client, **first["credentialStatus"][0]).status == 200
    assert [is_revoked(client, item) for item in (first, second, third)] == [True, False, False]
    index = second["credentialStatus"][0]["statusListIndex"]
    assert revoke(client, statusListIndex=index).status == 200
    assert [is_revoked(client, item) for item in (first, second, third)] == [True, True, False]
    for entry in (
        {"statusListIndex": "131071000"},
        {"statusListIndex": int(third["credentialStatus"][0]["statusListIndex"])},
        {"id": "https://ada.example/other#1"},
        {"statusListCredential": "https://ada.example/other"},
    ):
        assert revoke(client, **entry).status == 400
    assert not is_revoked(client, third)


def test_a_change_that_is_refused_for_one_changes_none(client: VcClient) -> None:
    first, second = issue(client, credential()), issue(client, credential())
    assert revoke(client, **second["credentialStatus"][0]).status == 200
    assert revoke(client, value=False).status == 422
    assert [is_revoked(client, item) for item in (first, second)] == [False, True]


def test_what_is_forgotten_is_gone_from_the_disk_and_can_still_be_revoked(
    client: VcClient, tmp_path: Path
) -> None:
    issued = [issue(client, credential("did:example:to-forget"), credentialId="matter-7") for _ in range(2)]
    assert any(b"to-forget" in path.read_bytes() for path in tmp_path.rglob("*.json"))
    assert stored(client, "matter-7").body["verifiableCredential"] == issued[-1]
    assert forget(client, "matter-7") == 202
    assert [path for path in tmp_path.rglob("*.json") if b"to-forget" in path.read_bytes()] == []
    for name in (ID, "matter-7"):
        assert (stored(client, name).status, forget(client, name)) == (404, 404)
    assert revoke(client).status == 200
    assert [is_revoked(client, item) for item in issued] == [True, True]
    again = issue(client, credential())
    assert stored(client).body["verifiableCredential"] == again


def test_without_an_id_a_credential_is_known_by_its_entry(client: VcClient) -> None:
    signed, other = issue(client, credential(id=None)), issue(client, credential(id=None))
    entry = signed["credentialStatus"][0]
    assert stored(client, entry["id"]).body["verifiableCredential"] == signed
    assert revoke(client, entry["id"]).status == 200
    assert [is_revoked(client, item) for item in (signed, other)] == [True, False]


def spelled(url: str) -> Iterator[str]:
    """The same address as others may write it."""
    yield url
    host = urllib.parse.urlsplit(url).netloc
    yield url.replace("http://", "HTTP://")
    yield url.replace("/status-lists/", "/status%2Dlists/")
    yield url.replace("/status-lists/", "/./x/../status-lists//")
    yield url.replace("/status-lists/", "\\status-lists\\")
    yield url.replace(host, f"somebody@{host}")
    yield f"{url}?a=b"
    yield f"{url}#5"
    yield f" {url}"


def test_nobody_brings_an_entry_of_a_list_of_the_service(client: VcClient) -> None:
    victim = issue(client, credential())
    taken = victim["credentialStatus"][0]
    mine = credential(id="https://ada.example/credentials/mine")
    free = str((int(taken["statusListIndex"]) + 1) % 131072)
    listed = taken["statusListCredential"]
    nameless = {name: value for name, value in taken.items() if name != "id"}
    brought = [{**nameless, "statusListCredential": url} for url in spelled(listed)]
    brought += [taken, {**taken, "statusListIndex": free}]
    brought += [{**taken, "statusListCredential": listed.replace("revocation-1", "revocation-2")}]
    brought += [{**FOREIGN, "id": taken["id"]}]
    brought += [{"type": "OtherEntry", "id": "urn:uuid:1", "where": [{"list": listed}]}]
    for base in (ADA, BOB):
        for entry in brought:
            for status in (entry, [FOREIGN, entry]):
                answer = client.post(
                    f"{base}/credentials/issue", {"credential": {**mine, "credentialStatus": status}}
                )
                assert answer.status == 400, status
    assert stored(client, mine["id"]).status == 404
    assert not is_revoked(client, victim)


def test_entries_of_foreign_lists_are_left_alone_and_never_set(client: VcClient) -> None:
    signed = issue(client, credential(credentialStatus=FOREIGN))
    assert signed["credentialStatus"] == FOREIGN
    assert revoke(client).status == 404
    own = issue(client, credential())
    assert revoke(client).body == {"credentialStatus": [own["credentialStatus"][0]]}


def test_the_entry_that_the_service_drew_for_an_id_may_come_back_with_it(client: VcClient) -> None:
    signed = issue(client, credential())
    again = {name: value for name, value in signed.items() if name != "proof"}
    corrected = issue(client, {**again, "name": "corrected"})
    assert corrected["credentialStatus"] == signed["credentialStatus"]
    moved = {**again, "id": "https://ada.example/credentials/6"}
    assert client.post(f"{ADA}/credentials/issue", {"credential": moved}).status == 400
    assert revoke(client).body == {"credentialStatus": [signed["credentialStatus"][0]]}
    assert is_revoked(client, corrected)


def test_a_token_opens_its_own_issuer_and_no_other(tmp_path: Path) -> None:
    with vc_server(tmp_path, issuers=issuers(has_tokens=True)) as nobody:
        clients = {base: VcClient(nobody.url, token) for base, token in TOKENS.items()}
        signed = issue(clients[ADA], credential())
        for other in (clients[BOB], nobody):
            assert other.post(f"{ADA}/credentials/issue", {"credential": credential()}).status == 401
            assert revoke(other).status == 401
            assert stored(other).status == 401
            assert forget(other) == 401
            assert other.post(f"{ADA}/status-lists", {"statusPurpose": "revocation"}).status == 401
            listed = urllib.parse.urlsplit(signed["credentialStatus"][0]["statusListCredential"]).path
            assert other.ask("GET", listed).status == 200
            assert other.post(f"{listed}/publish", {}).status == 401
        assert not is_revoked(nobody, signed)
        assert revoke(clients[BOB], base=BOB).status == 404
        assert revoke(clients[ADA]).status == 200
        assert nobody.post("/challenges", {}).status == 401
        assert nobody.post("/credentials/verify", {"verifiableCredential": signed}).status == 404
        for base in TOKENS:
            assert clients[base].post("/challenges", {}).status == 200


def test_a_service_of_which_only_some_issuers_ask_for_a_token_does_not_start(tmp_path: Path) -> None:
    mixed = (issuers(has_tokens=True)[0], issuers()[1])
    with pytest.raises(ConfigError, match="token_file"), started_alone(tmp_path, mixed):
        pass


def test_no_two_processes_share_a_folder(tmp_path: Path, client: VcClient) -> None:
    assert stored(client).status == 404
    with pytest.raises(StoreLocked), started_alone(tmp_path, issuers()):
        pass


@contextlib.contextmanager
def started_alone(folder: Path, those: tuple[VcIssuer, ...]) -> Iterator[None]:
    """The service in this thread, so that what keeps it from starting is raised here."""

    async def run() -> None:
        options = IssuerServiceOptions(folder=folder, issuers=those, documents=Documents({}))
        async with issuer_service(options, clock=lambda: datetime.now(UTC)):
            raise AssertionError("it started")

    asyncio.run(run())
    yield


def test_after_a_restart_at_another_address_all_of_it_can_be_revoked(tmp_path: Path) -> None:
    with vc_server(tmp_path, issuers=issuers()) as client:
        first = issue(client, credential())
        assert revoke(client).status == 200
        second = issue(client, credential())
    with vc_server(tmp_path, issuers=issuers()) as client:
        third = issue(client, credential())
        assert [is_revoked(client, item) for item in (first, second, third)] == [True, False, False]
        here = third["credentialStatus"][0]["statusListCredential"]
        assert here.startswith(client.url)
        assert here != second["credentialStatus"][0]["statusListCredential"]
        brought = credential(id="urn:uuid:2", credentialStatus=second["credentialStatus"][0])
        assert client.post(f"{ADA}/credentials/issue", {"credential": brought}).status == 400
        assert len(revoke(client).body["credentialStatus"]) == 3
        assert [is_revoked(client, item) for item in (first, second, third)] == [True, True, True]
        assert not verified(client, second)


def test_many_at_once_under_one_id_are_all_kept(client: VcClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(lambda number: issue(client, credential(f"did:example:{number}")), range(24)))
    indexes = {item["credentialStatus"][0]["id"] for item in issued}
    assert len(indexes) == 24
    assert {entry["id"] for entry in revoke(client).body["credentialStatus"]} == indexes
    assert all(is_revoked(client, item) for item in issued)


def test_an_id_that_was_issued_too_often_is_refused_before_an_index_is_used(
    client: VcClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vc_credentials, "MAX_ISSUES", 2)
    issue(client, credential())
    issue(client, credential(id="urn:uuid:1"), credentialId=ID)
    before = (tmp_path / "ada" / "lists" / "revocation-1.json").read_bytes()
    for document, options in ((credential(), {}), (credential(id="urn:uuid:2"), {"credentialId": ID})):
        body = {"credential": document, "options": options}
        answer = client.post(f"{ADA}/credentials/issue", body)
        assert answer.status == 400
        assert "2 times" in answer.body["detail"]
    assert (tmp_path / "ada" / "lists" / "revocation-1.json").read_bytes() == before
    assert len(revoke(client).body["credentialStatus"]) == 2


def test_an_id_with_slashes_is_that_id_and_not_its_end(client: VcClient) -> None:
    long, short = credential(id="https://x.example/credentials/7"), credential(id="urn:7")
    issue(client, long)
    issue(client, short, credentialId="7")
    raw = client.ask("GET", f"{ADA}/credentials/https://x.example/credentials/7")
    assert raw.body["verifiableCredential"]["id"] == long["id"]
    assert client.ask("DELETE", f"{ADA}/credentials/https://x.example/credentials/7").status == 202
    assert stored(client, "7").status == 200


@pytest.mark.parametrize("name", ["", 7, None, [], "x" * 2049, "\ud800"])
def test_a_name_that_is_none_is_refused_or_left_and_never_an_error_of_ours(
    client: VcClient, name: Any
) -> None:
    body = {"credential": credential(), "options": {"credentialId": name}}
    assert client.post(f"{ADA}/credentials/issue", body).status == (201 if name is None else 400)
    status = {"credentialId": name, "credentialStatus": {"type": "BitstringStatusListEntry"}}
    assert client.post(f"{ADA}/credentials/status", status).status == 400


class Process:
    """The service as a process of its own, to be killed."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "scripts/vc_api_server.py", "--seed", "kill", "--folder", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        chosen = said["issuers"]["BitstringStatusList"]
        self.client, self.did = VcClient(said["url"]), chosen["id"]
        self.base = chosen["path"].removesuffix("/credentials/issue")

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_killed_at_any_moment_it_keeps_whatever_it_answered(tmp_path: Path) -> None:
    answered: list[dict[str, Any]] = []
    for enough in (5, 11):
        running, ready = Process(tmp_path), threading.Event()

        def send(running: Process = running, ready: threading.Event = ready, enough: int = enough) -> None:
            document = credential(issuer=running.did)
            while True:
                try:
                    answered.append(issue(running.client, document, running.base))
                except (OSError, urllib.error.URLError, ValueError):
                    return
                if len(answered) >= enough:
                    ready.set()

        threads = [threading.Thread(target=send) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert ready.wait(60)
        running.kill()
        for thread in threads:
            thread.join(60)
    running = Process(tmp_path)
    try:
        changed = {item["id"] for item in revoke(running.client, base=running.base).body["credentialStatus"]}
    finally:
        running.kill()
    given = [item["credentialStatus"]["id"] for item in answered]
    assert len(set(given)) == len(given)
    assert set(given) <= changed
