from typing import Any

import pytest

from fakes.awards import award
from testamur.registry.errors import MalformedError
from testamur.registry.schemas import MAX_SCHEMA_BYTES, check_against_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
URL = "https://schemas.example/award"


def schema(**members: Any) -> dict[str, Any]:
    return {"$schema": DRAFT, "type": "object", **members}


def test_a_credential_that_keeps_its_schema_has_no_breach() -> None:
    wanted = schema(required=["name"], properties={"name": {"type": "string"}})
    assert check_against_schema(award(), wanted, {}) is None


def test_a_breach_is_named_by_its_pointer() -> None:
    wanted = schema(
        properties={"credentialSubject": {"properties": {"result": {"items": {"required": ["a/b"]}}}}}
    )
    found = check_against_schema(award(), wanted, {})
    assert found is not None
    assert found[0] == "credential /credentialSubject/result/0"
    assert "a/b" in found[1]


@pytest.mark.parametrize(
    "draft",
    [
        DRAFT,
        DRAFT + "#",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema#",
    ],
)
def test_three_drafts_are_understood(draft: str) -> None:
    assert check_against_schema({"a": 1}, {"$schema": draft, "required": ["b"]}, {}) is not None


def test_other_schemas_come_from_the_documents_and_from_nowhere_else() -> None:
    wanted = schema(properties={"name": {"$ref": f"{URL}#/$defs/short"}})
    other = {"$schema": DRAFT, "$id": URL, "$defs": {"short": {"maxLength": 3}}}
    found = check_against_schema(award(), wanted, {URL: other})
    assert found is not None
    assert found[0] == "credential /name"
    with pytest.raises(MalformedError, match="not supplied"):
        check_against_schema(award(), wanted, {})


def doubling(levels: int) -> dict[str, Any]:
    chain: dict[str, Any] = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]}
        for n in range(levels)
    }
    return schema(**{"$defs": {**chain, f"a{levels}": {}}, "$ref": "#/$defs/a0"})


@pytest.mark.parametrize(
    "unusable",
    [
        {},
        [],
        {"$schema": "https://json-schema.org/draft/2050-01/schema"},
        schema(type=5),
        schema(properties={"name": {"pattern": "("}}),
        schema(properties={"name": {"pattern": r"^(a|a)*(?=x)(\1)$"}}),
        schema(**{"$ref": "#/$defs/nowhere"}),
        schema(**{"$ref": "file:///etc/passwd"}),
        schema(description="x" * MAX_SCHEMA_BYTES),
        doubling(40),
    ],
)
def test_a_schema_that_cannot_be_used_is_malformed_and_cheap(unusable: Any) -> None:
    instance = {"name": "a" * 60 + "!"}
    with pytest.raises(MalformedError, match="schema"):
        check_against_schema(instance, unusable, {})


def test_references_in_a_circle_and_some_that_double_are_fine() -> None:
    assert check_against_schema({"a": {"a": {}}}, schema(properties={"a": {"$ref": "#"}}), {}) is None
    assert check_against_schema({}, doubling(5), {}) is None


def test_a_pattern_that_would_take_ages_elsewhere_is_answered() -> None:
    wanted = schema(properties={"name": {"pattern": "^(a+)+$"}})
    assert check_against_schema({"name": "a" * 5000 + "!"}, wanted, {}) is not None
