"""The OpenAPI document: well-formed, complete, and the same as what is served."""

import re

import pytest

from fakes.json_schema import KNOWN
from testamur.node.api.app import create_app
from testamur.node.api.middleware import EVERYTHING
from testamur.node.api.openapi import openapi_document, plain_path
from testamur.node.api.page.routes import PAGES
from testamur.node.api.problems import PROBLEMS, TABLE
from testamur.node.api.routes import ROUTES

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


@pytest.fixture(scope="module")
def document():
    return openapi_document(registry_name="registry.example", version="0.1.0", is_devnet=False)


def walk(value, path=""):
    yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from walk(item, f"{path}/{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from walk(item, f"{path}/{number}")


def operations(document):
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


async def test_it_is_served(api):
    served = await api.json("GET", "/openapi.json", schema="OpenApi")
    assert served["openapi"].startswith("3.1.")
    assert served["info"] == {
        **served["info"],
        "version": "0.1.0",
        "title": "Testamur node of registry.example",
    }


def test_it_describes_exactly_what_the_router_serves(node, options, document):
    app = create_app(node, **options)
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.method not in ("HEAD", "OPTIONS")
    }
    pages = {(route.method.lower(), route.path) for route in PAGES}  # for people
    assert served - pages - {("*", EVERYTHING)} == {
        (method, path) for path, method, _ in operations(document)
    }


def test_every_reference_resolves(document):
    for path, value in walk(document):
        if path.endswith("/$ref"):
            target = document
            for part in value.removeprefix("#/").split("/"):
                assert part in target, value
                target = target[part]


def test_every_component_is_used(document):
    used = {value for path, value in walk(document) if path.endswith("/$ref")}
    for kind in ("schemas", "responses"):
        names = {f"#/components/{kind}/{name}" for name in document["components"][kind]}
        inline = {f"#/components/responses/{p.name}" for p in PROBLEMS} if kind == "responses" else set()
        assert names - used - inline == set()


def test_schemas_use_only_keywords_that_the_tests_can_judge(document):
    def schemas(schema):
        yield schema
        for part in (
            schema.get("items"),
            schema.get("additionalProperties"),
            *schema.get("properties", {}).values(),
        ):
            if isinstance(part, dict):
                yield from schemas(part)

    for root in document["components"]["schemas"].values():
        for schema in schemas(root):
            assert set(schema) <= KNOWN
            if "pattern" in schema:
                re.compile(schema["pattern"])


def test_path_parameters_are_those_of_the_path_and_required(document):
    for path, _, operation in operations(document):
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path" and p["required"]}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


def test_parameters_have_unique_names_a_place_and_a_schema(document):
    for _, _, operation in operations(document):
        parameters = operation.get("parameters", [])
        assert len({(p["name"], p["in"]) for p in parameters}) == len(parameters)
        assert all(p["in"] in ("path", "query") and p["schema"] for p in parameters)


def test_operations_have_unique_ids_known_tags_and_described_responses(document):
    found = operations(document)
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in found:
        assert method in METHODS
        assert path.startswith("/")
        assert set(operation["tags"]) <= tags
        assert operation["summary"]
        assert "200" in operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2345]\d\d", status)
            assert "$ref" in response or response["description"]


def test_bodies_are_described_where_they_are_taken_and_nowhere_else(document):
    for route in ROUTES:
        operation = document["paths"][plain_path(route.path)][route.method.lower()]
        assert ("requestBody" in operation) == (route.takes is not None)
        assert ("security" in operation) == route.needs_token


def test_every_problem_of_the_table_is_described(document):
    for _, problem in TABLE:
        assert problem in PROBLEMS
    assert set(document["components"]["responses"]) == {problem.name for problem in PROBLEMS}
    names = [problem.name for problem in PROBLEMS]
    assert len(set(names)) == len(names)
    for route in ROUTES:
        assert set(route.problems) <= set(names)
