"""`verify` on folders: one row for every file, in order, whatever is in the files."""

import csv
import json
import os
import pty
import subprocess
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from fakes.whole_registry import NOW, World, trust, trust_document
from testamur.node.cli import verifying_many
from testamur.node.cli.dossier_files import MAX_FOLDER_DEPTH, Found, find_files
from testamur.node.cli.quick_start import VerifyOptions
from testamur.node.cli.render import DEVNET_WARNING
from testamur.node.cli.reports import COLUMNS, Report
from testamur.node.cli.rows import Row, exit_code, row_of_error, summary
from testamur.node.cli.verifying import Verifier, run_verify
from testamur.node.errors import ConfigError
from testamur.registry.canonical import canonicalize
from testamur.registry.timestamps import format_timestamp
from testamur.registry.verification import DEFAULT_POLICY

GOOD = canonicalize(World().dossier())
REVOKED = canonicalize(World(revoked=(7,)).dossier())
BARE = canonicalize(World().credential)
EVIDENCE = canonicalize(World().evidence())
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "trust.json").write_bytes(canonicalize(trust_document()))
    made = tmp_path / "class"
    made.mkdir()
    return made


def options(folder, *files, **more):
    return VerifyOptions(files=files or (folder,), trust=folder.parent / "trust.json", offline=True, **more)


def verify(folder, *files, now=NOW, **more):
    return run_verify(options(folder, *files, **more), now=now)


def fill(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def lines(capsys):
    """What was printed, without the warning that all of it is on a development chain."""
    return [line for line in capsys.readouterr().out.splitlines() if line != DEVNET_WARNING]


# -- rows


def test_every_file_is_a_row_in_the_order_of_names_and_the_last_line_counts(folder, capsys):
    fill(folder, {"b.json": REVOKED, "a.credential.json": GOOD, "more/deep/c.JSON": BARE, "z.json": GOOD})
    assert verify(folder) == 1
    *rows, last = lines(capsys)
    names = [str(Path(row.split()[1]).relative_to(folder)) for row in rows]
    assert names == ["a.credential.json", "b.json", "more/deep/c.JSON", "z.json"]
    assert [row.split()[0] for row in rows] == ["valid", "invalid", "indeterminate", "valid"]
    assert last.startswith("4 files: 2 valid, 1 indeterminate, 1 invalid, 0 error (")
    assert "University of Ada" in rows[0]
    assert "revoked it" in rows[1]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a.json": GOOD}, 0),
        ({"a.json": GOOD, "b.json": BARE}, 3),
        ({"a.json": GOOD, "b.json": BARE, "c.json": REVOKED}, 1),
        ({"a.json": GOOD, "b.json": BARE, "c.json": REVOKED, "d.json": b"{}x"}, 2),
    ],
    ids=["valid", "indeterminate", "invalid", "unreadable"],
)
def test_the_exit_code_is_that_of_the_worst_file(folder, files, code):
    fill(folder, files)
    assert verify(folder) == code


def test_what_is_no_dossier_is_a_row_with_its_error_and_the_rest_is_still_verified(folder, capsys):
    fill(folder, {"a.json": PICTURE, "c.json": b"", "d.json": b"[]", "z.json": GOOD})
    with (folder / "e.json").open("wb") as file:
        file.truncate(200 << 20)
    assert verify(folder) == 2
    *rows, last = lines(capsys)
    assert [row.split()[0] for row in rows] == ["error"] * 4 + ["valid"]
    for row, words in zip(rows, ["not UTF-8", "not JSON", "object", "larger than"], strict=False):
        assert words in row
    assert "1 valid, 0 indeterminate, 0 invalid, 4 error" in last


OTHERS = {
    "a.evidence.json": EVIDENCE,
    "a.7.status-record.json": b'{"record": {}, "path": {}, "batch": {}, "batchPath": {}}',
    "host.json": b'{"node": "http://127.0.0.1:8080"}',
    "key.json": b'{"type": "TestamurKey", "version": 1}',
    "template.json": b'{"type": "CredentialTemplate", "version": 1, "credential": {}}',
    "trust.json": canonicalize(trust_document()),
}


def test_what_is_certainly_no_credential_is_skipped_aloud(folder, capsys):
    fill(folder, {**OTHERS, "z.json": GOOD})
    assert verify(folder, report=folder / "r.json") == 0
    (row, last) = lines(capsys)
    assert row.startswith("valid ")
    assert last.startswith("1 file: 1 valid, 0 indeterminate, 0 invalid, 0 error; 6 other files skipped")
    assert "a.7.status-record.json, a.evidence.json, host.json and 3 more" in last
    report = json.loads((folder / "r.json").read_text("utf-8"))
    assert report["summary"] == {"files": 7, "valid": 1, "skipped": 6}
    skipped = {Path(item["file"]).name: item["error"] for item in report["files"] if item["error"]}
    assert set(skipped) == set(OTHERS)
    assert "status change" in skipped["a.7.status-record.json"]
    assert "a key" in skipped["key.json"]
    assert "evidence" in skipped["a.evidence.json"]
    assert verify(folder, json=True) == 0
    rows = [json.loads(line) for line in lines(capsys)]
    assert sum(item.get("outcome") == "skipped" for item in rows) == 7  # the report is one more
    assert rows[-1]["skipped"] == 7


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", GOOD[:-9]),
        ("a.json", GOOD.replace(b'"credential":', b'"credentiaI":', 1)),
        ("a.json", BARE.replace(b'"@context":', b'"@contex":', 1).replace(b'"proof":', b'"prof":', 1)),
        ("a.credential.json", b'{"node": "http://127.0.0.1:8080"}'),
        ("a.presentation.json", b"{}"),
    ],
)
def test_a_damaged_dossier_is_an_error_and_never_skipped(folder, capsys, name, data):
    fill(folder, {name: data, "z.json": GOOD})
    assert verify(folder) in (1, 2)
    assert lines(capsys)[0].split()[0] in ("invalid", "error")


def test_a_file_that_was_named_is_never_skipped(folder, capsys):
    fill(folder, {"host.json": OTHERS["host.json"], "z.json": GOOD})
    assert verify(folder, folder / "host.json", folder / "z.json") == 2
    assert lines(capsys)[0].startswith("error ")


def test_a_folder_of_other_files_alone_is_no_success(folder, capsys):
    fill(folder, OTHERS)
    assert verify(folder) == 2
    assert lines(capsys)[-1].startswith("0 files: ")


def test_pictures_and_other_files_beside_the_dossiers_are_not_looked_at(folder, capsys):
    fill(folder, {"a.json": GOOD, "photo.png": PICTURE, "list.csv": b"x", "json": b"x"})
    assert verify(folder) == 0
    assert len(lines(capsys)) == 2


def test_a_file_that_cannot_be_read_is_a_row(folder, capsys):
    fill(folder, {"a.json": GOOD})
    assert verify(folder, folder, folder / "gone.json", folder / ("x" * 300)) == 2
    *rows, _ = lines(capsys)
    assert [row.split()[0] for row in rows] == ["valid", "error", "error"]
    assert "no such file" in rows[1]


def test_links_are_not_followed_and_pipes_not_opened(folder, capsys):
    fill(folder, {"a.json": GOOD, "../elsewhere/b.json": GOOD})
    (folder / "link.json").symlink_to(folder.parent / "elsewhere" / "b.json")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.json")
    assert verify(folder) == 0
    assert len(lines(capsys)) == 2


def test_a_folder_deeper_than_anybody_needs_is_reported_and_not_entered(folder):
    deep = folder.joinpath(*["d"] * (MAX_FOLDER_DEPTH + 1))
    fill(folder, {f"{deep.relative_to(folder)}/a.json": GOOD, "b.json": GOOD})
    found = list(find_files((folder,)))
    assert [item.problem is None for item in found] == [True, False]
    assert found[1].path == deep


def test_a_name_that_is_not_text_breaks_neither_the_line_nor_the_report(folder, capsys):
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\n.json")).write_bytes(GOOD)
    assert verify(folder, report=folder / "r.json") == 0
    assert len(lines(capsys)) == 2
    (row,) = json.loads((folder / "r.json").read_text("utf-8"))["files"]
    assert row["file"].endswith("/\N{REPLACEMENT CHARACTER}\n.json")


def test_an_empty_folder_is_a_wrong_usage_with_words(folder):
    (folder / "photo.png").write_bytes(PICTURE)
    with pytest.raises(ConfigError, match=r"without any \.json file"):
        verify(folder)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("--node", {"node": "http://127.0.0.1:9"}),
        ("--rpc", {"rpc": ("http://127.0.0.1:9",)}),
        ("--evidence", None),
    ],
)
def test_what_is_for_single_files_is_refused_for_folders(folder, name, given):
    fill(folder, {"a.json": GOOD})
    given = given or {"evidence": folder / "a.json"}
    asked = VerifyOptions(files=(folder,), trust=folder.parent / "trust.json", **given)
    with pytest.raises(ConfigError, match=f"{name}: is for single files"):
        run_verify(asked, now=NOW)


def test_several_files_by_name_are_a_line_each_and_a_total_and_one_bad_one_does_not_end_it(folder, capsys):
    fill(folder, {"a.json": GOOD, "b.json": PICTURE})
    assert verify(folder, folder / "b.json", folder / "a.json") == 2
    bad, good, total = lines(capsys)
    assert (bad.split()[0], good.split()[0]) == ("error", "valid")
    assert total.startswith("2 files: 1 valid, 0 indeterminate, 0 invalid, 1 error")


def test_several_files_are_shown_in_full_when_asked_and_as_json_always(folder, capsys):
    fill(folder, {"a.json": GOOD, "b.json": PICTURE})
    assert verify(folder, folder / "b.json", folder / "a.json", verbose=True) == 2
    shown = capsys.readouterr()
    assert "b.json" in shown.err
    assert "VALID" in shown.out
    assert "storage proof" in shown.out or " 6 anchored" in shown.out
    assert verify(folder, folder / "b.json", folder / "a.json", json=True) == 2
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [document["outcome"] for document in documents] == ["error", "valid"]
    assert len(documents[1]["checks"]) == 11


def test_evidence_that_has_grown_old_says_so_in_its_reason(folder):
    fill(folder, {"a.json": GOOD})
    assert verify(folder, now=NOW + timedelta(days=60), report=folder / "r.ndjson") == 3
    row = json.loads((folder / "r.ndjson").read_text("utf-8"))
    assert (row["outcome"], row["reasons"], row["failedChecks"]) == ("indeterminate", ["status-stale"], [])


# -- the moment asked about


@pytest.mark.parametrize("day", [NOW.date(), NOW.date() - timedelta(days=1)])
def test_a_day_is_a_moment_to_ask_about(folder, capsys, day):
    fill(folder, {"a.json": GOOD})
    verify(folder, folder / "a.json", as_of=str(day), json=True)
    asked = json.loads(lines(capsys)[0])["asOf"]
    assert asked == (format_timestamp(NOW) if day == NOW.date() else f"{day}T23:59:59Z")


@pytest.mark.parametrize("text", [str(NOW.date() + timedelta(days=1)), "2026-02-30", "yesterday", "2026-11"])
def test_a_day_that_has_not_come_or_never_will_is_refused(folder, text):
    fill(folder, {"a.json": GOOD})
    with pytest.raises(ConfigError, match=r"--as-of: .*(future|calendar|2026-11-21)"):
        verify(folder, folder / "a.json", as_of=text)


# -- reports


def test_the_three_reports_say_the_same(folder):
    fill(folder, {"a.json": GOOD, "b.json": REVOKED, "c.json": b"?"})
    for name in ("r.csv", "r.json", "r.ndjson"):
        assert (
            verify(folder, *(folder / file for file in ("a.json", "b.json", "c.json")), report=folder / name)
            == 2
        )
    document = json.loads((folder / "r.json").read_text("utf-8"))
    assert (document["type"], document["version"]) == ("TestamurVerificationReport", 1)
    assert document["summary"] == {"files": 3, "valid": 1, "invalid": 1, "error": 1}
    by_line = [json.loads(line) for line in (folder / "r.ndjson").read_text("utf-8").splitlines()]
    assert by_line == document["files"]
    assert by_line[1]["status"] == "revoked"
    assert by_line[1]["failedChecks"] == ["status"]
    assert by_line[1]["reasons"] == ["revoked"]
    with (folder / "r.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == list(COLUMNS)
    assert [row[1] for row in rows] == ["valid", "invalid", "error"]
    assert rows[1][5:7] == ["status", "revoked"]


def test_a_title_cannot_run_as_a_formula_in_a_spreadsheet(tmp_path):
    with Report(tmp_path / "r.csv") as report:
        report.add(Row(file="a", outcome="valid", achievement="=HYPERLINK(1)", issuer="+1"))
        report.finish({})
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1][3:5] == ["'=HYPERLINK(1)", "'+1"]


def test_an_unfinished_report_leaves_the_older_one(tmp_path):
    (tmp_path / "r.json").write_text("older")
    with Report(tmp_path / "r.json") as report:
        report.add(row_of_error("a", "b"))
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
    assert (tmp_path / "r.json").read_text() == "older"


def test_the_report_is_not_among_the_files(folder):
    fill(folder, {"a.json": GOOD})
    for _ in range(2):
        assert verify(folder, report=folder / "r.json") == 0
    assert json.loads((folder / "r.json").read_text("utf-8"))["summary"]["files"] == 1


@pytest.mark.parametrize("name", ["r.txt", "r", "none/r.csv", "."])
def test_a_report_that_cannot_be_written_is_said_before_the_first_file(folder, name, capsys):
    fill(folder, {"a.json": GOOD})
    with pytest.raises(ConfigError, match="--report"):
        verify(folder, report=folder / name)
    assert lines(capsys) == []


def test_json_has_whole_verdicts_and_a_summary_as_its_last_line(folder, capsys):
    fill(folder, {"a.json": GOOD, "b.json": b"?"})
    assert verify(folder, json=True) == 2
    first, second, last = (json.loads(line) for line in lines(capsys))
    assert (first["type"], first["outcome"], len(first["checks"])) == ("TestamurVerdict", "valid", 11)
    assert (second["outcome"], set(second)) == ("error", {"file", "outcome", "error"})
    assert last == {"type": "TestamurVerificationSummary", "files": 2, "valid": 1, "error": 1}


def test_one_file_is_a_file_and_two_are_files():
    assert summary({"valid": 1}, 0.26) == "1 file: 1 valid, 0 indeterminate, 0 invalid, 0 error (0.3 s)"
    assert summary({"valid": 1, "error": 1}, 2).startswith("2 files: 1 valid,")
    assert exit_code({"valid": 3, "indeterminate": 1}) == 3


# -- processes


def verifier():
    return Verifier(trust=trust(), policy=DEFAULT_POLICY, node_url=None, rpc_urls=(), as_of=None, now=NOW)


def test_several_processes_give_the_same_rows_in_the_same_order(folder, capsys):
    fill(folder, {f"{n:03}.json": REVOKED if n % 7 == 3 else GOOD for n in range(60)})
    assert verify(folder, jobs=1, report=folder / "one.csv") == 1
    alone = lines(capsys)
    assert verify(folder, jobs=2, report=folder / "two.csv") == 1
    assert lines(capsys)[:-1] == alone[:-1]
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_files_are_taken_no_further_ahead_than_the_window_however_many_there_are(folder):
    fill(folder, {"a.json": GOOD})
    taken = count()
    endless = (Found(path=folder / "a.json") for _ in taken)
    rows = verifying_many._rows_of_processes(verifier(), endless, 2, full=False)
    most = 2 * verifying_many.CHUNKS_AHEAD * verifying_many.CHUNK_FILES
    for given in range(1, 40):
        assert next(rows).outcome == "valid"
        assert next(taken) <= given + most + verifying_many.CHUNK_FILES + given  # asking counts as well
    rows.close()


def test_a_pipe_gets_rows_and_nothing_else(folder):
    """No bar, no colour, no carriage return: quiet in pipes."""
    fill(folder, {f"{n:03}.json": GOOD for n in range(50)})
    words = ["verify", "--offline", "--trust", str(folder.parent / "trust.json"), str(folder)]
    command = [sys.executable, "-m", "testamur.node.cli.main", *words]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 3)  # 3 once the samples have grown old
    assert done.stderr == b""
    assert not {b"\x1b", b"\r"} & {bytes([byte]) for byte in done.stdout}
    assert len(done.stdout.splitlines()) == 52  # rows, the total, the warning of a development chain


def test_a_terminal_gets_a_bar_with_the_time_left(folder):
    fill(folder, {f"{n:03}.json": GOOD for n in range(50)})
    words = ["verify", "--offline", "--trust", str(folder.parent / "trust.json"), str(folder)]
    command = [sys.executable, "-m", "testamur.node.cli.main", *words]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 4096):
                shown += block
        except OSError:
            pass  # the terminal of a process that has ended
        rows = process.stdout.read()
    os.close(ours)
    assert b"/50" in shown
    assert b"0:00:0" in shown
    assert len(rows.splitlines()) == 52
