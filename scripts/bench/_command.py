"""`testamur verify --offline` in processes of its own, with compiled modules in place.

Not a benchmark itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from fakes.whole_registry import trust_document
from testamur.registry.canonical import canonicalize


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Wall seconds, CPU seconds of all processes of the command, and the memory of the largest one."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


class Command:
    """The command line with a trust file, and with its compiled modules kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "cache")}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        trust = folder / "trust.json"
        trust.write_bytes(canonicalize(trust_document()))
        self._words = ["-m", "testamur.node.cli.main", "verify", "--offline", "--trust", str(trust)]

    def run(self, *words: str) -> Run:
        """`verify` with these words; without any, an interpreter that does nothing."""
        command = [sys.executable, *([*self._words, *words] if words else ["-c", "pass"])]
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self._environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: the command ended with {process.returncode}")
        return Run(
            seconds=time.perf_counter() - started,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_bytes=1024 * usage.ru_maxrss,
        )
