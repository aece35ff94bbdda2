"""Laws of the Ethereum formats, with py-trie and pyrlp as second opinions where they have one."""

import contextlib

import pytest
import rlp as pyrlp
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from fakes.chain_state import CONTRACT, RegistryState, header_bytes
from fakes.tries import Trie
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.evm import rlp
from testamur.registry.evm.accounts import verify_storage
from testamur.registry.evm.anchors import parse_anchor, prove_anchor
from testamur.registry.evm.attestations import parse_attestation
from testamur.registry.evm.headers import encode_header, parse_header
from testamur.registry.evm.tries import TrieNodes, verify_value
from testamur.registry.hashing import keccak256, sha256

items = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20)
keys = st.binary(min_size=2, max_size=2).map(keccak256)
contents = st.dictionaries(keys, st.binary(min_size=1, max_size=60), min_size=1, max_size=40)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text("0x1u-é\ud800", max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "notes", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)


def depth(item):
    return 0 if isinstance(item, bytes) else 1 + max((depth(child) for child in item), default=0)


@given(items)
def test_rlp_reads_what_it_writes_as_pyrlp_does(item):
    data = rlp.encode(item)
    assert data == pyrlp.encode(item)
    if depth(item) <= rlp.MAX_RLP_DEPTH:
        assert rlp.decode(data) == item


@given(st.binary(max_size=80))
def test_bytes_are_rlp_exactly_when_encoding_gives_them_back(data):
    try:
        item = rlp.decode(data)
    except MalformedError:
        with pytest.raises(pyrlp.DecodingError):
            pyrlp.decode(data)
    else:
        assert rlp.encode(item) == data


@given(contents, keys)
def test_a_proof_gives_what_py_trie_says(content, other):
    ours, theirs = Trie(content), HexaryTrie({})
    for key, value in content.items():
        theirs[key] = value
    assert ours.root == theirs.root_hash
    for key in [*content, other]:
        nodes = TrieNodes(ours.prove(key))
        value = verify_value(ours.root, key, nodes)
        nodes.refuse_unvisited()
        assert (value or b"") == theirs.get(key)
        assert ours.prove(key) == [pyrlp.encode(node) for node in theirs.get_proof(key)]


@given(contents, st.data())
def test_a_damaged_proof_proves_nothing(content, data):
    trie = Trie(content)
    key = data.draw(st.sampled_from(sorted(content)))
    nodes = trie.prove(key)
    position = data.draw(st.integers(0, len(nodes) - 1))
    damaged = bytearray(nodes[position])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    nodes[position] = bytes(damaged)
    with contextlib.suppress(RegistryError):
        raise AssertionError(verify_value(trie.root, key, TrieNodes(nodes)))


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_any_bytes_as_nodes_raise_our_errors_only(nodes):
    roots = [keccak256(node) for node in nodes] + [bytes(32)]
    for root in roots:
        with contextlib.suppress(RegistryError):
            verify_storage(root, CONTRACT, [bytes(32)], nodes)


@given(st.binary(max_size=700))
def test_any_bytes_as_a_header_are_one_or_malformed(data):
    with contextlib.suppress(MalformedError):
        assert parse_header(data).hash == keccak256(data)


@given(st.integers(0, 700), st.integers(0, 255))
def test_a_header_with_a_byte_changed_is_another_header_or_none(position, value):
    data = bytearray(header_bytes(state_root=b"\x05" * 32, number=9, timestamp=1))
    original = parse_header(bytes(data))
    position %= len(data)
    unchanged = data[position] == value
    data[position] = value
    with contextlib.suppress(MalformedError):
        assert (parse_header(bytes(data)).hash == original.hash) == unchanged


@given(st.dictionaries(st.sampled_from(["hash", "number", "stateRoot", "extraData"]), json_values))
def test_any_block_of_an_rpc_raises_our_errors_only(block):
    with contextlib.suppress(RegistryError):
        encode_header(block)


@given(
    json_values, st.sampled_from(["chainId", "header", "nodes", "slots", "history", "finality", "contract"])
)
def test_any_json_as_an_anchor_raises_our_errors_only(value, member):
    issuer_id, log_id = sha256(b"i"), sha256(b"l")
    document = RegistryState(storage={bytes(32): 1}).evidence([bytes(32)]).to_json()
    for candidate in (value, {**document, member: value}):
        with contextlib.suppress(RegistryError):
            prove_anchor(parse_anchor(candidate), issuer_id=issuer_id, log_id=log_id, epoch=1)


@given(st.binary(max_size=300))
def test_any_bytes_as_an_attestation_raise_our_errors_only(data):
    with contextlib.suppress(RegistryError):
        parse_attestation(data)
