"""What every test may use: the reference vectors, and one rule about skipping.

A test that cannot run here (no vectors, no Go, no Chromium …) skips, and says why. Where `CI=true` is set,
a skip is a failure: a gate that silently tests nothing is worse than none. The one exception is marked
`needs_privileges`: building a container image, which a gate may not be allowed to do.
"""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from fakes import go_reader as fake_go_reader

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# `HYPOTHESIS_PROFILE=thorough pytest tests/properties` looks ten times as long. No deadlines: a test that
# depends on how busy the machine is would be a sentence about the machine.
settings.register_profile(
    "default", max_examples=60, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=600)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published vectors: `TESTAMUR_VECTORS`, or `../shared/vectors` beside the project."""
    folder = Path(os.environ.get("TESTAMUR_VECTORS", PROJECT_ROOT.parent / "shared" / "vectors"))
    if not folder.is_dir():
        pytest.skip(f"no reference vectors at {folder}; set TESTAMUR_VECTORS")
    return folder


@pytest.fixture(scope="session")
def go_reader(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Go's transparency-log code as a reader of log folders: see `fakes.go_reader.build`."""
    reason = fake_go_reader.missing()
    if reason:
        pytest.skip(reason)
    return fake_go_reader.build(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="session")
def strace() -> str:
    """The strace program."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is missing. Debian, Ubuntu: apt-get install strace")
    return program


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    may_skip = hasattr(report, "wasxfail") or item.get_closest_marker("needs_privileges") is not None
    if report.skipped and os.environ.get("CI") == "true" and not may_skip:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI=true allows no skips: {reason}"
    return report
