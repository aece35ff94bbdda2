"""The interface over a fake node, on a real socket."""

import json

import aiohttp
import pytest

from fakes.api_node import TOKEN, FakeNode
from fakes.json_schema import violations
from testamur.node.api.app import create_app, serve
from testamur.node.api.problems import PROBLEMS, TYPE_PREFIX
from testamur.node.api.schemas import SCHEMAS


class Api:
    """Requests as a client makes them; every problem document is checked against its schema on the way."""

    def __init__(self, session, url, node):
        self.session, self.url, self.node = session, url, node

    async def ask(self, method, path, **options):
        url = aiohttp.client.URL(self.url + path, encoded=True)
        async with self.session.request(method, url, **options) as response:
            body = await response.read()
            return response, body

    async def json(self, method, path, *, schema=None, status=200, **options):
        response, body = await self.ask(method, path, **options)
        assert response.status == status, body
        value = json.loads(body)
        if schema is not None:
            assert violations(value, SCHEMAS[schema], SCHEMAS) == []
        return value

    async def problem(self, name, method, path, **options):
        """The answer is this problem document and nothing else; returns (response, members)."""
        response, body = await self.ask(method, path, **options)
        assert response.content_type == "application/problem+json", body
        members = json.loads(body)
        assert violations(members, SCHEMAS["Problem"], SCHEMAS) == []
        assert members["type"] == TYPE_PREFIX + name, members
        assert response.status == members["status"] == {p.name: p.status for p in PROBLEMS}[name]
        assert response.headers["X-Request-Id"] == members["requestId"]
        assert response.headers["Cache-Control"] == "no-store"
        return response, members

    async def post(self, name, path, body, *, token=TOKEN, **options):
        """A JSON POST with the issuer's token, that must end in this problem."""
        headers = {**bearer(token), "Content-Type": "application/json"}
        return await self.problem(name, "POST", path, data=json.dumps(body), headers=headers, **options)


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.fixture
def node():
    return FakeNode()


@pytest.fixture
def options():
    """Arguments of create_app; a test module overrides what it is about."""
    return {"registry_name": "registry.example", "devnet": False, "version": "0.1.0"}


@pytest.fixture
async def api(node, options):
    server = await serve(create_app(node, **options))
    async with aiohttp.ClientSession() as session:
        yield Api(session, server.url, node)
    await server.close()
