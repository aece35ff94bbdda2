import contextlib
import hashlib
import shutil
import subprocess
import sys
import threading

import plyvel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.node.errors import SchemaMismatch, StoreCorrupt, StoreLocked
from testamur.node.index import keys
from testamur.node.index.keys import Anchor, Location
from testamur.node.index.store import BATCH_ENTRIES, MAX_PREFIX_DIGESTS, Index
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.errors import MalformedError

ADA, BOB = "registry.example/ada/1", "registry.example/bob/1"


def digest(number):
    return hashlib.sha256(b"%d" % number).digest()


def entry(number, kind=EntryKind.CREDENTIAL):
    return Entry(kind=kind, digest=digest(number))


def entries(start, count):
    return [entry(number) for number in range(start, start + count)]


@pytest.fixture
def index(tmp_path):
    opened = Index(tmp_path / "index")
    yield opened
    opened.close()


def at(origin, leaf_index):
    return Location(origin=origin, leaf_index=leaf_index)


def test_a_credential_is_found_where_it_was_logged(index):
    index.put_entries(ADA, 0, entries(0, 3))
    index.put_entries(ADA, 3, entries(3, 1))
    assert [index.find_leaf(ADA, digest(number)) for number in range(5)] == [0, 1, 2, 3, None]
    assert index.find_credential(digest(2)) == [at(ADA, 2)]
    assert index.find_credential(digest(9)) == []
    assert index.projected_size(ADA) == 4


def test_a_credential_in_two_logs_is_found_in_both(index):
    index.put_entries(ADA, 0, entries(0, 2))
    index.put_entries(BOB, 0, [entry(5), entry(1)])
    assert index.find_credential(digest(1)) == [at(ADA, 1), at(BOB, 1)]
    assert (index.find_leaf(ADA, digest(5)), index.find_leaf(BOB, digest(5))) == (None, 0)
    assert index.origins() == [ADA, BOB]


def test_a_digest_that_is_logged_twice_is_found_at_its_first_leaf(index):
    index.put_entries(ADA, 0, [entry(1), entry(2), entry(1)])
    index.put_entries(ADA, 3, [entry(2)])
    assert [index.find_leaf(ADA, digest(number)) for number in (1, 2)] == [0, 1]
    assert index.find_credential(digest(1)) == [at(ADA, 0)]


def test_putting_the_same_entries_again_changes_nothing(index):
    index.put_entries(ADA, 0, entries(0, 5))
    index.put_entries(ADA, 0, entries(0, 5))
    index.put_entries(ADA, 3, entries(3, 2))
    index.put_entries(ADA, 2, entries(2, 5))
    assert [index.find_leaf(ADA, digest(number)) for number in range(7)] == list(range(7))
    assert index.projected_size(ADA) == 7


def test_a_gap_is_refused(index):
    index.put_entries(ADA, 0, entries(0, 2))
    with pytest.raises(ValueError, match="entries 2 to 2 were not put"):
        index.put_entries(ADA, 3, entries(3, 1))
    assert index.projected_size(ADA) == 2


def test_more_entries_than_one_batch_are_all_found(index):
    count = BATCH_ENTRIES + 10
    index.put_entries(ADA, 0, entries(0, count))
    assert index.projected_size(ADA) == count
    assert index.find_leaf(ADA, digest(count - 1)) == count - 1


def test_kinds_are_apart_and_seals_have_no_row(index):
    index.put_entries(
        ADA, 0, [entry(1, EntryKind.DOCUMENT), entry(1, EntryKind.SEAL), entry(1), entry(2, EntryKind.SEAL)]
    )
    assert index.find_leaf(ADA, digest(1)) == 2
    assert index.find_leaf(ADA, digest(1), EntryKind.DOCUMENT) == 0
    assert index.find_documents(digest(1)) == [at(ADA, 0)]
    assert index.find_credential(digest(2)) == []
    assert index.projected_size(ADA) == 4


def test_a_digest_that_was_looked_up_in_vain_is_found_once_it_is_put(index):
    assert index.find_leaf(ADA, digest(1)) is None
    index.put_entries(ADA, 0, [entry(1)])
    assert index.find_leaf(ADA, digest(1)) == 0
    assert index.find_leaf(BOB, digest(1)) is None
    index.put_entries(BOB, 0, [entry(1)])
    assert index.find_credential(digest(1)) == [at(ADA, 0), at(BOB, 0)]


def test_many_digests_are_looked_up_as_one_is(index):
    index.put_entries(ADA, 0, [entry(1), entry(2), entry(3, EntryKind.DOCUMENT), entry(1)])
    index.put_entries(BOB, 0, [entry(9), entry(1)])
    asked = [digest(number) for number in (9, 3, 2, 1, 8)]
    assert index.find_leaves(ADA, asked) == {digest(2): 1, digest(1): 0}
    assert index.find_leaves(BOB, asked) == {digest(9): 0, digest(1): 1}
    assert index.find_leaves(ADA, asked, EntryKind.DOCUMENT) == {digest(3): 2}
    assert index.find_leaves("registry.example/eve/1", asked) == {}
    assert index.find_leaves(ADA, []) == {}


def test_more_absent_digests_than_are_remembered_are_found_once_they_are_put(index, monkeypatch):
    monkeypatch.setattr("testamur.node.index.store.MAX_REMEMBERED_ABSENT", 2)
    asked = [digest(number) for number in range(5)]
    assert index.find_leaves(ADA, asked) == {}
    assert len(index._absent) == 2
    index.put_entries(ADA, 0, entries(0, 5))
    assert index.find_leaves(ADA, asked) == {item: number for number, item in enumerate(asked)}
    assert index.find_leaves(BOB, asked) == {}


def test_what_is_remembered_as_absent_is_forgotten_when_it_comes_in_between(index):
    """Thread one asks and is told no; thread two puts; only then thread one remembers the answer."""
    puts = index._puts
    index.put_entries(ADA, 0, [entry(1)])
    index._remember_absent(keys.digest_keys(EntryKind.CREDENTIAL, [digest(1)]), puts)
    index.put_entries(BOB, 0, [entry(1)])
    assert index.find_credential(digest(1)) == [at(ADA, 0), at(BOB, 0)]


def test_threads_that_put_and_ask_see_every_location(index):
    failures = []

    def work(origin):
        try:
            for number in range(300):
                index.find_leaf(origin, digest(number))
                index.put_entries(origin, number, [entry(number)])
                assert index.find_leaf(origin, digest(number)) == number
        except Exception as exc:  # noqa: BLE001  a thread's failure has to reach the test
            failures.append(exc)

    origins = [f"registry.example/{slug}/1" for slug in ("ada", "bob", "eve")]
    threads = [threading.Thread(target=work, args=(origin,)) for origin in origins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    for number in range(300):
        assert {place.origin for place in index.find_credential(digest(number))} == set(origins)


def test_everything_survives_reopening(tmp_path):
    index = Index(tmp_path)
    index.put_entries(ADA, 0, entries(0, 3))
    index.put_entries(BOB, 0, entries(1, 1))
    index.put_anchor(ADA, Anchor(sequence=1, size=3, block_number=7, timestamp=8, statement=1))
    index.put_document_id("urn:x", digest(4), origin=ADA, leaf_index=2)
    index.put_meta("followed", b"7")
    index.close()
    again = Index(tmp_path)
    assert again.find_credential(digest(1)) == [at(ADA, 1), at(BOB, 0)]
    assert (again.projected_size(ADA), again.projected_size(BOB), again.find_meta("followed")) == (3, 1, b"7")
    assert again.find_newest_anchor(ADA).block_number == 7
    assert again.find_document("urn:x", origin=ADA).digest == digest(4)
    again.put_entries("registry.example/new/1", 0, entries(1, 1))
    assert len(again.find_credential(digest(1))) == 3
    again.close()


# ------------------------------------------------------------------------------------------------ prefixes


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    opened = Index(tmp_path_factory.mktemp("crowded"))
    opened.put_entries(ADA, 0, entries(0, 3000))
    yield opened
    opened.close()


IN_ORDER = sorted(map(digest, range(3000)))


@pytest.mark.parametrize("rank", [0, 1, 1500, 2000, 2998, 2999])
@pytest.mark.parametrize("size", [1, 2, 32])
def test_an_answer_holds_the_minimum_and_whatever_shares_the_bits_wherever_they_lie(crowded, rank, size):
    wanted = IN_ORDER[rank]
    is_everything, found = crowded.digests_with_prefix(wanted[:size])
    digests = [item for item, _ in found]
    at_first = IN_ORDER.index(digests[0])
    assert digests == IN_ORDER[at_first : at_first + 1024]
    assert {item for item in IN_ORDER if item.startswith(wanted[:size])} <= set(digests)
    assert not is_everything


def test_an_answer_tells_where_its_digests_are_logged(crowded):
    _, found = crowded.digests_with_prefix(digest(77)[:2])
    assert dict(found)[digest(77)] == [at(ADA, 77)]


def test_a_prefix_that_already_matches_enough_gets_no_neighbours(crowded):
    is_everything, found = crowded.digests_with_prefix(digest(5)[:1], 4, minimum=10)
    assert [item for item, _ in found] == [item for item in IN_ORDER if item[0] >> 4 == digest(5)[0] >> 4]
    assert not is_everything


@pytest.mark.parametrize("minimum", [3000, 3001, 5000])
@pytest.mark.parametrize("prefix", [b"", b"\x00", b"\x80", b"\xff\xff"])
def test_with_too_few_digests_the_answer_is_everything(crowded, prefix, minimum):
    is_everything, found = crowded.digests_with_prefix(prefix, minimum=minimum)
    assert (is_everything, [item for item, _ in found]) == (True, IN_ORDER)


def test_an_empty_index_answers_with_nothing(index):
    assert index.digests_with_prefix(b"\xff" * 32) == (True, [])


def test_a_prefix_answer_has_a_largest_size(index, monkeypatch):
    index.put_entries(ADA, 0, entries(0, 40))
    monkeypatch.setattr("testamur.node.index.store.MAX_PREFIX_DIGESTS", 39)
    with pytest.raises(MalformedError, match="give more bits"):
        index.digests_with_prefix(b"", 0)
    assert MAX_PREFIX_DIGESTS > 1024


def test_nobody_makes_a_credential_unfindable_by_logging_digests_beside_it(index, monkeypatch):
    monkeypatch.setattr("testamur.node.index.store.MAX_PREFIX_DIGESTS", 2000)
    victim = digest(1)
    beside = [victim[:16] + number.to_bytes(16, "big") for number in range(3000)]
    index.put_entries(ADA, 0, [Entry(kind=EntryKind.CREDENTIAL, digest=victim)])
    index.put_entries(BOB, 0, [Entry(kind=EntryKind.CREDENTIAL, digest=item) for item in beside])
    with pytest.raises(MalformedError, match="give more bits"):
        index.digests_with_prefix(victim[:16])
    for size in (17, 20, 32):
        assert victim in dict(index.digests_with_prefix(victim[:size])[1])


@pytest.mark.parametrize(("prefix", "bits"), [(b"\x00", 9), (b"", 1), (b"\x00" * 33, 257), (b"\x00", -1)])
def test_bits_that_the_prefix_does_not_have_are_a_mistake(index, prefix, bits):
    with pytest.raises(ValueError, match="bits of a digest"):
        index.digests_with_prefix(prefix, bits)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 256))
def test_prefix_bounds_hold_exactly_what_shares_the_bits(value, bits):
    start, stop = keys.prefix_bounds(value, bits)
    number = int.from_bytes(value, "big")
    low = number >> (256 - bits) << (256 - bits)
    for candidate in {
        low,
        low + (1 << (256 - bits)) - 1,
        max(0, low - 1),
        min(2**256 - 1, low + (1 << (256 - bits))),
    }:
        inside = start <= b"c" + candidate.to_bytes(32, "big") < stop
        assert inside == (candidate >> (256 - bits) == number >> (256 - bits))


# ------------------------------------------------------------------------------------- anchors and documents


def anchor(sequence, size, transaction=None):
    return Anchor(
        sequence=sequence,
        size=size,
        block_number=100 + sequence,
        timestamp=1_700_000_000 + sequence,
        statement=1,
        transaction=transaction,
    )


def test_anchors_come_back_by_sequence(index):
    first, second = anchor(1, 5, digest(1)), anchor(2, 9)
    index.put_anchor(ADA, second)
    index.put_anchor(ADA, first)
    index.put_anchor(BOB, anchor(1, 3))
    assert index.anchors(ADA) == [first, second]
    assert (index.find_newest_anchor(ADA), index.find_newest_anchor(BOB)) == (second, anchor(1, 3))
    assert (index.anchors("unknown"), index.find_newest_anchor("unknown")) == ([], None)


def test_an_anchor_that_is_put_again_is_replaced(index):
    index.put_anchor(ADA, anchor(1, 5))
    index.put_anchor(ADA, anchor(1, 5, digest(3)))
    assert index.anchors(ADA) == [anchor(1, 5, digest(3))]


def test_the_anchor_of_a_leaf_is_the_first_that_covers_it(index):
    sizes = [3, 7, 8, 20, 21, 300]
    for sequence, size in enumerate(sizes, 1):
        index.put_anchor(ADA, anchor(sequence, size))
    for leaf_index in range(300):
        assert index.find_anchor_of(ADA, leaf_index).size == min(size for size in sizes if size > leaf_index)
    assert index.find_anchor_of(ADA, 300) is None
    assert index.find_anchor_of(BOB, 0) is None


def test_documents_are_found_by_id_newest_first_and_per_log(index):
    index.put_document_id("https://ada.example/list/1", digest(1), origin=ADA, leaf_index=4)
    index.put_document_id("https://ada.example/list/1", digest(2), origin=ADA, leaf_index=300)
    index.put_document_id("https://ada.example/list/1", digest(3), origin=BOB, leaf_index=9)
    index.put_document_id("https://ada.example/list/2", digest(4), origin=ADA, leaf_index=5)
    newest = index.find_document("https://ada.example/list/1", origin=ADA)
    assert (newest.digest, newest.leaf_index, newest.id) == (digest(2), 300, "https://ada.example/list/1")
    versions = index.document_versions("https://ada.example/list/1")
    assert [(version.origin, version.leaf_index) for version in versions] == [(ADA, 4), (ADA, 300), (BOB, 9)]
    assert [v.digest for v in index.document_versions("https://ada.example/list/1", origin=BOB)] == [
        digest(3)
    ]
    assert index.find_document("https://ada.example/list/3", origin=ADA) is None
    assert index.find_document("https://ada.example/list/1", origin="unknown") is None
    assert index.document_versions("https://ada.example/list/1", origin="unknown") == []


# -------------------------------------------------------------------------------------------------- opening


def test_a_second_opening_is_refused(tmp_path, index):
    with pytest.raises(StoreLocked, match="open in another process"):
        Index(tmp_path / "index")


def test_a_second_process_is_refused(tmp_path, index):
    code = (
        "import sys; from pathlib import Path\n"
        "from testamur.node.errors import StoreLocked\n"
        "from testamur.node.index.store import Index\n"
        "try: Index(Path(sys.argv[1]))\n"
        "except StoreLocked as exc: print(exc)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "index")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "open in another process" in done.stdout


def test_an_index_of_another_schema_is_refused_with_the_cure(tmp_path):
    Index(tmp_path).close()
    database = plyvel.DB(str(tmp_path))
    database.put(keys.meta_key("schema"), b"999")
    database.close()
    with pytest.raises(
        SchemaMismatch, match=r"schema 999, this is 1; rebuild it with `testamur node reindex`"
    ):
        Index(tmp_path)


def test_a_database_that_is_no_index_is_refused(tmp_path):
    database = plyvel.DB(str(tmp_path), create_if_missing=True)
    database.put(b"somebody", b"else")
    database.close()
    with pytest.raises(SchemaMismatch, match="schema none"):
        Index(tmp_path)


def test_a_damaged_database_is_refused_with_the_cure_and_can_be_thrown_away(tmp_path):
    index = Index(tmp_path)
    index.put_entries(ADA, 0, entries(0, 10))
    index.close()
    for path in tmp_path.glob("MANIFEST-*"):
        path.write_bytes(b"\xff" * 100)
    with pytest.raises(StoreCorrupt, match="rebuild it with `testamur node reindex`"):
        Index(tmp_path)
    Index.destroy(tmp_path)
    again = Index(tmp_path)
    assert again.projected_size(ADA) == 0
    again.close()


def bits_of(folder, name):
    """Some bits of every file of that kind, one at a time."""
    for path in sorted(folder.glob(name)):
        size = path.stat().st_size
        for offset in range(0, size, max(1, size // 24)):
            yield path.name, offset


@pytest.mark.parametrize("name", ["*.ldb", "*.log", "MANIFEST-*", "CURRENT"])
def test_a_flipped_bit_is_an_error_with_the_cure_and_never_a_row_that_is_missing(tmp_path, name):
    """A digest that seems to be absent would be logged a second time."""
    whole, copy = tmp_path / "whole", tmp_path / "copy"
    for start in (0, 600):  # The first half is sorted into a table when the second one opens the index.
        index = Index(whole)
        for number in range(start, start + 600, 100):
            index.put_entries(ADA, number, entries(number, 100))
        index.close()
    refused = 0
    for file, offset in bits_of(whole, name):
        shutil.copytree(whole, copy)
        data = bytearray((copy / file).read_bytes())
        data[offset] ^= 4
        (copy / file).write_bytes(data)
        said = ""
        try:
            with contextlib.closing(Index(copy)) as index:
                found = [index.find_leaf(ADA, item.digest) for item in entries(0, 1200)]
                assert (found, index.projected_size(ADA)) == (list(range(1200)), 1200), (file, offset)
        except StoreCorrupt as error:
            said = str(error)
            refused += 1
        assert not said or "rebuild it with `testamur node reindex`" in said
        shutil.rmtree(copy)
    assert refused > 10


def test_an_open_index_is_not_thrown_away(tmp_path, index):
    with pytest.raises(StoreLocked):
        Index.destroy(tmp_path / "index")


def test_the_schema_is_not_a_fact_to_be_overwritten(index):
    with pytest.raises(ValueError, match="schema"):
        index.put_meta("schema", b"2")
