"""A real Anvil and the real contract: what is anchored is final, captured, and proven from bytes alone."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions, AnchorState
from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.capture import WantedLog, attestable_height, capture_anchor, read_log_head
from testamur.node.chain.client import ChainClient
from testamur.node.chain.contracts import ContractRefused, artifact, decode_result, encode_call
from testamur.node.chain.embedded import pump
from testamur.node.chain.events import Anchored, IssuerAdmitted, LogOpened, read_admissions, read_events
from testamur.node.chain.intents import AnchorRequest, IntentStore
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.snapshots import IDENTITY, OLDER_SNAPSHOT, SNAPSHOT
from testamur.node.chain.transactions import TransactionSender
from testamur.node.errors import ChainUnavailable, StoreCorrupt, WrongChain
from testamur.registry.entries import Origin
from testamur.registry.errors import RegistryError, VerificationError
from testamur.registry.evm.anchors import parse_anchor, prove_anchor
from testamur.registry.evm.attestations import attest_header, sign_attestation, verify_attestations
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.merkle import leaf_hash, prove_consistency, root_hash
from testamur.registry.notes import NoteSigner

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])
REGISTRY = "registry.example"
ADA, ADA_2 = Origin(registry=REGISTRY, slug="ada", epoch=1), Origin(registry=REGISTRY, slug="ada", epoch=2)
BOB = Origin(registry=REGISTRY, slug="bob", epoch=1)
COUNCIL, OPERATOR = ChainAccount(sha256(b"council")), ChainAccount(sha256(b"operator"))
IDENTITY_DIGEST, LOG_KEY = sha256(b"admission"), sha256(b"vkey")
LEAVES = [leaf_hash(number.to_bytes(2)) for number in range(200)]
INTERVAL = 4


async def test_any_number_of_restarts_goes_on_with_the_same_chain(tmp_path):
    """Anvil makes a genesis of its own at every start, and dumps it beside the one that it loaded."""
    seen = []
    for _ in range(5):
        anvil = await Anvil.start(ANVIL, tmp_path)
        seen.append(((await anvil.client.header(0)).hash, (await anvil.client.head()).number))
        await anvil.mine(2)
        await anvil.stop()
    assert [number for _, number in seen] == [0, 2, 4, 6, 8]
    assert len({genesis for genesis, _ in seen}) == 1


class Registry:
    """The contract on a running chain, with the council that owns it."""

    def __init__(self, anvil, council, address):
        self.anvil, self.client, self.council, self.address = anvil, anvil.client, council, address

    async def admit(self, origin, did):
        arguments = (origin.slug, did, IDENTITY_DIGEST, COUNCIL.address, OPERATOR.address, LOG_KEY)
        return await self.council.call(self.address, "admit", *arguments)

    async def anchor(self, origin, old_size, size, statement=1):
        operator = TransactionSender(self.client, OPERATOR)
        arguments = (origin.log_id, old_size, size, root(size), statement, proof(old_size, size))
        return await operator.call(self.address, "anchor", *arguments)

    async def capture(self, origin, block, **more):
        wanted = WantedLog(issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch, **more)
        return await capture_anchor(self.client, self.address, [wanted], block)

    async def read(self, function, *arguments):
        return decode_result(function, await self.client.call(self.address, encode_call(function, arguments)))


def root(size):
    return root_hash(LEAVES[:size])


def proof(old_size, size):
    return prove_consistency(LEAVES[:size], old_size, size) if old_size else []


def prove(evidence, origin=ADA):
    again = parse_anchor(evidence.to_json())
    return prove_anchor(again, issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch)


class Log:
    """A source of anchors for one log that grows by whole checkpoints."""

    def __init__(self):
        self.size = 0
        self.heads = []
        self.refusals = []

    async def newest(self, log_id, old_size):
        if self.size <= old_size:
            return None
        return AnchorRequest(
            log_id=log_id,
            old_size=old_size,
            size=self.size,
            root=root(self.size),
            statement=1,
            proof=tuple(proof(old_size, self.size)),
        )

    async def anchored(self, head, transaction_hash):
        self.heads.append(head)

    async def refused(self, log_id, error):
        self.refusals.append(error)


def anchorer_for(registry, folder, log):
    return Anchorer(
        registry.client,
        registry.address,
        OPERATOR,
        IntentStore(folder / "intent.json"),
        log,
        clock=time.monotonic,
        options=AnchorerOptions(poll_seconds=0.05, resend_seconds=0.2),
    )


@contextlib.asynccontextmanager
async def running(*coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail("never happened")


async def until_final(registry, height):
    """Anvil mines its blocks one by one: an anchor is final a moment before the height that is attested."""
    for _ in range(1000):
        if (await registry.client.finalized()).number >= height:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the pump stopped too early")


@pytest.fixture
async def anvil(tmp_path):
    started = await Anvil.start(ANVIL, tmp_path / "chain")
    yield started
    await started.stop()


@pytest.fixture
async def registry(anvil):
    for account in (COUNCIL, OPERATOR):
        await anvil.fund(account.address, 10**20)
    council = TransactionSender(anvil.client, COUNCIL)
    receipt = await council.deploy(REGISTRY, council=COUNCIL.address, recovery_delay_seconds=1)
    made = Registry(anvil, council, receipt.contract)
    await made.admit(ADA, "did:web:ada.example")
    return made


async def test_three_checkpoints_are_anchored_final_captured_and_proven_offline(registry, tmp_path):
    log = Log()
    anchorer = anchorer_for(registry, tmp_path, log)
    captured = []
    waiting = pump(
        registry.anvil, lambda: anchorer.unsettled_block, interval_blocks=INTERVAL, poll_seconds=0.02
    )
    async with running(anchorer.run(), waiting):
        for count, size in enumerate((5, 64, 200), start=1):
            log.size = size
            anchorer.wake(ADA.log_id)
            await until(lambda count=count: len(log.heads) == count)
            height = attestable_height(log.heads[-1].block_number, INTERVAL)
            await until_final(registry, height)
            captured.append(await registry.capture(ADA, height, history=tuple(range(1, count))))
    assert [(head.sequence, head.size, head.root) for head in log.heads] == [
        (1, 5, root(5)),
        (2, 64, root(64)),
        (3, 200, root(200)),
    ]
    newest = prove(captured[-1])
    assert (newest.issuer.identity, newest.issuer.statement) == (IDENTITY_DIGEST, 1)
    assert (newest.log.root, newest.log.key, newest.log.operator) == (root(200), LOG_KEY, OPERATOR.address)
    assert [newest.history[sequence].size for sequence in (1, 2, 3)] == [5, 64, 200]
    assert newest.find_covering(63) == (2, newest.history[2])
    assert [prove(evidence).head.size for evidence in captured] == [5, 64, 200]
    assert not (tmp_path / "intent.json").exists()


async def test_a_captured_header_is_attested_by_members(registry):
    receipt = await registry.anchor(ADA, 0, 5)
    height = attestable_height(receipt.block_number, INTERVAL)
    await registry.anvil.mine_until_final(height)
    evidence = await registry.capture(ADA, height)
    header = parse_header(evidence.header)
    expected = attest_header(REGISTRY, chain_id=31337, genesis_hash=evidence.genesis_hash, header=header)
    key = NoteSigner(
        name=f"{REGISTRY}/members/ada/attestation", key=SigningKey.from_seed(Algorithm.ED25519, LOG_KEY)
    )
    noted = parse_anchor(evidence.with_notes([sign_attestation(expected, key)]).to_json())
    assert verify_attestations(noted.notes, {key.verifier_key: "ada"}, 1, expected) == {"ada"}


async def test_no_byte_of_an_anchor_can_be_changed(registry):
    await registry.anchor(ADA, 0, 5)
    evidence = await registry.capture(ADA, (await registry.client.head()).number)
    honest = prove(evidence)
    for number, node in enumerate(evidence.nodes):
        for position in range(0, len(node), 41):
            damaged = node[:position] + bytes((node[position] ^ 1,)) + node[position + 1 :]
            nodes = (*evidence.nodes[:number], damaged, *evidence.nodes[number + 1 :])
            with pytest.raises(RegistryError):
                prove(replace(evidence, nodes=nodes))
    for position in range(0, len(evidence.header), 7):
        data = evidence.header
        damaged = data[:position] + bytes((data[position] ^ 1,)) + data[position + 1 :]
        with contextlib.suppress(RegistryError):
            # Fields other than the state root prove the same words, but under a hash that nobody attests.
            assert prove(replace(evidence, header=damaged)).header.hash != honest.header.hash
    with pytest.raises(VerificationError):
        prove(replace(evidence, contract=COUNCIL.address))
    with pytest.raises(VerificationError):
        prove(evidence, BOB)


async def test_a_whole_life_is_proven_from_storage(registry):
    await registry.admit(BOB, "did:web:bob.example")
    council, address = registry.council, registry.address
    await registry.anchor(ADA, 0, 5)
    await council.call(address, "suspend", ADA.issuer_id)
    await registry.anchor(ADA, 5, 20, statement=2)
    suspended = prove(await registry.capture(ADA, (await registry.client.head()).number))
    assert (suspended.issuer.lifecycle, suspended.suspensions[0].until_size) == (Lifecycle.SUSPENDED, None)
    assert (suspended.find_suspension(4), suspended.find_suspension(19)) == (None, suspended.suspensions[0])

    await council.call(address, "reinstate", ADA.issuer_id)
    await council.call(address, "proposeRecovery", ADA.issuer_id, bytes(20), sha256(b"new first key event"))
    await registry.client.request("evm_increaseTime", [5])
    await registry.anvil.mine(1)
    await council.call(address, "executeRecovery", ADA.issuer_id)
    await council.call(address, "openEpoch", "ada", 1, OPERATOR.address, sha256(b"vkey 2"), 22)
    await registry.anchor(ADA_2, 0, 7, statement=3)
    with pytest.raises(ContractRefused, match="StaleEpoch"):
        await council.call(address, "openEpoch", "ada", 1, OPERATOR.address, sha256(b"vkey 3"), 22)
    with pytest.raises(ContractRefused, match="StaleTreeSize"):
        await council.call(address, "close", ADA.issuer_id, BOB.issuer_id, 20)
    await council.call(address, "close", ADA.issuer_id, BOB.issuer_id, 7)
    height = (await registry.client.head()).number

    first = prove(await registry.capture(ADA, height, history=(1,)))
    assert (first.issuer.lifecycle, first.issuer.custodian) == (Lifecycle.CLOSED, BOB.issuer_id)
    assert (first.issuer.epoch, first.issuer.statement, first.log.good_size) == (2, 3, 22)
    assert (first.suspensions[0].from_size, first.suspensions[0].until_size) == (5, 20)
    assert [first.find_suspension(index) is None for index in (4, 5, 19, 20)] == [True, False, False, True]
    chain = first.key_chains[0]
    assert (chain.first_key_event, chain.epoch, chain.start_size) == (sha256(b"new first key event"), 1, 20)
    second = prove(await registry.capture(ADA_2, height), ADA_2)
    assert (second.log.key, second.head.size, second.log.superseded) == (sha256(b"vkey 2"), 7, False)
    bob = prove(await registry.capture(BOB, height), BOB)
    assert (bob.issuer.lifecycle, bob.head) == (Lifecycle.ACTIVE, None)
    with pytest.raises(ContractRefused, match="IssuerIsClosed"):
        await registry.anchor(ADA_2, 7, 9, statement=3)


async def test_ids_are_computed_alike_on_both_sides(registry):
    assert await registry.read("issuerIdOf", "ada") == (ADA.issuer_id,)
    assert await registry.read("logIdOf", "ada", 2) == (ADA_2.log_id,)
    assert await registry.read("registryName") == (REGISTRY,)
    assert await registry.read("version") == (1,)
    await registry.client.check_contract(registry.address)


async def test_the_contract_says_why_it_refuses(registry):
    await registry.anchor(ADA, 0, 5)
    with pytest.raises(ContractRefused) as caught:
        await registry.anchor(ADA, 3, 9)
    assert (caught.value.error, caught.value.arguments) == ("StaleTreeSize", {"got": 3, "current": 5})
    with pytest.raises(ContractRefused, match="DidTaken"):
        await registry.admit(BOB, "did:web:ada.example")


async def test_numbers_that_a_thief_used_up_are_followed_by_higher_ones(registry):
    (highest,) = await registry.read("highestStatement")
    await registry.anchor(ADA, 0, 5, statement=2)
    await registry.anchor(ADA, 5, 9, statement=highest)
    with pytest.raises(ContractRefused, match="StatementFell"):
        await registry.anchor(ADA, 9, 20, statement=3)
    with pytest.raises(ContractRefused, match="StatementTooHigh"):
        await registry.anchor(ADA, 9, 20, statement=highest + 2)
    await registry.client.request("evm_increaseTime", [120])
    await registry.anvil.mine(1)
    await registry.anchor(ADA, 9, 20, statement=highest + 1)
    proven = prove(await registry.capture(ADA, (await registry.client.head()).number))
    assert (proven.issuer.statement, proven.head.statement) == (highest + 1, highest + 1)


async def test_events_tell_who_was_admitted_and_what_was_anchored(registry):
    await registry.anchor(ADA, 0, 5)
    last = (await registry.client.head()).number
    admitted, opened, anchored = await read_events(registry.client, registry.address, first=0, last=last)
    assert isinstance(admitted, IssuerAdmitted)
    assert (admitted.issuer_id, admitted.slug, admitted.did) == (ADA.issuer_id, "ada", "did:web:ada.example")
    assert isinstance(opened, LogOpened)
    assert (opened.log_id, opened.epoch, opened.operator) == (ADA.log_id, 1, OPERATOR.address)
    assert isinstance(anchored, Anchored)
    assert (anchored.sequence, anchored.size, anchored.root) == (1, 5, root(5))
    assert await read_admissions(registry.client, registry.address, first=0, last=last) == [admitted]


async def test_an_anchorer_that_died_after_signing_sends_the_same_transaction(registry, tmp_path):
    log = Log()
    log.size = 5
    first = anchorer_for(registry, tmp_path, log)
    first.wake(ADA.log_id)
    while first.status.state is not AnchorState.SIGNED:
        await first.advance()
    signed = first.status.transaction_hash
    second = anchorer_for(registry, tmp_path, log)
    waiting = pump(
        registry.anvil, lambda: second.unsettled_block, interval_blocks=INTERVAL, poll_seconds=0.02
    )
    async with running(second.run(), waiting):
        await until(lambda: log.heads)
    receipt = await registry.client.find_receipt(signed)
    assert (receipt.block_number, receipt.succeeded) == (log.heads[0].block_number, True)


async def test_an_anchor_that_a_reorg_took_back_is_anchored_again(registry, tmp_path):
    log = Log()
    log.size = 5
    anchorer = anchorer_for(registry, tmp_path, log)
    anchorer.wake(ADA.log_id)
    while anchorer.unsettled_block is None:
        await anchorer.advance()
        await asyncio.sleep(0.02)
    await registry.client.request("anvil_reorg", [1, []])
    head = await read_log_head(registry.client, registry.address, ADA.log_id, await registry.client.head())
    assert (head.size, log.heads) == (0, [])
    waiting = pump(
        registry.anvil, lambda: anchorer.unsettled_block, interval_blocks=INTERVAL, poll_seconds=0.02
    )
    async with running(anchorer.run(), waiting):
        await until(lambda: log.heads)
    assert [(head.sequence, head.size) for head in log.heads] == [(1, 5)]


async def test_a_restarted_chain_is_the_same_and_still_proves_old_blocks(registry, tmp_path):
    receipt = await registry.anchor(ADA, 0, 5)
    height = receipt.block_number
    before = await registry.capture(ADA, height)
    await registry.anchor(ADA, 5, 9)
    head, identity = await registry.client.head(), registry.client.identity
    await registry.anvil.stop()
    again = await Anvil.start(ANVIL, tmp_path / "chain")
    try:
        assert (again.client.identity, await again.client.head()) == (identity, head)
        restarted = Registry(again, TransactionSender(again.client, COUNCIL), registry.address)
        assert await restarted.capture(ADA, height) == before
        await restarted.anchor(ADA, 9, 30)
        newest = await restarted.capture(ADA, (await again.client.head()).number)
        assert prove(newest).head.size == 30
    finally:
        await again.stop()


async def test_a_killed_chain_keeps_everything_that_was_final(registry, tmp_path):
    receipt = await registry.anchor(ADA, 0, 5)
    await registry.anvil.mine_until_final(receipt.block_number)
    final = await registry.client.finalized()
    assert final.number >= receipt.block_number
    await registry.anchor(ADA, 5, 9)  # after the snapshot: a killed Anvil loses it
    os.kill(registry.anvil.process_id, signal.SIGKILL)
    assert await registry.anvil.ended() == -signal.SIGKILL
    with pytest.raises(ChainUnavailable):
        await registry.client.head()
    await registry.client.close()
    again = await Anvil.start(ANVIL, tmp_path / "chain")
    try:
        await again.client.check_contains(receipt.block_number, receipt.block_hash)
        head = await read_log_head(again.client, registry.address, ADA.log_id, await again.client.head())
        assert head.size == 5
        with pytest.raises(WrongChain, match="restore the newest"):
            await again.client.check_contains(10_000, bytes(32))
    finally:
        await again.stop()


async def test_blocks_that_nobody_waits_for_are_saved_within_moments(anvil, tmp_path):
    await anvil.mine(3)
    newest = tmp_path / "chain" / SNAPSHOT
    before = newest.read_bytes()
    async with running(pump(anvil, lambda: None, interval_blocks=INTERVAL, poll_seconds=0.01)):
        await until(lambda: newest.read_bytes() != before)
    os.kill(anvil.process_id, signal.SIGKILL)
    await anvil.ended()
    again = await Anvil.start(ANVIL, tmp_path / "chain")
    assert (await again.client.head()).number == 3
    await again.stop()


async def test_a_snapshot_is_one_of_two_whole_files(anvil, tmp_path):
    await anvil.snapshot()
    await anvil.mine(1)
    await anvil.snapshot()
    names = {path.name for path in (tmp_path / "chain").iterdir()}
    assert {SNAPSHOT, OLDER_SNAPSHOT, IDENTITY} <= names
    assert not any(name.endswith(".tmp") for name in names)


async def test_a_chain_of_another_genesis_in_the_folder_is_refused(anvil, tmp_path):
    await anvil.stop()
    identity = tmp_path / "chain" / IDENTITY
    known = identity.read_text()
    identity.write_text(known.replace(anvil.client.identity.genesis_hash.hex(), "00" * 32))
    with pytest.raises(WrongChain, match="restore the chain's state"):
        await Anvil.start(ANVIL, tmp_path / "chain")
    (tmp_path / "chain" / SNAPSHOT).write_bytes(b"cut off")
    with pytest.raises(StoreCorrupt, match="is damaged"):
        await Anvil.start(ANVIL, tmp_path / "chain")
    identity.write_text(known)
    (tmp_path / "chain" / OLDER_SNAPSHOT).replace(tmp_path / "chain" / SNAPSHOT)
    await (await Anvil.start(ANVIL, tmp_path / "chain")).stop()


async def test_a_chain_that_does_not_start_says_so(tmp_path):
    with pytest.raises(ChainUnavailable, match="did not start"):
        await Anvil.start(Path("/bin/false"), tmp_path / "chain")


async def test_mining_never_runs_ahead_of_the_clock(anvil):
    before = time.time()
    await anvil.mine(50)
    assert (await anvil.client.head()).timestamp <= before + 3


async def test_finality_is_mined_for_just_as_far_as_needed(anvil):
    assert await anvil.mine_until_final(6) == 6
    assert (await anvil.client.head()).number == 8
    assert await anvil.mine_until_final(6) == 6
    assert (await anvil.client.head()).number == 8


async def test_first_questions_may_be_asked_all_at_once(anvil):
    client = ChainClient(anvil.rpc_url, chain_id=31337)
    heads = await asyncio.gather(*(client.head() for _ in range(20)))
    assert {head.number for head in heads} == {0}
    await client.close()


async def test_an_endpoint_that_is_not_there_is_unavailable(anvil):
    await anvil.stop()
    client = ChainClient(anvil.rpc_url, chain_id=31337)
    with pytest.raises(ChainUnavailable, match="did not answer eth_chainId"):
        await client.check()
    await client.close()


CHILD = """
import asyncio, sys
from pathlib import Path
from testamur.node.chain.anvil import Anvil
async def main():
    anvil = await Anvil.start(Path(sys.argv[1]), Path(sys.argv[2]))
    print(anvil.process_id, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_the_chain_dies_with_a_process_that_was_killed(tmp_path):
    command = [sys.executable, "-c", CHILD, str(ANVIL), str(tmp_path / "chain")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        status = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        if status == "Z":
            return
        time.sleep(0.02)
    pytest.fail("Anvil outlived its parent")


def test_the_contract_fits_the_limit_of_every_chain():
    assert len(bytes.fromhex(artifact()["deployedBytecode"][2:])) <= 24_576
