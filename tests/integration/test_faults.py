"""A sample of the crash table: real processes killed by strace, started again, and examined."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("life", "every", "least"), [("log", 30, 10), ("anchor", 12, 6)])
@pytest.mark.chain
def test_nothing_is_lost_doubled_or_damaged_wherever_a_process_dies(strace, life, every, least):
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "faults" / "run.py"), life, "--every", str(every)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    closing = re.fullmatch(r"faults: injected=(\d+) lost=0 twice=0 wrong=0", done.stdout.splitlines()[-1])
    assert closing, done.stdout
    assert int(closing[1]) >= least
