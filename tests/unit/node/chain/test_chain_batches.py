import pytest

from fakes.chain import FakeChain
from testamur.node.chain import batches
from testamur.node.chain.contracts import encode_call, functions
from testamur.node.chain.intents import AnchorRequest, Attempt
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.values import Fees
from testamur.registry.hashing import sha256

ACCOUNT = ChainAccount(sha256(b"operator"))
GWEI = 10**9


def request(log_id=b"\x01" * 32, *, old_size=0, size=5, proof=()):
    return AnchorRequest(
        log_id=log_id, old_size=old_size, size=size, root=b"\x02" * 32, statement=3, proof=proof
    )


def attempt(tip_wei, max_fee_wei):
    return Attempt(
        raw=b"", transaction_hash=b"", tip_wei=tip_wei, max_fee_wei=max_fee_wei, requests=(request(),)
    )


def test_one_log_is_anchored_by_itself_and_several_together():
    row = (b"\x01" * 32, 0, 5, b"\x02" * 32, 3, [])
    assert batches.call_data([request()]) == encode_call("anchor", row)
    several = batches.call_data([request(), request(b"\x03" * 32)])
    assert several[:4] == functions()["anchorMany"].selector


def test_a_replacement_is_a_tenth_dearer_in_both_fees():
    found = batches.outbid(attempt(GWEI, 3 * GWEI), Fees(max_fee_wei=GWEI, tip_wei=1), 100 * GWEI)
    assert found == Fees(max_fee_wei=3 * GWEI + 3 * GWEI // 8 + 1, tip_wei=GWEI + GWEI // 8 + 1)


def test_a_replacement_follows_a_market_that_rose_further():
    found = batches.outbid(attempt(GWEI, 3 * GWEI), Fees(max_fee_wei=50 * GWEI, tip_wei=9 * GWEI), 100 * GWEI)
    assert found == Fees(max_fee_wei=50 * GWEI, tip_wei=9 * GWEI)


def test_a_replacement_uses_the_rest_of_the_limit_if_that_is_enough():
    dear = Fees(max_fee_wei=500 * GWEI, tip_wei=2 * GWEI)
    assert batches.outbid(attempt(GWEI, 80 * GWEI), dear, 100 * GWEI) == Fees(
        max_fee_wei=100 * GWEI, tip_wei=2 * GWEI
    )


@pytest.mark.parametrize("stuck", [(GWEI, 95 * GWEI), (100 * GWEI, 100 * GWEI)])
def test_beyond_the_limit_there_is_no_replacement(stuck):
    assert batches.outbid(attempt(*stuck), Fees(max_fee_wei=GWEI, tip_wei=1), 100 * GWEI) is None


def test_even_free_gas_can_be_outbid():
    assert batches.outbid(attempt(0, 0), Fees(max_fee_wei=0, tip_wei=0), 100) == Fees(
        max_fee_wei=1, tip_wei=1
    )


def test_fees_are_capped():
    assert batches.capped(Fees(max_fee_wei=50, tip_wei=40), 30) == Fees(max_fee_wei=30, tip_wei=30)
    assert batches.capped(Fees(max_fee_wei=50, tip_wei=4), 60) == Fees(max_fee_wei=50, tip_wei=4)


async def test_a_draft_tells_accepted_from_refused():
    chain = FakeChain()
    good, other, missing = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
    for log_id in (good, other):
        chain.open_log(log_id, sha256(log_id))
    requests = [request(good), request(missing), request(other, old_size=4)]
    found = await batches.draft(chain, ACCOUNT, chain.contract, requests)
    assert [item.log_id for item in found.requests] == [good]
    assert [(item.log_id, error.error) for item, error in found.refused] == [
        (missing, "UnknownLog"),
        (other, "StaleTreeSize"),
    ]
    assert found.gas > 90_000


async def test_nothing_accepted_is_an_empty_draft():
    chain = FakeChain()
    found = await batches.draft(chain, ACCOUNT, chain.contract, [request(), request(b"\x09" * 32)])
    assert (found.requests, len(found.refused)) == ((), 2)
