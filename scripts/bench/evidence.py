"""Evidence: how large it is, how long a verifier takes, and how that scales to a folder on two cores.

The registry is the tests' whole registry in memory: three members (witness, mirror and attestation each), one
key event, two status lists, 2 000 entries in the log.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the whole registry in memory is a fake that the tests share

from _large_contract import LargeWorld  # noqa: E402
from _report import ROUNDS, Row, compare, not_measured, report  # noqa: E402
from Crypto.Hash import keccak  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: E402

from fakes.whole_registry import NOW, trust, trust_document  # noqa: E402
from testamur.registry.canonical import canonicalize  # noqa: E402
from testamur.registry.dossiers import encode_dossier  # noqa: E402
from testamur.registry.evidence_building import tailored  # noqa: E402
from testamur.registry.verification import Outcome, verify_dossier  # noqa: E402

ENTRIES = 2_000
SLOTS = (100, 10_000, 1_000_000)
SIZE_GOALS = {10_000: 10_000, 10_000_000: 24_000}
MEASURED_SLOTS = 10_000
"""The dossier whose verification is timed: a consortium after some years."""

COUNT = 20
FOLDER_FILES = 480
FOLDER_ROUNDS = 3
MAX_MICROSECONDS = 1_500
MAX_COLD_SECONDS = 0.5


def dossier_with(slots: int) -> tuple[Any, Any]:
    """(credential, evidence as a holder keeps it) under a contract with so many slots."""
    made = LargeWorld(slots=slots, others=ENTRIES)
    return made.credential, tailored(made.evidence(), made.credential)


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


def verification(data: bytes) -> Row:
    """A whole verification beside the calls that it cannot avoid."""
    trusted = trust()
    signatures, hashed = counted(lambda: verify_dossier(data, trust=trusted, now=NOW))
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, message = key.public_key(), bytes(200)
    signature = key.sign(message)

    def limit() -> None:
        for _ in range(COUNT):
            json.loads(data)
            for _ in range(signatures):
                public.verify(signature, message)
            for item in hashed:
                keccak.new(digest_bits=256, data=item).digest()

    if not signatures or not hashed:
        raise SystemExit("evidence: nothing was counted")
    row = compare(
        f"verify a dossier of {len(data)} B",
        ours=lambda: [verify_dossier(data, trust=trusted, now=NOW) for _ in range(COUNT)],
        limit=limit,
        beside=f"{signatures} Ed25519, {len(hashed)} Keccak, JSON",
        count=COUNT,
        at_most=2,
    )
    return Row(
        what=row.what,
        unit=row.unit,
        ours=row.ours,
        beside=row.beside,
        limit=row.limit,
        ratio=row.ratio,
        goal=f"≤ {MAX_MICROSECONDS} µs",
        met=row.ours <= MAX_MICROSECONDS,
    )


class Command:
    """The command line in processes of its own, with compiled modules in place."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "cache")}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._words = [
            "-m",
            "testamur.node.cli.main",
            "verify",
            "--offline",
            "--trust",
            str(folder / "trust.json"),
        ]
        (folder / "trust.json").write_bytes(canonicalize(trust_document()))

    def seconds(self, *words: str) -> float:
        """Wall time of `verify` with these words; without any, of an interpreter that does nothing."""
        started = time.perf_counter()
        command = [sys.executable, *([*self._words, *words] if words else ["-c", "pass"])]
        subprocess.run(command, check=False, capture_output=True, env=self._environment)
        return time.perf_counter() - started


def cold_start(command: Command, dossier: Path) -> Row:
    """The whole command for one file."""
    command.seconds(str(dossier))
    turns = [(command.seconds(str(dossier)), command.seconds()) for _ in range(ROUNDS)]
    ours, nothing = (statistics.median(turn[side] for turn in turns) for side in (0, 1))
    return Row(
        what="testamur verify --offline FILE, cold, wall",
        unit="ms",
        ours=1e3 * ours,
        beside="python -c pass",
        limit=1e3 * nothing,
        ratio=ours / nothing,
        goal=f"≤ {1e3 * MAX_COLD_SECONDS:.0f} ms",
        met=ours <= MAX_COLD_SECONDS,
    )


def folder(command: Command, place: Path) -> Row:
    """A folder with one process and with two: wall time of everything, starting the processes included."""
    what, goal = f"a folder of {FOLDER_FILES}, two processes, wall per file", "one/two ≥ 1.7"
    if (os.cpu_count() or 1) < 2:
        return not_measured(what, "one process (there is one core)", goal)
    turns = [
        [command.seconds(str(place), "--jobs", jobs) for jobs in ("2", "1")] for _ in range(FOLDER_ROUNDS)
    ]
    two, one = (statistics.median(turn[side] for turn in turns) * 1e6 / FOLDER_FILES for side in (0, 1))
    ratio = one / two
    return Row(
        what=what,
        unit="µs",
        ours=two,
        beside="one process",
        limit=one,
        ratio=ratio,
        goal=goal,
        met=ratio >= 1.7,
    )


def main() -> None:
    """Print the table."""
    rows, data = sizes()
    rows.append(verification(data))
    rows.append(
        not_measured("the same, beside other systems", "oa-verify, cert-verifier-js", "theirs/ours ≥ 5")
    )
    with tempfile.TemporaryDirectory() as name:
        command, place = Command(Path(name)), Path(name) / "class"
        place.mkdir()
        for number in range(FOLDER_FILES):
            (place / f"{number:05}.credential.json").write_bytes(data)
        rows += [cold_start(command, place / "00000.credential.json"), folder(command, place)]
    report(rows)


if __name__ == "__main__":
    main()
