"""did:web as strangers name it: where it leads, what it may answer, and what a verifier makes of it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from fakes.strangers_server import StrangersServer, serving
from testamur.node.fetch.dids import DidWebFetcher
from testamur.node.fetch.guarded import GuardedFetcher
from testamur.node.fetch.kept import FAILED_SECONDS, KEPT_SECONDS
from testamur.node.service.did_finding import DidFinder
from testamur.node.service.vc_documents import looked_up, names_in
from testamur.registry.did_resolution import Wanted, read_request
from testamur.registry.documents import Documents
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import sign_document
from testamur.registry.vc_verification import verify_credential

KEY = SigningKey.from_seed(Algorithm.ED25519, b"\x05" * 32)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class University(StrangersServer):
    """A web server on this machine that answers every path with what a test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.did = f"did:web:localhost%3A{self.port}:schools:ada"

    def document(self, **changes: Any) -> dict[str, Any]:
        method = f"{self.did}#key-1"
        key = {
            "id": method,
            "type": "Multikey",
            "controller": self.did,
            "publicKeyMultibase": KEY.public_key.to_multikey(),
        }
        return {"id": self.did, "verificationMethod": [key], "assertionMethod": [method], **changes}


@pytest.fixture
def university() -> Iterator[University]:
    made = University()
    with serving(made):
        yield made


def fetcher(**options: Any) -> DidWebFetcher:
    return DidWebFetcher(GuardedFetcher(allow_loopback=True, max_seconds=5), plain_loopback=True, **options)


def why(found: Any) -> str:
    assert isinstance(found, str)
    return found


def test_a_credential_of_a_did_web_issuer_verifies_with_the_fetched_document(university: University) -> None:
    university.serve(json.dumps(university.document()).encode())
    credential = sign_document(
        {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": university.did,
            "credentialSubject": {"id": "did:example:learner"},
        },
        KEY,
        verification_method=f"{university.did}#key-1",
        created="2026-01-01T00:00:00Z",
    )
    supplied = Documents({})

    class Lookups:
        def __init__(self, web: DidWebFetcher | None) -> None:
            self.finder = DidFinder(supplied, web=web)

        def did_document(self, did: str) -> Any:
            found = self.finder.find(did)
            return found.document if found else None

        def status_list(self, url: str, issuer: str) -> Any:
            raise AssertionError(url)

    names = names_in(credential, supplied)
    assert names == (("did", university.did, ""),)
    documents = looked_up(names, supplied, Lookups(fetcher()))
    assert verify_credential(credential, documents=documents, now=NOW).verified
    assert university.asked == ["/schools/ada/did.json"]
    offline = looked_up(names, supplied, Lookups(None))
    assert not verify_credential(credential, documents=offline, now=NOW).verified


def test_an_answer_is_kept_for_a_while_and_a_failure_for_a_shorter_one(university: University) -> None:
    now = [0.0]
    web = fetcher(clock=lambda: now[0])
    university.serve(b"{}", status=500)
    assert "500" in why(web.find(university.did))
    university.serve(json.dumps(university.document()).encode())
    assert "500" in why(web.find(university.did))
    now[0] += FAILED_SECONDS
    assert web.find(university.did) == university.document()
    university.serve(b"gone", status=404)
    now[0] += KEPT_SECONDS - 1
    assert web.find(university.did) == university.document()
    now[0] += 1
    assert "404" in why(web.find(university.did))
    assert len(university.asked) == 3


@pytest.mark.parametrize(
    ("body", "headers", "named"),
    [
        (b"not json", {}, "JSON"),
        (b"[]", {}, "must be an object"),
        (b'{"id": "did:web:somebody.example"}', {}, "not did:web:localhost"),
        (b"<html>", {"Content_Type": "text/html"}, "text/html"),
        (b"", {"Content_Length": "50000000"}, "50000000 bytes"),
        (b"[" * 3_000_000, {}, "more than"),
        (b"{}", {"Content_Encoding": "gzip"}, "compressed"),
    ],
)
def test_answers_that_no_university_gives_are_refused_by_name(
    university: University, body: bytes, headers: dict[str, str], named: str
) -> None:
    university.serve(body, **headers)
    assert named in why(fetcher().find(university.did))


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/did.json",
        "file:///etc/passwd",
        "//[::ffff:10.0.0.1]/x",
    ],
)
def test_a_redirect_leads_to_no_private_address(university: University, target: str) -> None:
    university.serve(b"", status=302, Location=target)
    assert why(fetcher().find(university.did))
    assert len(university.asked) == 1


@pytest.mark.parametrize(
    "did",
    [
        "did:web:localhost",
        "did:web:127.0.0.1",
        "did:web:10.0.0.1",
        "did:web:169.254.169.254:latest",
        "did:web:192.168.1.1%3A8443",
        "did:web:0.0.0.0",
        "did:web:2130706433",
    ],
)
def test_a_public_node_asks_no_private_address(did: str) -> None:
    web = DidWebFetcher(GuardedFetcher(max_seconds=5))
    assert why(web.find(did))
    finder = DidFinder({}, web=web)
    wanted = read_request(did, {})
    assert isinstance(wanted, Wanted)
    answer = finder.resolve(wanted)
    assert (answer.error, answer.status) == ("notFound", 404)
