"""Where the dossiers go: refused before anything is promised, changed until then, swept after a crash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.issuers import NOW, SAMPLES, MemoryHost, RepeatableRandom, copy_workspace, signing_key
from testamur.node.errors import ConfigError, PeerUnreachable, StoreUnavailable
from testamur.node.files import make_folders
from testamur.node.issuing import batch
from testamur.node.issuing.batch import issue
from testamur.node.issuing.templates import parse_template

TEMPLATE = "data-literacy.template.json"
STEM = "20260003-data-literacy"
ENDING = ".credential.json"


class Course:
    """A workspace, and a host that can be told to stop answering."""

    def __init__(self, folder):
        self.workspace = copy_workspace(folder / "ada")
        self.host = MemoryHost(self.workspace.publication())
        self.chance = RepeatableRandom("outputs")

    def issue(self, folder, **more):
        return issue(
            self.workspace,
            table_path=SAMPLES / "data-literacy-2026.csv",
            template=parse_template((SAMPLES / TEMPLATE).read_bytes(), TEMPLATE),
            folder=folder,
            key=signing_key(1),
            port=self.host,
            now=NOW,
            random_bytes=self.chance,
            **more,
        )

    def begin(self, folder, monkeypatch):
        """Ten of thirty are signed and logged, twenty are signed, and the host is gone."""
        monkeypatch.setattr(batch, "CHUNK_ROWS", 10)
        self.host.fail_submit_after = 1
        with pytest.raises(PeerUnreachable):
            self.issue(folder)
        self.host.fail_submit_after = None

    def jobs(self):
        return self.workspace.ledger.run("SELECT folder FROM jobs")


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


def dossiers(folder):
    return sorted(path.name for path in folder.glob(f"*{ENDING}"))


@pytest.fixture(params=["a file", "below a file", "a folder of somebody else", "below such a folder"])
def bad_folder(request, tmp_path, monkeypatch):
    path = tmp_path / "bad"
    if "file" in request.param:
        path.write_bytes(b"precious")
    else:
        path.mkdir()
        real = os.access  # Tests run as root, too, whom no mode stops.
        monkeypatch.setattr(os, "access", lambda asked, mode: Path(asked) != path and real(asked, mode))
    return path / "out" if "below" in request.param else path


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_promised(course, bad_folder, dry_run):
    with pytest.raises(ConfigError, match=r"^--out: .*bad (is not a folder|cannot be written).*name another"):
        course.issue(bad_folder, dry_run=dry_run)
    assert course.jobs() == []
    assert course.workspace.ledger.run("SELECT used FROM decks") == [(0,)]


def test_a_file_is_no_folder_that_exists_already(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="name another folder"):
        make_folders(tmp_path / "file")


def test_a_job_of_which_nothing_is_signed_goes_to_the_folder_that_is_named_now(course, tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise StoreUnavailable("the disk was taken away")

    with monkeypatch.context() as broken:
        broken.setattr(batch.FileBatch, "add", fail)
        with pytest.raises(StoreUnavailable):
            course.issue(tmp_path / "usb")
    course.issue(tmp_path / "usb", dry_run=True)
    course.issue(tmp_path / "disk", dry_run=True)
    assert course.jobs() == [(str(tmp_path / "usb"),)]
    report = course.issue(tmp_path / "disk")
    assert (report.resumed, report.signed, report.folder) == (True, 30, tmp_path / "disk")
    assert course.jobs() == [(str(tmp_path / "disk"),)]
    assert len(dossiers(tmp_path / "disk")) == 30


def test_a_job_goes_where_its_dossiers_were_moved_and_nowhere_without_them(course, tmp_path, monkeypatch):
    old, new = tmp_path / "old", tmp_path / "new"
    course.begin(old, monkeypatch)
    with pytest.raises(ConfigError, match=r"goes into .*old.*name that folder, or move"):
        course.issue(new)
    assert course.jobs() == [(str(old),)]
    old.rename(new)
    assert course.issue(new).signed == 10
    assert len(dossiers(new)) == 30
    assert not old.exists()


def test_a_file_of_somebody_else_in_the_new_folder_is_not_overwritten(course, tmp_path, monkeypatch):
    old, new = tmp_path / "old", tmp_path / "new"
    course.begin(old, monkeypatch)
    old.rename(new)
    (new / f"20260030-data-literacy{ENDING}").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="exists and is not of this job"):
        course.issue(new)
    assert (new / f"20260030-data-literacy{ENDING}").read_bytes() == b"precious"


def ended_process():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize("is_complete", [False, True])
def test_what_a_crash_left_behind_is_swept_and_nothing_else(course, tmp_path, monkeypatch, is_complete):
    out, gone = tmp_path / "out", ended_process()
    if is_complete:
        course.issue(out)
    else:
        course.begin(out, monkeypatch)
    ours = [out / f"{STEM}{ENDING}.{pid}.tmp" for pid in (gone, os.getpid())]
    others = [
        out / f"somebody{ENDING}.{gone}.tmp",
        out / f"{STEM}{ENDING}.{os.getppid()}.tmp",  # still being written
        out / f"{STEM}.xml.{gone}.tmp",
        out / f"{STEM}{ENDING}.mine.tmp",
    ]
    for path in [*ours, *others]:
        path.write_bytes(b"half a doss")
    course.issue(out, dry_run=True)
    assert all(path.exists() for path in ours)
    course.issue(out)
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in others)
    assert len(dossiers(out)) == 30
