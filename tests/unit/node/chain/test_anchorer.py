"""The anchorer against a simulated chain: the happy path, then everything that can come in between."""

import copy
from collections import Counter
from dataclasses import replace

import pytest

from fakes.chain import FakeChain
from testamur.node.chain.anchorer import MAX_ATTEMPTS, Anchorer
from testamur.node.chain.anchoring import AnchorerOptions, AnchorState, Pace
from testamur.node.chain.intents import AnchorRequest, IntentStore
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.values import Fees
from testamur.node.errors import ChainUnavailable, StoreCorrupt, WrongChain
from testamur.registry.evm import rlp
from testamur.registry.hashing import sha256

LOG, OTHER_LOG, ISSUER = sha256(b"log"), sha256(b"other log"), sha256(b"issuer")
ACCOUNT = ChainAccount(sha256(b"operator"))
OPTIONS = AnchorerOptions(poll_seconds=1.0, resend_seconds=10.0, stuck_seconds=60.0, max_fee_wei=10**11)


class Logs:
    """A source of anchors: the newest checkpoint of each log, and what was reported."""

    def __init__(self):
        self.checkpoints = {}
        self.anchored_heads = []
        self.refusals = []
        self.tick = lambda name: None

    def publish(self, log_id, size, proof=()):
        self.checkpoints[log_id] = (size, sha256(b"root %d" % size), proof)

    async def newest(self, log_id, old_size):
        self.tick("newest")
        size, root, proof = self.checkpoints[log_id]
        if size <= old_size:
            return None
        return AnchorRequest(log_id=log_id, old_size=old_size, size=size, root=root, statement=1, proof=proof)

    async def anchored(self, head, transaction_hash):
        self.tick("anchored")
        self.anchored_heads.append(
            (head.log_id, head.sequence, head.size, head.root, transaction_hash is not None)
        )
        self.tick("anchored:done")

    async def refused(self, log_id, error):
        self.refusals.append((log_id, error.error))


class TickingStore(IntentStore):
    tick = staticmethod(lambda name: None)

    def save(self, intent, owner):
        self.tick("save")
        super().save(intent, owner)
        self.tick("save:done")

    def clear(self):
        self.tick("clear")
        super().clear()
        self.tick("clear:done")


class Bench:
    """One chain, one source and one journal; the anchorer on top can be restarted."""

    def __init__(self, folder):
        self.chain = FakeChain()
        self.chain.open_log(LOG, ISSUER)
        self.logs = Logs()
        self.path = folder / "anchors" / "intent.json"
        self.now = 0.0
        self.slept = []
        self.start()

    def start(self, options=OPTIONS):
        self.store = TickingStore(self.path)
        self.anchorer = Anchorer(
            self.chain,
            self.chain.contract,
            ACCOUNT,
            self.store,
            self.logs,
            clock=lambda: self.now,
            sleep=self.sleep,
            options=options,
        )
        for log_id in self.logs.checkpoints:
            self.anchorer.wake(log_id)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    async def until(self, condition, *, mine=False):
        for _ in range(60):
            if condition():
                return
            if await self.anchorer.advance() is not Pace.AGAIN:
                self.now += OPTIONS.poll_seconds
                if mine:
                    self.chain.mine()
        pytest.fail(f"never: {self.anchorer.status}")

    async def settle(self):
        await self.until(self.is_idle, mine=True)

    def is_idle(self):
        return self.anchorer.status.state is AnchorState.IDLE and not self.anchorer._wanted

    def state(self, wanted):
        return lambda: self.anchorer.status.state is wanted

    def publish(self, size, log_id=LOG, **more):
        self.logs.publish(log_id, size, **more)
        self.anchorer.wake(log_id)

    @property
    def anchors(self):
        return self.chain.log_word(LOG)["sequence"]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


async def test_a_checkpoint_is_reported_when_it_is_final_and_not_before(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    bench.chain.mine()
    await bench.until(bench.state(AnchorState.MINED))
    assert bench.anchorer.unsettled_block == 2
    assert bench.logs.anchored_heads == []
    bench.chain.mine(2)
    await bench.until(bench.is_idle)
    assert bench.logs.anchored_heads == [(LOG, 1, 10, sha256(b"root 10"), True)]
    assert (bench.anchorer.unsettled_block, bench.path.exists()) == (None, False)


async def test_growing_checkpoints_become_one_anchor_each(bench):
    for size in (10, 25, 40):
        bench.publish(size)
        await bench.settle()
    assert [head[1:3] for head in bench.logs.anchored_heads] == [(1, 10), (2, 25), (3, 40)]


async def test_checkpoints_published_while_one_is_under_way_are_anchored_together_afterwards(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    for size in (20, 30, 40):
        bench.publish(size)
    await bench.settle()
    assert [head[2] for head in bench.logs.anchored_heads] == [10, 40]


async def test_logs_of_one_operator_share_a_transaction(bench):
    bench.chain.open_log(OTHER_LOG, sha256(b"other issuer"))
    bench.publish(10)
    bench.publish(7, OTHER_LOG)
    await bench.settle()
    assert len(set(bench.chain.sent)) == 1
    assert {head[0] for head in bench.logs.anchored_heads} == {LOG, OTHER_LOG}


async def test_the_journal_is_written_before_anything_is_sent(bench):
    seen = []
    bench.chain.on_call = lambda name: seen.append((name, bench.path.exists()))
    bench.publish(10)
    await bench.settle()
    sends = [exists for name, exists in seen if name == "send_raw"]
    assert sends == [True]


async def test_what_the_register_has_already_is_not_sent_again(bench):
    bench.publish(10)
    await bench.settle()
    bench.start()
    await bench.settle()
    assert (bench.anchors, len(bench.chain.sent)) == (1, 1)


# --- crashes: at every call, every write and every report, before and after it


class Crashed(Exception):
    pass


def crash_at(bench, number):
    """The process dies at the `number`-th thing it does; nothing of it survives but chain and disk."""
    count = 0

    def tick(name):
        nonlocal count
        count += 1
        if count == number:
            raise Crashed(name)

    bench.chain.on_call = bench.logs.tick = tick
    bench.store.tick = tick
    return lambda: count


@pytest.mark.parametrize("is_mining", [True, False], ids=["mined-at-once", "mined-later"])
async def test_a_crash_anywhere_loses_nothing_and_anchors_once(bench, tmp_path, is_mining):
    crashes = 0
    for number in range(1, 200):
        bench = Bench(tmp_path / str(number))
        bench.chain.is_mining = is_mining
        counted = crash_at(bench, number)
        bench.publish(10)
        try:
            await bench.settle()
        except Crashed:
            crashes += 1
        bench.chain.on_call = bench.logs.tick = lambda name: None
        bench.start()
        await bench.settle()
        assert (bench.anchors, bench.path.exists()) == (1, False), number
        assert {head[:4] for head in bench.logs.anchored_heads} <= {(LOG, 1, 10, sha256(b"root 10"))}, number
        if counted() < number:
            break
        assert bench.logs.anchored_heads, number
    assert crashes > 20


async def test_a_restart_sends_the_same_bytes_again(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SIGNED))
    signed = bench.anchorer._intent.newest.raw
    bench.start()
    await bench.until(bench.state(AnchorState.SENT))
    assert bench.chain.sent == [signed]


async def test_a_journal_of_another_account_is_refused(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SIGNED))
    bench.start()
    bench.anchorer._account = ChainAccount(sha256(b"another"))
    with pytest.raises(WrongChain, match="another account"):
        await bench.anchorer.advance()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b'{"version": 2}', b'{"version": 1, "chainId": "x"}']
)
async def test_a_damaged_journal_stops_the_anchorer_and_names_the_cure(bench, content):
    bench.path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match="remove it"):
        await bench.anchorer.advance()


# --- what the chain does


async def test_a_reorg_sends_the_anchor_back_to_sent(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    bench.chain.mine()
    await bench.until(bench.state(AnchorState.MINED))
    bench.chain.reorg(1)
    bench.now += OPTIONS.resend_seconds
    await bench.until(bench.state(AnchorState.SENT))
    assert bench.logs.anchored_heads == []
    await bench.settle()
    assert bench.logs.anchored_heads == [(LOG, 1, 10, sha256(b"root 10"), True)]


async def test_a_transaction_that_the_mempool_forgot_is_sent_again(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    bench.chain.mempool.clear()
    bench.now += OPTIONS.resend_seconds
    await bench.settle()
    assert len(bench.chain.sent) == 2
    assert bench.chain.sent[0] == bench.chain.sent[1]


async def test_a_stuck_transaction_is_outbid_with_the_newest_checkpoint(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    bench.logs.publish(LOG, 30)
    bench.now += OPTIONS.stuck_seconds
    await bench.until(lambda: len(bench.anchorer._intent.attempts) == 2)
    first, second = bench.anchorer._intent.attempts
    assert second.requests[0].size == 30
    assert 10 * second.tip_wei >= 11 * first.tip_wei
    assert 10 * second.max_fee_wei >= 11 * first.max_fee_wei
    await bench.settle()
    assert [head[1:3] for head in bench.logs.anchored_heads] == [(1, 30)]


async def test_an_older_attempt_that_wins_after_all_is_settled_and_the_rest_follows(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    first = copy.deepcopy(bench.chain.mempool)
    bench.logs.publish(LOG, 30)
    bench.now += OPTIONS.stuck_seconds
    await bench.until(lambda: len(bench.chain.sent) == 2)
    bench.chain.mempool = first
    await bench.settle()
    assert [head[1:3] for head in bench.logs.anchored_heads] == [(1, 10), (2, 30)]


async def test_fees_stop_at_what_the_operator_pays(bench):
    bench.chain.market = Fees(max_fee_wei=10**15, tip_wei=10**12)
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    assert bench.anchorer._intent.newest.max_fee_wei == OPTIONS.max_fee_wei
    bench.now += OPTIONS.stuck_seconds
    await bench.until(lambda: "fee" in bench.anchorer.status.reason)
    assert len(bench.anchorer._intent.attempts) == 1


async def test_attempts_are_bounded(bench):
    bench.start(
        options=AnchorerOptions(poll_seconds=1, resend_seconds=1, stuck_seconds=1, max_fee_wei=10**18)
    )
    bench.publish(10)
    for _ in range(20 * MAX_ATTEMPTS):
        bench.now += 1
        await bench.anchorer.advance()
    assert len(bench.anchorer._intent.attempts) == MAX_ATTEMPTS
    await bench.settle()
    assert bench.anchors == 1


async def test_a_nonce_that_somebody_else_used_means_read_the_register_and_begin_again(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    bench.chain.mempool.clear()
    bench.chain.nonces[ACCOUNT.address] = 1
    bench.chain.mine()
    await bench.settle()
    assert bench.logs.anchored_heads == [(LOG, 1, 10, sha256(b"root 10"), True)]
    assert len(bench.chain.sent) == 2


async def test_an_anchor_whose_receipt_is_lost_is_found_in_the_register(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    bench.chain.mine()
    bench.chain.receipts.clear()
    await bench.until(bench.state(AnchorState.MINED))
    assert bench.anchorer.unsettled_block is not None
    await bench.settle()
    assert bench.logs.anchored_heads == [(LOG, 1, 10, sha256(b"root 10"), False)]


async def test_a_reverted_anchor_is_drafted_again_from_the_register(bench):
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    # Another operator's transaction was faster.
    bench.chain.state.log(LOG, ISSUER, root=sha256(b"root 4"), sequence=1, key=b"\x02" * 32)
    bench.chain.state.anchor(LOG, 1, size=4, block_number=1, timestamp=1, statement=1)
    await bench.settle()
    assert [head[1:3] for head in bench.logs.anchored_heads] == [(2, 10)]


async def test_a_nonce_behind_a_gap_is_given_up(bench):
    bench.chain.nonces[ACCOUNT.address] = 3
    bench.chain.mine()
    bench.publish(10)
    await bench.until(bench.state(AnchorState.SENT))
    bench.chain.mempool.clear()
    bench.chain.nonces[ACCOUNT.address] = 2
    bench.chain.mine()
    await bench.settle()
    assert bench.logs.anchored_heads == [(LOG, 1, 10, sha256(b"root 10"), True)]


# --- what the contract says


async def test_a_refused_log_is_reported_and_does_not_keep_the_others_from_it(bench):
    bench.chain.open_log(OTHER_LOG, sha256(b"other issuer"))
    bench.publish(10, proof=(b"bad".ljust(32, b"\0"),))
    bench.publish(7, OTHER_LOG)
    await bench.settle()
    assert bench.logs.refusals == [(LOG, "NotAnExtension")]
    assert [head[0] for head in bench.logs.anchored_heads] == [OTHER_LOG]


async def test_a_log_nobody_opened_is_refused(bench):
    bench.publish(7, OTHER_LOG)
    await bench.settle()
    assert bench.logs.refusals == [(OTHER_LOG, "UnknownLog")]
    assert bench.chain.sent == []


# --- outages


class Done(Exception):
    pass


async def test_an_outage_is_waited_for_longer_and_longer_and_loses_nothing(bench):
    bench.publish(10)
    bench.chain.outages = 8
    reasons = []

    async def sleep(seconds):
        reasons.append(bench.anchorer.status.reason)
        await bench.sleep(seconds)
        bench.chain.mine()

    def tick(name):
        if name == "anchored:done":
            raise Done

    bench.anchorer._sleep = sleep
    bench.logs.tick = tick
    with pytest.raises(Done):
        await bench.anchorer.run()
    assert bench.slept[:8] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert set(bench.slept[8:]) == {OPTIONS.poll_seconds}
    assert reasons[:8] == ["no answer to check"] * 8
    assert bench.logs.anchored_heads == [(LOG, 1, 10, sha256(b"root 10"), True)]


async def test_an_outage_in_the_middle_of_anything_is_survived(bench, tmp_path):
    for number in range(1, 40):
        bench = Bench(tmp_path / str(number))
        calls = 0

        def fail(name, bench=bench, number=number):
            nonlocal calls
            calls += 1
            if calls == number:
                bench.chain.outages = 1

        bench.chain.on_call = fail
        bench.publish(10)
        for _ in range(60):
            try:
                await bench.settle()
                break
            except ChainUnavailable:
                bench.anchorer._owner = None
        assert (bench.anchors, [head[2] for head in bench.logs.anchored_heads]) == (1, [10]), number


async def test_an_account_without_money_is_named(bench, monkeypatch):
    def offer(raw):
        return "insufficient funds for gas * price + value"

    monkeypatch.setattr(bench.chain, "_offer", offer)
    bench.publish(10)
    await bench.anchorer.advance()
    with pytest.raises(ChainUnavailable, match=f"0x{ACCOUNT.address.hex()}.*money"):
        await bench.until(bench.is_idle)
    monkeypatch.undo()
    await bench.settle()
    assert bench.anchors == 1


def refusing(bench, monkeypatch, why, is_refused):
    """A chain that refuses what breaks a rule, by the fields of the transaction."""
    take = bench.chain.send_raw

    async def send_raw(raw):
        fields = [int.from_bytes(item) for item in rlp.decode_list(raw[1:])[:5]]
        _, _, _, max_fee_wei, gas = fields
        if is_refused(max_fee_wei, gas):
            raise RpcRefused("eth_sendRawTransaction", -32000, why, None)
        await take(raw)

    monkeypatch.setattr(bench.chain, "send_raw", send_raw)


async def persist(bench, steps):
    """Steps as `run` makes them, a block for each."""
    for _ in range(steps):
        try:
            await bench.anchorer.advance()
        except ChainUnavailable:
            bench.anchorer._owner = None
        bench.now += 10
        bench.chain.mine()


async def test_one_wrong_estimate_does_not_stop_anchoring_for_ever(bench, monkeypatch):
    estimates = iter([40_000_000])
    estimate = bench.chain.estimate_gas

    async def estimate_gas(*arguments):
        right = await estimate(*arguments)
        return next(estimates, right)

    monkeypatch.setattr(bench.chain, "estimate_gas", estimate_gas)
    refusing(bench, monkeypatch, "exceeds block gas limit", lambda _fee, gas: gas > 15_000_000)
    bench.publish(10)
    await persist(bench, 4)
    bench.start()  # the intent is loaded again: what was refused is refused again
    await persist(bench, 30)
    assert [head[1:3] for head in bench.logs.anchored_heads] == [(1, 10)]
    assert bench.anchorer.status.state is AnchorState.IDLE


async def test_what_an_account_could_not_pay_in_a_spike_is_signed_anew_when_it_is_over(bench, monkeypatch):
    refusing(
        bench, monkeypatch, "insufficient funds for gas * price + value", lambda fee, gas: fee * gas > 10**15
    )
    bench.chain.market = Fees(max_fee_wei=9 * 10**10, tip_wei=10**9)
    bench.publish(10)
    await persist(bench, 20)
    assert bench.logs.anchored_heads == []
    bench.publish(12)
    bench.chain.market = Fees(max_fee_wei=2 * 10**9, tip_wei=10**9)
    await persist(bench, 30)
    assert [head[1:3] for head in bench.logs.anchored_heads] == [(1, 12)]


async def test_what_was_refused_and_mined_all_the_same_is_read_from_the_register(bench, monkeypatch):
    """The endpoint takes the transaction and says that it does not."""
    take = bench.chain.send_raw

    async def send_raw(raw):
        await take(raw)
        raise RpcRefused("eth_sendRawTransaction", -32000, "no", None)

    monkeypatch.setattr(bench.chain, "send_raw", send_raw)
    bench.publish(10)
    await persist(bench, 30)
    assert [head[1:3] for head in bench.logs.anchored_heads] == [(1, 10)]
    assert bench.anchors == 1


async def test_every_busy_log_has_its_turn(bench):
    options = replace(OPTIONS, max_batch=2)
    busy = [sha256(b"busy %d" % number) for number in range(5)]
    for log_id in busy:
        bench.chain.open_log(log_id, ISSUER)
    bench.start(options)
    for size in range(1, 60):
        for log_id in busy:
            bench.logs.publish(log_id, size)
            bench.anchorer.wake(log_id)
        await bench.anchorer.advance()
        bench.now += 1
        bench.chain.mine()
    anchored = Counter(head[0] for head in bench.logs.anchored_heads)
    assert set(anchored) == set(busy)
    assert 3 * min(anchored.values()) >= max(anchored.values())
