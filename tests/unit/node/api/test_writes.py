"""The issuer's side: whose token, which body, how much of it, and what the node's refusals become."""

import asyncio
import gzip
import io
import json

import pytest

from fakes.api_node import CHECKPOINT, ORIGIN, OTHER_TOKEN, TOKEN
from fakes.json_schema import violations
from testamur.node.api import requests
from testamur.node.api.ports import NotFound, Stale
from testamur.node.api.schemas import SCHEMAS
from testamur.registry.errors import VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.multiformats import encode_digest
from testamur.registry.proofs import sign_document
from testamur.registry.publications import parse_bundle
from testamur.registry.statements import build_statement

ENTRIES, STATEMENTS, STATUS, SEAL = (
    f"/v1/logs/ada/{name}" for name in ("entries", "statements", "status", "seal")
)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {**BEARER, "Content-Type": "application/json"}


def digests(count):
    return [encode_digest(sha256(str(number).encode())) for number in range(count)]


DID = "did:web:ada.example"
STATEMENT = sign_document(
    build_statement(issuer=DID, time="2026-11-21T10:00:00Z", key_events=[sha256(b"key event")], status=[]),
    SigningKey.from_seed(Algorithm.ED25519, bytes(32)),
    verification_method=f"{DID}#key-1",
)


def bundle(**changes):
    document = {"id": "https://ada.example/did.json", "document": {"id": "did:web:ada.example"}}
    return {
        "statement": STATEMENT,
        "keyEvents": [{"type": "KeyEvent"}],
        "statusLists": [{"type": ["VerifiableCredential"]}],
        "documents": [document],
        **changes,
    }


async def submit(api, body, **options):
    return await api.json("POST", ENTRIES, schema="Submitted", json=body, headers=BEARER, **options)


# -- entries


async def test_submitted_digests_get_leaf_indexes_in_the_order_of_the_request(api):
    wanted = digests(3)
    answer = await submit(api, {"digests": wanted})
    assert answer == {
        "origin": ORIGIN,
        "new": 3,
        "entries": [{"digest": digest, "leafIndex": index} for index, digest in enumerate(wanted)],
    }


async def test_submitting_again_gives_the_same_leaf_indexes(api):
    first = await submit(api, {"digests": digests(3)})
    again = await submit(api, {"digests": digests(3)})
    assert (again["entries"], again["new"]) == (first["entries"], 0)


async def test_4096_digests_fit_and_4097_are_too_large_naming_the_bound(api):
    assert (await submit(api, {"digests": digests(4096)}))["new"] == 4096
    _, members = await api.post("too-large", ENTRIES, {"digests": digests(4097)})
    assert members["limit"] == 4096
    assert "4097" in members["detail"]
    assert "4096" in members["detail"]


@pytest.mark.parametrize(
    "body",
    [
        *({}, [], "text", None, {"digests": None}, {"digests": []}, {"digests": "u"}, {"digests": [1]}),
        *({"digests": [None]}, {"digests": [digests(1)[0][:-1]]}, {"digests": ["z" + digests(1)[0][1:]]}),
        *({"digests": [digests(1)]}, {"digests": digests(1), "kind": 3}, {"digest": digests(1)}),
    ],
)
async def test_a_malformed_submission_is_refused_as_a_whole_and_by_the_schema_as_well(api, body):
    await api.post("malformed", ENTRIES, body)
    assert not api.node.calls
    assert violations(body, SCHEMAS["Submission"], SCHEMAS)


async def test_the_malformed_digest_is_named(api):
    _, members = await api.post("malformed", ENTRIES, {"digests": [digests(1)[0], "u123"]})
    assert members["subject"] == "submission /digests/1"


# -- statements


async def test_a_statement_is_accepted_with_what_it_names(api):
    answer = await api.json("POST", STATEMENTS, schema="AcceptedStatement", json=bundle(), headers=BEARER)
    assert answer["sequence"] == 2
    assert api.node.calls["publish_statement"] == [("ada", parse_bundle(bundle()))]
    assert violations(bundle(), SCHEMAS["StatementBundle"], SCHEMAS) == []


async def test_a_statement_alone_is_a_bundle(api):
    body = {"statement": STATEMENT}
    await api.json("POST", STATEMENTS, schema="AcceptedStatement", json=body, headers=BEARER)
    (accepted,) = api.node.calls["publish_statement"]
    assert accepted == ("ada", parse_bundle(body))


@pytest.mark.parametrize(
    "body",
    [
        *({}, [], {"statement": []}, {"statement": None}, bundle(keyEvents={}), bundle(statusLists="text")),
        *(bundle(documents=[{"document": {}}]), bundle(more=1)),
        *(bundle(documents=[{"id": "", "document": {}}]), bundle(keyEvents=[{}] * 257)),
        bundle(documents=[{"id": "x", "document": {}, "path": "/etc/passwd"}]),
    ],
)
async def test_a_malformed_bundle_is_refused_and_by_the_schema_as_well(api, body):
    await api.post("malformed", STATEMENTS, body)
    assert not api.node.calls
    assert violations(body, SCHEMAS["StatementBundle"], SCHEMAS)


async def test_a_malformed_statement_is_named(api):
    _, members = await api.post("malformed", STATEMENTS, {"statement": {**STATEMENT, "sequence": 0}})
    assert members["subject"] == "statement bundle /statement/sequence"


async def test_a_statement_that_does_not_follow_the_newest_is_stale_and_told_the_current_one(api):
    api.node.fail("publish_statement", Stale("statement 2 is not the next after 7", sequence=7))
    _, members = await api.post("stale", STATEMENTS, bundle())
    assert members["current"] == {"sequence": 7}


async def test_a_statement_that_cannot_be_proven_names_the_check(api):
    api.node.fail("publish_statement", VerificationError("signature-invalid", key="k1"))
    _, members = await api.post("not-proven", STATEMENTS, bundle())
    assert (members["reason"], members["parameters"]) == ("signature-invalid", {"key": "k1"})


# -- seals


@pytest.mark.parametrize("body", [{}, {"json": {}}])
async def test_sealing_answers_with_the_published_head(api, body):
    answer = await api.json("POST", SEAL, schema="SealedHead", headers=BEARER, **body)
    assert (answer["size"], answer["checkpoint"]) == (1, CHECKPOINT.decode())


@pytest.mark.parametrize("body", [{"size": 3}, [], 1])
async def test_sealing_takes_no_arguments(api, body):
    await api.post("malformed", SEAL, body)
    assert not api.node.calls


# -- whose token


@pytest.mark.parametrize("path", [ENTRIES, STATEMENTS, SEAL])
@pytest.mark.parametrize(
    "value",
    [
        None,
        "Bearer wrong-token-0123456789",
        f"Basic {TOKEN}",
        "Bearer",
        f"Bearer {TOKEN}x",
        TOKEN,
        "Bearer ä" * 9,
    ],
)
async def test_without_a_known_token_nothing_is_written(api, path, value):
    headers = {} if value is None else {"Authorization": value.encode("latin-1").decode("latin-1")}
    response, _ = await api.problem(
        "unauthenticated", "POST", path, headers=headers, json={"digests": digests(1)}
    )
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert not api.node.calls


@pytest.mark.parametrize("path", [ENTRIES, STATEMENTS, SEAL])
async def test_another_issuers_token_is_forbidden(api, path):
    await api.post("forbidden", path, {"digests": digests(1)}, token=OTHER_TOKEN)
    assert not api.node.calls


async def test_the_token_is_judged_before_the_body(api):
    await api.post("forbidden", ENTRIES, {"digests": "nonsense"}, token=OTHER_TOKEN)


async def test_a_foreign_slug_is_forbidden_whether_it_exists_or_not(api):
    await api.post("forbidden", "/v1/logs/nobody/entries", {"digests": digests(1)})
    await api.post("forbidden", "/v1/logs/bob/entries", {"digests": digests(1)})


async def test_an_issuer_that_is_not_hosted_here_is_not_found(api):
    api.node.fail("submit", NotFound("ada is not hosted here"))
    await api.post("not-found", ENTRIES, {"digests": digests(1)})


# -- bodies

HTML = b"<!doctype html><title>Sign in</title>"
BODIES = [(path, headers) for path, headers in ((ENTRIES, JSON), (STATEMENTS, JSON), ("/v1/verify", JSON))]


@pytest.mark.parametrize(("path", "headers"), BODIES)
@pytest.mark.parametrize(
    "data",
    [
        *(
            HTML,
            b"",
            b"{",
            b'{"digests":[]} x',
            b'{"a":1,"a":2}',
            b'"\\ud800"',
            b"NaN",
            b"\xff\xfe{}",
            b"\x00",
        ),
        *(b"[" * 100 + b"]" * 100, b'{"n":1e400}'),
    ],
)
async def test_what_is_not_strict_json_is_malformed(api, path, headers, data):
    await api.problem("malformed", "POST", path, data=data, headers=headers)
    assert not api.node.calls


@pytest.mark.parametrize(("path", "headers"), BODIES)
@pytest.mark.parametrize(
    "media",
    [
        "text/html",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/octet-stream",
    ],
)
async def test_a_body_that_is_not_announced_as_json_is_unsupported(api, path, headers, media):
    await api.problem(
        "unsupported-media-type", "POST", path, data=HTML, headers={**headers, "Content-Type": media}
    )


async def test_a_body_without_a_content_type_is_unsupported(api):
    await api.problem(
        "unsupported-media-type", "POST", "/v1/verify", data=b"{}", skip_auto_headers=["Content-Type"]
    )


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "application/vc+json", "application/vc"]
)
async def test_every_way_to_announce_json_is_taken(api, media):
    await api.json("POST", "/v1/verify", data=b"{}", headers={"Content-Type": media})


async def test_a_compressed_body_is_unsupported(api):
    headers = {**JSON, "Content-Encoding": "gzip"}
    await api.problem(
        "unsupported-media-type", "POST", "/v1/verify", data=gzip.compress(b"{}"), headers=headers
    )


LIMITS = [
    (ENTRIES, requests.MAX_SUBMISSION_BYTES),
    (STATEMENTS, requests.MAX_BUNDLE_BYTES),
    ("/v1/verify", requests.MAX_DOSSIER_BYTES),
]


@pytest.mark.parametrize(("path", "limit"), LIMITS)
async def test_a_body_beyond_the_bound_is_too_large_naming_the_bound(api, path, limit):
    _, members = await api.problem(
        "too-large", "POST", path, data=io.BytesIO(b" " * (limit + 1)), headers=JSON
    )
    assert members["limit"] == limit
    assert not api.node.calls


@pytest.mark.parametrize(("path", "limit"), LIMITS)
async def test_a_body_of_unknown_length_is_cut_off_at_the_bound(api, path, limit):
    async def endless():
        while True:
            yield b" " * 65_536

    _, members = await api.problem("too-large", "POST", path, data=endless(), headers=JSON)
    assert members["limit"] == limit
    assert not api.node.calls


@pytest.mark.parametrize(("path", "limit"), LIMITS)
async def test_a_body_of_exactly_the_bound_is_read(api, path, limit):
    response, body = await api.ask("POST", path, data=io.BytesIO(b"{}".ljust(limit)), headers=JSON)
    assert response.status in (200, 400), body
    assert json.loads(body).get("type") != "https://w3id.org/testamur/problems/too-large"


async def test_a_body_that_does_not_arrive_in_time_is_too_slow(api, monkeypatch):
    monkeypatch.setattr(requests, "MAX_BODY_SECONDS", 0.05)
    never = asyncio.Event()

    async def stalled():
        yield b"{"
        await never.wait()

    await api.problem("too-slow", "POST", "/v1/verify", data=stalled(), headers=JSON)


# -- status


async def test_a_status_bundle_is_a_statement_with_lists_and_their_records_alone(api):
    records = {"id": "https://ada.example/1#records", "document": {"type": "StatusRecords"}}
    sent = bundle(keyEvents=[], documents=[records])
    await api.json("POST", STATUS, schema="AcceptedStatement", json=sent, headers=BEARER)


@pytest.mark.parametrize(
    "changes",
    [
        {"documents": []},
        {"keyEvents": [], "documents": [], "statusLists": []},
        {"keyEvents": []},
    ],
)
async def test_what_is_more_than_a_change_of_status_is_sent_to_the_statements(api, changes):
    await api.post("malformed", STATUS, bundle(**changes))
    assert not api.node.calls
