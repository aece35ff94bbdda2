"""From the setting `rpc_url` to one client or several, and what a node says of them."""

from datetime import UTC, datetime

import pytest

from fakes.validators import validators
from fakes.whole_registry import trust_document
from testamur.node.chain.client import ChainClient
from testamur.node.chain.pool import ChainPool
from testamur.node.errors import ConfigError
from testamur.node.service.chain_access import connected, open_chain
from testamur.node.service.chain_tasks import ENDPOINT
from testamur.node.service.config import NodeConfig
from testamur.node.service.port import ServicePort
from testamur.registry.canonical import canonicalize
from testamur.registry.trust import parse_trust_file

GENESIS = trust_document()["chains"][0]["genesisHash"]


def config(rpc_url):
    return NodeConfig(
        registry="registry.example", member="ada", rpc_url=rpc_url, chain_id=31337, genesis_hash=GENESIS
    )


def trust(*, sealed):
    document = trust_document()
    if sealed:
        addresses = ["0x" + item.address.hex() for item in validators(4)]
        document["chains"][0]["finality"] = {
            "type": "qbft-seals",
            "validators": [{"fromBlock": 0, "addresses": addresses}],
        }
    return parse_trust_file(canonicalize(document))


def test_one_address_is_one_client_and_several_are_a_pool():
    assert isinstance(open_chain(config("http://a")), ChainClient)
    pool = open_chain(config("http://a:1  https://b/key\thttp://c:3"))
    assert isinstance(pool, ChainPool)
    assert list(pool.endpoints()) == ["http://a:1", "https://b", "http://c:3"]


@pytest.mark.parametrize("rpc_url", ["", "  "])
def test_no_address_is_named(rpc_url):
    with pytest.raises(ConfigError, match="rpc_url"):
        open_chain(config(rpc_url))


async def test_a_command_needs_a_chain_to_be_set():
    with pytest.raises(ConfigError, match="rpc_url, chain_id"):
        async with connected(config("")):
            pass
    async with connected(config("http://a http://b")) as chain:
        assert chain.name == "http://a, http://b"


@pytest.mark.parametrize(("sealed", "tag"), [(True, "latest"), (False, "finalized")])
async def test_where_seals_make_blocks_final_the_newest_block_is_final(sealed, tag):
    chain = open_chain(config("http://a"), trust=trust(sealed=sealed))
    asked = []

    async def request(_method, params):
        asked.append(params[0])

    chain.request = request
    with pytest.raises(Exception, match="has no block"):
        await chain.finalized()
    assert asked == [tag]


class Node:
    def __init__(self, **parts):
        self._parts = parts
        self.clock = lambda: datetime.now(UTC)

    def parts(self):
        return self._parts


@pytest.mark.parametrize(
    ("parts", "ready"),
    [
        ({"chain": "ok", f"{ENDPOINT}http://a": "ok"}, True),
        (
            {"chain": "ok", f"{ENDPOINT}http://a": "refused: serves chain 1", f"{ENDPOINT}http://b": "ok"},
            True,
        ),
        (
            {"chain": "ok", "funds": "empty: enough for 0 anchors", "clock": "this machine's clock is wrong"},
            True,
        ),
        ({"chain": "ok", "funds": "ok: enough for 100 anchors", "clock": "ok"}, True),
        ({"chain": "unavailable: no endpoint answers", f"{ENDPOINT}http://a": "unavailable: x"}, False),
    ],
)
async def test_a_node_is_ready_without_one_of_its_endpoints_and_shows_each(parts, ready):
    readiness = await ServicePort(Node(**parts)).readiness()
    assert (readiness.is_ready, dict(readiness.parts)) == (ready, parts)
