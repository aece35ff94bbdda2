"""How a benchmark measures and reports: medians of alternating rounds, one table, one JSON file.

Not a benchmark itself (the underscore). A benchmark calls `compare` for each line and `report` once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

QUICK = bool(os.environ.get("TESTAMUR_BENCH_QUICK"))
"""Set by `run.py --quick`: small corpora and few rounds, to see that it works and about where it is."""

LONG = bool(os.environ.get("TESTAMUR_BENCH_LONG"))
"""Set by `run.py --long`: also what takes many minutes, such as a log of ten million leaves."""

ROUNDS = 3 if QUICK else 7
"""The machine's speed drifts within minutes: ours and the limit take turns, and medians are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: the cost per operation of ours, of what it stands beside, and the goal for the ratio."""

    what: str
    unit: str
    ours: float
    beside: str
    limit: float | None
    ratio: float | None
    goal: str
    met: bool | None


def microseconds(operation: Callable[[], object], count: int) -> float:
    """CPU microseconds per item of one call that handles `count` items."""
    started = time.process_time()
    operation()
    return (time.process_time() - started) * 1e6 / count


def compare(
    what: str,
    *,
    ours: Callable[[], object],
    limit: Callable[[], object],
    beside: str,
    count: int,
    at_most: float | None = None,
    at_least: float | None = None,
    rounds: int = ROUNDS,
) -> Row:
    """Measure ours and the limit in turns. `at_most` bounds ours ÷ limit, `at_least` bounds limit ÷ ours."""
    if (at_most is None) == (at_least is None):
        raise TypeError("a goal is either at_most or at_least")
    turns = [(microseconds(ours, count), microseconds(limit, count)) for _ in range(rounds)]
    mine = statistics.median(turn[0] for turn in turns)
    other = statistics.median(turn[1] for turn in turns)
    if at_most is not None:
        ratio = mine / other
        goal, met = f"ours/limit ≤ {at_most:g}", ratio <= at_most
    else:
        ratio = other / mine
        goal, met = f"limit/ours ≥ {at_least:g}", ratio >= (at_least or 0)
    return Row(what=what, unit="µs", ours=mine, beside=beside, limit=other, ratio=ratio, goal=goal, met=met)


def bounded(what: str, *, value: float, unit: str, at_most: float, beside: str = "the goal") -> Row:
    """A line whose goal is a bound of its own, not a ratio to something measured."""
    return Row(
        what=what,
        unit=unit,
        ours=value,
        beside=beside,
        limit=at_most,
        ratio=value / at_most,
        goal=f"≤ {at_most:,.10g} {unit}",
        met=value <= at_most,
    )


def not_measured(what: str, beside: str, goal: str) -> Row:
    """A line whose counterpart is not installed: it says so, and never shows a remembered number."""
    return Row(what=what, unit="", ours=0.0, beside=beside, limit=None, ratio=None, goal=goal, met=None)


def report(rows: list[Row]) -> None:
    """Print the table, and write `--json FILE` when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    target = parser.parse_args().json
    heads = ("what", "ours", "raw limit", "ratio", "goal", "met")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n", "utf-8"
        )


def _cells(row: Row) -> tuple[str, ...]:
    if row.limit is None or row.ratio is None:
        return (row.what, "", f"not measured: {row.beside}", "", row.goal, "")
    met = {True: "yes", False: "no", None: ""}[row.met]
    limit = f"{row.limit:.3g} {row.unit} ({row.beside})"
    return (row.what, f"{row.ours:.3g} {row.unit}", limit, f"{row.ratio:.2f}", row.goal, met)
