"""Our contexts, served by every node: the very ones that are bundled, for ever."""

import json

import pytest

from testamur.node.api.vocabulary import OWN_CONTEXTS
from testamur.registry.contexts import find_context


@pytest.mark.parametrize("name", sorted(OWN_CONTEXTS))
async def test_a_context_is_the_bundled_one_and_may_be_kept_for_ever(api, name):
    response, body = await api.ask("GET", f"/contexts/{name}")
    assert (response.status, response.content_type) == (200, "application/ld+json")
    assert json.loads(body) == find_context(OWN_CONTEXTS[name])
    assert "immutable" in response.headers["Cache-Control"]
    again, nothing = await api.ask(
        "GET", f"/contexts/{name}", headers={"If-None-Match": response.headers["ETag"]}
    )
    assert (again.status, nothing) == (304, b"")


@pytest.mark.parametrize("name", ["micro-credential-v2", "credentials-v2", "x", "..%2Fmicro-credential-v1"])
async def test_no_other_name_is_a_context(api, name):
    await api.problem("not-found", "GET", f"/contexts/{name}")


def test_the_address_in_documents_ends_like_the_path():
    for name, url in OWN_CONTEXTS.items():
        assert url == f"https://w3id.org/testamur/{name.removesuffix('-v1')}/v1"
