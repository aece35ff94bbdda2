"""What `revoke`, `suspend` and `reinstate` say of what they did: how many, with which statement, for whom."""

from pathlib import Path

import pytest

from testamur.node.cli.status_changing import ACTIONS, ChangeOptions, _show, _show_plan
from testamur.node.issuing.status_changes import Plan

ONE, TWO = bytes(32), bytes([1]) * 32


def options(**changes):
    values = dict.fromkeys(ChangeOptions.__slots__)
    return ChangeOptions(**{**values, "action": ACTIONS["suspend"], "wait_seconds": 0, **changes})


def plan(changed=(), already=()):
    lists = {"list": ("list", "suspension", None)} if changed else {}
    return Plan(published=None, changed=list(changed), already=list(already), lists=lists)


@pytest.mark.parametrize(
    ("changed", "already", "records", "said"),
    [
        ([ONE], [], [], ["Suspended 1 credential with statement 7."]),
        ([ONE, TWO], [], [], ["Suspended 2 credentials with statement 7."]),
        ([], [ONE], [], ["Nothing to do for 1 credential: suspended already."]),
        (
            [ONE],
            [],
            ["a.7.status-record.json"],
            ["Suspended 1 credential with statement 7.", "  for the holder: r/a.7.status-record.json"],
        ),
        (
            [ONE, TWO],
            [],
            ["a.7.status-record.json", "b.7.status-record.json"],
            ["Suspended 2 credentials with statement 7.", "  for the holders: 2 files in r"],
        ),
    ],
)
def test_what_was_done_is_said_and_what_was_not_done_is_not(capsys, changed, already, records, said):
    folder = Path("r")
    _show(
        options(records=folder), plan(changed, already), [], [folder / name for name in records], 7, None, 1.0
    )
    assert capsys.readouterr().out.splitlines() == said


def test_a_dry_run_promises_nothing_for_what_is_done_already(capsys):
    _show_plan(options(dry_run=True), plan([ONE], [TWO]), [], pending=False)
    assert capsys.readouterr().out.splitlines() == [
        "Would suspend 1 credential in 1 status list,",
        "with one statement and one anchor; nothing was signed.",
        "Nothing to do for 1 credential: suspended already.",
    ]
