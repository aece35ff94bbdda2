"""The VC API of a node as its table describes it, with a verifier that says what a test wants."""

import asyncio
import io
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from fakes.api_node import FakeNode
from testamur.node.api.app import create_app
from testamur.node.api.openapi import openapi_document
from testamur.node.api.ports import NotReady
from testamur.node.api.routes import ROUTES
from testamur.node.api.vc.routes import VC_ROUTES
from testamur.registry.did_resolution import Resolution
from testamur.registry.vc_result import VcResult
from testamur.registry.verification.verdict import CredentialStatus


class FakeVerifier:
    """Implements VerifierPort; `asked` is what it was asked."""

    def __init__(self):
        self.asked = []
        self.verified = True
        self.error = None

    async def verify_credential(self, document, checks):
        self.asked.append((document, checks))
        if self.error is not None:
            raise self.error
        return VcResult(
            verified=self.verified,
            credential=None,
            problems=(),
            warnings=(),
            proofs=(),
            signed_by=(),
            status=CredentialStatus.ACTIVE,
        )

    async def verify_presentation(self, document, *, domain, challenge, checks):
        raise AssertionError("not asked")

    async def resolve_did(self, text, options):
        self.asked.append((text, dict(options)))
        return Resolution(document={"id": text}, is_url=False)


def scenario(test, verifier=None):
    async def run():
        app = create_app(
            FakeNode(), registry_name="registry.example", devnet=False, verifier=verifier or FakeVerifier()
        )
        async with TestClient(TestServer(app)) as client:
            await test(client)

    asyncio.run(run())


def test_without_a_verifier_there_is_no_vc_api():
    async def run():
        app = create_app(FakeNode(), registry_name="registry.example", devnet=False)
        async with TestClient(TestServer(app)) as client:
            assert (await client.post("/credentials/verify", json={})).status == 404
            described = await (await client.get("/openapi.json")).json()
            assert "/credentials/verify" not in described["paths"]
            assert "VerificationResult" not in described["components"]["schemas"]

    asyncio.run(run())


def test_what_is_described_is_what_is_served():
    described = openapi_document(
        registry_name="r.example", version="1", is_devnet=False, routes=(*ROUTES, *VC_ROUTES)
    )
    assert "VerificationProblem" in described["components"]["schemas"]
    answers = described["paths"]["/credentials/verify"]["post"]["responses"]
    assert set(answers["400"]["content"]) == {"application/json", "application/problem+json"}
    resolved = described["paths"]["/1.0/identifiers/{identifier}"]["get"]["responses"]
    assert {"200", "400", "404", "406", "410", "501"} <= set(resolved)


@pytest.mark.parametrize(
    ("body", "checks"),
    [
        ({"verifiableCredential": {}}, None),
        ({"verifiableCredential": {}, "options": None}, None),
        ({"verifiableCredential": {}, "options": {}, "other": 1}, None),
        ({"verifiableCredential": {}, "options": {"checks": ["proof"], "x": [1]}}, ["proof"]),
    ],
)
def test_checks_are_handed_on_and_options_that_are_not_known_left_alone(body, checks):
    verifier = FakeVerifier()

    async def test(client):
        answer = await client.post("/credentials/verify", json=body)
        assert answer.status == 200
        assert (await answer.json())["verified"] is True
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert verifier.asked == [({}, checks)]
        verifier.verified = False
        refused = await client.post("/credentials/verify", json=body)
        assert refused.status == 400
        assert (await refused.json())["verified"] is False

    scenario(test, verifier)


def test_when_too_much_waits_the_client_is_told_when_to_ask_again():
    verifier = FakeVerifier()
    verifier.error = NotReady("too many", retry_after_seconds=2)

    async def test(client):
        answer = await client.post("/credentials/verify", json={"verifiableCredential": {}})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")

    scenario(test, verifier)


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json"}, 400),
        (
            b'{"verifiableCredential": 1, "verifiableCredential": 2}',
            {"Content-Type": "application/json"},
            400,
        ),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{" + b" " * 2_000_000 + b"}", {"Content-Type": "application/json"}, 413),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400),
    ],
)
def test_bodies_that_are_no_requests_are_refused(data, headers, status):
    verifier = FakeVerifier()

    async def test(client):
        for path in ("/credentials/verify", "/presentations/verify"):
            answer = await client.post(path, data=io.BytesIO(data), headers=headers)
            assert answer.status == status
            assert json.loads(await answer.text())["status"] == status
        assert verifier.asked == []

    scenario(test, verifier)


def test_a_did_url_is_decoded_once_and_the_query_is_handed_on():
    verifier = FakeVerifier()

    async def test(client):
        url = f"{client.make_url('/')}1.0/identifiers/did%3Aweb%3Aa.example%253A8443%23key%3F1?versionTime=x&y=1"
        await client.session.get(URL(url, encoded=True))
        assert verifier.asked == [("did:web:a.example%3A8443#key?1", {"versionTime": "x", "y": "1"})]

    scenario(test, verifier)
