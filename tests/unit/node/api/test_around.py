"""What holds for every request: problem documents, request ids, CORS, caching, the log, the rate limit."""

import asyncio
import json
import socket

import pytest
import structlog

from fakes.api_node import EVIDENCE, LOG_ID, TOKEN
from testamur.node.api.app import create_app, serve
from testamur.node.api.limits import RateLimit
from testamur.node.api.ports import NotReady
from testamur.node.errors import (
    ChainUnavailable,
    ConfigError,
    NodeError,
    PeerMisbehaved,
    PeerUnreachable,
    ReorgBeyondFinality,
    SchemaMismatch,
    StoreCorrupt,
    StoreLocked,
    StoreUnavailable,
    WrongChain,
)
from testamur.registry.hashing import sha256

DIGEST = sha256(b"a credential")
PATH = f"/v1/credentials/{DIGEST.hex()}"
SECRET = "/var/lib/testamur/ada: the secret is hunter2"


# -- problems


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1", "/v1/", "/v1/credentials/", "/v2/issuers", "//", "/%00", "/v1/issuers/", "/log/"],
)
async def test_a_path_without_a_route_is_a_problem_document(api, path):
    _, members = await api.problem("not-found", "GET", path)
    assert path not in members["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/v1/issuers"), ("PUT", "/v1/verify"), ("GET", "/v1/verify"), ("PUT", "/")],
)
async def test_a_method_that_a_path_does_not_take_is_a_problem_document_that_names_those_it_does(
    api, method, path
):
    response, _ = await api.problem("method-not-allowed", method, path)
    assert response.headers["Allow"]
    assert method not in response.headers["Allow"].split(",")


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ChainUnavailable(SECRET), "unavailable"),
        (PeerUnreachable(SECRET), "unavailable"),
        (PeerMisbehaved(SECRET), "peer-misbehaved"),
        (StoreCorrupt(SECRET), "out-of-service"),
        (StoreUnavailable(SECRET), "out-of-service"),
        (StoreLocked(SECRET), "out-of-service"),
        (SchemaMismatch(SECRET), "out-of-service"),
        (WrongChain(SECRET), "out-of-service"),
        (ReorgBeyondFinality(SECRET), "out-of-service"),
        (ConfigError("passphrase", SECRET), "internal"),
        (NodeError(SECRET), "internal"),
        (RuntimeError(SECRET), "internal"),
        (KeyError(SECRET), "internal"),
        (AssertionError(SECRET), "internal"),
        (RecursionError(SECRET), "internal"),
    ],
)
async def test_the_nodes_own_troubles_are_problems_without_details(api, error, name):
    api.node.fail("find_credential", error)
    response, members = await api.problem(name, "GET", PATH)
    text = json.dumps(members)
    assert "hunter2" not in text
    assert "Traceback" not in text
    assert ("Retry-After" in response.headers) == (response.status == 503)


async def test_a_node_that_is_not_ready_says_why_and_when_to_ask_again(api):
    api.node.fail("find_credential", NotReady("catching up with the chain", retry_after_seconds=7))
    response, members = await api.problem("unavailable", "GET", PATH)
    assert (response.headers["Retry-After"], members["detail"]) == ("7", "catching up with the chain")


async def test_a_detail_does_not_echo_a_whole_document(api):
    api.node.fail("find_credential", NotReady("x" * 10_000))
    _, members = await api.problem("unavailable", "GET", PATH)
    assert len(members["detail"]) <= 500


# -- the log


async def test_the_log_names_the_route_and_never_what_was_asked_for(api):
    api.node.fail("evidence", RuntimeError(f"no evidence for {DIGEST.hex()} in {EVIDENCE!r}"))
    with structlog.testing.capture_logs() as lines:
        await api.ask("GET", PATH)
        await api.ask("GET", f"{PATH}/evidence")
        await api.ask("GET", "/v1/credentials?prefix=abcdef")
        await api.ask("GET", f"/nothing/{DIGEST.hex()}")
        await api.ask("POST", "/v1/verify", json={"name": "Jo Learner"})
    routes = [line["route"] for line in lines if line["event"] == "http.request"]
    expected = ["/v1/credentials/{digest}", "/v1/credentials/{digest}/evidence", "/v1/credentials", "(none)"]
    assert routes == [*expected, "/v1/verify"]
    written = json.dumps(lines)
    for secret in (DIGEST.hex(), "abcdef", "Jo Learner", "TestamurEvidence"):
        assert secret not in written


async def test_an_unexpected_failure_is_logged_with_its_place_under_the_id_that_the_client_got(api):
    api.node.fail("find_credential", ZeroDivisionError("secret"))
    with structlog.testing.capture_logs() as lines:
        _, members = await api.problem("internal", "GET", PATH)
    (failure,) = [line for line in lines if line["event"] == "http.failure"]
    assert (failure["request_id"], failure["kind"]) == (members["requestId"], "ZeroDivisionError")
    assert any("find_credential" in place for place in failure["place"])
    assert "secret" not in json.dumps(failure)


async def test_requests_have_ids_of_their_own(api):
    answers = [(await api.ask("GET", "/healthz"))[0].headers["X-Request-Id"] for _ in range(3)]
    assert len(set(answers)) == 3


@pytest.mark.parametrize("sent", ["3f2b8c1e-7d5a-4c7e-9f10-2b8c1e7d5a4c", "trace-0001", "0123456789abcdef"])
async def test_a_well_formed_request_id_is_kept_in_answer_problem_and_log(api, sent):
    with structlog.testing.capture_logs() as lines:
        response, members = await api.problem("not-found", "GET", "/nothing", headers={"X-Request-Id": sent})
    assert response.headers["X-Request-Id"] == members["requestId"] == sent
    assert lines[-1]["request_id"] == sent


@pytest.mark.parametrize(
    "sent", ["", "short", "-leading", "a b c d e f", "x" * 37, DIGEST.hex(), "<script>x", "ä" * 9]
)
async def test_an_id_that_is_not_well_formed_or_could_be_a_digest_is_replaced(api, sent):
    response, _ = await api.ask("GET", "/healthz", headers={"X-Request-Id": sent})
    assert sent != response.headers["X-Request-Id"]
    assert len(response.headers["X-Request-Id"]) == 16


# -- browsers and caches


async def test_reads_are_open_to_any_web_page_and_so_are_their_problems(api):
    for path in ("/v1/issuers", PATH, f"/log/{LOG_ID.hex()}/checkpoint", "/openapi.json", "/nothing"):
        response, _ = await api.ask("GET", path, headers={"Origin": "https://verifier.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    response, _ = await api.ask("POST", "/v1/verify", json={}, headers={"Origin": "https://verifier.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_writes_are_not_open_to_web_pages(api):
    headers = {"Origin": "https://evil.example", "Authorization": f"Bearer {TOKEN}"}
    response, _ = await api.ask("POST", "/v1/logs/ada/seal", headers=headers)
    assert response.status == 200
    assert "Access-Control-Allow-Origin" not in response.headers
    await api.problem(
        "method-not-allowed", "OPTIONS", "/v1/logs/ada/seal", headers={"Origin": "https://evil.example"}
    )


async def test_a_browser_may_ask_before_it_posts_a_credential(api):
    headers = {"Origin": "https://verifier.example", "Access-Control-Request-Method": "POST"}
    response, _ = await api.ask("OPTIONS", "/v1/verify", headers=headers)
    assert response.status == 204
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "content-type" in response.headers["Access-Control-Allow-Headers"].lower()


async def test_what_a_client_has_already_is_not_sent_again(api):
    response, body = await api.ask("GET", "/v1/registry")
    tag = response.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response, again = await api.ask("GET", "/v1/registry", headers={"If-None-Match": known})
        assert (response.status, again, response.headers["ETag"]) == (304, b"", tag)
    response, again = await api.ask("GET", "/v1/registry", headers={"If-None-Match": '"other"'})
    assert (response.status, again) == (200, body)


async def test_head_answers_like_get_without_a_body(api):
    response, body = await api.ask("HEAD", "/v1/registry")
    assert (response.status, body) == (200, b"")
    assert response.headers["ETag"]


async def test_nothing_is_sniffed_and_no_version_is_told(api):
    for path in ("/", "/v1/issuers", "/nothing"):
        response, _ = await api.ask("GET", path)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Server"] == "testamur"


class TestDevnet:
    @pytest.fixture
    def options(self, options):
        return {**options, "devnet": True}

    async def test_a_development_chain_says_so_in_every_answer(self, api):
        for path in ("/", "/v1/issuers", "/nothing", "/healthz"):
            response, _ = await api.ask("GET", path)
            assert response.headers["Testamur-Devnet"] == "true"
        assert (await api.json("GET", "/v1/issuers"))["devnet"] is True
        assert (await api.json("GET", "/v1/issuers/ada"))["devnet"] is True
        assert b"DEVELOPMENT REGISTRY" in (await api.ask("GET", "/"))[1]
        assert "development" in (await api.json("GET", "/openapi.json"))["info"]["title"]


async def test_a_real_chain_does_not_call_itself_a_development_chain(api):
    response, body = await api.ask("GET", "/")
    assert "Testamur-Devnet" not in response.headers
    assert b"DEVELOPMENT REGISTRY" not in body


class TestNames:
    @pytest.fixture
    def options(self, options):
        return {**options, "registry_name": "<script>alert(1)</script>"}

    async def test_a_name_on_the_page_stays_text(self, api):
        assert b"<script>" not in (await api.ask("GET", "/"))[1]


# -- the rate limit


class TestRateLimit:
    @pytest.fixture
    def options(self, options):
        return {**options, "rate_limit": RateLimit(per_second=0.5, burst=2, clock=lambda: 0.0)}

    async def test_an_address_that_asks_too_often_is_told_when_to_come_back(self, api):
        assert [(await api.ask("GET", "/healthz"))[0].status for _ in range(2)] == [200, 200]
        response, _ = await api.problem("too-many-requests", "GET", "/healthz")
        assert response.headers["Retry-After"] == "2"


# -- the server


async def test_an_address_that_is_taken_is_a_configuration_error(node, options):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="listen"):
            await serve(create_app(node, **options), port=taken.getsockname()[1])


async def test_closing_twice_is_harmless_and_frees_the_address(node, options):
    server = await serve(create_app(node, **options))
    await server.close()
    await server.close()
    port = int(server.url.rpartition(":")[2])
    again = await serve(create_app(node, **options), port=port)
    assert again.url == server.url
    await again.close()


@pytest.mark.parametrize(
    "line",
    [
        b"GET /../../etc/passwd HTTP/1.1",
        b"GET /log/../../keys HTTP/1.1",
        b"nonsense",
        b"GET / HTTP/9.9",
        b"\x16\x03\x01",
    ],
)
async def test_raw_nonsense_gets_a_short_answer_without_a_traceback(api, line):
    host, _, port = api.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), timeout=10)
    writer.close()
    await writer.wait_closed()
    assert b"Traceback" not in answer
    assert b'File "' not in answer
    assert answer.split(b" ")[1][:1] == b"4"
