"""Evidence: how large it is, how long a verifier takes, and how long the command line.

The registry is the tests' whole registry in memory: three members (witness, mirror and attestation each), one
key event, two status lists, 2 000 entries in the log.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the whole registry in memory is a fake that the tests share

import sha3  # noqa: E402
from _command import Command  # noqa: E402
from _large_contract import LargeWorld  # noqa: E402
from _report import QUICK, ROUNDS, Row, compare, not_measured, report  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: E402

from fakes.whole_registry import NOW, cut, trust  # noqa: E402
from testamur.registry.canonical import canonicalize  # noqa: E402
from testamur.registry.dossiers import encode_dossier  # noqa: E402
from testamur.registry.remembered import forget  # noqa: E402
from testamur.registry.verification import Outcome, verify_dossier  # noqa: E402

ENTRIES = 2_000
SLOTS = (100, 10_000, 1_000_000) if QUICK else (100, 1_000, 10_000, 100_000, 1_000_000)
SIZE_GOALS = {10_000: 10_000, 10_000_000: 24_000}
MEASURED_SLOTS = 10_000
"""The dossier whose verification is timed: a consortium after some years."""

COUNT = 20
MAX_MICROSECONDS = 1_500
MAX_COLD_SECONDS = 0.5


def dossier_with(slots: int) -> tuple[Any, Any]:
    """(credential, evidence as a holder keeps it) under a contract with so many slots."""
    made = LargeWorld(slots=slots, others=ENTRIES)
    return made.credential, cut(made.evidence(), made.credential)


def sizes() -> tuple[list[Row], bytes]:
    """Bytes of evidence without the credential, and the dossier under 10^4 slots."""
    rows, found, kept = [], {}, b""
    for slots in SLOTS:
        credential, evidence = dossier_with(slots)
        data = encode_dossier(credential, evidence)
        if verify_dossier(data, trust=trust(), now=NOW).outcome != Outcome.VALID:
            raise SystemExit(f"evidence: the dossier with {slots} slots does not verify")
        nodes = sum(len(text) for text in evidence["anchors"][0]["nodes"])
        found[slots] = (len(canonicalize(evidence)), nodes)
        rows.append(_size_row(f"evidence, {slots:,} slots", *found[slots], SIZE_GOALS.get(slots)))
        kept = data if slots == MEASURED_SLOTS else kept
    # A branch more per factor of sixteen: sizes grow with the logarithm, so two decades give the third.
    size, nodes = ((3 * found[1_000_000][i] - found[10_000][i]) // 2 for i in (0, 1))
    rows.append(_size_row("evidence, 10,000,000 slots (extrapolated)", size, nodes, SIZE_GOALS[10_000_000]))
    return rows, kept


def _size_row(what: str, size: int, nodes: int, goal: int | None) -> Row:
    return Row(
        what=what,
        unit="B",
        ours=size,
        beside="its trie nodes alone",
        limit=nodes,
        ratio=size / nodes,
        goal="" if goal is None else f"≤ {goal} B",
        met=None if goal is None else size <= goal,
    )


def counted(operation: Callable[[], object]) -> tuple[int, list[bytes]]:
    """(Ed25519 verifications, what was hashed by Keccak) in one call, seen from outside."""
    verified, hashed = 0, []

    def see(frame: FrameType, event: str, argument: object) -> None:
        nonlocal verified
        if event == "call" and frame.f_code.co_name == "keccak256":
            hashed.append(frame.f_locals["data"])
        if event == "c_call" and getattr(argument, "__name__", "") == "verify":
            verified += "Ed25519PublicKey" in str(getattr(argument, "__self__", ""))

    sys.setprofile(see)
    try:
        operation()
    finally:
        sys.setprofile(None)
    return verified, hashed


def verification(data: bytes) -> list[Row]:
    """A whole verification beside the calls that it cannot avoid: the first of a log, and the next ones."""
    trusted = trust()

    def first() -> None:
        forget()
        verify_dossier(data, trust=trusted, now=NOW)

    def following() -> None:
        verify_dossier(data, trust=trusted, now=NOW)

    rows = [_verification(f"verify a dossier of {len(data)} B, nothing known", first, data)]
    following()
    return [*rows, _verification("the same, its log and anchor verified before", following, data)]


def _verification(what: str, ours: Callable[[], None], data: bytes) -> Row:
    signatures, hashed = counted(ours)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, message = key.public_key(), bytes(200)
    signature = key.sign(message)

    def limit() -> None:
        for _ in range(COUNT):
            json.loads(data)
            for _ in range(signatures):
                public.verify(signature, message)
            for item in hashed:
                sha3.keccak_256(item).digest()

    if not signatures:
        raise SystemExit("evidence: nothing was counted")
    row = compare(
        what,
        ours=lambda: [ours() for _ in range(COUNT)],
        limit=limit,
        beside=f"{signatures} Ed25519, {len(hashed)} Keccak, JSON",
        count=COUNT,
        at_most=2,
    )
    return replace(row, goal=f"≤ {MAX_MICROSECONDS} µs", met=row.ours <= MAX_MICROSECONDS)


def cold_start(command: Command, dossier: Path) -> list[Row]:
    """The whole command for one file; its CPU time as well, which other work does not delay."""
    command.run(str(dossier))
    turns = [(command.run(str(dossier)), command.run()) for _ in range(ROUNDS)]
    rows = []
    for kind, name in (("wall", "seconds"), ("CPU", "cpu_seconds")):
        ours, nothing = (statistics.median(getattr(turn[side], name) for turn in turns) for side in (0, 1))
        rows.append(
            Row(
                what=f"testamur verify --offline FILE, cold, {kind}",
                unit="ms",
                ours=1e3 * ours,
                beside="python -c pass",
                limit=1e3 * nothing,
                ratio=ours / nothing,
                goal=f"≤ {1e3 * MAX_COLD_SECONDS:.0f} ms" if kind == "wall" else "",
                met=ours <= MAX_COLD_SECONDS if kind == "wall" else None,
            )
        )
    return rows


def main() -> None:
    """Print the table."""
    rows, data = sizes()
    rows += verification(data)
    rows.append(not_measured("the same, beside other systems", "see `make bench-peers`", "theirs/ours ≥ 5"))
    with tempfile.TemporaryDirectory() as name:
        command, dossier = Command(Path(name)), Path(name) / "diploma.credential.json"
        dossier.write_bytes(data)
        rows += cold_start(command, dossier)
    report(rows)


if __name__ == "__main__":
    main()
