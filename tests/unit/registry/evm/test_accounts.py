import pytest

from fakes.chain_state import CONTRACT, RegistryState
from fakes.tries import Trie
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.accounts import MAX_SLOTS, verify_account, verify_storage
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.tries import EMPTY_TRIE_ROOT, TrieNodes
from testamur.registry.hashing import keccak256

FULL, OTHER, EMPTY = bytes(32), b"\x01" * 32, b"\x02" * 32


@pytest.fixture
def state():
    return RegistryState(storage={FULL: 2**255 + 7, OTHER: 1}, neighbours=50)


def prove(state, wanted, nodes=None):
    evidence = state.evidence(wanted)
    root = parse_header(evidence.header).state_root
    return verify_storage(root, CONTRACT, wanted, evidence.nodes if nodes is None else nodes)


def test_values_and_zeros_are_proven_by_one_shared_set_of_nodes(state):
    wanted = [FULL, EMPTY, OTHER]
    assert prove(state, wanted) == {FULL: 2**255 + 7, EMPTY: 0, OTHER: 1}
    apart = sum(len(state.evidence([slot]).nodes) for slot in wanted)
    assert len(state.evidence(wanted).nodes) < apart


def test_without_slots_the_account_alone_is_proven(state):
    assert prove(state, []) == {}


def test_every_node_is_needed(state):
    wanted = [FULL, EMPTY, OTHER]
    nodes = state.evidence(wanted).nodes
    for missing in range(len(nodes)):
        with pytest.raises(VerificationError) as caught:
            prove(state, wanted, nodes[:missing] + nodes[missing + 1 :])
        assert caught.value.reason == "storage-proof-incomplete"


def test_nodes_beyond_the_needed_ones_are_refused(state):
    with pytest.raises(VerificationError) as caught:
        prove(state, [FULL], state.evidence([FULL, OTHER]).nodes)
    assert caught.value.reason == "storage-proof-excess"


def test_another_contract_is_absent(state):
    other = bytes(20)
    root = parse_header(state.header()).state_root
    _, state_trie = state.tries()
    with pytest.raises(VerificationError) as caught:
        verify_storage(root, other, [FULL], state_trie.prove(keccak256(other)))
    assert caught.value.reason == "contract-absent"


def test_an_account_without_storage_proves_zeros():
    state = RegistryState()
    assert state.tries()[0].nodes.keys() == {EMPTY_TRIE_ROOT}
    assert prove(state, [FULL], state.tries()[1].prove(keccak256(CONTRACT))) == {FULL: 0}


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ([FULL, FULL], "twice"),
        ([b"short"], "32 bytes"),
        ([bytes(30) + number.to_bytes(2) for number in range(MAX_SLOTS + 1)], "more than 1024"),
    ],
)
def test_slots_of_another_shape_are_malformed(state, wanted, reason):
    with pytest.raises(MalformedError, match=reason):
        verify_storage(bytes(32), CONTRACT, wanted, [])


def test_an_address_has_20_bytes():
    with pytest.raises(MalformedError, match="20 bytes"):
        verify_storage(bytes(32), CONTRACT[1:], [FULL], [])


def account_under(items):
    trie = Trie({keccak256(CONTRACT): rlp.encode(items)})
    return verify_account(trie.root, CONTRACT, TrieNodes(trie.prove(keccak256(CONTRACT))))


def test_an_account_has_four_items():
    account = account_under([b"\x05", b"\x01\x00", FULL, OTHER])
    assert (account.nonce, account.balance_wei, account.storage_root, account.code_hash) == (
        5,
        256,
        FULL,
        OTHER,
    )


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([b"", b"", FULL], "3 items"),
        ([b"", b"", FULL[1:], OTHER], "32 bytes"),
        ([b"", b"", [], OTHER], "where hashes belong"),
        ([b"\x01" * 9, b"", FULL, OTHER], "more than 8"),
        ([b"\x00", b"", FULL, OTHER], "leading zeros"),
    ],
)
def test_other_accounts_are_malformed(items, reason):
    with pytest.raises(MalformedError, match=reason):
        account_under(items)


@pytest.mark.parametrize("value", [b"\x80", b"\x82\x00\x01", b"\xc0", b"\xa1" + b"\x01" * 33])
def test_a_word_is_a_canonical_integer_above_zero(value):
    storage = Trie({keccak256(FULL): value})
    account = rlp.encode([b"", b"", storage.root, OTHER])
    state = Trie({keccak256(CONTRACT): account})
    nodes = [*state.prove(keccak256(CONTRACT)), *storage.prove(keccak256(FULL))]
    with pytest.raises(MalformedError, match="storage value"):
        verify_storage(state.root, CONTRACT, [FULL], nodes)
