"""Final blocks are followed without a gap; one that is replaced stops the work, and says what to decide."""

import asyncio
from types import SimpleNamespace

import pytest

from fakes.chain import FakeChain
from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions
from testamur.node.chain.intents import AnchorRequest, IntentStore
from testamur.node.chain.signing import ChainAccount
from testamur.node.errors import ChainUnavailable, ReorgBeyondFinality
from testamur.node.service import chain_tasks, following
from testamur.node.service.anchoring import Capturer
from testamur.node.service.chain_tasks import ChainTasks
from testamur.node.service.following import FinalChain
from testamur.registry.evm.anchors import prove_anchor
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import NoteSigner

LOG, ISSUER = sha256(b"log"), sha256(b"issuer")


@pytest.fixture
def chain():
    made = FakeChain()
    made.open_log(LOG, ISSUER)
    made.mine(5)
    return made


def asked(chain):
    """The heights that are asked for from now on."""
    heights, honest = [], chain.header

    async def header(number):
        heights.append(number)
        return await honest(number)

    chain.header = header
    return heights


async def test_every_block_of_a_gap_is_fetched_once(chain):
    final = FinalChain(chain)
    assert (await final.advance()).number == 4
    heights = asked(chain)
    chain.mine(7)
    assert (await final.advance()).number == 11
    assert heights == [5, 6, 7, 8, 9, 10]
    assert (await final.advance()).number == 11
    assert heights == [5, 6, 7, 8, 9, 10]


async def test_a_gap_is_filled_from_the_block_on_disk_and_goes_on_after_an_outage(chain):
    final = FinalChain(chain)
    old = await chain.header(2)
    await final.begin(2, old.hash)
    chain.mine(10)
    heights, honest = asked(chain), chain.header

    async def header(number):
        if number == 8:
            raise ChainUnavailable("asleep")
        return await honest(number)

    chain.header = header
    with pytest.raises(ChainUnavailable, match="asleep"):
        await final.advance()
    chain.header = honest
    assert (await final.advance()).number == 14
    assert heights == list(range(3, 14))


async def test_a_reorg_above_finality_is_followed_without_a_word(chain):
    final = FinalChain(chain)
    await final.advance()
    chain.reorg(2)
    chain.mine(6)
    assert (await final.advance()).number == 8


@pytest.mark.parametrize("mined", [4, 5, 9])
async def test_a_final_block_that_is_replaced_stops_the_work(chain, mined):
    final = FinalChain(chain)
    assert (await final.advance()).number == 4
    chain.reorg(4)
    chain.mine(mined)
    with pytest.raises(ReorgBeyondFinality, match="was final as"):
        await final.advance()


async def test_another_block_than_the_one_on_disk_stops_the_work(chain):
    with pytest.raises(ReorgBeyondFinality, match="block 2 was final as 0x0000"):
        await FinalChain(chain).begin(2, bytes(32))


async def test_an_endpoint_that_falls_behind_changes_nothing(chain):
    final = FinalChain(chain)
    await final.advance()
    chain.finality_depth = 4
    assert (await final.advance()).number == 4


async def test_after_a_very_long_outage_the_known_block_is_looked_up_and_the_way_is_not_walked(
    chain, monkeypatch
):
    monkeypatch.setattr(following, "MAX_GAP_BLOCKS", 5)
    final = FinalChain(chain)
    await final.advance()
    heights = asked(chain)
    chain.mine(30)
    assert (await final.advance()).number == 34
    assert heights == [4]
    chain.reorg(34)
    chain.mine(60)
    with pytest.raises(ReorgBeyondFinality):
        await final.advance()


async def test_blocks_that_do_not_fit_each_other_are_asked_for_again(chain):
    final = FinalChain(chain)
    await final.advance()
    chain.mine(6)
    honest = chain.header
    wrong = await honest(2)

    async def header(number):
        return wrong if number == 7 else await honest(number)

    chain.header = header
    with pytest.raises((ChainUnavailable, ReorgBeyondFinality)):
        await final.advance()


# ---------------------------------------------------------------------------------------------- in the node's work


def tasks_over(chain):
    """The chain's tasks of a node that hosts nothing, over this chain."""
    made = object.__new__(ChainTasks)
    made.client, made._contract = chain, chain.contract
    made._index = SimpleNamespace(find_meta=lambda name: None)
    made._hostings, made._poll_seconds = {}, 0.001
    made._filler = SimpleNamespace(fill=_nothing)
    made.anchorer = SimpleNamespace(run=_for_ever, status=SimpleNamespace(state=None))
    made._final, made._follow_at, made._look_at, made._state = FinalChain(chain), 0.0, 0.0, "starting"
    made._watch, made._followed = SimpleNamespace(look=_nothing, parts=dict), 0
    return made


async def _nothing(_logs=None):
    return 0


async def _for_ever():
    await asyncio.Event().wait()


async def test_a_reorg_below_finality_ends_the_chains_work_and_names_the_choice(chain, monkeypatch):
    monkeypatch.setattr(chain_tasks, "FOLLOW_SECONDS", 0.0)
    tasks, finals = tasks_over(chain), 0

    def reorganise(name):
        nonlocal finals
        finals += name == "finalized"
        if finals == 3:
            finals += 1
            chain.reorg(4)
            chain.mine(9)

    chain.on_call = reorganise
    chain.endpoints = dict
    await tasks.run()
    state = tasks.parts()["chain"]
    assert state.startswith("final blocks were replaced: ")
    assert "correct `rpc_url`" in state
    assert "start this node again" in state


# ------------------------------------------------------------------------------------------------------ transcript


class Source:
    """One checkpoint to anchor, and what was reported of it."""

    def __init__(self):
        self.final = []

    async def newest(self, log_id, old_size):
        if old_size:
            return None
        return AnchorRequest(log_id=log_id, old_size=0, size=3, root=sha256(b"3"), statement=1, proof=())

    async def anchored(self, head, _transaction):
        self.final.append(head.size)

    async def refused(self, _log_id, error):
        raise AssertionError(error)


async def test_an_anchor_is_reported_when_the_final_block_passed_it_and_not_before(chain, tmp_path):
    source = Source()
    anchorer = Anchorer(
        chain,
        chain.contract,
        ChainAccount(sha256(b"operator")),
        IntentStore(tmp_path / "intent"),
        source,
        clock=lambda: 0.0,
        options=AnchorerOptions(),
    )
    final, transcript = FinalChain(chain), []
    anchorer.wake(LOG)

    async def note():
        await anchorer.advance()
        block = anchorer.status.block_number
        transcript.append(
            (str(anchorer.status.state.name), block, (await final.advance()).number, source.final[:])
        )

    await note()  # signed
    await note()  # sent
    for _ in range(3):
        chain.mine()
        await note()
    assert transcript == [
        ("SIGNED", None, 4, []),
        ("SENT", None, 4, []),
        ("MINED", 7, 5, []),
        ("MINED", 7, 6, []),
        ("MINED", 7, 7, [3]),
    ]


async def test_evidence_exists_from_the_first_attestable_final_block_on_and_not_before(chain, monkeypatch):
    """Until then a verifier gets evidence without an anchor, and *anchored* is unknown to it."""
    capturer = Capturer(
        chain,
        chain.contract,
        registry="registry.example",
        attester_at=lambda _: NoteSigner(name="a", key=SigningKey.from_seed(Algorithm.ED25519, sha256(b"a"))),
        interval_blocks=4,
    )
    kept = []
    monkeypatch.setattr(
        capturer, "_keep", lambda _hosting, anchor, _proven, size: kept.append((anchor, size))
    )
    chain.state.log(LOG, ISSUER, root=sha256(b"3"), sequence=1, key=b"\x02" * 32)
    chain.state.anchor(LOG, 1, size=3, block_number=7, timestamp=1_795_000_007, statement=1)
    hosting = SimpleNamespace(
        log=SimpleNamespace(origin=SimpleNamespace(issuer_id=ISSUER, log_id=LOG, epoch=1), name="log"),
        uncaptured_block=7,
        run=_at_once,
        learn=lambda _proven: None,
    )
    transcript = []
    for _ in range(5):
        chain.mine()
        block = await capturer.capture(hosting)
        transcript.append(((await chain.finalized()).number, block and block.number, len(kept)))
    assert transcript == [(5, None, 0), (6, None, 0), (7, None, 0), (8, 8, 1), (9, None, 1)]
    anchor, size = kept[0]
    assert size == 3
    assert prove_anchor(anchor, issuer_id=ISSUER, log_id=LOG, epoch=1).header.number == 8


async def _at_once(function, *arguments):
    return function(*arguments)
