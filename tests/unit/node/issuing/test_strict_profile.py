"""Issuing with the elements of a European micro-credential asked for: by the command, or by the template."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.issuers import NOW, SAMPLES, MemoryHost, RepeatableRandom, copy_workspace, signing_key
from testamur.node.issuing.batch import JobReport, issue
from testamur.node.issuing.rejects import RowsRejected
from testamur.node.issuing.templates import parse_template
from testamur.registry.errors import MalformedError

NAME = "water-management"


def template(**changes: Any) -> dict[str, Any]:
    document = json.loads((SAMPLES / f"{NAME}.template.json").read_text("utf-8"))
    for member, value in changes.pop("achievement", {}).items():
        document["credential"]["credentialSubject"]["achievement"][member] = value
    return {**document, **changes}


def run(folder: Path, document: dict[str, Any], table: Path | None = None, **options: Any) -> JobReport:
    workspace = copy_workspace(folder / "ada")
    return issue(
        workspace,
        table_path=table or SAMPLES / f"{NAME}-2026.csv",
        template=parse_template(json.dumps(document).encode(), "t"),
        folder=folder / "out",
        key=signing_key(1),
        port=MemoryHost(workspace.publication()),
        now=NOW,
        random_bytes=RepeatableRandom("strict"),
        **options,
    )


MONTHS = {"notionalWorkload": "P63M"}


def test_a_template_that_asks_for_it_refuses_months_and_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(RowsRejected) as caught:
        run(tmp_path, template(achievement=MONTHS))
    assert caught.value.count == 8
    assert "element 7" in caught.value.rejects[0].reason
    assert "63 months" in caught.value.rejects[0].reason
    assert not list((tmp_path / "out").glob("*.credential.json"))


def test_without_it_they_are_issued_and_the_command_can_ask_instead(tmp_path: Path) -> None:
    document = template(achievement=MONTHS, strictProfile=False)
    assert run(tmp_path / "lenient", document).signed == 8
    with pytest.raises(RowsRejected):
        run(tmp_path / "strict", document, strict_profile=True)


def test_a_whole_micro_credential_is_issued_with_it(tmp_path: Path) -> None:
    assert run(tmp_path, template(), strict_profile=True).signed == 8


def test_one_row_with_a_mark_beyond_its_scale_is_named(tmp_path: Path) -> None:
    lines = (SAMPLES / f"{NAME}-2026.csv").read_text("utf-8").splitlines()
    lines[3] = lines[3].rpartition(",")[0] + ",101"
    table = tmp_path / "class.csv"
    table.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(RowsRejected) as caught:
        run(tmp_path, template(), table)
    assert caught.value.count == 1
    assert "line 4" in caught.value.rejects[0].where
    assert "scale goes from 0 to 100" in caught.value.rejects[0].reason


def test_the_setting_is_true_or_false() -> None:
    with pytest.raises(MalformedError, match="strictProfile"):
        parse_template(json.dumps(template(strictProfile="yes")).encode(), "t")
