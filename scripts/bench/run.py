"""Run every benchmark of this folder, one process each, and keep their JSON under build/bench/.

Exit 1 when a benchmark breaks. A missed goal is printed, not punished: this is a measurement, not a test.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER.parent.parent / "build" / "bench"


def main() -> None:
    """Run those named on the command line, or all of them in alphabetical order."""
    found = sorted(
        path for path in FOLDER.glob("*.py") if not path.name.startswith("_") and path != Path(__file__)
    )
    wanted = set(sys.argv[1:])
    unknown = wanted - {path.stem for path in found}
    if unknown:
        raise SystemExit(f"no benchmark named {', '.join(sorted(unknown))} in {FOLDER}")
    broken = []
    for path in (path for path in found if not wanted or path.stem in wanted):
        print(f"\n{path.stem}", flush=True)
        target = RESULTS / f"{path.stem}.json"
        done = subprocess.run([sys.executable, str(path), "--json", str(target)], check=False)
        if done.returncode != 0:
            broken.append(path.stem)
    if broken:
        raise SystemExit(f"broken: {', '.join(broken)}")


if __name__ == "__main__":
    main()
