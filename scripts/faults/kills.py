"""A class is issued while its node is killed with kill -9 again and again, and started again each time.

The kills come when so many entries are accepted, spread over the whole class, the last one while the issuer
waits for the anchor. `testamur issue` is started again whenever it gives up, as a registrar would.
"""

import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from credential import examine, issued
from issuer import classes
from lives import Outcome
from whole_registry import Registry, wait_for

from testamur.node.service.folders import NodeFolders

JOURNAL_HEADER_BYTES, JOURNAL_RECORD_BYTES = 60, 56
FIRST_LEAF = slice(48, 56)
"""See node/log/journal.py: what is accepted is read from its file, because nobody can be asked."""

MAX_RUNS = 60
"""Times that `issue` is started; with a few kills more than this is a job that does not resume."""

PROGRESS_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Killed:
    """One run: its figures, and what was found at the end."""

    rows: int
    kills: int
    runs: int
    seconds: float
    anchors: int
    verified: int
    outcome: Outcome

    def to_text(self) -> str:
        """The run in a line."""
        return (
            f"kills: rows={self.rows} kills={self.kills} issue-runs={self.runs} anchors={self.anchors} "
            f"seconds={self.seconds:.0f} verified={self.verified} lost={self.outcome.lost} "
            f"twice={self.outcome.twice} wrong={int(bool(self.outcome.wrong))}"
        )


def accepted(registry: Registry) -> int:
    """Entries that the log of this registry has promised a leaf index, published or not."""
    try:
        data = (registry.log_folder / "journal").read_bytes()
    except FileNotFoundError:
        return 0
    records = max(0, len(data) - JOURNAL_HEADER_BYTES) // JOURNAL_RECORD_BYTES
    return int.from_bytes(data[FIRST_LEAF], "big") + records


def issue_under_kills(registry: Registry, rows: int, kills: int) -> Killed:
    """Issue a class of `rows` learners, killing the node `kills` times; everything anchored at the end."""
    started = time.monotonic()
    registry.start_node()
    before = accepted(registry)
    table, out = classes(registry.folder, "big", rows), registry.folder / "out"
    with ThreadPoolExecutor(1) as pool:
        issuing = pool.submit(_issue_until_done, registry, table, out)
        done = 0
        for number in range(1, kills + 1):
            _wait_for_entries(registry, before + rows * number // kills, issuing)
            if issuing.done():
                break
            registry.kill_node()
            registry.start_node()
            done = number
        runs = issuing.result()
    promises, wrong = issued(registry, out)
    registry.settle(max(promises.values(), default=0) + 1)
    lost, twice, damage = examine(registry, promises)
    if len(promises) != rows:
        wrong = f"{len(promises)} of {rows} were issued; {wrong}"
    if done != kills:
        wrong = f"only {done} of {kills} kills came in time; {wrong}"
    verified = _verified(registry, out)
    if verified != rows:
        wrong = f"{verified} of {rows} dossiers verify; {wrong}"
    seconds = time.monotonic() - started
    return Killed(
        rows=rows,
        kills=done,
        runs=runs,
        seconds=seconds,
        anchors=len(registry.anchored_sizes()[0]),
        verified=verified,
        outcome=Outcome(
            fault="kill -9",
            ended=False,
            arrow="issue",
            lost=lost,
            twice=twice,
            wrong="; ".join(text for text in (wrong, damage) if text),
        ),
    )


def _issue_until_done(registry: Registry, table: Path, out: Path) -> int:
    """How many times `issue` had to be started."""
    for runs in range(1, MAX_RUNS + 1):
        done = registry.issue(table, out)
        if done.returncode == 0:
            return runs
    raise RuntimeError(f"issue does not end: {done.stderr[-400:]}")


def _wait_for_entries(registry: Registry, entries: int, issuing: "Future[int]") -> None:
    wait_for(
        lambda: accepted(registry) >= entries or issuing.done(),
        PROGRESS_SECONDS,
        f"{entries} entries are never accepted; {registry.last_words()}",
    )


def _verified(registry: Registry, out: Path) -> int:
    """Dossiers of the folder that a verifier without network calls valid."""
    report = registry.folder / "verified.csv"
    trust = NodeFolders(registry.node_root).trust
    words = ["verify", "--offline", "--trust", str(trust), "--report", str(report), str(out)]
    subprocess.run(
        [sys.executable, "-m", "testamur.node.cli.main", *words],
        capture_output=True,
        check=False,
        timeout=900,
    )
    lines = report.read_text(encoding="utf-8").splitlines()
    outcome = lines[0].split(",").index("outcome")
    return sum(line.split(",")[outcome] == "valid" for line in lines[1:])
