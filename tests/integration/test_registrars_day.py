"""A registrar's day on the command line, where the disk, the rights and the input are not as they should be."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.issuers import SAMPLES, copy_workspace

COMMAND = [sys.executable, "-m", "testamur.node.cli.main"]
TEMPLATE = SAMPLES / "data-literacy.template.json"
NOBODY = 65534


def run(*words, prefix=(), **options):
    return subprocess.run(
        [*prefix, *COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


@pytest.fixture
def home(tmp_path):
    """A home folder with one issuer, whose host does not answer."""
    copy_workspace(tmp_path / "home" / "issuers" / "ada").close()
    (tmp_path / "home" / "issuers" / "ada" / "host.json").write_text('{"node":"http://127.0.0.1:9"}')
    return tmp_path / "home"


def rows(folder, change=lambda lines: lines, name="class.csv", encoding="utf-8"):
    lines = (SAMPLES / "data-literacy-2026.csv").read_text("utf-8").splitlines()[:4]
    path = folder / name
    path.write_bytes("\n".join(change(lines)).encode(encoding) + b"\n")
    return path


def dry(home, table, *more):
    return run(
        *("issue", table, "--template", TEMPLATE, "--out", home.parent / "out", "--home", home, "--dry-run"),
        *more,
    )


def test_a_dry_run_needs_no_token_no_passphrase_and_no_network_and_tells_the_cost(home, tmp_path):
    done = dry(home, rows(tmp_path), "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (shown["rows"], shown["dryRun"], shown["rejected"]) == (3, True, 0)
    assert shown["cost"]["entries"] == 3
    assert shown["cost"]["credentialBytes"] > 3000
    assert shown["cost"]["costWei"] is None
    assert "--rpc" in shown["cost"]["priceFrom"]
    assert not (tmp_path / "out").exists()


def test_bad_rows_are_all_named_and_can_be_left_out(home, tmp_path):
    def change(lines):
        return [lines[0], lines[1].replace(",5,", ",five,"), lines[2].rpartition(",")[0], lines[3]]

    table = rows(tmp_path, change)
    stopped = dry(home, table)
    assert stopped.returncode == 1
    assert "class.csv, line 2: column ects is 'five'" in stopped.stderr
    assert "class.csv, line 3: has 6 cells" in stopped.stderr
    assert "--on-error continue" in stopped.stderr
    rejects = tmp_path / "rejects.csv"
    left_out = dry(home, table, "--on-error", "continue", "--rejects", rejects, "--json")
    assert left_out.returncode == 1
    assert (json.loads(left_out.stdout)["rows"], json.loads(left_out.stdout)["rejected"]) == (1, 2)
    # What was rejected can be mended in place and is a table again.
    mended = rejects.read_text("utf-8").replace(",five,", ",5,").splitlines()
    rejects.write_text("\n".join([mended[0], *[line for line in mended[1:] if "has 6 cells" not in line]]))
    assert dry(home, rejects).returncode == 0


@pytest.mark.parametrize(
    ("change", "encoding", "words"),
    [
        (lambda lines: [*lines[:1], lines[1].replace("Aoife", "Zoë")], "latin-1", "line 2: is not UTF-8"),
        (lambda lines: [line.replace("grade", "mark") for line in lines], "utf-8", "no column for {{grade}}"),
        (lambda lines: [f"{line},x" for line in lines], "utf-8", "does not use: x"),
        (lambda lines: [], "utf-8", "is empty"),
        (lambda lines: lines[:1], "utf-8", "has a header and no rows"),
        (lambda lines: [lines[0], f'"{lines[1]}'], "utf-8", "is not CSV"),
    ],
    ids=["latin-1", "no column", "no placeholder", "empty", "no rows", "stray quote"],
)
def test_a_table_that_is_wrong_as_a_whole_is_refused_with_its_line(home, tmp_path, change, encoding, words):
    done = dry(home, rows(tmp_path, change, encoding=encoding))
    assert done.returncode in {1, 2}
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_quoted_newlines_and_a_byte_order_mark_are_fine(home, tmp_path, encoding):
    def change(lines):
        return [lines[0], lines[1].replace("Aoife Byrne", '"Byrne,\r\n Aoife"')]

    assert dry(home, rows(tmp_path, change, encoding=encoding)).returncode == 0


def test_the_same_learner_twice_is_named_and_no_error(home, tmp_path):
    def change(lines):
        return [*lines, lines[1].replace("20260001", "20269999")]

    done = dry(home, rows(tmp_path, change))
    assert done.returncode == 0
    assert "note: class.csv, line 5: the same learner as in class.csv, line 2" in done.stderr


def test_many_remarks_are_three_and_a_number(home, tmp_path):
    def change(lines):
        return [*lines, *(lines[1].replace("20260001", f"2026999{number}") for number in range(7))]

    done = dry(home, rows(tmp_path, change))
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if line.startswith("note: ")][3:] == [
        "note: and 4 more"
    ]


def test_the_only_issuer_is_meant_and_of_several_one_must_be_named(home, tmp_path):
    assert dry(home, rows(tmp_path)).returncode == 0
    shutil.copytree(home / "issuers" / "ada", home / "issuers" / "bob")
    done = dry(home, rows(tmp_path))
    assert done.returncode == 2
    assert "--issuer: say whose credentials these are; there are several: ada, bob" in done.stderr


def test_a_token_that_others_can_read_is_refused(tmp_path):
    from testamur.node.errors import ConfigError  # noqa: PLC0415
    from testamur.node.service.issuer_side import Host  # noqa: PLC0415

    token = tmp_path / "token"
    token.write_text("tstm_x\n")
    token.chmod(0o644)
    with Host(tmp_path, node_url="http://127.0.0.1:9", token_file=token) as host:
        with pytest.raises(ConfigError, match="chmod 600"):
            host.submit("ada", [bytes(32)])


# -- the machine


@pytest.fixture
def as_nobody(tmp_path):
    """Words that start a command as a user who may write nowhere."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing. Debian, Ubuntu: apt-get install util-linux")
    for folder in [tmp_path, *tmp_path.parents]:
        if not folder.stat().st_mode & 0o001 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def test_a_home_that_cannot_be_written_is_named_with_the_cure(home, tmp_path, as_nobody):
    for path in [home, *home.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    words = (
        "issue",
        rows(tmp_path),
        "--template",
        TEMPLATE,
        "--out",
        tmp_path / "out",
        "--home",
        home,
        "--dry-run",
    )
    done = run(*words, prefix=as_nobody)
    for path in [home, *home.rglob("*")]:
        path.chmod(0o755)
    assert done.returncode == 2
    assert "Permission denied; give this user access to it" in done.stderr


def test_a_full_disk_is_named_and_nothing_is_lost(home, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    with contextlib.suppress(OSError):
        (place / "filler").write_bytes(bytes(64 << 10))
    try:

        def change(lines):
            return [lines[0], lines[1].replace(",5,", ",five,"), *lines[2:]]

        done = dry(home, rows(tmp_path, change), "--rejects", place / "rejects.csv")
        assert done.returncode == 2
        assert "No space left on device; free space" in done.stderr
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    "words",
    [
        ("issue", "class.csv", "--template", TEMPLATE, "--dry-run", "--out"),
        ("issue", "class.csv", "--template", TEMPLATE, "--out"),
        ("revoke", "u" + 43 * "A", "--reason", "fraud", "--records"),
    ],
    ids=["dry run", "issue", "records"],
)
def test_a_file_where_a_folder_belongs_is_told_before_anything_is_done(home, tmp_path, words):
    rows(tmp_path)
    (tmp_path / "file").write_bytes(b"precious")
    done = run(*words, "file", "--home", home, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{words[-1]}: " in done.stderr
    assert "file is not a folder; name another one" in done.stderr
    assert (tmp_path / "file").read_bytes() == b"precious"
