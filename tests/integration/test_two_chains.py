"""The same contract on two clients that share no code: their headers, proofs and refusals mean the same to us."""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest
import rlp as their_rlp
from trie import HexaryTrie
from trie.exceptions import BadTrieProof

from fakes.anvil_registry import COUNCIL, OPERATOR, REGISTRY, AnvilRegistry, origin
from testamur.node.chain import anvil, ganache
from testamur.node.chain.capture import WantedLog, capture_anchor
from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.devchains import DevChain, known_chain, start_chain
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.signing import Transaction
from testamur.node.chain.transactions import SendRefusal, TransactionSender, classify_refusal
from testamur.node.errors import ChainUnavailable, ConfigError, StoreCorrupt, WrongChain
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.accounts import verify_account, verify_storage
from testamur.registry.evm.anchors import parse_anchor, prove_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.slots import history_slot, issuer_slots, log_slots
from testamur.registry.evm.tries import TrieNodes
from testamur.registry.hashing import keccak256, sha256
from testamur.registry.merkle import leaf_hash, prove_consistency, root_hash

ROOT = Path(__file__).resolve().parents[2]
ADA = origin("ada")
LEAVES = [leaf_hash(bytes((number,))) for number in range(40)]
CLEARED = (1).to_bytes(32)
"""A slot that the constructor writes and clears again (the pending owner)."""
IDS = {DevChain.ANVIL: anvil.CHAIN_ID, DevChain.GANACHE: ganache.CHAIN_ID}

pytestmark = pytest.mark.chain


def start(kind, folder):
    folder.mkdir(exist_ok=True)
    return start_chain(kind, folder, roots=[ROOT])


async def registry_with_anchors(chain):
    """The contract by the council's first transaction, so that it has one address on every chain."""
    for account in (COUNCIL, OPERATOR):
        await chain.fund(account.address, 10**20)
    council = TransactionSender(chain.client, COUNCIL, poll_seconds=0.01)
    receipt = await council.deploy(REGISTRY, council=COUNCIL.address, recovery_delay_seconds=1)
    registry = AnvilRegistry(chain, council, receipt.contract)
    for slug in ("ada", "bob"):
        await registry.admit(slug)
    for old, size in ((0, 5), (5, 33)):
        await anchor(registry, old, size)
    return registry


async def anchor(registry, old, size):
    proof = prove_consistency(LEAVES[:size], old, size) if old else []
    operator = TransactionSender(registry.client, OPERATOR, poll_seconds=0.01)
    arguments = (ADA.log_id, old, size, root_hash(LEAVES[:size]), 1, proof)
    return await operator.call(registry.address, "anchor", *arguments)


def all_slots():
    """What evidence reads, slots that nobody ever wrote, and positions at random."""
    dice = random.Random(20)
    used = [*issuer_slots(ADA.issuer_id), *log_slots(ADA.log_id)]
    used += [history_slot(ADA.log_id, number) for number in (1, 2)]
    absent = [*issuer_slots(sha256(b"nobody")), *log_slots(sha256(b"no log")), history_slot(ADA.log_id, 3)]
    return [
        *used,
        *absent,
        *(number.to_bytes(32) for number in range(8) if number.to_bytes(32) != CLEARED),
        *(dice.randbytes(32) for _ in range(40)),
    ]


def as_bytes(text):
    return bytes.fromhex(text[2:])


def oracle(state_root, key, nodes):
    """The value at a key by py-trie, from the same nodes."""
    return HexaryTrie.get_from_proof(state_root, keccak256(key), [their_rlp.decode(node) for node in nodes])


async def values_by_four(registry, slots):
    """Each slot by our walk, by py-trie, by the proof's own value and by a read: they must be one."""
    client, address = registry.client, registry.address
    header = await client.head()
    tag = hex(header.number)
    keys = [f"0x{slot.hex()}" for slot in slots]
    answer = await client.request("eth_getProof", [f"0x{address.hex()}", keys, tag])
    shared = await client.get_proof(address, slots, header.number)
    ours = verify_storage(header.state_root, address, slots, shared.nodes)
    account_nodes = [as_bytes(node) for node in answer["accountProof"]]
    account = verify_account(header.state_root, address, TrieNodes(account_nodes))
    theirs = their_rlp.decode(oracle(header.state_root, address, account_nodes))
    assert [account.storage_root, account.code_hash] == theirs[2:]
    assert [account.nonce, account.balance_wei] == [int.from_bytes(item) for item in theirs[:2]]
    for slot, item in zip(slots, answer["storageProof"], strict=True):
        found = oracle(account.storage_root, slot, [as_bytes(node) for node in item["proof"]])
        word = int.from_bytes(their_rlp.decode(found)) if found else 0
        stored = await client.request("eth_getStorageAt", [f"0x{address.hex()}", f"0x{slot.hex()}", tag])
        assert ours[slot] == word == int(item["value"], 16) == int(stored[2:] or "0", 16)
    return header, shared.nodes, ours


async def cleared_slot(registry):
    """What a slot that was cleared is proven to hold: nothing, or Anvil's stored zero, which no trie may have."""
    header = await registry.client.head()
    nodes = (await registry.client.get_proof(registry.address, [CLEARED], header.number)).nodes
    try:
        return verify_storage(header.state_root, registry.address, [CLEARED], nodes)[CLEARED]
    except MalformedError as error:
        return error.reason


async def refusals_are_alike(registry):
    with pytest.raises(ContractRefused) as stale:
        await anchor(registry, 5, 20)
    assert (stale.value.error, stale.value.arguments) == ("StaleTreeSize", {"got": 5, "current": 33})
    with pytest.raises(ContractRefused, match=r"DidTaken|Issuer"):
        await registry.admit("ada")
    fees = await registry.client.fees()
    spent = OPERATOR.sign(
        Transaction(
            chain_id=registry.client.identity.chain_id,
            nonce=1,
            tip_wei=fees.tip_wei,
            max_fee_wei=fees.max_fee_wei,
            gas=21_000,
            to=COUNCIL.address,
            value_wei=1,
            data=b"",
        )
    )
    with pytest.raises(RpcRefused) as low:
        await registry.client.send_raw(spent.raw)
    assert classify_refusal(low.value) is SendRefusal.KNOWN


async def prove_captured(registry):
    height = (await registry.client.head()).number
    wanted = WantedLog(issuer_id=ADA.issuer_id, log_id=ADA.log_id, epoch=1, history=(1,))
    evidence = await capture_anchor(registry.client, registry.address, [wanted], height)
    again = parse_anchor(evidence.to_json())
    proven = prove_anchor(again, issuer_id=ADA.issuer_id, log_id=ADA.log_id, epoch=1)
    assert (proven.head.size, proven.history[1].size) == (33, 5)
    return evidence


async def test_two_clients_give_the_same_proofs_of_the_same_state(tmp_path):
    slots, found, cleared = all_slots(), {}, {}
    for kind in DevChain:
        chain = await start(kind, tmp_path / kind)
        try:
            assert chain.client.identity.chain_id == IDS[kind]
            registry = await registry_with_anchors(chain)
            found[kind] = (registry.address, *await values_by_four(registry, slots))
            cleared[kind] = await cleared_slot(registry)
            evidence = await prove_captured(registry)
            assert parse_header(evidence.header).hash == (await chain.client.head()).hash
            await refusals_are_alike(registry)
        finally:
            await chain.stop()
    (one, one_header, one_nodes, one_values), (two, two_header, two_nodes, two_values) = found.values()
    assert cleared[DevChain.GANACHE] == 0
    assert "stored zero" in cleared[DevChain.ANVIL]
    assert one == two
    assert one_header.hash != two_header.hash
    # Block numbers and times differ, and nothing else: which slots are empty, and every root and key, are one.
    assert [slot for slot in slots if one_values[slot]] == [slot for slot in slots if two_values[slot]]
    for slot in (*issuer_slots(ADA.issuer_id)[:1], log_slots(ADA.log_id)[1]):
        assert one_values[slot] == two_values[slot]
    # A proof of the one chain is none under the other's state.
    for header, nodes in ((one_header, two_nodes), (two_header, one_nodes)):
        with pytest.raises(VerificationError):
            verify_storage(header.state_root, one, slots, nodes)
        with pytest.raises(BadTrieProof):
            oracle(header.state_root, one, nodes)


async def test_ganache_goes_on_with_the_same_chain_after_a_stop_and_after_a_kill(tmp_path):
    folder = tmp_path / "chain"
    chain = await start(DevChain.GANACHE, folder)
    registry = await registry_with_anchors(chain)
    height = await chain.mine_until_final(12)
    # Everything that Ganache has is final at once, and mining takes the clock's time.
    assert height == (await chain.client.head()).number == 12
    identity, before = chain.client.identity, await prove_captured(registry)
    await chain.stop()

    # No kind is given: the folder knows which chain it has.
    again = await start(None, folder)
    restarted = AnvilRegistry(again, TransactionSender(again.client, COUNCIL), registry.address)
    assert again.client.identity == identity
    assert await prove_captured(restarted) == before
    await restarted.admit("eve")
    head = await again.client.head()
    os.kill(again.process_id, signal.SIGKILL)
    assert await again.ended() == -signal.SIGKILL
    with pytest.raises(ChainUnavailable):
        await again.client.head()
    await again.client.close()

    third = await start(None, folder)
    try:
        assert await third.client.head() == head
        await third.client.check_contains(head.number, head.hash)
        with pytest.raises(WrongChain, match="restore the newest"):
            await third.client.check_contains(10_000, bytes(32))
    finally:
        await third.stop()
    with pytest.raises(ConfigError, match="has a chain of ganache"):
        await start(DevChain.ANVIL, folder)
    (folder / ganache.DATABASE_NAME).rename(folder / "elsewhere")
    with pytest.raises(StoreCorrupt, match="missing although the chain began"):
        await start(None, folder)


async def test_a_damaged_database_is_said_to_be_one(tmp_path):
    database = tmp_path / "chain" / ganache.DATABASE_NAME
    database.mkdir(parents=True)
    (database / "CURRENT").write_text("MANIFEST-000009\n")
    with pytest.raises(ChainUnavailable, match=r"Ganache did not start \(see .*ganache\.log\): .+"):
        await start(DevChain.GANACHE, tmp_path / "chain")


async def test_without_the_package_or_node_the_cure_is_named(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"--chain ganache.*npm ci"):
        await start_chain(DevChain.GANACHE, tmp_path, roots=[tmp_path, tmp_path])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"needs Node\.js"):
        await start_chain(DevChain.GANACHE, tmp_path, roots=[ROOT])
    assert known_chain(tmp_path) is None
    assert known_chain(tmp_path / "nowhere") is None


CHILD = """
import asyncio, sys
from pathlib import Path
from testamur.node.chain.devchains import DevChain, start_chain
async def main():
    chain = await start_chain(DevChain.GANACHE, Path(sys.argv[1]), roots=[Path(sys.argv[2])])
    print(chain.process_id, flush=True)
    await asyncio.sleep(120)
asyncio.run(main())
"""


def stat_of(process):
    """Z: dead, and nobody has asked for its status yet."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


async def test_ganache_dies_with_a_process_that_was_killed(tmp_path):
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(tmp_path), str(ROOT), stdout=asyncio.subprocess.PIPE
    )
    child = int(await parent.stdout.readline())
    os.kill(child, 0)
    parent.kill()
    await parent.wait()
    for _ in range(500):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if stat_of(child) == "Z":
            return
        await asyncio.sleep(0.02)
    pytest.fail("Ganache outlived its parent")
