import pytest
from eth_abi import encode

from testamur.node.chain.contracts import artifact, event_topic
from testamur.node.chain.events import (
    LIFECYCLE_EVENTS,
    Anchored,
    IssuerAdmitted,
    LifecycleChanged,
    LogOpened,
    decode_event,
    decode_events,
    read_admissions,
    read_events,
)
from testamur.node.errors import ChainUnavailable

CONTRACT, ID, OTHER_ID, ROOT = b"\x01" * 20, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32


def event(name, topics, types=(), values=()):
    """An event as an endpoint describes it."""
    return {
        "address": f"0x{CONTRACT.hex()}",
        "topics": [f"0x{topic.hex()}" for topic in (event_topic(name), *topics)],
        "data": f"0x{encode(types, values).hex()}",
        "blockNumber": "0x5",
        "blockHash": "0x" + "0b" * 32,
        "transactionHash": "0x" + "0a" * 32,
        "logIndex": "0x0",
    }


ANCHORED = event("Anchored", [ID, (7).to_bytes(32)], ["uint64", "bytes32", "uint32"], [2**40, ROOT, 9])


ADMITTED = event(
    "IssuerAdmitted",
    [ID],
    ["string", "string", "bytes32", "address"],
    ["ada", "did:web:ada.example", ROOT, b"\x05" * 20],
)
OPENED = event("LogOpened", [ID, OTHER_ID], ["uint16", "address", "bytes32"], [2, b"\x06" * 20, ROOT])


def test_an_anchor_is_decoded():
    found = decode_event(ANCHORED)
    assert isinstance(found, Anchored)
    assert (found.log_id, found.sequence, found.size, found.root, found.statement) == (ID, 7, 2**40, ROOT, 9)
    assert (found.block_number, found.block_hash, found.transaction_hash) == (5, b"\x0b" * 32, b"\x0a" * 32)


def test_an_admission_is_decoded():
    assert decode_event(ADMITTED) == IssuerAdmitted(
        issuer_id=ID,
        slug="ada",
        did="did:web:ada.example",
        identity=ROOT,
        controller=b"\x05" * 20,
        block_number=5,
    )


def test_an_opened_log_is_decoded():
    found = decode_event(OPENED)
    assert found == LogOpened(
        log_id=ID, issuer_id=OTHER_ID, epoch=2, operator=b"\x06" * 20, key=ROOT, block_number=5
    )


@pytest.mark.parametrize("name", LIFECYCLE_EVENTS)
def test_every_other_change_says_whose_records_to_read_again(name):
    row = next(row for row in artifact()["abi"] if row["type"] == "event" and row["name"] == name)
    assert row["inputs"][0]["indexed"]
    assert decode_event(event(name, [ID, OTHER_ID])) == LifecycleChanged(
        name=name, subject=ID, block_number=5
    )


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        [],
        {},
        {**ANCHORED, "topics": []},
        {**ANCHORED, "topics": [ANCHORED["topics"][1]]},
        {**ANCHORED, "topics": ANCHORED["topics"][:2]},
        {**ANCHORED, "topics": [*ANCHORED["topics"][:2], "seven"]},
        {**ANCHORED, "data": ANCHORED["data"][:-2]},
        {**ANCHORED, "data": 7},
        {**ANCHORED, "blockHash": "0x0b"},
        {**ANCHORED, "blockNumber": None},
        {**ADMITTED, "data": ADMITTED["data"][:80]},
        {**ADMITTED, "data": ADMITTED["data"].replace(b"ada".hex(), "61ff61")},
        {**ADMITTED, "data": "0x" + "ff" * 128},
    ],
)
def test_what_is_no_such_event_is_no_answer(damaged):
    with pytest.raises(ChainUnavailable):
        decode_event(damaged)


class Endpoint:
    async def event_rows(self, contract, *, first, last, topics):
        assert (contract, first, last) == (CONTRACT, 3, 9)
        return [row for row in (ADMITTED, OPENED, ANCHORED) if bytes.fromhex(row["topics"][0][2:]) in topics]


async def test_events_are_read_in_order():
    found = await read_events(Endpoint(), CONTRACT, first=3, last=9)
    assert [type(row) for row in found] == [IssuerAdmitted, LogOpened, Anchored]
    assert await read_admissions(Endpoint(), CONTRACT, first=3, last=9) == [found[0]]


@pytest.mark.parametrize("number", [[], None, 5, {}, True])
def test_a_block_number_of_another_kind_is_no_event(number):
    with pytest.raises(ChainUnavailable, match="not asked for"):
        decode_events([{**ANCHORED, "blockNumber": number}])
