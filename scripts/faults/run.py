"""The crash table, measured: break a life at every step, start it again, and look.

Six lives. `credential` and `issuer`: each arrow of a credential's life in a real node, and in a real
`issue`, by three outcomes: died before, died after, failed but landed. `kills`: a class of `--rows` learners
is issued while the node is killed with kill -9 again and again. `disks`: every folder on a small file system
of its own, each of which fills up in turn (needs root). `log` (a hosted log from statement to cosigned
checkpoints) and `anchor` (an anchorer on a real Anvil): the process is run under strace, which kills
it at the N-th call of a kind, or makes that call fail, for N = 1, 2 … until the life reaches its end.
After each fault everything is started again, must finish, and is examined: what was promised is there,
nothing happened twice, nothing is damaged. `--every K` tries every K-th step only, `--arrow A` these arrows
only (for `disks`: a folder); `--json` prints rows. `log` and `anchor` need strace.
"""

import argparse
import collections
import json
import shutil
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from arrows import ISSUER, NODE, OUTCOMES
from credential import CredentialLife
from disks import PARTS, Disks
from kills import issue_under_kills
from lives import AnchorLife, Life, LogLife, Outcome
from whole_registry import Registry

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

ARROW_LIVES = {"credential": list(NODE), "issuer": list(ISSUER)}
COLUMNS = {"before": "died before", "after": "died after", "landed": "failed but landed"}
LIVES = [*ARROW_LIVES, "kills", "disks", *SWEEPS]

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


def run_arrows(name: str, chosen: list[str], every: int, *, as_json: bool) -> list[Outcome]:
    """Every arrow of a life by every outcome, printed as they come."""
    known = ARROW_LIVES[name]
    arrows = [arrow for arrow in known if not chosen or arrow in chosen]
    faults = [(arrow, how) for arrow in arrows for how in OUTCOMES][::every]
    outcomes: list[Outcome] = []
    width = max(len(arrow) for arrow in known)
    with tempfile.TemporaryDirectory(prefix="testamur-faults-") as folder, Registry(Path(folder)) as registry:
        life = CredentialLife(registry)
        if not as_json:
            print(f"{name:<{width}}", *(f"{COLUMNS[how]:>20}" for how in OUTCOMES))
        for arrow in dict.fromkeys(arrow for arrow, _ in faults):
            found = {how: life.try_arrow(arrow, how) for known, how in faults if known == arrow}
            outcomes += found.values()
            for outcome in found.values():
                if outcome.wrong:
                    print(f"faults: {outcome.fault}: {outcome.wrong}", file=sys.stderr)
            if as_json:
                for outcome in found.values():
                    print(json.dumps({"life": name, **vars(outcome)}), flush=True)
            else:
                cells = [cell(found[how]) if how in found else "" for how in OUTCOMES]
                print(f"{arrow:<{width}}", *(f"{text:>20}" for text in cells), flush=True)
    if not as_json:
        print()
    return outcomes


def cell(outcome: Outcome) -> str:
    """What became of one fault."""
    if outcome.lost or outcome.twice or outcome.wrong:
        return f"LOST {outcome.lost} TWICE {outcome.twice}" + (" WRONG" if outcome.wrong else "")
    return "whole, went on" if outcome.ended else "whole"


def run_kills(rows: int, kills: int, *, as_json: bool) -> list[Outcome]:
    """One class under kill -9, printed."""
    with tempfile.TemporaryDirectory(prefix="testamur-faults-") as folder, Registry(Path(folder)) as registry:
        killed = issue_under_kills(registry, rows, kills)
    if as_json:
        print(json.dumps({"life": "kills", **vars(killed), "outcome": vars(killed.outcome)}))
    else:
        print(killed.to_text(), end="\n\n")
    return [killed.outcome]


def run_disks(chosen: list[str], *, as_json: bool) -> list[Outcome]:
    """Every folder full in turn, printed as they come. PermissionError where nothing can be mounted."""
    parts = [part for part in PARTS if not chosen or part in chosen]
    with (
        tempfile.TemporaryDirectory(prefix="testamur-faults-") as folder,
        Registry(Path(folder)) as registry,
        Disks(registry) as disks,
    ):
        outcomes = []
        if not as_json:
            print(f"{'full disk':<12} {'found':<8} what was told")
        for part in parts:
            outcomes.append(disks.try_part(part))
            if as_json:
                print(json.dumps({"life": "disks", **vars(outcomes[-1])}), flush=True)
            else:
                print(f"{part:<12} {cell(outcomes[-1]):<8} {outcomes[-1].arrow}", flush=True)
    if not as_json:
        print()
    return outcomes


def main() -> int:
    """Sweep and print; 1 when anything was lost, doubled or damaged, or nothing was injected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lives", nargs="*", choices=[*LIVES, []], help=f"{', '.join(LIVES)}; default: all")
    parser.add_argument("--every", type=int, default=1, help="try every K-th step only")
    parser.add_argument(
        "--arrow", action="append", default=[], help="of the arrows only this one; repeatable"
    )
    parser.add_argument("--rows", type=int, default=10_000, help="learners of the class in `kills`")
    parser.add_argument("--kills", type=int, default=8, help="times that its node is killed")
    parser.add_argument("--json", action="store_true", help="print one JSON row a fault")
    options = parser.parse_args()
    # Asked to stop, it gives back its mounts and processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = options.lives or LIVES
    unknown = sorted(set(options.arrow) - {*NODE, *ISSUER, *PARTS})
    if unknown:
        print(
            f"faults: there is no arrow {unknown[0]!r}; there are {', '.join([*NODE, *ISSUER, *PARTS])}",
            file=sys.stderr,
        )
        return 2
    if set(names) & set(SWEEPS) and shutil.which("strace") is None:
        print("faults: strace is missing. Debian, Ubuntu: apt-get install strace", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    for name in ARROW_LIVES:
        if name in names:
            outcomes += run_arrows(name, options.arrow, options.every, as_json=options.json)
    if "kills" in names:
        outcomes += run_kills(options.rows, options.kills, as_json=options.json)
    if "disks" in names:
        try:
            outcomes += run_disks(options.arrow, as_json=options.json)
        except PermissionError as error:
            print(f"faults: {error}", file=sys.stderr)
            return 2
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
