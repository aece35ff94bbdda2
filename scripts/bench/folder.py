"""`testamur verify FOLDER`: one process and two, and whether ten thousand files need more memory than some.

Every file is another credential of one log, with its own inclusion proof: what a university's class is.
"""

from __future__ import annotations

import functools
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the whole registry in memory is a fake that the tests share

from _command import Command  # noqa: E402
from _report import QUICK, Row, not_measured, report  # noqa: E402

from fakes.awards import award  # noqa: E402
from fakes.issuers import DID  # noqa: E402
from fakes.whole_registry import ISSUER_KEY, World, cut  # noqa: E402
from testamur.registry.credentials import credential_digest  # noqa: E402
from testamur.registry.dossiers import encode_dossier  # noqa: E402
from testamur.registry.entries import Entry, EntryKind  # noqa: E402
from testamur.registry.evidence_building import entry_json, with_entries  # noqa: E402
from testamur.registry.key_events import verification_method  # noqa: E402
from testamur.registry.merkle import LeafRange, inclusion_ranges, node_hash  # noqa: E402
from testamur.registry.proofs import sign_document  # noqa: E402
from testamur.registry.tlog_proofs import TlogProof  # noqa: E402

FILES = 1_000 if QUICK else 10_000
FEW_FILES = 200 if QUICK else 500
ROUNDS = 1 if QUICK else 3
GOAL = 1.7
MAX_GROWTH = 1.1
"""Memory of the large folder beside the small one: the same, give or take what an allocator keeps."""


class ClassWorld(World):  # type: ignore[misc]
    """A registry whose log holds a whole class."""

    def __init__(self, count: int) -> None:
        method = verification_method(DID, ISSUER_KEY.public_key)
        self.members = [
            sign_document(
                {**award(), "id": f"urn:uuid:00000000-0000-4000-8000-{number:012d}"},
                ISSUER_KEY,
                verification_method=method,
                created="2026-11-20T00:00:00Z",
            )
            for number in range(count)
        ]
        super().__init__(others=0)
        self.first_index = self.leaf_index
        self.leaf_index += count - 1

    @functools.cache  # noqa: B019  (one world, for as long as the process lives)
    def leaves(self) -> list[bytes]:
        """The class, between what the log begins with and its seal."""
        before = super().leaves()[: self.first_index]
        entries = [Entry(kind=EntryKind.CREDENTIAL, digest=credential_digest(item)) for item in self.members]
        seal = Entry(kind=EntryKind.SEAL, digest=self.seal().digest)
        return [*before, *(entry.leaf_hash for entry in [*entries, seal])]

    @functools.cache  # noqa: B019
    def _hash_of(self, leaves: LeafRange) -> bytes:
        start, end = leaves
        if end - start == 1:
            return self.leaves()[start]
        half = 1 << (end - start - 1).bit_length() - 1
        return node_hash(self._hash_of((start, start + half)), self._hash_of((start + half, end)))

    def write(self, folder: Path) -> None:
        """A dossier for every member."""
        size, head = len(self.leaves()), self.head()
        self.credential = self.members[-1]
        base = cut(self.evidence(), self.credential)
        for number, credential in enumerate(self.members):
            index = self.first_index + number
            proof = TlogProof(
                index=index,
                hashes=tuple(self._hash_of(item) for item in inclusion_ranges(index, size)),
                checkpoint_note=head.to_bytes(),
            )
            entry: Any = entry_json(str(self.origin), credential_digest(credential), proof)
            data = encode_dossier(credential, with_entries(base, [entry]))
            (folder / f"{number:05}.credential.json").write_bytes(data)

    __hash__ = object.__hash__


def speed(command: Command, place: Path) -> list[Row]:
    """Wall time of everything, starting the processes included; and the CPU time, which bounds the gain.

    Where others use the cores as well, wall times say more about them: twice the CPU of one process divided
    by that of two is what two free cores would give.
    """
    what, goal = f"a folder of {FILES:,} dossiers, two processes, wall per file", f"one/two ≥ {GOAL}"
    if len(os.sched_getaffinity(0)) < 2:
        return [not_measured(what, "one process (there is one core)", goal)]
    turns = [[command.run(str(place), "--jobs", jobs) for jobs in ("2", "1")] for _ in range(ROUNDS)]
    wall, cpu = (
        [statistics.median(getattr(turn[side], kind) for turn in turns) * 1e6 / FILES for side in (0, 1)]
        for kind in ("seconds", "cpu_seconds")
    )
    rows = []
    for name, (two, one), gain in (
        (what, wall, wall[1] / wall[0]),
        ("the same, CPU per file; gain on two free cores", cpu, 2 * cpu[1] / cpu[0]),
    ):
        rows.append(
            Row(
                what=name,
                unit="µs",
                ours=two,
                beside="one process",
                limit=one,
                ratio=gain,
                goal=goal,
                met=gain >= GOAL,
            )
        )
    return rows


def memory(command: Command, small: Path, large: Path) -> list[Row]:
    """The largest process of each run."""
    rows = []
    for jobs in ("1", "2"):
        few, many = (command.run(str(place), "--jobs", jobs).peak_bytes / 1e6 for place in (small, large))
        rows.append(
            Row(
                what=f"memory of the largest process, --jobs {jobs}",
                unit="MB",
                ours=many,
                beside=f"a folder of {FEW_FILES}",
                limit=few,
                ratio=many / few,
                goal=f"ours/limit ≤ {MAX_GROWTH}",
                met=many / few <= MAX_GROWTH,
            )
        )
    return rows


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        places = [Path(name) / "small", Path(name) / "large"]
        for place, count in zip(places, (FEW_FILES, FILES), strict=True):
            place.mkdir()
            ClassWorld(count).write(place)
        command = Command(Path(name))
        command.run(str(places[0]), "--jobs", "1")
        rows = [*speed(command, places[1]), *memory(command, *places)]
    report(rows)


if __name__ == "__main__":
    main()
