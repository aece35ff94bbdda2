"""Bad input and bad tokens: refused early, in words that name what is wrong and what to do; and never logged."""

import json

import pytest
import structlog

from fakes.api_node import EXPIRED_TOKEN, LOG_ID, OTHER_TOKEN, TOKEN
from testamur.node.api.limits import RateLimit
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest

DIGEST = sha256(b"a credential")
ENTRIES = "/v1/logs/ada/entries"
BODY = {"digests": [encode_digest(DIGEST)]}
AS_JSON = {"Content-Type": "application/json"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("token", "name", "words"),
    [
        (None, "unauthenticated", "Authorization: Bearer"),
        ("tstm_unknown_0123456789", "unauthenticated", "does not know"),
        (EXPIRED_TOKEN, "unauthenticated", "expired"),
        (OTHER_TOKEN, "forbidden", "another issuer"),
    ],
)
async def test_a_token_that_does_not_open_this_log_says_why(api, token, name, words):
    response, members = await api.post(name, ENTRIES, BODY, token=token)
    assert words in members["detail"]
    assert ("WWW-Authenticate" in response.headers) == (name == "unauthenticated")
    assert api.node.calls["submit"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"digests": [], "digests": []}', "digests"),
        (b'{"digests": NaN}', "NaN"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"digests": ' + b"[" * 70 + b"]" * 70 + b"}", "nested deeper"),
        (b"<!doctype html><html>", "HTML"),
        (b"\n  <html>", "HTML"),
        (b"", "JSON"),
        (b'{"digests": "u"}', "digests"),
        (b'{"digests": []}', "digests"),
        (b'{"digests": ["uAAAA"]}', "digests/0"),
        (b'{"digests": [null]}', "digests/0"),
        (b'{"digest": ["x"]}', "digest"),
        (b"[]", "object"),
    ],
)
async def test_a_body_that_is_not_what_it_should_be_is_refused_by_name(api, body, words):
    headers = {**bearer(TOKEN), **AS_JSON}
    _, members = await api.problem("malformed", "POST", ENTRIES, data=body, headers=headers)
    assert words in members["detail"]
    assert len(members["detail"]) < 400


@pytest.mark.parametrize("length", [0, 1, 42, 44, 63, 65])
async def test_a_digest_of_the_wrong_length_is_told_what_a_digest_is(api, length):
    path = f"/v1/documents/{'a' * length}" if length else "/v1/documents/u"
    _, members = await api.problem("malformed", "GET", path)
    assert members["detail"] == "digest: must be SHA-256 in multibase base64url, or in hex"


async def test_html_where_json_belongs_is_refused_by_its_media_type(api):
    headers = {**bearer(TOKEN), "Content-Type": "text/html"}
    await api.problem("unsupported-media-type", "POST", ENTRIES, data=b"<html>", headers=headers)


class TestTokenLimit:
    @pytest.fixture
    def options(self, options):
        return {**options, "token_limit": RateLimit(per_second=0.5, burst=2, clock=lambda: 0.0)}

    async def test_a_token_that_is_used_too_often_waits_and_others_do_not(self, api):
        for _ in range(2):
            await api.json("POST", ENTRIES, json=BODY, headers=bearer(TOKEN))
        response, members = await api.post("too-many-requests", ENTRIES, BODY)
        assert response.headers["Retry-After"] == "2"
        assert "with this token" in members["detail"]
        await api.post("forbidden", ENTRIES, BODY, token=OTHER_TOKEN)
        assert (await api.ask("GET", "/healthz"))[0].status == 200


async def test_no_line_of_the_log_holds_a_digest_a_token_an_address_or_a_word_of_a_body(api):
    """Every route, with good and bad requests, at the most talkative level."""
    digest, prefix = DIGEST.hex(), DIGEST.hex()[:10]
    headers = {**bearer(TOKEN), **AS_JSON, "X-Forwarded-For": "203.0.113.77", "X-Request-Id": digest}
    secrets = [
        "Jo Learner",
        "203.0.113.77",
        "127.0.0.1",
        TOKEN,
        OTHER_TOKEN,
        digest,
        prefix,
        encode_digest(DIGEST),
    ]
    with structlog.testing.capture_logs() as lines:
        await api.ask("POST", ENTRIES, json=BODY, headers=bearer(TOKEN))
        await api.ask("POST", ENTRIES, json=BODY, headers=bearer(OTHER_TOKEN))
        await api.ask("POST", ENTRIES, data=json.dumps({"digests": ["Jo Learner"]}), headers=headers)
        await api.ask(
            "POST", "/v1/logs/ada/statements", json={"statement": {"x": "Jo Learner"}}, headers=headers
        )
        await api.ask("POST", "/v1/logs/ada/seal", headers=headers)
        await api.ask("POST", "/v1/verify", json={"name": "Jo Learner"}, headers=headers)
        await api.ask("POST", "/v1/verify?asOf=Jo%20Learner", json={}, headers=headers)
        for path in (
            *(f"/v1/credentials/{digest}", f"/v1/credentials/{digest}/evidence", f"/v1/documents/{digest}"),
            *(
                f"/v1/credentials?prefix={prefix}",
                f"/v1/credentials?q={digest}",
                f"/{digest}",
                f"/{digest}/x",
            ),
            *(f"/v1/status-lists?id=https://x.example/{digest}", f"/log/{LOG_ID.hex()}/tile/{digest}"),
            *(
                "/v1/issuers",
                "/readyz",
                "/metrics",
                "/openapi.json",
                f"/?sample={digest}",
                f"/assets/{digest}",
            ),
        ):
            await api.ask("GET", path, headers=headers)
        api.node.fail("document", RuntimeError(f"Jo Learner {digest} {TOKEN}"))
        await api.ask("GET", f"/v1/documents/{digest}", headers=headers)
    written = json.dumps(lines, default=str)
    assert len(lines) > 20
    assert [secret for secret in secrets if secret in written] == []
