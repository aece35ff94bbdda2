"""Bytes from disk or from strangers make the node's parsers say what is wrong, in our words, and nothing else."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.hosted_log import LOG_KEY, ORIGIN
from testamur.node.errors import StoreCorrupt
from testamur.node.gossip.mirror_state import HeldList, MirrorState, StatementMark, parse_mirror_state
from testamur.node.keystore.keyfile import parse_key_file
from testamur.node.log.bundles import encode_bundle, parse_bundle
from testamur.node.log.journal import Journal
from testamur.node.log.layout import LogFolder, find_identity
from testamur.registry.errors import MalformedError
from testamur.registry.merkle import CompactRange
from testamur.registry.notes import NoteSigner
from testamur.registry.statement_entries import StatusEntry
from testamur.registry.status import CHUNK_BITS
from testamur.registry.tiles import encode_entry_bundle

DIGESTS = st.binary(min_size=32, max_size=32)
SEQUENCES = st.integers(1, 2**32 - 1)
MARKS = st.builds(
    StatementMark, sequence=SEQUENCES, digest=DIGESTS, leaf_index=st.none() | st.integers(0, 2**53 - 1)
)
HELD_LISTS = st.builds(
    HeldList,
    entry=st.builds(
        StatusEntry,
        id=st.text(min_size=1, max_size=30),
        purpose=st.sampled_from(["revocation", "suspension"]),
        sequence=SEQUENCES,
        length=st.integers(16, 64).map(lambda chunks: chunks * CHUNK_BITS),
        digest=DIGESTS,
        chunk_root=DIGESTS,
        records_root=DIGESTS,
    ),
    records=st.none() | DIGESTS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
ANYTHING = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode())
KEY = NoteSigner(name=ORIGIN, key=LOG_KEY).verifier_key


@given(ANYTHING)
def test_a_key_file_is_a_key_file_or_damage(data):
    with pytest.raises(StoreCorrupt):
        parse_key_file(data, name="witness", path=Path("witness.key.json"))


@given(ANYTHING)
def test_a_mirror_state_is_a_mirror_state_or_malformed(data):
    with pytest.raises(MalformedError):
        parse_mirror_state(data, ORIGIN)


@given(
    leaves=st.lists(DIGESTS, max_size=40),
    marks=st.tuples(st.none() | MARKS, st.none() | MARKS),
    unsealed=st.lists(MARKS, max_size=5, unique_by=lambda mark: mark.digest),
    lists=st.lists(HELD_LISTS, max_size=5, unique_by=lambda item: item.entry.id),
    logged=st.dictionaries(DIGESTS, st.integers(0, 1 << 40), max_size=5),
)
def test_a_mirror_state_comes_back_as_it_was(leaves, marks, unsealed, lists, logged):
    sealed, held = marks
    edge = CompactRange()
    edge.extend(leaves)
    state = MirrorState(
        origin=ORIGIN,
        edge=edge,
        sealed_size=len(leaves) // 2,
        sealed=sealed,
        held=held,
        unsealed={mark.digest: mark for mark in unsealed},
        lists={item.entry.id: item for item in lists},
        logged=logged,
    )
    parsed = parse_mirror_state(state.to_bytes(), ORIGIN)
    assert parsed.to_bytes() == state.to_bytes()
    assert (parsed.edge.root(), parsed.sealed, parsed.held) == (edge.root(), sealed, held)
    assert (parsed.unsealed, parsed.lists) == (state.unsealed, state.lists)
    assert list(parsed.logged.items()) == list(logged.items())


@given(ANYTHING)
def test_the_description_of_a_log_is_one_or_damage(tmp_path_factory, data):
    folder = LogFolder(tmp_path_factory.mktemp("log"))
    folder.identity.write_bytes(data)
    with pytest.raises(StoreCorrupt, match=r"log\.json"):
        find_identity(folder)


@given(st.binary(max_size=400))
def test_a_journal_is_a_journal_or_damage(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("log") / "journal"
    path.write_bytes(data)
    with pytest.raises(StoreCorrupt, match="journal"):
        Journal(path, bytes(32))


@given(st.binary(max_size=400), st.integers(0, 300))
def test_a_bundle_is_a_bundle_or_malformed(data, count):
    try:
        entries = parse_bundle(data, count)
    except MalformedError:
        return
    assert encode_entry_bundle(entries) == data


@given(st.lists(st.binary(min_size=34, max_size=34), min_size=1, max_size=256))
def test_a_bundle_comes_back_as_it_was(entries):
    assert parse_bundle(encode_bundle(entries), len(entries)) == entries
