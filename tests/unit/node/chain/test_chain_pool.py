"""Several endpoints as one: what is proven needs one of them, what is believed needs more than half."""

import asyncio

import pytest

from fakes.chain import FakeChain
from testamur.node.addresses import shown_url
from testamur.node.chain.capture import WantedLog, capture_anchor, read_log_head
from testamur.node.chain.client import ChainClient
from testamur.node.chain.pool import ChainPool
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.values import ChainIdentity, Fees, Receipt, StorageAnswer
from testamur.node.errors import ChainUnavailable, ConfigError, WrongChain
from testamur.registry.hashing import sha256

LOG, ISSUER = sha256(b"log"), sha256(b"issuer")
OTHER = ChainIdentity(chain_id=31337, genesis_hash=b"\x09" * 32)
ACCOUNT = b"\x0c" * 20


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def chain(name="http://a", blocks=6):
    made = FakeChain(name=name)
    made.open_log(LOG, ISSUER)
    made.mine(blocks - 1)
    return made


@pytest.fixture
def three():
    return [chain(f"http://{name}") for name in "abc"]


def answering(fake, method, value):
    """The endpoint gives this value, or raises it, whatever the truth is."""

    async def answer(*_args, **_kwargs):
        if isinstance(value, BaseException):
            raise value
        return value

    setattr(fake, method, answer)


def down(fake):
    fake.outages = 10**6


async def test_all_endpoints_agree_and_are_ok(three, clock):
    pool = ChainPool(three, clock=clock)
    with pytest.raises(ConfigError):
        _ = pool.identity
    assert set(pool.endpoints().values()) == {"not asked yet"}
    assert await pool.check() == three[0].identity == pool.identity
    await pool.check_contract(three[0].contract)
    assert (await pool.finalized()).number == 4
    assert (await pool.head()).number == 6
    assert await pool.header_bytes(3) == three[0].blocks[3][0]
    assert (await read_log_head(pool, three[0].contract, LOG, await pool.head())).size == 0
    assert pool.endpoints() == {"http://a": "ok", "http://b": "ok", "http://c": "ok"}
    assert pool.name == "http://a, http://b, http://c"


# --------------------------------------------------------------------------------------------- other chains


async def test_an_endpoint_of_another_chain_is_refused_alone_and_named(three, clock):
    answering(three[0], "check", WrongChain("http://a serves chain 1, not 31337"))
    pool = ChainPool(three, clock=clock)
    await pool.check()
    assert (await pool.finalized()).number == 4
    assert pool.endpoints()["http://a"] == "refused: http://a serves chain 1, not 31337"
    del three[0].check
    await pool.finalized()
    assert "refused" in pool.endpoints()["http://a"]
    clock.now += 61
    await pool.finalized()
    assert pool.endpoints()["http://a"] == "ok"


async def test_when_all_serve_another_chain_it_is_the_wrong_chain(three, clock):
    for fake in three:
        answering(fake, "check", WrongChain("serves chain 1"))
    with pytest.raises(WrongChain, match=r"http://a: refused: serves chain 1; http://b"):
        await ChainPool(three, clock=clock).check()


async def test_one_wrong_and_one_silent_endpoint_are_an_outage(three, clock):
    answering(three[0], "check", WrongChain("serves chain 1"))
    down(three[1])
    with pytest.raises(ChainUnavailable, match="no endpoint answers"):
        await ChainPool(three[:2], clock=clock).check()


async def test_two_geneses_need_a_word_from_the_operator_and_a_known_one_decides(three, clock):
    answering(three[2], "check", OTHER)
    with pytest.raises(WrongChain, match="set `genesis_hash`"):
        await ChainPool(three, clock=clock).check()
    late = ChainPool(three, clock=clock)
    answering(three[2], "check", ChainUnavailable("asleep"))
    await late.check()
    answering(three[2], "check", OTHER)
    clock.now += 61
    await late.finalized()
    assert "begins with 0x0909" in late.endpoints()["http://c"]


async def test_endpoints_without_the_contract_or_a_final_block_are_refused(three, clock):
    pool = ChainPool(three, clock=clock)
    answering(three[1], "check_contract", WrongChain("there is no contract"))
    await pool.check()
    await pool.check_contract(three[0].contract)
    assert pool.endpoints()["http://b"] == "refused: there is no contract"
    for fake in three:
        answering(fake, "check_contains", WrongChain("this is another chain"))
    with pytest.raises(WrongChain, match="another chain"):
        await pool.check_contains(4, bytes(32))


# ------------------------------------------------------------------------------------------------- outages


async def test_an_endpoint_that_fails_rests_longer_every_time_and_comes_back(three, clock):
    pool = ChainPool(three, clock=clock)
    await pool.check()
    down(three[0])
    asked = []
    three[0].on_call = asked.append
    for seconds in (0, 1.5, 2.5, 4.5):
        clock.now += seconds
        await pool.finalized()
        await pool.finalized()
    assert len(asked) == 4
    assert pool.endpoints()["http://a"].startswith("unavailable: no answer")
    three[0].outages = 0
    clock.now += 60
    await pool.finalized()
    assert pool.endpoints()["http://a"] == "ok"


async def test_an_endpoint_that_will_not_say_which_chain_it_serves_is_not_used(three, clock):
    answering(three[0], "check", RpcRefused("eth_chainId", -32005, "limit exceeded", None))
    pool = ChainPool(three, clock=clock)
    await pool.check()
    assert (await pool.finalized()).number == 4
    assert "limit exceeded" in pool.endpoints()["http://a"]


async def test_a_tip_invented_by_one_endpoint_and_a_straggler_leave_the_honest_height(clock):
    honest, liar, slow = chain("http://a", 9), chain("http://b", 9), chain("http://c", 4)
    answering(liar, "finalized", (await chain("http://x", 90).finalized()))
    pool = ChainPool([liar, honest, slow], clock=clock)
    await pool.check()
    assert (await pool.finalized()).hash == (await honest.finalized()).hash


async def test_when_nobody_answers_every_endpoint_is_named(three, clock):
    pool = ChainPool(three, clock=clock)
    await pool.check()
    for fake in three:
        down(fake)
    with pytest.raises(ChainUnavailable, match=r"http://a: unavailable.*http://b: .*http://c"):
        await pool.finalized()


# ------------------------------------------------------------------------------------------ what is believed


@pytest.mark.parametrize(("heights", "final"), [((6, 9), 4), ((6, 9, 9), 7), ((2, 6, 9), 4), ((6, 6, 60), 4)])
async def test_the_final_height_is_what_more_than_half_have_reached(heights, final, clock):
    pool = ChainPool([chain(f"http://{height}-{n}", height) for n, height in enumerate(heights)], clock=clock)
    await pool.check()
    assert (await pool.finalized()).number == final


async def test_a_straggler_is_named_with_its_distance(clock):
    pool = ChainPool([chain("http://a", 9), chain("http://b", 9), chain("http://c", 3)], clock=clock)
    await pool.check()
    await pool.finalized()
    assert pool.endpoints()["http://c"] == "6 blocks behind"


def forked(name, blocks=6):
    """The same genesis and other blocks."""
    made = FakeChain(name=name)
    made.state.timestamp += 500
    made.open_log(LOG, ISSUER)
    made.mine(blocks - 1)
    return made


async def test_two_endpoints_that_disagree_about_a_final_block_are_both_named(clock):
    pool = ChainPool([chain("http://a"), forked("http://b")], clock=clock)
    await pool.check()
    for ask in (pool.finalized, pool.head, lambda: pool.header(4), lambda: pool.header_bytes(4)):
        with pytest.raises(
            ChainUnavailable, match=r"disagree about block \d: http://a says 0x.*http://b says 0x"
        ):
            await ask()


async def test_one_of_three_that_disagrees_is_outvoted_and_named(clock):
    honest = chain("http://a")
    pool = ChainPool([forked("http://liar"), honest, chain("http://b")], clock=clock)
    await pool.check()
    assert (await pool.finalized()).hash == (await honest.finalized()).hash
    assert pool.endpoints()["http://liar"].startswith("contradicted: most endpoints say 0x")


async def test_a_fork_of_other_length_is_compared_at_the_common_height(clock):
    pool = ChainPool([chain("http://a"), forked("http://b", 9)], clock=clock)
    await pool.check()
    with pytest.raises(ChainUnavailable, match="disagree about block 4"):
        await pool.finalized()


async def test_a_block_that_most_do_not_have_is_none(clock):
    pool = ChainPool([chain("http://a", 3), chain("http://b", 3), chain("http://c", 9)], clock=clock)
    await pool.check()
    assert await pool.find_header(5) is None
    with pytest.raises(ChainUnavailable, match="no block 5 yet"):
        await pool.header(5)


@pytest.mark.parametrize(("counts", "agreed"), [((3, 5), 3), ((3, 5, 5), 5), ((3, 5, 10**9), 5)])
async def test_a_nonce_is_what_more_than_half_have_reached(counts, agreed, clock):
    fakes = [chain(f"http://{n}") for n in range(len(counts))]
    for fake, count in zip(fakes, counts, strict=True):
        answering(fake, "transaction_count", count)
    pool = ChainPool(fakes, clock=clock)
    await pool.check()
    assert await pool.transaction_count(ACCOUNT) == agreed
    for fake in fakes[: len(fakes) // 2 + 1]:
        answering(fake, "transaction_count", RpcRefused("eth_getTransactionCount", 1, "unknown block", None))
    with pytest.raises(ChainUnavailable, match="too few endpoints know a nonce"):
        await pool.transaction_count(ACCOUNT, block=9)


def receipt(block=b"\x01", *, succeeded=True):
    return Receipt(
        transaction_hash=bytes(32),
        block_number=5,
        block_hash=block * 32,
        succeeded=succeeded,
        gas_used=1,
        contract=None,
    )


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ((receipt(), receipt(), None), receipt()),
        ((receipt(), None, None), None),
        ((receipt(), None), None),
        ((receipt(), receipt(b"\x02"), None), None),
        ((receipt(succeeded=False), receipt(), receipt()), receipt()),
        ((None, None, None), None),
    ],
)
async def test_a_receipt_is_believed_when_more_than_half_have_it(answers, found, clock):
    fakes = [chain(f"http://{n}") for n in range(len(answers))]
    for fake, answer in zip(fakes, answers, strict=True):
        answering(fake, "find_receipt", answer)
    pool = ChainPool(fakes, clock=clock)
    await pool.check()
    assert await pool.find_receipt(bytes(32)) == found


async def test_reads_events_and_estimates_are_what_more_than_half_say(three, clock):
    pool = ChainPool(three, clock=clock)
    revert = RpcRefused("eth_call", 3, "execution reverted", b"\x01\x02\x03\x04")
    row = {"topics": ["0x1"], "data": "0x", "blockNumber": "0x1", "blockHash": "0x2"}
    for fake, read, rows, gas in zip(
        three,
        (b"yes", b"no", b"yes"),
        ([{**row, "blockTimestamp": "0x5"}], [row], []),
        (90_000, revert, 95_000),
        strict=True,
    ):
        answering(fake, "call", read)
        answering(fake, "event_rows", rows)
        answering(fake, "estimate_gas", gas)
        answering(fake, "balance_wei", len(rows))
    await pool.check()
    assert await pool.call(bytes(20), b"") == b"yes"
    assert len(await pool.event_rows(bytes(20), first=1, last=2, topics=[])) == 1
    assert await pool.estimate_gas(ACCOUNT, None, b"") == 95_000
    assert await pool.balance_wei(ACCOUNT) == 1
    answering(three[0], "estimate_gas", revert)
    with pytest.raises(RpcRefused, match="reverted"):
        await pool.estimate_gas(ACCOUNT, None, b"")
    answering(three[0], "call", b"maybe")
    with pytest.raises(ChainUnavailable, match="disagree about a read"):
        await pool.call(bytes(20), b"")


async def test_fees_are_the_middle_of_what_is_suggested(three, clock):
    for fake, cap in zip(three, (1, 10**18, 7), strict=True):
        answering(fake, "fees", Fees(max_fee_wei=cap, tip_wei=1))
    pool = ChainPool(three, clock=clock)
    await pool.check()
    assert (await pool.fees()).max_fee_wei == 7


async def test_a_transaction_goes_to_all_and_one_that_takes_it_is_enough(three, clock):
    refused = RpcRefused("eth_sendRawTransaction", -32000, "nobody likes it", None)
    known = RpcRefused("eth_sendRawTransaction", -32000, "already known", None)
    pool = ChainPool(three, clock=clock)
    await pool.check()
    for fake in three[:2]:
        answering(fake, "send_raw", refused)
    answering(three[2], "send_raw", None)
    await pool.send_raw(b"\x02")
    answering(three[2], "send_raw", known)
    with pytest.raises(RpcRefused, match="already known"):
        await pool.send_raw(b"\x02")


# -------------------------------------------------------------------------------------------- what is proven


async def test_a_false_proof_costs_its_endpoint_the_first_place(three, clock):
    asked = []

    def lying(fake):
        honest = fake.get_proof

        async def get_proof(contract, slots, number, *, accept):
            asked.append(fake.name)
            answer = await honest(contract, slots, number)
            if fake is three[0]:
                answer = StorageAnswer(nodes=answer.nodes[:-1])
            accept(answer)
            return answer

        fake.get_proof = get_proof

    for fake in three:
        lying(fake)
    pool = ChainPool(three, clock=clock)
    await pool.check()
    header = await pool.finalized()
    assert (await read_log_head(pool, three[0].contract, LOG, header)).size == 0
    assert asked == ["http://a", "http://b"]
    assert "did not prove" in pool.endpoints()["http://a"]
    clock.now += 61
    await read_log_head(pool, three[0].contract, LOG, header)
    assert asked[2:] == ["http://b"]
    wanted = WantedLog(issuer_id=ISSUER, log_id=LOG, epoch=1)
    anchor = await capture_anchor(pool, three[0].contract, [wanted], 4)
    assert (anchor.header, anchor.seals) == (three[0].blocks[4][0], None)


async def test_an_endpoint_that_leads_to_another_chain_by_now_is_refused_and_the_next_one_asked(three, clock):
    pool = ChainPool(three, clock=clock)
    await pool.check()
    for first in three[:2]:
        answering(first, "get_proof", WrongChain("serves chain 5 now"))
    head = await read_log_head(pool, three[0].contract, LOG, await pool.head())
    assert head.size == 0
    assert sum("serves chain 5" in state for state in pool.endpoints().values()) >= 1


async def test_when_every_proof_is_false_the_last_reason_is_given(three, clock):
    for fake in three:
        answering(fake, "find_seals", ChainUnavailable("no such method"))
    pool = ChainPool(three, clock=clock)
    await pool.check()
    with pytest.raises(ChainUnavailable, match="no such method"):
        await pool.find_seals(1)


async def test_a_mistake_of_ours_is_not_taken_for_an_outage(three, clock):
    pool = ChainPool(three, clock=clock)
    await pool.check()
    answering(three[1], "find_receipt", TypeError("ours"))
    with pytest.raises(TypeError, match="ours"):
        await pool.find_receipt(bytes(32))


async def test_concurrent_questions_do_not_disturb_each_other(three, clock):
    pool = ChainPool(three, clock=clock)
    found = await asyncio.gather(*(pool.finalized() for _ in range(20)))
    assert {header.number for header in found} == {4}


# ----------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://mainnet.example/v3/0123456789abcdef", "https://mainnet.example"),
        ("https://user:secret@rpc.example:8545/?key=1", "https://rpc.example:8545"),
        ("http://[::1]:8545", "http://[::1]:8545"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
    ],
)
def test_keys_in_addresses_are_not_shown(url, shown):
    assert shown_url(url) == shown == ChainClient(url, chain_id=1).name


def test_two_accounts_at_one_provider_have_two_names():
    clients = [ChainClient(f"https://rpc.example/{key}", chain_id=1) for key in ("a", "b")]
    assert list(ChainPool(clients).endpoints()) == ["https://rpc.example (1)", "https://rpc.example (2)"]


async def test_closing_closes_all(three, clock):
    closed = []
    for fake in three:
        fake.close = lambda name=fake.name: _closed(closed, name)
    await ChainPool(three, clock=clock).close()
    assert closed == ["http://a", "http://b", "http://c"]


async def _closed(closed, name):
    closed.append(name)
