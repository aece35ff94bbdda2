import itertools
from pathlib import Path

import pytest

from fakes.issuers import RepeatableRandom
from testamur.node.errors import SchemaMismatch, StoreCorrupt
from testamur.node.issuing.decks import DECK_SIZE, add_deck, deck_numbers, draw
from testamur.node.issuing.ledger import Ledger


def test_a_deck_gives_every_index_once_and_then_a_new_deck_begins(tmp_path: Path) -> None:
    ledger, chance = Ledger(tmp_path / "ledger.sqlite"), RepeatableRandom()
    with ledger.transaction():
        drawn = draw(ledger, DECK_SIZE - 1, chance)
        drawn += draw(ledger, 3, chance)
    assert deck_numbers(ledger) == [1, 2]
    assert [deck for deck, _ in drawn[-3:]] == [1, 2, 2]
    first = [index for deck, index in drawn if deck == 1]
    assert sorted(first) == list(range(DECK_SIZE))
    assert first != sorted(first)


def test_indexes_do_not_follow_the_order_of_issuing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with ledger.transaction():
        drawn = [index for _, index in draw(ledger, 2000, RepeatableRandom())]
    rising = sum(later > earlier for earlier, later in itertools.pairwise(drawn))
    assert 900 < rising < 1100, "half of the steps go up, as in any shuffle"
    assert max(drawn) - min(drawn) > DECK_SIZE * 0.99


def test_two_decks_are_shuffled_differently(tmp_path: Path) -> None:
    ledger, chance = Ledger(tmp_path / "ledger.sqlite"), RepeatableRandom()
    with ledger.transaction():
        add_deck(ledger, 1, chance)
        add_deck(ledger, 2, chance)
    (first,), (second,) = ledger.run("SELECT indexes FROM decks ORDER BY number")
    assert sorted(first) == sorted(second)
    assert first != second


def test_a_drawn_index_is_gone_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    with ledger.transaction():
        (first,) = draw(ledger, 1, RepeatableRandom())
    ledger.close()
    ledger = Ledger(path)
    with ledger.transaction():
        rest = draw(ledger, DECK_SIZE - 1, RepeatableRandom())
    assert first not in rest


def test_an_index_of_an_undone_transaction_is_not_lost(tmp_path: Path) -> None:
    ledger, chance = Ledger(tmp_path / "ledger.sqlite"), RepeatableRandom()
    with ledger.transaction():
        add_deck(ledger, 1, chance)
    undone: list[tuple[int, int]] = []

    def draw_and_fail() -> None:
        with ledger.transaction():
            undone.extend(draw(ledger, 2, chance))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        draw_and_fail()
    with ledger.transaction(keep=False):
        assert draw(ledger, 2, chance) == undone
    with ledger.transaction():
        assert draw(ledger, 2, chance) == undone


def test_the_ledger_is_private(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.sqlite").close()
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_ledger_of_another_version_is_not_touched(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with ledger.transaction():
        ledger.put_fact("schema", b"99")
    ledger.close()
    with pytest.raises(SchemaMismatch, match="schema 99, this version reads 1"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_file_that_is_no_ledger_is_called_corrupt_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreCorrupt, match=r"ledger\.sqlite"):
        Ledger(path)
    assert path.read_bytes() == b"not a database" * 100


def test_every_transaction_is_synced_in_full(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert ledger.run("PRAGMA synchronous") == [(2,)]
    assert ledger.run("PRAGMA journal_mode") == [("wal",)]
