"""Status indexes, given away at random and never twice: a shuffled deck for every pair of status lists.

An index that followed the order of issuing would tell strangers when, and with whom, somebody graduated.
"""

import struct
from collections.abc import Callable

from testamur.node.issuing.ledger import Ledger
from testamur.registry.status import MIN_STATUS_LIST_BITS

DECK_SIZE = MIN_STATUS_LIST_BITS
"""Indexes in one deck: every entry of a list of the smallest size that hides who is in it."""

SIGNED_ELSEWHERE = 0
"""The deck of credentials that were signed before they came here: no list of ours has a bit for them."""

RandomBytes = Callable[[int], bytes]
"""So many unpredictable bytes; `os.urandom` outside of tests."""


def shuffled_indexes(random_bytes: RandomBytes) -> bytes:
    """All indexes of a deck in random order, four bytes each, big-endian.

    Sorted by random 64-bit keys: an unbiased shuffle up to the chance of equal keys (5 in 10^10).
    """
    keys = struct.unpack(f">{DECK_SIZE}Q", random_bytes(8 * DECK_SIZE))
    order = sorted(range(DECK_SIZE), key=keys.__getitem__)
    return struct.pack(f">{DECK_SIZE}I", *order)


def draw(ledger: Ledger, count: int, random_bytes: RandomBytes) -> list[tuple[int, int]]:
    """`count` pairs (deck number, status index) that nobody else has; inside a transaction.

    A deck that runs out is followed by a new one. Whether its lists are published yet is for the caller.
    """
    drawn: list[tuple[int, int]] = []
    while len(drawn) < count:
        rows = ledger.run("SELECT number, used FROM decks ORDER BY number DESC LIMIT 1")
        number, used = rows[0] if rows else (0, DECK_SIZE)
        if used == DECK_SIZE:
            add_deck(ledger, number + 1, random_bytes)
            continue
        wanted = min(count - len(drawn), DECK_SIZE - used)
        # substr reads only the part of the blob that is needed, and counts from 1.
        rows = ledger.run(
            "SELECT substr(indexes, ?, ?) FROM decks WHERE number = ?", (4 * used + 1, 4 * wanted, number)
        )
        indexes = struct.unpack(f">{wanted}I", rows[0][0])
        drawn += [(number, index) for index in indexes]
        ledger.run("UPDATE decks SET used = ? WHERE number = ?", (used + wanted, number))
    return drawn


def add_deck(ledger: Ledger, number: int, random_bytes: RandomBytes) -> None:
    """A full deck; inside a transaction."""
    ledger.run("INSERT INTO decks VALUES (?, ?, 0)", (number, shuffled_indexes(random_bytes)))


def deck_numbers(ledger: Ledger) -> list[int]:
    """Every deck with status lists, oldest first."""
    rows = ledger.run("SELECT number FROM decks WHERE number != ? ORDER BY number", (SIGNED_ELSEWHERE,))
    return [number for (number,) in rows]


def next_signed_elsewhere(ledger: Ledger) -> int:
    """The number of the next credential that was signed elsewhere; inside a transaction."""
    ledger.run("INSERT OR IGNORE INTO decks VALUES (?, ?, 0)", (SIGNED_ELSEWHERE, b""))
    rows = ledger.run("SELECT max(status_index) FROM credentials WHERE deck = ?", (SIGNED_ELSEWHERE,))
    return 0 if rows[0][0] is None else int(rows[0][0]) + 1
