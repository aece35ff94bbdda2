"""Issue a class: table and template in, signed and recorded credentials on disk out, beside the parts of it.

The raw parts: two canonical forms by the C encoder, three hashes and a signature per credential, the synced
file, and the row in SQLite. The host is in memory: what logging costs is measured elsewhere.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from _report import LONG, QUICK, compare, report
from cryptography.hazmat.primitives.asymmetric import ed25519

from testamur.node.files import FileBatch
from testamur.node.issuing.batch import CHUNK_ROWS, issue
from testamur.node.issuing.templates import parse_template
from testamur.node.issuing.workspace import Settings, Workspace, create_workspace
from testamur.registry.keys import Algorithm, SigningKey

ROWS = 300 if QUICK else 1_000
MANY_ROWS = 1_500 if QUICK else 100_000 if LONG else 10_000
MANY_ROUNDS = 1 if LONG else 3
SAMPLES = Path(__file__).resolve().parent.parent / "samples"
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


class Host:
    """A host in memory."""

    def __init__(self) -> None:
        self._leaves = count(4)

    def submit(self, _slug: str, digests: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """Every digest gets the next leaf."""
        return [(digest, next(self._leaves)) for digest in digests]

    def publish(self, _slug: str, bundle: Any) -> int:
        """Every statement is accepted."""
        return int(bundle["statement"]["sequence"])


class Bench:
    """One workspace; every job has a table of its own, because a known one would not be issued again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs = count(1)
        self._key = SigningKey.from_seed(Algorithm.ED25519, bytes(32))
        following = SigningKey.from_seed(Algorithm.ED25519, bytes(31) + b"\1")
        settings = Settings(
            registry="registry.example",
            slug="ada",
            did="did:web:ada.example",
            name="University of Ada",
            controller="0x" + "1a" * 20,
            status_base="https://status.ada.example",
        )
        self._workspace: Workspace = create_workspace(
            folder / "ada",
            settings,
            key=self._key,
            next_keys=[following.public_key],
            now=NOW,
            random_bytes=os.urandom,
        )
        name = "data-literacy.template.json"
        self._template = parse_template((SAMPLES / name).read_bytes(), name)
        with (SAMPLES / "data-literacy-2026.csv").open(encoding="utf-8", newline="") as file:
            self._head, *self._rows = csv.reader(file)

    def issue(self, rows: int) -> Path:
        """One job with so many rows; the folder that it wrote."""
        job = next(self._jobs)
        table, out = self._folder / f"{job}.csv", self._folder / f"out-{job}"
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self._head)
            for number in range(rows):
                cells = list(self._rows[number % len(self._rows)])
                cells[0] = f"{job:04}{number:06}"
                writer.writerow(cells)
        issue(
            self._workspace,
            table_path=table,
            template=self._template,
            folder=out,
            key=self._key,
            port=Host(),
            now=NOW,
        )
        return out


def raw_parts(documents: list[dict[str, Any]], folder: Path) -> None:
    """What no issuer can leave out, written as straight as possible."""
    folder.mkdir()
    encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    sign = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).sign
    ledger = sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE t (row, digest, token)",
    ):
        ledger.execute(statement)
    for start in range(0, len(documents), CHUNK_ROWS):
        files, rows = FileBatch(), []
        for number, document in enumerate(documents[start : start + CHUNK_ROWS], start):
            proof = document["proof"]
            options = {name: value for name, value in proof.items() if name != "proofValue"}
            unsigned = {name: value for name, value in document.items() if name != "proof"}
            data = hashlib.sha256(encode(options).encode()).digest()
            data += hashlib.sha256(encode(unsigned).encode()).digest()
            secured = encode({**unsigned, "proof": {**options, "proofValue": sign(data).hex()}}).encode()
            files.add(folder / f"{number}.json", secured)
            rows.append((number, hashlib.sha256(secured).digest(), os.urandom(16)))
        files.commit()
        ledger.execute("BEGIN")
        ledger.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        ledger.execute("COMMIT")
    ledger.close()


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench, numbers = Bench(folder), count(1)
        documents = [json.loads(path.read_bytes())["credential"] for path in bench.issue(ROWS).iterdir()]
        size = len(json.dumps(documents[0]))
        report(
            [
                compare(
                    f"issue a credential of {size} B, {ROWS} in a job",
                    ours=lambda: bench.issue(ROWS),
                    limit=lambda: raw_parts(documents, folder / f"raw-{next(numbers)}"),
                    beside="the parts it is made of",
                    count=ROWS,
                    at_most=2.5,
                ),
                compare(
                    f"the same, {MANY_ROWS} in a job",
                    ours=lambda: [bench.issue(MANY_ROWS)],
                    limit=lambda: [bench.issue(ROWS) for _ in range(MANY_ROWS // ROWS)],
                    beside=f"{ROWS} in a job",
                    count=MANY_ROWS,
                    at_most=1.2,
                    rounds=MANY_ROUNDS,
                ),
            ]
        )


if __name__ == "__main__":
    main()
