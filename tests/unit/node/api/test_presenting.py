"""Challenges and presentations over HTTP: bounds, forms, and what reaches the node."""

import io
import json

import pytest

from testamur.registry.dossiers import MAX_PRESENTATION_BYTES

JSON = {"Content-Type": "application/json"}
DOCUMENT = {"type": ["VerifiablePresentation"]}


async def test_a_challenge_needs_no_body_and_may_name_a_domain(api, node):
    answer = await api.json("POST", "/v1/challenges", schema="Challenge")
    assert answer["domain"] == "node.example"
    body = json.dumps({"domain": "employer.example"})
    answer = await api.json("POST", "/v1/challenges", schema="Challenge", data=body, headers=JSON)
    assert answer["domain"] == "employer.example"
    await api.json("POST", "/v1/challenges", schema="Challenge", data="{}", headers=JSON)
    assert node.calls["challenge"] == [(None,), ("employer.example",), (None,)]


@pytest.mark.parametrize(
    "body", ["[]", "{", '{"domain": 7}', '{"domain": ""}', '{"more": 1}', '{"domain": "%s"}' % ("x" * 257)]
)
async def test_a_request_for_a_challenge_of_another_form_is_malformed(api, node, body):
    await api.problem("malformed", "POST", "/v1/challenges", data=body, headers=JSON)
    assert node.calls["challenge"] == []


async def test_a_presentation_is_judged_and_invalid_is_an_answer(api, node):
    body = json.dumps(DOCUMENT)
    answer = await api.json("POST", "/v1/presentations", data=body, headers=JSON)
    assert answer["outcome"] == "invalid"
    await api.json(
        "POST", "/v1/presentations?challenge=a%20b&domain=employer.example", data=body, headers=JSON
    )
    assert node.calls["present"] == [(DOCUMENT, None, None), (DOCUMENT, "a b", "employer.example")]


@pytest.mark.parametrize("query", ["challenge=", "domain=", "nonce=1", "challenge=1&challenge=2"])
async def test_a_question_that_would_not_be_asked_is_refused(api, node, query):
    body = json.dumps(DOCUMENT)
    await api.problem("malformed", "POST", f"/v1/presentations?{query}", data=body, headers=JSON)
    assert node.calls["present"] == []


@pytest.mark.parametrize("body", ["", "[]", "7", '{"a":1,"a":2}'])
async def test_what_is_no_document_is_malformed(api, body):
    await api.problem("malformed", "POST", "/v1/presentations", data=body, headers=JSON)


async def test_a_body_beyond_its_bound_is_refused(api, node):
    body = b" " * (MAX_PRESENTATION_BYTES + 1)
    await api.problem("too-large", "POST", "/v1/presentations", data=io.BytesIO(body), headers=JSON)
    await api.problem("too-large", "POST", "/v1/challenges", data=b" " * 2049, headers=JSON)
    await api.problem("unsupported-media-type", "POST", "/v1/presentations", data=b"{}")
    assert node.calls["present"] == []
