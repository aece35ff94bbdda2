"""The crash table, measured: kill or fail every system call of a life, start it again, and look.

A real process is run under strace, which kills it at the N-th call of a kind, or makes that call fail, for
N = 1, 2 … until the process reaches its end. Then it is started again without faults, must finish, and is
examined: what was promised is there, nothing happened twice, nothing is damaged. Two lives: `log` (a hosted
log from statement to cosigned checkpoints) and `anchor` (an anchorer on a real Anvil).
`--every K` tries every K-th call only; `--json` prints rows. Needs strace.
"""

import argparse
import collections
import json
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lives import AnchorLife, Life, LogLife, Outcome

SYNCED, RENAMED, LINKED, WRITTEN, CHANGED = (
    "fsync,fdatasync",
    "rename",
    "link,unlink",
    "write",
    "pwrite64,ftruncate",
)
KILL, FAIL = "signal=SIGKILL", "error=EIO"
SWEEPS = {
    "log": [(kind, KILL) for kind in (SYNCED, RENAMED, LINKED, WRITTEN, CHANGED)]
    + [(kind, FAIL) for kind in (SYNCED, RENAMED, CHANGED)],
    "anchor": [(kind, KILL) for kind in (SYNCED, RENAMED, LINKED, "sendto")]
    + [(SYNCED, FAIL), (RENAMED, FAIL)],
}
"""What is injected where. `write` never fails: a life would lose its voice before its disk."""

MAX_CALLS = 2000
"""A sweep that goes on for longer is not reaching the end of the life."""

PARALLEL = 2


def sweep(life: Life, kind: str, how: str, every: int) -> list[Outcome]:
    """Every `every`-th call of these kinds, until the life is longer than the calls."""
    found: list[Outcome] = []
    with ThreadPoolExecutor(PARALLEL) as pool:
        for start in range(1, MAX_CALLS, every * PARALLEL):
            faults = [f"{kind}:{how}:when={start + step * every}" for step in range(PARALLEL)]
            outcomes = list(pool.map(life.try_fault, faults))
            found += [outcome for outcome in outcomes if not outcome.ended]
            if any(outcome.ended for outcome in outcomes):
                return found
    raise SystemExit(f"faults: more than {MAX_CALLS} calls of {kind}: the life does not end")


def run(name: str, life: Life, every: int, *, as_json: bool) -> list[Outcome]:
    """All sweeps of one life, printed."""
    outcomes: list[Outcome] = []
    for kind, how in SWEEPS[name]:
        outcomes += sweep(life, kind, how, every)
    if as_json:
        for outcome in outcomes:
            print(json.dumps({"life": name, **vars(outcome)}))
    else:
        print_table(name, outcomes)
    return outcomes


def print_table(name: str, outcomes: list[Outcome]) -> None:
    """Kind of fault by arrow: how many were injected there, and recovered from unless told below."""
    rows = [f"{kind} {'killed' if how == KILL else 'fails'}" for kind, how in SWEEPS[name]]
    counts: dict[tuple[str, str], int] = collections.Counter()
    for outcome in outcomes:
        kind, how, _ = outcome.fault.split(":")
        counts[outcome.arrow, f"{kind} {'killed' if how == KILL else 'fails'}"] += 1
    width = max(len(row) for row in [*rows, name])
    arrows = list(dict.fromkeys(outcome.arrow for outcome in outcomes))
    print(f"{name:<{width}}", *(f"{arrow:>10}" for arrow in arrows))
    for row in rows:
        print(f"{row:<{width}}", *(f"{counts[arrow, row] or '':>10}" for arrow in arrows))
    print()


def main() -> int:
    """Sweep and print; 1 when anything was lost, doubled or damaged, or nothing was injected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lives", nargs="*", choices=[*SWEEPS, []], help="log, anchor; default: both")
    parser.add_argument("--every", type=int, default=1, help="try every K-th call only")
    parser.add_argument("--json", action="store_true", help="print one JSON row a fault")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        print("faults: strace is missing. Debian, Ubuntu: apt-get install strace", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    names = options.lives or list(SWEEPS)
    if "log" in names:
        outcomes += run("log", LogLife(), options.every, as_json=options.json)
    if "anchor" in names:
        with (
            tempfile.TemporaryDirectory(prefix="testamur-faults-") as folder,
            AnchorLife(Path(folder)) as life,
        ):
            outcomes += run("anchor", life, options.every, as_json=options.json)
    bad = [outcome for outcome in outcomes if outcome.lost or outcome.twice or outcome.wrong]
    for outcome in bad[:10]:
        print(f"faults: {outcome}", file=sys.stderr)
    lost, twice = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("lost", "twice"))
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    print(f"faults: injected={len(outcomes)} lost={lost} twice={twice} wrong={wrong}")
    return 1 if bad or not outcomes else 0


if __name__ == "__main__":
    raise SystemExit(main())
