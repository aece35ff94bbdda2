"""Laws of the HTTP interface: whatever is sent is answered, and never with the node's own failure."""

import asyncio
import http.client
import json
import threading
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.api_node import LOG_ID, TOKEN, FakeNode
from testamur.node.api.app import create_app, serve
from testamur.node.api.openapi import plain_path
from testamur.node.api.problems import TYPE_PREFIX
from testamur.node.api.routes import ROUTES


@pytest.fixture(scope="module")
def address():
    """The interface over a fake node, in a thread of its own."""
    loop = asyncio.new_event_loop()
    app = create_app(FakeNode(), registry_name="registry.example", devnet=False)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(app), loop).result(timeout=10)
    host, _, port = server.url.removeprefix("http://").partition(":")
    yield host, int(port)
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def ask(address, method, path, body=b"", media="application/json"):
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": media}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()


def holds(status, media, body):
    assert status < 500
    assert b"Traceback" not in body
    if status >= 400:
        assert media == "application/problem+json"
        assert json.loads(body)["type"].startswith(TYPE_PREFIX)


SEGMENT = st.one_of(
    st.sampled_from(
        ["", ".", "..", "ada", "1", LOG_ID.hex(), "u" + "A" * 43, "0", "000.p/3", "x001/000", "entries"]
    ),
    st.text(max_size=12),
)
MEDIA = st.sampled_from(
    ["application/json", "application/vc", "text/html", "application/json; charset=latin-1", ""]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["digests", "statement", "keyEvents", "documents", "id", "proof", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
BODY = st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode())
QUERY = st.dictionaries(
    st.sampled_from(["prefix", "epoch", "newest", "asOf", "id", "x"]), st.text(max_size=12), max_size=3
)

REQUEST = st.fixed_dictionaries(
    {
        "route": st.sampled_from(ROUTES),
        "values": st.lists(SEGMENT, min_size=3, max_size=3),
        "query": QUERY,
        "body": BODY,
        "media": MEDIA,
    }
)


@given(request=REQUEST)
def test_no_request_to_a_route_is_answered_with_the_nodes_own_failure(address, request):
    route, values = request["route"], request["values"]
    path = plain_path(route.path)
    for name, value in zip(("slug", "digest", "log_id"), values, strict=True):
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    for name, value in zip(("purpose", "number", "tile"), values, strict=True):
        path = path.replace(f"{{{name}}}", quote(value, safe="/"))
    asked = "&".join(f"{name}={quote(value)}" for name, value in request["query"].items())
    sent = request["body"] if route.method == "POST" else b""
    holds(*ask(address, route.method, f"{path}?{asked}", sent, request["media"]))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"]),
    segments=st.lists(SEGMENT, max_size=5),
)
def test_no_path_at_all_is_answered_with_the_nodes_own_failure(address, method, segments):
    holds(*ask(address, method, "/" + "/".join(quote(segment, safe="") for segment in segments)))


@given(value=JSON)
def test_what_is_submitted_is_logged_only_if_it_is_a_list_of_digests(address, value):
    status, _, body = ask(address, "POST", "/v1/logs/ada/entries", json.dumps({"digests": value}).encode())
    holds(status, "application/problem+json", body)
    assert status in (400, 413)
