import pytest

from fakes.tries import Trie
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.tries import (
    EMPTY_TRIE_ROOT,
    MAX_NODES,
    TrieNodes,
    _full_branch,
    _parse,
    verify_value,
)
from testamur.registry.hashing import keccak256

ITEMS = {keccak256(bytes((number,))): rlp.encode(bytes((1 + number,)) * 20) for number in range(40)}
PRESENT, ABSENT = keccak256(b"\x07"), keccak256(b"absent")


def look_up(trie, key, nodes=None):
    return verify_value(trie.root, key, TrieNodes(trie.prove(key) if nodes is None else nodes))


def test_a_value_is_proven_by_the_nodes_on_its_path():
    trie = Trie(ITEMS)
    assert look_up(trie, PRESENT) == ITEMS[PRESENT]


def test_absence_is_proven_by_a_missing_child():
    assert look_up(Trie(ITEMS), ABSENT) is None


def test_absence_is_proven_by_a_leaf_of_another_key():
    trie = Trie({PRESENT: b"x" * 40})
    assert look_up(trie, ABSENT) is None


def test_absence_is_proven_by_an_extension_that_leads_elsewhere():
    trie = Trie({b"\x11\x11": b"x" * 40, b"\x11\x12": b"y" * 40})
    assert look_up(trie, b"\x12\x11") is None
    assert look_up(trie, b"\x11\x12") == b"y" * 40


def test_absence_under_an_empty_root_needs_no_node():
    assert verify_value(EMPTY_TRIE_ROOT, ABSENT, TrieNodes([])) is None


def test_a_value_in_a_branch_is_found_and_a_key_that_ends_without_one_is_absent():
    items = {b"\x11": b"x" * 40, b"\x11\x11": b"y" * 40, b"\x11\x22": b"z" * 40}
    trie = Trie(items)
    assert [look_up(trie, key) for key in items] == list(items.values())
    del items[b"\x11"]
    assert look_up(Trie(items), b"\x11") is None


def test_a_child_shorter_than_a_hash_is_embedded():
    trie = Trie({b"\x11": b"a", b"\x12": b"b"})
    assert len(trie.nodes) == 1
    assert look_up(trie, b"\x12") == b"b"
    assert look_up(trie, b"\x13") is None


def test_a_missing_node_is_not_absence():
    trie = Trie(ITEMS)
    with pytest.raises(VerificationError) as caught:
        look_up(trie, PRESENT, trie.prove(PRESENT)[:-1])
    assert caught.value.reason == "storage-proof-incomplete"


def test_a_node_that_was_changed_is_missing():
    trie = Trie(ITEMS)
    nodes = trie.prove(PRESENT)
    leaf = rlp.decode_list(nodes[-1])
    nodes[-1] = rlp.encode([leaf[0], b"forged"])
    with pytest.raises(VerificationError) as caught:
        look_up(trie, PRESENT, nodes)
    assert caught.value.reason == "storage-proof-incomplete"


def test_a_node_that_nobody_needs_is_refused():
    trie = Trie(ITEMS)
    nodes = TrieNodes([*trie.prove(PRESENT), rlp.encode([b"\x20", b"padding" * 6])])
    verify_value(trie.root, PRESENT, nodes)
    with pytest.raises(VerificationError) as caught:
        nodes.refuse_unvisited()
    assert (caught.value.reason, caught.value.parameters) == ("storage-proof-excess", {"nodes": 1})


def test_a_duplicate_node_is_refused():
    nodes = Trie(ITEMS).prove(PRESENT)
    with pytest.raises(MalformedError, match="occurs twice"):
        TrieNodes([*nodes, nodes[0]])


def test_a_chain_of_more_nodes_than_a_key_has_nibbles_is_refused():
    data = rlp.encode([b"\x20", b"value" * 10])
    chain = [data]
    for _ in range(64):
        data = rlp.encode([b"\x11", keccak256(data)])
        chain.append(data)
    assert verify_value(keccak256(chain[-2]), b"\x11" * 31 + b"\x10", TrieNodes(chain[:-1])) is None
    with pytest.raises(VerificationError) as caught:
        verify_value(keccak256(chain[-1]), b"\x11" * 40, TrieNodes(chain))
    assert caught.value.reason == "storage-proof-too-long"


def test_too_many_nodes_are_refused_before_any_is_read():
    with pytest.raises(MalformedError, match="more than 8192"):
        TrieNodes([b""] * (MAX_NODES + 1))


HASH = b"\x01" * 32


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ([b"\x20", b"a", b"b"], "3 items"),
        ([b"\x20", b""], "without a value"),
        ([b"\x20", [b"a"]], "without a value"),
        ([b"", b"a"], "no path"),
        ([[], b"a"], "no path"),
        ([b"\x40", b"a"], "starts with 0x40"),
        ([b"\x21", b"a"], "starts with 0x21"),
        ([b"\x00", HASH], "extension by nothing"),
        ([b"\x11", b"\x01" * 31], "by 31 bytes"),
        ([b"\x11", [b"\x20", b"x" * 40]], "too long to be embedded"),
        ([b"\x11", [b"\x20", b""]], "without a value"),
        ([b"\x01" * 31, *[b""] * 16], "by 31 bytes"),
        ([*[b""] * 16, []], "value that is a list"),
    ],
)
def test_what_is_not_a_node_is_malformed(node, reason):
    with pytest.raises(MalformedError, match=reason):
        TrieNodes([rlp.encode(node)])


def test_a_node_beyond_a_kilobyte_is_malformed():
    with pytest.raises(MalformedError, match="more than 1024"):
        TrieNodes([rlp.encode([b"\x20", b"x" * 1024])])


FULL_BRANCH = rlp.encode([*(keccak256(bytes((number,))) for number in range(16)), b""])


def test_a_full_branch_is_read_at_once_as_item_by_item():
    assert _full_branch(FULL_BRANCH) == _parse(rlp.decode_list(FULL_BRANCH), "node")


@pytest.mark.parametrize("place", [0, 1, 2, *range(3, 532, 33), 531])
@pytest.mark.parametrize("change", [-1, 1])
def test_what_is_almost_a_full_branch_is_read_item_by_item(place, change):
    altered = bytearray(FULL_BRANCH)
    altered[place] = (altered[place] + change) % 256
    assert _full_branch(bytes(altered)) is None


@pytest.mark.parametrize(
    "data", [b"", FULL_BRANCH[:-1], FULL_BRANCH + b"\x80", FULL_BRANCH[:-1] + b"\xa0" * 33]
)
def test_a_full_branch_has_one_length(data):
    assert _full_branch(data) is None
