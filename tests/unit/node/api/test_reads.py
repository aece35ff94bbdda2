"""Open reads: what is there, what is not, and what cannot be asked."""

from datetime import UTC, datetime

import pytest

from fakes.api_node import CHECKPOINT, DOCUMENT, EVIDENCE, LOG_ID, ORIGIN, STATUS_LIST, TILE, TRUST_FILE
from testamur.node.api import responses
from testamur.node.api.ports import Readiness
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest
from testamur.registry.trust_successions import parse_successions

DIGEST = sha256(b"a credential")
UNKNOWN = sha256(b"another credential")
TEXT = encode_digest(DIGEST)
LOG = f"/log/{LOG_ID.hex()}"


@pytest.fixture
def node(node):
    node.leaves[DIGEST] = 2
    return node


@pytest.mark.parametrize("text", [TEXT, DIGEST.hex(), DIGEST.hex().upper()])
async def test_a_credential_is_found_by_either_form_of_its_digest(api, text):
    found = await api.json("GET", f"/v1/credentials/{text}", schema="LoggedCredential")
    assert found == {"digest": TEXT, "entries": [{"origin": ORIGIN, "leafIndex": 2, "state": "sealed"}]}


async def test_an_unknown_credential_is_not_found(api):
    await api.problem("not-found", "GET", f"/v1/credentials/{encode_digest(UNKNOWN)}")


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        TEXT + "A",
        DIGEST.hex()[:-1],
        DIGEST.hex() + "0",
        "z" + TEXT[1:],
        "u" + "!" * 43,
        TEXT[:-1] + "B",
        "x",
    ],
)
@pytest.mark.parametrize("rest", ["", "/evidence"])
async def test_a_digest_of_the_wrong_form_is_malformed_and_never_reaches_the_node(api, text, rest):
    await api.problem("malformed", "GET", f"/v1/credentials/{text}{rest}")
    assert not api.node.calls


async def test_evidence_is_served_verbatim_and_never_stored_by_caches(api):
    response, body = await api.ask("GET", f"/v1/credentials/{TEXT}/evidence")
    assert (response.status, body, response.content_type) == (200, EVIDENCE, "application/json")
    assert response.headers["Cache-Control"] == "no-store"


async def test_there_is_no_evidence_for_an_unknown_credential(api):
    await api.problem("not-found", "GET", f"/v1/credentials/{UNKNOWN.hex()}/evidence")


async def test_credentials_are_listed_by_prefix(api):
    answer = await api.json("GET", "/v1/credentials?prefix=AB12", schema="PrefixAnswer")
    assert answer["credentials"] == [{"digest": TEXT, "entries": [{"origin": ORIGIN, "leafIndex": 2}]}]
    assert (answer["prefix"], answer["isEverything"]) == ("", True)
    assert api.node.calls["find_prefix"] == [("ab12",)]


async def test_an_empty_prefix_is_a_prefix(api):
    await api.json("GET", "/v1/credentials?prefix=", schema="PrefixAnswer")


@pytest.mark.parametrize("query", ["", "?prefix=xyz", "?prefix=" + 65 * "0", "?digest=ab", "?prefix=a%00"])
async def test_a_prefix_must_be_at_most_64_hex_digits(api, query):
    await api.problem("malformed", "GET", f"/v1/credentials{query}")


async def test_the_verdict_about_an_invalid_credential_is_an_answer(api):
    verdict = await api.json("POST", "/v1/verify", schema="Verdict", json={"type": ["VerifiableCredential"]})
    assert verdict["outcome"] == "invalid"
    assert api.node.calls["verify"] == [({"type": ["VerifiableCredential"]}, None)]


async def test_a_verdict_can_be_asked_as_of_a_time(api):
    await api.json("POST", "/v1/verify?asOf=2026-11-21T10:00:00Z", json={})
    assert api.node.calls["verify"] == [({}, datetime(2026, 11, 21, 10, tzinfo=UTC))]


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-21T10:00:00", "2026-13-01T00:00:00Z", ""])
async def test_as_of_must_be_a_time_with_its_zone(api, moment):
    await api.problem("malformed", "POST", f"/v1/verify?asOf={moment}", json={})


async def test_issuers_are_listed_with_their_logs(api):
    answer = await api.json("GET", "/v1/issuers", schema="Issuers")
    assert answer["registry"] == "registry.example"
    assert [(i["slug"], i["logId"], i["anchoredSize"]) for i in answer["issuers"]] == [
        ("ada", LOG_ID.hex(), 2)
    ]


async def test_one_issuer_is_found_by_slug(api):
    assert (await api.json("GET", "/v1/issuers/ada", schema="Issuer"))["did"] == "did:web:ada.example"


@pytest.mark.parametrize("slug", ["bob", "Ada", "-ada", "a" * 64, "%2e%2e", "ada%2f1"])
async def test_a_slug_that_is_not_or_cannot_be_is_not_found(api, slug):
    await api.problem("not-found", "GET", f"/v1/issuers/{slug}")
    await api.problem("not-found", "GET", f"/v1/logs/{slug}/evidence")


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", (None, False)),
        ("?epoch=1", (1, False)),
        ("?newest=true", (None, True)),
        ("?epoch=1&newest=false", (1, False)),
    ],
)
async def test_log_evidence_names_epoch_and_checkpoint(api, query, asked):
    response, body = await api.ask("GET", f"/v1/logs/ada/evidence{query}")
    assert (response.status, body) == (200, EVIDENCE)
    assert api.node.calls["log_evidence"] == [("ada", *asked)]


@pytest.mark.parametrize(
    "query", ["epoch=0", "epoch=-1", "epoch=one", "epoch=01", "newest=yes", "epoch=9999999999"]
)
async def test_log_evidence_refuses_what_cannot_be_an_epoch_or_a_flag(api, query):
    await api.problem("malformed", "GET", f"/v1/logs/ada/evidence?{query}")


async def test_a_log_without_a_checkpoint_has_no_evidence(api):
    await api.problem("not-found", "GET", "/v1/logs/ada/evidence?epoch=2")


async def test_a_document_is_served_verbatim_and_immutable(api):
    response, body = await api.ask("GET", f"/v1/documents/{encode_digest(sha256(DOCUMENT))}")
    assert (response.status, body) == (200, DOCUMENT)
    assert "immutable" in response.headers["Cache-Control"]


async def test_an_unknown_document_is_not_found_and_a_malformed_digest_is_malformed(api):
    await api.problem("not-found", "GET", f"/v1/documents/{UNKNOWN.hex()}")
    await api.problem("malformed", "GET", "/v1/documents/nonsense")


@pytest.mark.parametrize(
    "path", ["/v1/status-lists?id=https://ada.example/status/revocation/1", "/status/ada/revocation/1"]
)
async def test_a_status_list_is_found_by_its_id_and_under_its_address(api, path):
    response, body = await api.ask("GET", path)
    assert (response.status, body, response.content_type) == (200, STATUS_LIST, "application/vc")
    assert response.headers["Vary"] == "Accept"
    response, body = await api.ask("GET", path, headers={"Accept": "application/ld+json, application/json"})
    assert (response.status, body, response.content_type) == (200, STATUS_LIST, "application/ld+json")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/status-lists?id=https://ada.example/other",
        *(
            "/status/ada/revocation/2",
            "/status/bob/revocation/1",
            "/status/ada/revocation/01",
            "/status/ada/x/y",
        ),
    ],
)
async def test_a_status_list_that_is_not_kept_is_not_found(api, path):
    await api.problem("not-found", "GET", path)


@pytest.mark.parametrize("path", ["/v1/status-lists", "/v1/status-lists?id="])
async def test_a_status_list_without_an_id_is_malformed(api, path):
    _, members = await api.problem("malformed", "GET", path)
    assert members["subject"] == "id"


async def test_the_trust_file_is_served_verbatim(api):
    response, body = await api.ask("GET", "/v1/registry")
    assert (response.status, body) == (200, TRUST_FILE)


async def test_successions_of_the_trust_file_are_asked_for_by_the_version_that_one_has(api):
    response, body = await api.ask("GET", "/v1/registry/successions?after=3")
    assert (response.status, api.node.calls["trust_successions"]) == (200, [(3,)])
    assert parse_successions(body).files == ()
    for query in ("", "?after=", "?after=-1", "?after=x", "?after=01", "?after=1&after=2", "?before=1"):
        await api.problem("malformed", "GET", f"/v1/registry/successions{query}")


async def test_a_node_without_a_trust_file_says_so(api):
    api.node.has_trust_file = False
    await api.problem("not-found", "GET", "/v1/registry")


async def test_a_log_is_served_as_tlog_tiles(api):
    response, body = await api.ask("GET", f"{LOG}/checkpoint")
    assert (body, response.content_type, response.charset) == (CHECKPOINT, "text/plain", "utf-8")
    assert response.headers["Cache-Control"] == "no-cache"
    response, body = await api.ask("GET", f"{LOG}/tile/0/000.p/3")
    assert (body, response.content_type) == (TILE, "application/octet-stream")
    assert "immutable" in response.headers["Cache-Control"]


@pytest.mark.parametrize("rest", ["checkpoint", "tile/0/000.p/3"])
async def test_an_unknown_log_is_not_found(api, rest):
    await api.problem("not-found", "GET", f"/log/{UNKNOWN.hex()}/{rest}")


@pytest.mark.parametrize(
    "log_id", [LOG_ID.hex().upper(), LOG_ID.hex()[:-1], "..", "%2e%2e", encode_digest(LOG_ID)]
)
async def test_a_log_id_has_one_form(api, log_id):
    response, _ = await api.ask("GET", f"/log/{log_id}/checkpoint")
    assert response.status in (400, 404)
    assert not api.node.calls


@pytest.mark.parametrize(
    "tile",
    [
        *(
            "../../checkpoint",
            "%2e%2e/%2e%2e/etc/passwd",
            "0/../1/000",
            "..%2f..%2fkeys",
            "0/000/%00",
            "/etc/passwd",
        ),
        *(
            "0/0",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/03",
            "64/000",
            "0/000.p/3/",
            "entries/../0/000",
            "0\\000",
            "x",
        ),
        *("0/x000/001", "-1/000", "0/000.p/3?x", "0/1000"),
    ],
)
async def test_only_well_formed_tile_paths_reach_the_node(api, tile):
    response, body = await api.ask("GET", f"{LOG}/tile/{tile}")
    if tile == "0/000.p/3?x":  # a query is no part of the path
        assert body == TILE
    else:
        assert response.status in (400, 404), body
        assert response.content_type == "application/problem+json"
        assert not api.node.calls


async def test_a_well_formed_tile_that_does_not_exist_is_not_found(api):
    await api.problem("not-found", "GET", f"{LOG}/tile/1/000.p/1")


async def test_health_asks_nothing_of_the_node(api):
    assert await api.json("GET", "/healthz", schema="Health") == {"status": "alive"}
    assert not api.node.calls


async def test_a_ready_node_names_its_parts(api):
    assert (await api.json("GET", "/readyz", schema="Ready"))["parts"] == {"store": "ok", "chain": "ok"}


async def test_a_node_that_is_not_ready_says_which_part_and_when_to_ask_again(api):
    api.node.ready = Readiness(is_ready=False, parts={"store": "ok", "chain": "unavailable"})
    response, members = await api.problem("unavailable", "GET", "/readyz")
    assert members["parts"]["chain"] == "unavailable"
    assert int(response.headers["Retry-After"]) > 0


async def test_the_page_says_what_this_is_and_runs_nothing_but_its_one_script(api):
    response, body = await api.ask("GET", "/")
    assert response.content_type == "text/html"
    assert b"registry.example" in body
    assert body.count(b"<script") == body.count(b'<script src="/assets/page-') == 1
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_what_is_added_to_one_answer_is_not_in_the_next():
    body = {"digest": TEXT, "entries": []}
    responses.typed_response(body).headers["X-Request-Id"] = "first"
    assert dict(responses.typed_response(body).headers) == {
        "Cache-Control": "no-store",
        "Content-Type": "application/json",
    }
