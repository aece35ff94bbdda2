"""The figures of docs/spec/contract.md are those that real transactions cost, and within the goals."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "scripts" / "gas_report.py"
PAGE = ROOT / "docs" / "spec" / "contract.md"

pytestmark = pytest.mark.chain


def test_the_documented_gas_is_what_is_measured_and_no_goal_is_missed():
    done = subprocess.run([sys.executable, REPORT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_figure_that_was_changed_by_hand_is_noticed(tmp_path):
    figure = "| first `anchor` of a log | "
    page = PAGE.read_text("utf-8")
    assert page.count(figure) == 1
    changed = tmp_path / PAGE.name
    changed.write_text(page.replace(figure, figure + "1"), "utf-8")
    arguments = [sys.executable, REPORT, "--check", "--page", changed]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "has other figures" in done.stderr
