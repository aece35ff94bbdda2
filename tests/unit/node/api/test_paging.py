"""Lists that grow come in pages: bounded, complete, each item once; and no parameter is without effect."""

import pytest


async def pages(api, path, items, name):
    found, after = [], ""
    while True:
        page = await api.json("GET", f"{path}?limit=2{after}")
        assert len(page[items]) <= 2
        found += [item[name] for item in page[items]]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


async def test_pages_hold_every_issuer_once_in_order(api):
    api.node.slugs = {"ada", "bit", "cyd", "dee", "eve"}
    assert await pages(api, "/v1/issuers", "issuers", "slug") == ["ada", "bit", "cyd", "dee", "eve"]
    whole = await api.json("GET", "/v1/issuers", schema="Issuers")
    assert (len(whole["issuers"]), whole["next"]) == (5, None)


async def test_pages_hold_every_document_of_an_issuer_once(api):
    found = await pages(api, "/v1/issuers/ada/documents", "documents", "id")
    assert found == [f"https://ada.example/{number}" for number in range(5)]
    await api.json("GET", "/v1/issuers/ada/documents", schema="Documents")
    await api.problem("not-found", "GET", "/v1/issuers/nobody/documents")


async def test_a_page_that_has_not_changed_is_not_sent_again(api):
    response, _ = await api.ask("GET", "/v1/issuers")
    again, body = await api.ask("GET", "/v1/issuers", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status, body) == (304, b"")
    api.node.slugs = {"ada", "bit"}
    again, _ = await api.ask("GET", "/v1/issuers", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=01",
        "limit=",
        "after=Not+A+Slug",
        "limit=1&limit=2",
    ],
)
async def test_a_page_that_cannot_be_is_refused(api, query):
    await api.problem("malformed", "GET", f"/v1/issuers?{query}")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/verify?asof=2026-11-21T10:00:00Z",
        "/v1/issuers?page=2",
        "/healthz?x",
        "/v1/credentials?prefix=&q=1",
    ],
)
async def test_a_parameter_that_has_no_effect_is_refused(api, path):
    method = "POST" if "verify" in path else "GET"
    _, members = await api.problem("malformed", method, path, json={} if method == "POST" else None)
    assert "does not take" in members["detail"]
