"""A sample of the crash table: real processes broken at their arrows, started again, and examined."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.chain


def faults(*words):
    """What the script printed; it ends well only if nothing was lost, doubled or damaged."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "faults" / "run.py"), *words],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def injected(output):
    closing = re.fullmatch(r"faults: injected=(\d+) lost=0 twice=0 wrong=0", output.splitlines()[-1])
    assert closing, output
    return int(closing[1])


def of_arrows(*names):
    return [word for name in names for word in ("--arrow", name)]


@pytest.mark.parametrize(("life", "every", "least"), [("log", 30, 10), ("anchor", 12, 6)])
def test_nothing_is_lost_doubled_or_damaged_wherever_a_process_dies(strace, life, every, least):
    assert injected(faults(life, "--every", str(every))) >= least


def test_a_node_that_dies_at_an_arrow_or_is_told_that_it_failed_although_it_did_not_loses_nothing():
    arrows = ("journal synced", "transaction sent", "statement logged")
    output = faults("credential", *of_arrows(*arrows))
    assert injected(output) == 9
    assert all(re.search(rf"^{arrow} +whole +whole +whole", output, re.MULTILINE) for arrow in arrows), output


def test_an_issuer_that_dies_at_an_arrow_logs_nothing_twice_and_its_folder_becomes_complete():
    output = faults("issuer", *of_arrows("digests submitted"))
    assert injected(output) == 3


def test_a_node_killed_again_and_again_while_a_class_is_issued_has_every_credential_once_and_anchored():
    output = faults("kills", "--rows", "400", "--kills", "2")
    assert injected(output) == 1
    assert re.match(r"kills: rows=400 kills=2 issue-runs=\d+ anchors=\d+ seconds=\d+ verified=400 ", output)


@pytest.fixture
def mounts(tmp_path):
    """Small file systems can be mounted here."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("mounts")
def test_a_disk_that_fills_up_is_told_with_its_cure_and_nothing_that_was_promised_is_lost():
    output = faults("disks", *of_arrows("journal", "dossiers"))
    assert injected(output) == 2
    assert re.search(r"^journal +whole +refused; No space left on device; free space$", output, re.MULTILINE)
    assert re.search(r"^dossiers +whole +exit 2; No space left on device; free space$", output, re.MULTILINE)
