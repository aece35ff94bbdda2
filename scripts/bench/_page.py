"""Write what was measured last into docs/performance.md, between its markers. Not a benchmark itself.

.venv/bin/python scripts/bench/_page.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "build" / "bench"
PEERS = RESULTS / "peers.json"
TITLES = {
    "issuing": "Issuing",
    "log": "The log",
    "anchoring": "Anchoring, client CPU",
    "gas": "Anchoring, gas",
    "events": "Events",
    "http_lookup": "Look-up",
    "http_verify": "Verdicts over HTTP",
    "canonical": "Canonical JSON",
    "proofs": "eddsa-jcs",
    "suites": "All suites",
    "rdfc": "eddsa-rdfc",
    "merkle": "Merkle tree",
    "evidence": "Evidence and offline verification",
    "folder": "Folders",
}


def figure(value: float) -> str:
    """Three digits; thousands apart."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def ours_table() -> str:
    """Every benchmark that has been run, one table."""
    lines = ["| what | ours | raw limit | ratio | goal | met |", "|---|---|---|---|---|---|"]
    for name, title in TITLES.items():
        path = RESULTS / f"{name}.json"
        rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.is_file() else []
        if not rows:
            lines.append(f"| **{title}** | not measured | | | | |")
            continue
        lines.append(f"| **{title}** | | | | | |")
        lines += [_row(row) for row in rows]
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> str:
    if row["limit"] is None:
        return f"| {row['what']} | not measured: {row['beside']} | | | {row['goal']} | |"
    met = {True: "yes", False: "**no**", None: ""}[row["met"]]
    ours = f"{figure(row['ours'])} {row['unit']}"
    limit = f"{figure(row['limit'])} {row['unit']} ({row['beside']})"
    if row["beside"] == "the goal":
        limit = ""
    return f"| {row['what']} | {ours} | {limit} | {row['ratio']:.2f} | {row['goal']} | {met} |"


def peers_table() -> str:
    """Every peer."""
    lines = ["| what | peer | theirs | ours | theirs ÷ ours | goal | met |", "|---|---|---|---|---|---|---|"]
    for line in json.loads(PEERS.read_text("utf-8")) if PEERS.is_file() else []:
        goal = "" if line["goal"] is None else f"≥ {line['goal']:g}"
        if line["ratio"] is None:
            lines.append(f"| {line['what']} | {line['peer']} | not measured: {line['why']} | | | {goal} | |")
            continue
        met = "" if line["goal"] is None else "yes" if line["ratio"] >= line["goal"] else "**no**"
        theirs, ours = (f"{line[side] / 1e3:.3g} ms" for side in ("theirs", "ours"))
        lines.append(
            f"| {line['what']} | {line['peer']} | {theirs} | {ours} | {line['ratio']:.1f} | {goal} | {met} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Replace both tables."""
    page = PAGE.read_text("utf-8")
    for name, table in (("ours", ours_table()), ("peers", peers_table())):
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        page, found = block.subn(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", page)  # type: ignore[misc]
        if found != 1:
            raise SystemExit(f"{PAGE} has no place for the table {name}")
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
