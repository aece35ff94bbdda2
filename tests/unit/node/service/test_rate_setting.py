"""The rate limit is a setting, and the node that runs has it."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from fakes.api_node import FakeNode
from testamur.node.errors import ConfigError
from testamur.node.service.config import NodeConfig, config_from
from testamur.node.service.node import BURST_SECONDS, make_app


async def statuses(requests: int, **settings) -> list[int]:
    config = NodeConfig(registry="registry.example", member="ada", **settings)
    async with TestClient(TestServer(make_app(FakeNode(), config))) as client:
        return [(await client.get("/healthz")).status for _ in range(requests)]


async def test_an_address_that_asks_too_much_is_told_to_wait():
    answers = await statuses(BURST_SECONDS + 3, requests_per_second=1)
    assert answers[:BURST_SECONDS] == [200] * BURST_SECONDS
    assert 429 in answers[BURST_SECONDS:]


async def test_by_default_there_is_a_limit_that_a_person_does_not_meet():
    assert NodeConfig(registry="registry.example", member="ada").requests_per_second > 0
    assert set(await statuses(30)) == {200}


async def test_zero_is_no_limit_and_less_is_refused():
    assert set(await statuses(30, requests_per_second=0)) == {200}
    with pytest.raises(ConfigError, match="requests_per_second"):
        config_from({"registry": "registry.example", "member": "ada", "requests_per_second": -1}, "node.toml")
