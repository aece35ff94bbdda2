"""The OpenAPI 3.1 document, generated from the route table."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from testamur.node.api.parameters import Parameter
from testamur.node.api.problems import PROBLEM_JSON, PROBLEMS
from testamur.node.api.responses import CREDENTIAL, CREDENTIAL_MEDIA, HTML, JSON
from testamur.node.api.routes import ROUTES
from testamur.node.api.routing import Route
from testamur.node.api.schemas import SCHEMAS, ref

ALWAYS_POSSIBLE = ("too-many-requests", "internal", "unavailable", "out-of-service")
"""Problems that any route can answer with."""

_BY_NAME = {problem.name: problem for problem in PROBLEMS}

TAGS = {
    "credentials": "By digest, by prefix, and verification",
    "registry": "Issuers, documents, status lists and the trust file",
    "issuer": "Writes by an issuer, with its bearer token",
    "vc": "W3C VC API, DID resolution",
    "log": "C2SP tlog-tiles, for witnesses, mirrors and monitors",
    "node": "About this node",
}


def openapi_document(
    *, registry_name: str, version: str, is_devnet: bool, routes: Sequence[Route] = ROUTES
) -> dict[str, Any]:
    """The whole interface as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1)."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(plain_path(route.path), {})[route.method.lower()] = _operation(route)
    title = f"Testamur node of {registry_name}" + (" (development chain)" if is_devnet else "")
    return {
        "openapi": "3.1.1",
        "info": {
            "title": title,
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Answers that matter are proven by the evidence in them, not by this node's word.",
        },
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _used(SCHEMAS, paths),
            "securitySchemes": {"issuer": {"type": "http", "scheme": "bearer"}},
            "responses": {problem.name: _problem_response(problem.title) for problem in PROBLEMS},
        },
    }


def _used(schemas: Mapping[str, Any], paths: Any) -> dict[str, Any]:
    """The schemas that the paths refer to, and those that these refer to."""
    wanted = {"Problem", *_references(paths)}
    stack = [*wanted]
    while stack:
        more = _references(schemas.get(stack.pop())) - wanted
        wanted |= more
        stack += more
    return {name: schema for name, schema in schemas.items() if name in wanted}


def _references(value: Any) -> set[str]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = {name for item in items for name in _references(item)}
    target = value.get("$ref") if isinstance(value, dict) else None
    if isinstance(target, str) and target.startswith(ref("")["$ref"]):
        found.add(target.rpartition("/")[2])
    return found


def plain_path(path: str) -> str:
    """A path template without the patterns that only the router understands."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.tag],
        "summary": route.summary,
        "responses": {str(route.status): {"description": route.summary, "content": _content(route)}},
    }
    if route.can_be_unchanged:
        operation["responses"]["304"] = {"description": "The client has it already (If-None-Match)"}
    for status, names in sorted(_problem_names(route).items()):
        operation["responses"][str(status)] = (
            {"$ref": f"#/components/responses/{names[0]}"}
            if len(names) == 1
            else _problem_response("; or: ".join(_BY_NAME[name].title for name in names))
        )
    for status in route.refusals:
        refused = operation["responses"].setdefault(
            str(status), {"description": "Refused; the body says why"}
        )
        if "$ref" in refused:
            refused = operation["responses"][str(status)] = _problem_response(_refusal_title(route, status))
        refused["content"] = {**_content(route), **refused.get("content", {})}
    if route.parameters:
        operation["parameters"] = [_parameter(parameter, route) for parameter in route.parameters]
    if route.takes is not None:
        operation["requestBody"] = {
            "required": not route.takes_nothing,
            "content": {JSON: {"schema": ref(route.takes)}},
        }
    if route.needs_token:
        operation["security"] = [{"issuer": []}]
    return operation


def _refusal_title(route: Route, status: int) -> str:
    return "; or: ".join(_BY_NAME[name].title for name in _problem_names(route)[status])


def _content(route: Route) -> dict[str, Any]:
    if route.answers is not None:
        media = CREDENTIAL_MEDIA if route.media == CREDENTIAL else (route.media,)
        return {name: {"schema": ref(route.answers)} for name in media}
    return {route.media: {"schema": {"type": "string"}} if route.media.startswith("text/") else {}}


def _problem_names(route: Route) -> dict[int, list[str]]:
    by_status: dict[int, list[str]] = {}
    for name in dict.fromkeys((*route.problems, *(() if route.media == HTML else ALWAYS_POSSIBLE))):
        by_status.setdefault(_BY_NAME[name].status, []).append(name)
    return by_status


def _problem_response(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM_JSON: {"schema": ref("Problem")}}}


def _parameter(parameter: Parameter, route: Route) -> dict[str, Any]:
    in_path = f"{{{parameter.name}}}" in plain_path(route.path)
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path or parameter.is_required,
        "schema": parameter.schema,
    }
    if parameter.description:
        described["description"] = parameter.description
    return described
