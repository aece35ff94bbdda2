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


async def test_behind_a_trusted_proxy_every_client_has_a_share_of_its_own():
    config = NodeConfig(
        registry="registry.example", member="ada", requests_per_second=1, trusted_proxies="127.0.0.1 ::1"
    )
    async with TestClient(TestServer(make_app(FakeNode(), config))) as client:

        async def ask(address):
            return (await client.get("/healthz", headers={"X-Forwarded-For": address})).status

        assert [await ask("203.0.113.1") for _ in range(BURST_SECONDS + 2)][-1] == 429
        assert await ask("203.0.113.2") == 200


async def test_without_a_trusted_proxy_nobody_escapes_the_limit_by_a_header():
    config = NodeConfig(registry="registry.example", member="ada", requests_per_second=1)
    async with TestClient(TestServer(make_app(FakeNode(), config))) as client:
        answers = [
            (await client.get("/healthz", headers={"X-Forwarded-For": f"203.0.113.{number}"})).status
            for number in range(BURST_SECONDS + 3)
        ]
        assert 429 in answers


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("trusted_proxies", "proxy.example"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("token_requests_per_second", -1),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(setting, value):
    with pytest.raises(ConfigError, match=setting):
        config_from({"registry": "registry.example", "member": "ada", setting: value}, "node.toml")
