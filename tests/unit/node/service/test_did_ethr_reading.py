"""Reading a did:ethr from a chain that answers oddly: no answer is worse than the wrong one."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import structlog
from eth_abi import encode

from testamur.node.errors import ChainUnavailable
from testamur.node.service.did_ethr_reading import ChainEthrReader
from testamur.registry.did_ethr import parse_did_ethr
from testamur.registry.did_ethr_events import OWNER_CHANGED

ADDRESS, OTHER, REGISTRY = b"\x11" * 20, b"\x22" * 20, b"\x33" * 20
DID = parse_did_ethr(f"did:ethr:0x7a69:0x{ADDRESS.hex()}")
FINAL = 100
LATE = datetime(2026, 11, 21, tzinfo=UTC)
BLOCK_TIME = 10


class FakeChain:
    """`blocks` maps a changed block to what it calls the previous change."""

    def __init__(self, blocks, *, changed=None, identity=ADDRESS, row_block=None):
        self.blocks, self.identity, self.row_block = blocks, identity, row_block
        self.changed = changed if changed is not None else max(blocks, default=0).to_bytes(32)
        self.asked = []

    async def finalized(self):
        return await self.header(FINAL)

    async def header(self, number):
        return SimpleNamespace(number=number, timestamp=BLOCK_TIME * number)

    async def call(self, contract, data, *, block):
        assert (contract, block) == (REGISTRY, FINAL)
        return self.changed

    async def event_rows(self, contract, *, first, last, topics):
        assert (contract, first) == (REGISTRY, last)
        self.asked.append(first)
        if first not in self.blocks:
            return []
        return [self._row(OTHER, first, 1), self._row(self.identity, first, self.blocks[first])]

    def _row(self, identity, block, previous):
        topics = [f"0x{OWNER_CHANGED.hex()}", f"0x{identity.rjust(32, bytes(1)).hex()}"]
        data = encode(["address", "uint256"], [f"0x{block.to_bytes(20).hex()}", previous])
        number = hex(self.row_block or block)
        return {"topics": topics, "data": f"0x{data.hex()}", "blockNumber": number}


async def read(chain, *, at=None, version=None, now=LATE):
    reader = ChainEthrReader(
        chain, REGISTRY, chain_id=31337, loop=asyncio.get_running_loop(), clock=lambda: now
    )
    return await reader.read(DID, at, version)


async def test_a_history_is_walked_from_its_end_to_its_beginning_and_no_further():
    chain = FakeChain({90: 40, 40: 7, 7: 0})
    found = await read(chain)
    assert chain.asked == [90, 40, 7]
    assert found.metadata["versionId"] == "90"
    assert found.metadata["block"] == FINAL
    assert found.document["verificationMethod"][0]["blockchainAccountId"].lower().endswith("5a")
    assert (await read(chain, version=50)).metadata["versionId"] == "40"


async def test_a_clock_that_is_behind_hides_no_final_change():
    behind = datetime.fromtimestamp(5, UTC)
    found = await read(FakeChain({90: 0}), now=behind)
    assert found.metadata["versionId"] == "90"


@pytest.mark.parametrize(
    ("chain", "word"),
    [
        (FakeChain({90: 90}), "came before"),
        (FakeChain({90: 95}), "came before"),
        (FakeChain({90: 0}, changed=(FINAL + 1).to_bytes(32)), "came before"),
        (FakeChain({90: 0}, changed=b""), "0 bytes"),
        (FakeChain({90: 40}), "could not be asked"),
        (FakeChain({90: 0}, identity=OTHER), "could not be asked"),
        (FakeChain({90: 0}, row_block=89), "could not be asked"),
        (FakeChain({number: number - 1 for number in range(1, 100)}, changed=(0).to_bytes(31)), "31 bytes"),
    ],
)
async def test_an_answer_that_cannot_be_true_gives_no_document(chain, word):
    found = await read(chain)
    assert isinstance(found, str)
    assert word in found


async def test_an_outage_is_said_without_naming_the_endpoint():
    chain = FakeChain({})

    async def down():
        raise ChainUnavailable("https://secret.example is down")

    chain.finalized = down
    found = await read(chain)
    assert "could not be asked" in found
    assert "secret" not in found


async def test_whose_did_was_looked_up_is_in_no_line_of_the_log():
    chain = FakeChain({})

    async def down():
        raise ChainUnavailable(f"the endpoint refused eth_call to 0x{'00' * 12}{ADDRESS.hex()}")

    chain.finalized = down
    with structlog.testing.capture_logs() as lines:
        await read(chain)
    assert [line["event"] for line in lines] == ["did-ethr-unread"]
    assert ADDRESS.hex() not in str(lines)


async def test_what_is_asked_from_another_thread_is_answered_there():
    reader = ChainEthrReader(
        FakeChain({}), REGISTRY, chain_id=31337, loop=asyncio.get_running_loop(), clock=lambda: LATE
    )
    found = await asyncio.to_thread(reader, DID, None, None)
    assert found.document["id"] == DID.did
