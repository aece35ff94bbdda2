"""`credentialSchema` of a credential, each checked against the schema that the caller supplies.

https://www.w3.org/TR/vc-json-schema/: a bare schema (`JsonSchema`), or one inside a signed credential
(`JsonSchemaCredential`). One that is not supplied is *unknown*: nothing fails for it, and it is said.
"""

from collections.abc import Callable, Mapping

from testamur.registry.canonical import Json
from testamur.registry.data_model import MAX_SUBJECTS, objects_of
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.members import check_types
from testamur.registry.reasons import words
from testamur.registry.schemas import (
    JSON_SCHEMA_CREDENTIAL,
    SCHEMA_TYPES,
    SchemaResult,
    check_against_schema,
)
from testamur.registry.shapes import Shape


def check_schemas(
    document: dict[str, Json],
    documents: Mapping[str, Json],
    verify_signed: Callable[[Json, str], None],
) -> tuple[SchemaResult, ...]:
    """One result per entry of `credentialSchema`.

    `verify_signed` raises for a schema credential whose own proof does not hold.
    """
    return tuple(
        _check(document, item, where, documents, verify_signed)
        for where, item in objects_of(document, "credentialSchema", "credential", MAX_SUBJECTS)
    )


def _check(
    document: dict[str, Json],
    item: dict[str, Json],
    where: str,
    documents: Mapping[str, Json],
    verify_signed: Callable[[Json, str], None],
) -> SchemaResult:
    types = check_types(item, where, None)
    url = str(item.get("id"))
    kind = next((name for name in types if name in SCHEMA_TYPES), types[0])
    valid, problem, place = None, None, None
    try:
        if kind not in SCHEMA_TYPES:
            problem = f"its type {kind[:100]} is not understood"
        elif url not in documents:
            problem = "it is not supplied"
        else:
            schema = documents[url]
            if kind == JSON_SCHEMA_CREDENTIAL:
                verify_signed(schema, "schema-unproven")
                schema = Shape(schema, "schema credential").shape("credentialSubject").any("jsonSchema")
            breach = check_against_schema(document, schema, documents)
            valid = breach is None
            if breach is not None:
                place, said = breach
                problem = f"{place}: {said}"
    except MalformedError as error:
        problem = str(error)
    except VerificationError as error:
        problem = words(error.reason, error.parameters)
    return SchemaResult(id=url, type=kind, valid=valid, problem=problem, where=place)
