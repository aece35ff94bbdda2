"""As much of JSON Schema 2020-12 as the interface's own schemas use; more in a schema is an error."""

import re

KNOWN = frozenset(
    {
        *("$ref", "type", "description", "format", "default", "enum", "pattern", "minLength", "maxLength"),
        *("minimum", "maximum", "items", "minItems", "maxItems"),
        *("properties", "required", "additionalProperties"),
    }
)

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def violations(value, schema, schemas, where="$"):
    """What is wrong with `value`, as a list of sentences; empty when it fits."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"{where}: the schema uses {unknown}, which this validator does not know"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return violations(value, schemas[name], schemas, where)
    kinds = schema.get("type", list(TYPES))
    if not any(TYPES[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return [f"{where}: {value!r} is not of type {kinds}"]
    nested = [*_array(value, schema, schemas, where), *_object(value, schema, schemas, where)]
    return [*_scalar(value, schema, where), *nested]


def _scalar(value, schema, where):
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not one of {schema['enum']}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{where}: {value!r} does not match {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            found.append(f"{where}: {len(value)} characters")
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{where}: {value} is out of bounds")
    return found


def _array(value, schema, schemas, where):
    if not isinstance(value, list):
        return []
    found = []
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        found.append(f"{where}: {len(value)} items")
    for number, item in enumerate(value):
        found += violations(item, schema.get("items", {}), schemas, f"{where}/{number}")
    return found


def _object(value, schema, schemas, where):
    if not isinstance(value, dict):
        return []
    members = schema.get("properties", {})
    rest = schema.get("additionalProperties", {})
    found = [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        if name in members:
            found += violations(item, members[name], schemas, f"{where}/{name}")
        elif rest is False:
            found.append(f"{where}: {name} is not described")
        else:
            found += violations(item, {} if rest is True else rest, schemas, f"{where}/{name}")
    return found
