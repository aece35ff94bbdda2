"""ethereum/tests TrieTests: 25 published roots. Every key is then proven against them, and damage refused."""

import json

import pytest

from fakes.tries import Trie
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.evm.tries import EMPTY_TRIE_ROOT, TrieNodes, verify_value
from testamur.registry.hashing import keccak256

FILES = (
    "hex_encoded_securetrie_test.json",
    "trieanyorder.json",
    "trieanyorder_secureTrie.json",
    "trietest.json",
    "trietest_secureTrie.json",
)


def to_bytes(text):
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


def final_items(steps):
    items = {}
    for key, value in steps.items() if isinstance(steps, dict) else steps:
        if value is None:
            items.pop(to_bytes(key), None)
        else:
            items[to_bytes(key)] = to_bytes(value)
    return items


@pytest.fixture
def tries(vectors):
    found = []
    for name in FILES:
        for case, content in json.loads((vectors / "eth-trie" / name).read_text()).items():
            items = final_items(content["in"])
            if "secure" in name:
                items = {keccak256(key): value for key, value in items.items()}
            found.append((f"{name} {case}", Trie(items), items, to_bytes(content["root"])))
    assert len(found) == 25
    return found


def prove(trie, key, nodes=None):
    supplied = TrieNodes(trie.prove(key) if nodes is None else nodes)
    value = verify_value(trie.root, key, supplied)
    supplied.refuse_unvisited()
    return value


def is_one_node_too_large(trie):
    return any(len(node) > 1024 for node in trie.nodes.values())


def test_all_25_tries_have_the_published_root(tries):
    for name, trie, items, root in tries:
        assert trie.root == root, name
        assert bool(items) == (root != EMPTY_TRIE_ROOT)


def test_every_key_of_every_trie_is_proven_with_its_value(tries):
    proven = 0
    for name, trie, items, _ in tries:
        for key, value in items.items():
            assert prove(trie, key) == value, (name, key)
            proven += 1
    assert proven >= 25


def test_a_key_that_was_never_there_is_proven_absent(tries):
    for name, trie, items, _ in tries:
        for key in items:
            for absent in (key + b"\x00", key[:-1], keccak256(key)):
                if absent not in items:
                    assert prove(trie, absent) is None, (name, absent)


def test_a_proof_with_a_node_left_out_or_changed_proves_nothing(tries):
    refused = 0
    for name, trie, items, _ in tries:
        for key in items:
            nodes = trie.prove(key)
            for position in range(len(nodes)):
                changed = rlp.encode([*rlp.decode_list(nodes[position])[:-1], b"changed"])
                for damaged in (
                    nodes[:position] + nodes[position + 1 :],
                    [*nodes[:position], changed, *nodes[position + 1 :]],
                ):
                    with pytest.raises((VerificationError, MalformedError)):
                        pytest.fail(f"{name}: {prove(trie, key, damaged)!r}")
                    refused += 1
    assert refused >= 50
