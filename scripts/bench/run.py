"""Run every benchmark of this folder, one process each, and keep their JSON under build/bench/.

    run.py [--quick | --long] [NAME …]

Exit 1 when a benchmark breaks. A missed goal is printed, not punished: this is a measurement, not a test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER.parent.parent / "build" / "bench"


def main() -> None:
    """Run those named on the command line, or all of them in alphabetical order."""
    found = {
        path.stem: path
        for path in sorted(FOLDER.glob("*.py"))
        if not path.name.startswith("_") and path != Path(__file__)
    }
    parser = argparse.ArgumentParser(description="Ours, raw limit, ratio and goal of every budget.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(found))
    parser.add_argument("--quick", action="store_true", help="small corpora, few rounds")
    parser.add_argument("--long", action="store_true", help="also what takes many minutes")
    options = parser.parse_args()
    unknown = set(options.names) - set(found)
    if unknown:
        raise SystemExit(f"no benchmark named {', '.join(sorted(unknown))} in {FOLDER}")
    environment = {**os.environ}
    if options.quick:
        environment["TESTAMUR_BENCH_QUICK"] = "1"
    if options.long:
        environment["TESTAMUR_BENCH_LONG"] = "1"
    broken, tables = [], {}
    loads = [os.getloadavg()[0]]
    for name in options.names or found:
        print(f"\n{name}", flush=True)
        target = RESULTS / f"{name}.json"
        target.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, str(found[name]), "--json", str(target)], check=False, env=environment
        )
        loads.append(os.getloadavg()[0])
        if done.returncode != 0:
            broken.append(name)
        else:
            tables[name] = json.loads(target.read_text("utf-8"))
    summary = {**machine(), "loadAverage": loads, "quick": options.quick, "tables": tables}
    (RESULTS / "all.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
    rows = [row for table in tables.values() for row in table if row["met"] is not None]
    missed = [row["what"] for row in rows if not row["met"]]
    print(f"\n{len(rows)} goals, {len(missed)} missed; load average {min(loads):.1f} to {max(loads):.1f}")
    for what in missed:
        print(f"  missed: {what}")
    if broken:
        raise SystemExit(f"broken: {', '.join(broken)}")


def machine() -> dict[str, Any]:
    """What the absolute figures belong to."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
