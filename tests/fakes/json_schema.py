"""As much of JSON Schema 2020-12 as the interface's own schemas use; more in a schema is an error."""

import re

KNOWN = frozenset(
    {
        *("$ref", "type", "description", "format", "default", "enum", "pattern", "minLength", "maxLength"),
        *("minimum", "maximum", "items", "minItems", "maxItems"),
        *("properties", "required", "additionalProperties", "propertyNames", "maxProperties"),
        *("const", "anyOf", "not", "title", "$schema", "$defs"),
    }
)

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def violations(value, schema, schemas, where="$"):
    """What is wrong with `value`, as a list of sentences; empty when it fits."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"{where}: the schema uses {unknown}, which this validator does not know"
    if "$ref" in schema:
        if schema["$ref"].endswith(".json"):  # another file, with definitions of its own
            other = schemas[schema["$ref"]]
            return violations(value, other, {**schemas, **other.get("$defs", {})}, where)
        name = schema["$ref"].removeprefix("#/components/schemas/").removeprefix("#/$defs/")
        return violations(value, schemas[name], schemas, where)
    kinds = schema.get("type", list(TYPES))
    if not any(TYPES[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return [f"{where}: {value!r} is not of type {kinds}"]
    branches = [violations(value, branch, schemas, where) for branch in schema.get("anyOf", [])]
    if branches and all(branches):
        return [f"{where}: none of: {' | '.join(found[0] for found in branches)}"]
    if "not" in schema and not violations(value, schema["not"], schemas, where):
        return [f"{where}: {value!r} is what it must not be"]
    nested = [*_array(value, schema, schemas, where), *_object(value, schema, schemas, where)]
    return [*_scalar(value, schema, where), *nested]


def _scalar(value, schema, where):
    found = []
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
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
    if len(value) > schema.get("maxProperties", len(value)):
        found.append(f"{where}: {len(value)} members")
    for name in value if "propertyNames" in schema else ():
        found += violations(name, schema["propertyNames"], schemas, f"{where}/{name}")
    for name, item in value.items():
        if name in members:
            found += violations(item, members[name], schemas, f"{where}/{name}")
        elif rest is False:
            found.append(f"{where}: {name} is not described")
        else:
            found += violations(item, {} if rest is True else rest, schemas, f"{where}/{name}")
    return found
