"""Status lists that others host: fetched whole, kept for a while, believed if they are signed."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.strangers_server import StrangersServer, serving
from testamur.node.fetch.guarded import GuardedFetcher
from testamur.node.fetch.kept import FAILED_SECONDS, KEPT_SECONDS
from testamur.node.fetch.lists import StatusListFetcher
from testamur.node.service.vc_parts import node_verifier
from testamur.node.service.workers import Workers
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.documents import Documents
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import sign_document
from testamur.registry.status import StatusBits, encode_list
from testamur.registry.vc_result import Part

KEY = SigningKey.from_seed(Algorithm.ED25519, b"\x05" * 32)
DID = did_key(KEY.public_key)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
INDEX = 94567


def signed(document: dict[str, Any]) -> dict[str, Any]:
    whole = {"@context": ["https://www.w3.org/ns/credentials/v2"], "issuer": DID, **document}
    method = did_key_verification_method(KEY.public_key)
    return sign_document(whole, KEY, verification_method=method, created="2026-01-01T00:00:00Z")


def status_list(url: str, *, revoked: bool, **subject: Any) -> dict[str, Any]:
    bits = StatusBits()
    if revoked:
        bits.set(INDEX)
    return signed(
        {
            "id": url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "credentialSubject": {
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": encode_list(bits),
                **subject,
            },
        }
    )


def credential(url: str) -> dict[str, Any]:
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(INDEX),
        "statusListCredential": url,
    }
    subject = {"id": "did:example:learner"}
    return signed({"type": ["VerifiableCredential"], "credentialSubject": subject, "credentialStatus": entry})


@pytest.fixture
def stranger() -> Iterator[StrangersServer]:
    made = StrangersServer()
    with serving(made):
        yield made


@pytest.fixture
def url(stranger: StrangersServer) -> str:
    return f"http://127.0.0.1:{stranger.port}/lists/7"


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers("test")
    yield made
    made.close()


def judge(workers: Workers, document: Any, *, fetch: bool = True, development: bool = True) -> Any:
    """The verdict of a node's VC API."""
    config = SimpleNamespace(
        fetch_dids=False, fetch_status_lists=fetch, development=development, did_ethr_registry=""
    )
    node: Any = SimpleNamespace(config=config, supplied=Documents({}), hostings={}, clock=lambda: NOW)

    async def ask() -> Any:
        return await node_verifier(node, workers, workers).verify_credential(document, None)

    return asyncio.run(ask())


def reasons(result: Any) -> list[str]:
    return [problem.reason for problem in result.problems if problem.part is Part.STATUS]


@pytest.mark.parametrize(("revoked", "wrong"), [(False, []), (True, ["revoked-by-list"])])
def test_what_a_list_says_that_its_issuer_hosts_counts(
    stranger: StrangersServer, url: str, workers: Workers, revoked: bool, wrong: list[str]
) -> None:
    stranger.serve(json.dumps(status_list(url, revoked=revoked)).encode(), Content_Type="application/vc")
    result = judge(workers, credential(url))
    assert (result.verified, reasons(result)) == (not revoked, wrong)
    assert stranger.asked == ["/lists/7"]


def test_a_node_that_is_told_so_fetches_none(stranger: StrangersServer, url: str, workers: Workers) -> None:
    assert reasons(judge(workers, credential(url), fetch=False)) == ["status-missing"]
    assert stranger.asked == []


def test_a_public_node_asks_no_private_address(stranger: StrangersServer, url: str, workers: Workers) -> None:
    assert reasons(judge(workers, credential(url), development=False)) == ["status-missing"]
    assert stranger.asked == []


def test_a_list_whose_proof_fails_says_nothing(stranger: StrangersServer, url: str, workers: Workers) -> None:
    altered = status_list(url, revoked=True)
    altered["credentialSubject"]["encodedList"] = encode_list(StatusBits())
    stranger.serve(json.dumps(altered).encode())
    result = judge(workers, credential(url))
    assert not result.verified
    assert reasons(result) not in ([], ["revoked-by-list"])


@pytest.mark.parametrize(
    ("body", "headers", "named"),
    [
        (b"not json", {}, "JSON"),
        (b"[]", {}, "object"),
        (b"<html>", {"Content_Type": "text/html"}, "text/html"),
        (b"", {"Content_Length": "50000000"}, "50000000 bytes"),
    ],
)
def test_answers_that_are_no_list_are_refused_by_name(
    stranger: StrangersServer, url: str, body: bytes, headers: dict[str, str], named: str
) -> None:
    stranger.serve(body, **headers)
    found = StatusListFetcher(GuardedFetcher(allow_loopback=True, max_seconds=5)).find(url)
    assert isinstance(found, str)
    assert named in found


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [(60_000, 60.0), (0, FAILED_SECONDS), (10**12, KEPT_SECONDS), ("soon", KEPT_SECONDS), (-1, KEPT_SECONDS)],
)
def test_a_list_is_kept_as_long_as_it_says_within_bounds(
    stranger: StrangersServer, url: str, ttl: Any, seconds: float
) -> None:
    now = [0.0]
    lists = StatusListFetcher(GuardedFetcher(allow_loopback=True, max_seconds=5), clock=lambda: now[0])
    stranger.serve(json.dumps({"credentialSubject": {"ttl": ttl}}).encode())
    for moment in (0.0, seconds - 0.5, seconds):
        now[0] = moment
        assert isinstance(lists.find(url), dict)
        assert len(stranger.asked) == (2 if moment == seconds else 1)


def test_what_is_kept_is_bounded_by_its_size(stranger: StrangersServer, url: str) -> None:
    lists = StatusListFetcher(GuardedFetcher(allow_loopback=True, max_seconds=5))
    stranger.serve(json.dumps({"x": "y" * 1_000_000}).encode())
    for number in range(9):
        lists.find(f"{url}?{number}")
    stranger.serve(b"gone", status=404)
    assert isinstance(lists.find(f"{url}?8"), dict)
    assert isinstance(lists.find(f"{url}?0"), str)
