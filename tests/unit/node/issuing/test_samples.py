"""The samples are what people copy: they are complete, and the documented table is true of them."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from fakes.issuers import NOW, SAMPLES, SETTINGS, signing_key
from testamur.node.issuing.awards import Desk
from testamur.node.issuing.jobs import Award
from testamur.node.issuing.placeholders import CONVERSIONS
from testamur.node.issuing.tables import Table
from testamur.node.issuing.templates import conversions, parse_template
from testamur.registry.contexts import MICRO_CREDENTIAL_V1, find_context
from testamur.registry.credentials import parse_credential
from testamur.registry.dids import resolve_did_key
from testamur.registry.elements import State, check_elements, claims_elements
from testamur.registry.jsonld import expand_safely
from testamur.registry.timestamps import format_timestamp

SPEC = Path(__file__).resolve().parents[4] / "docs" / "spec"
NAMES = ["data-literacy", "water-management"]
"""The micro-credentials."""

OTHERS = ["endorsement", "python-course", "transcript"]


def credentials(name: str) -> list[dict[str, Any]]:
    template = parse_template((SAMPLES / f"{name}.template.json").read_bytes(), name)
    desk, started = Desk(SETTINGS, template, signing_key(1)), format_timestamp(NOW)
    found = []
    with (SAMPLES / f"{name}-2026.csv").open("rb") as file:
        table = Table(file, name)
        template.check_columns(table.columns, name)
        for number, row in enumerate(table.rows(), 1):
            desk.check(row, number, started, name)
            award = Award(row=number, token=number.to_bytes(16, "big"), deck=1, status_index=number, file="")
            found.append(json.loads(desk.sign(row, award, started)))
    return found


ELEMENTS = (SPEC / "micro-credential.md").read_text("utf-8")
ELEMENT_ROWS = re.findall(r"^\| (\d+) \| ([^|]+) \| [^|]+ \| ([^|]+) \|$", ELEMENTS, re.MULTILINE)


def at(document: Any, pointer: str) -> Any:
    for step in pointer.removeprefix("/").split("/"):
        document = document[step]
    return document


def test_the_table_documents_all_sixteen_elements() -> None:
    assert [int(number) for number, _, _ in ELEMENT_ROWS] == list(range(1, 17))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("number", "element", "cell"), ELEMENT_ROWS)
def test_every_documented_element_is_filled_in(name: str, number: str, element: str, cell: str) -> None:
    document = credentials(name)[0]
    pointers = [text for text in re.findall(r"`([^`]+)`", cell) if text.startswith("/")]
    assert pointers
    for pointer in pointers:
        if pointer == "/credentialSubject/id" and name == "water-management":
            assert parse_credential(document).subject_id is None, "these learners have no wallets"
            continue
        assert at(document, pointer) not in (None, "", [], {}), f"element {number}, {element}"


@pytest.mark.parametrize("name", [*NAMES, *OTHERS])
def test_every_sample_row_is_a_safe_open_badge(name: str) -> None:
    for document in credentials(name):
        credential = parse_credential(document)
        assert credential.is_open_badge or "EndorsementCredential" in credential.types
        expand_safely(document)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_micro_credential_has_all_sixteen_elements(name: str) -> None:
    for document in credentials(name):
        assert claims_elements(document)
        report = check_elements(document)
        assert report is not None
        assert [item.sentence() for item in report.findings if item.state is not State.FOUND] == []
        assert [note for item in report.findings for note in item.notes] == []


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_micro_credential_does_not_claim_to_be_one(name: str) -> None:
    for document in credentials(name):
        assert not claims_elements(document)


def test_all_samples_are_tested() -> None:
    found = {path.name.removesuffix(".template.json") for path in SAMPLES.glob("*.template.json")}
    assert found == {*NAMES, *OTHERS}


def test_there_is_a_class_of_learners_with_wallets() -> None:
    rows = list(csv.DictReader((SAMPLES / "data-literacy-2026.csv").read_text("utf-8").splitlines()))
    assert len(rows) >= 25
    assert len({row["holder"] for row in rows}) == len(rows)
    for row in rows:
        assert resolve_did_key(row["holder"])["id"] == row["holder"]


@pytest.mark.parametrize("name", NAMES)
def test_workload_credits_and_level_are_plausible(name: str) -> None:
    document = credentials(name)[0]
    achievement = document["credentialSubject"]["achievement"]
    hours = int(re.fullmatch(r"PT(\d+)H", achievement["notionalWorkload"])[1])  # type: ignore[index]
    assert 25 <= hours / achievement["creditsAvailable"] <= 30, "one ECTS credit is 25 to 30 hours"
    levels = [item for item in achievement["alignment"] if item.get("targetType") == "ext:EQFLevel"]
    assert [1 <= int(item["targetCode"]) <= 8 for item in levels] == [True]
    assert len(achievement["alignment"]) > 1, "a level alone is no learning outcome"


def test_the_documented_terms_are_those_of_the_context() -> None:
    context: Any = find_context(MICRO_CREDENTIAL_V1)
    scoped = context["@context"]["MicroCredential"]["@context"]
    terms = {name for name in scoped if name not in {"@protected", "id", "type"}}
    assert set(re.findall(r"^\| `(\w+)` \|", ELEMENTS, re.MULTILINE)) == terms
    assert len(terms) == 11
    for name in ("QualityAssurance", "Stackability"):
        for term in context["@context"][name]["@context"]:
            assert term in {"@protected", "id", "type"} or f"`{term}`" in ELEMENTS


def test_the_documented_placeholder_types_are_those_of_the_code() -> None:
    text = (SPEC / "templates.md").read_text("utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == list(CONVERSIONS) == list(conversions())


def test_the_template_in_the_documentation_is_one() -> None:
    text = (SPEC / "templates.md").read_text("utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    template = parse_template(block.encode(), "documentation")
    assert template.columns == ("awarded", "holder", "ects", "student_number")
    assert json.loads(block)["type"] == "CredentialTemplate"
