from dataclasses import replace

import pytest

from fakes.chain import FakeChain
from testamur.node.chain.capture import (
    LogHead,
    WantedLog,
    attestable_height,
    capture_anchor,
    newest_attestable_height,
    read_log_head,
)
from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.values import StorageAnswer
from testamur.node.errors import ChainUnavailable, WrongChain
from testamur.registry.errors import VerificationError
from testamur.registry.evm import slots
from testamur.registry.evm.anchors import parse_anchor, prove_anchor, prove_storage, read_anchor
from testamur.registry.evm.qbft import QbftSeals
from testamur.registry.hashing import sha256

LOG, ISSUER, OTHER_LOG, OTHER_ISSUER = (sha256(name) for name in (b"log", b"issuer", b"log 2", b"issuer 2"))
ROOT = sha256(b"root")


@pytest.fixture
def chain():
    made = FakeChain()
    for log_id, issuer_id in ((LOG, ISSUER), (OTHER_LOG, OTHER_ISSUER)):
        made.open_log(log_id, issuer_id)
        made.state.log(log_id, issuer_id, root=ROOT, sequence=2, key=b"\x02" * 32)
        for sequence in (1, 2):
            made.state.anchor(
                log_id,
                sequence,
                size=10 * sequence,
                block_number=sequence,
                timestamp=50 + sequence,
                statement=4,
            )
    made.mine(3)
    return made


def wanted(log_id=LOG, issuer_id=ISSUER, **more):
    return WantedLog(issuer_id=issuer_id, log_id=log_id, epoch=1, **more)


async def test_a_captured_anchor_is_what_a_verifier_proves(chain):
    evidence = await capture_anchor(chain, chain.contract, [wanted(history=(1,))], 4)
    proven = prove_anchor(parse_anchor(evidence.to_json()), issuer_id=ISSUER, log_id=LOG, epoch=1)
    assert (proven.header.number, proven.head.size, proven.log.root) == (4, 20, ROOT)
    assert proven.find_covering(5) == (1, proven.history[1])
    assert (evidence.chain_id, evidence.genesis_hash) == (31337, chain.identity.genesis_hash)


async def test_several_logs_share_one_anchor(chain):
    logs = [wanted(), wanted(OTHER_LOG, OTHER_ISSUER)]
    evidence = await capture_anchor(chain, chain.contract, logs, 4)
    storage = prove_storage(evidence)
    for log in logs:
        assert read_anchor(storage, issuer_id=log.issuer_id, log_id=log.log_id, epoch=1).head.size == 20
    alone = [await capture_anchor(chain, chain.contract, [log], 4) for log in logs]
    assert len(evidence.nodes) < sum(len(one.nodes) for one in alone)


async def test_what_the_counts_say_is_captured_too(chain):
    chain.state.issuer(ISSUER, identity=b"\x01" * 32, suspensions=1, keyChains=1, epoch=2)
    chain.state.log(LOG, ISSUER, root=ROOT, sequence=2, key=b"\x02" * 32, good_size=20, superseded=True)
    chain.state.suspension(ISSUER, 0, fromEpoch=1, fromSize=3, suspendedAt=5)
    chain.state.key_chain(ISSUER, 0, first_key_event=ROOT, epoch=1, startSize=6, recordedAt=7)
    chain.mine()
    evidence = await capture_anchor(chain, chain.contract, [wanted()], 6)
    proven = prove_anchor(evidence, issuer_id=ISSUER, log_id=LOG, epoch=1)
    assert (proven.log.good_size, proven.suspensions[0].from_size, proven.key_chains[0].start_size) == (
        20,
        3,
        6,
    )


async def test_the_head_is_read_with_a_proof(chain):
    head = await read_log_head(chain, chain.contract, LOG, await chain.head())
    assert head == LogHead(
        log_id=LOG, sequence=2, size=20, root=ROOT, statement=4, block_number=2, timestamp=52
    )


async def test_a_log_without_anchors_has_an_empty_head(chain):
    chain.open_log(sha256(b"new"), sha256(b"new issuer"))
    head = await read_log_head(chain, chain.contract, sha256(b"new"), await chain.head())
    assert (head.size, head.sequence, head.root) == (0, 0, bytes(32))


async def test_a_log_nobody_opened_is_refused(chain):
    with pytest.raises(ContractRefused, match="UnknownLog"):
        await read_log_head(chain, chain.contract, sha256(b"nobody"), await chain.head())


async def test_an_endpoint_that_does_not_prove_is_not_believed(chain, monkeypatch):
    honest = chain.get_proof

    async def get_proof(contract, slots, block_number, *, accept):
        answer = await honest(contract, slots, block_number)
        accept(StorageAnswer(nodes=answer.nodes[:-1]))
        return answer

    monkeypatch.setattr(chain, "get_proof", get_proof)
    with pytest.raises(ChainUnavailable, match="did not prove"):
        await read_log_head(chain, chain.contract, LOG, await chain.head())
    with pytest.raises(ChainUnavailable, match="did not prove"):
        await capture_anchor(chain, chain.contract, [wanted()], 4)


async def test_another_contract_is_no_registry(chain):
    chain.state.storage[slots.log_slots(LOG)[1]] |= 1 << 255
    chain.mine()
    with pytest.raises(WrongChain, match="no anchor registry"):
        await read_log_head(chain, chain.contract, LOG, await chain.head())


async def test_evidence_of_one_chain_is_not_proven_under_the_header_of_another(chain):
    evidence = await capture_anchor(chain, chain.contract, [wanted()], 4)
    other = FakeChain()
    with pytest.raises(VerificationError):
        prove_storage(replace(evidence, header=other.blocks[0][0]))


@pytest.mark.parametrize(
    ("block", "interval", "height"), [(0, 4, 0), (1, 4, 4), (4, 4, 4), (5, 4, 8), (7, 1, 7), (99, 100, 100)]
)
def test_an_anchor_is_attested_at_the_next_multiple(block, interval, height):
    assert attestable_height(block, interval) == height
    assert newest_attestable_height(height, interval) == height
    assert newest_attestable_height(height + interval - 1, interval) == height


async def test_seals_that_an_endpoint_has_are_kept_with_the_anchor(chain, monkeypatch):
    assert (await capture_anchor(chain, chain.contract, [wanted()], 4)).seals is None
    seals = QbftSeals(round=1, seals=(bytes(65),))

    async def find_seals(number):
        assert number == 4
        return seals

    monkeypatch.setattr(chain, "find_seals", find_seals)
    assert (await capture_anchor(chain, chain.contract, [wanted()], 4)).seals == seals
