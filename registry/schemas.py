"""JSON Schemas that a credential names, checked when the caller supplies them; nothing is fetched.

https://www.w3.org/TR/vc-json-schema/. The validator is loaded on first use. Its regular expressions are
bounded in their backtracking, and a schema whose references multiply is refused before it is compiled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape

JSON_SCHEMA = "JsonSchema"
JSON_SCHEMA_CREDENTIAL = "JsonSchemaCredential"
SCHEMA_TYPES = frozenset({JSON_SCHEMA, JSON_SCHEMA_CREDENTIAL, "1EdTechJsonSchemaValidator2019"})
"""Kinds of `credentialSchema` that are understood; the last one is what 1EdTech's own credentials say."""

MAX_SCHEMA_BYTES = 1 << 20
"""The published schemas of Open Badges and learner records have 30 to 120 kB."""

MAX_SCHEMA_WORK = 200_000
"""Subschemas that one pass could visit when every local reference is followed once. Fifty lines of doubling
references would be a billion."""

MAX_BACKTRACKS = 100_000
"""Steps of one regular expression on one string; honest patterns need none."""

_DRAFTS = {
    "https://json-schema.org/draft/2020-12/schema": "Draft202012Validator",
    "https://json-schema.org/draft/2019-09/schema": "Draft201909Validator",
    "http://json-schema.org/draft-07/schema": "Draft7Validator",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaResult:
    """What one schema says of a credential; `valid` is None when it could not be asked."""

    id: str
    type: str
    valid: bool | None
    problem: str | None = None
    where: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The result as a member of a VC API answer."""
        return {"id": self.id, "type": self.type, "verified": self.valid, "problem": self.problem}


def check_against_schema(
    instance: Json, schema: Json, documents: Mapping[str, Json], subject: str = "credential"
) -> tuple[str, str] | None:
    """None when `instance` keeps the schema; else (JSON pointer, what is wrong there), for the first breach.

    Schemas that `schema` refers to come from `documents`. Raises MalformedError for a schema that cannot be
    used: of an unknown draft, too large, referring to what is not there, with an unusable pattern.
    """
    import jsonschema_rs  # noqa: PLC0415  native code that few verifications need

    shape = Shape(schema, "schema")
    draft = shape.text("$schema", max_length=200).removesuffix("#")
    if draft not in _DRAFTS:
        raise MalformedError(shape.path("$schema"), f"is not a draft that is understood: {draft[:100]}")
    _check_bounds(schema, "schema")

    def retrieve(url: str) -> Any:
        base = url.partition("#")[0]
        if base not in documents:
            raise LookupError(f"the schema {url[:200]} is not supplied")
        found = documents[base]
        _check_bounds(found, f"schema {url[:200]}")
        return found

    try:
        validator = getattr(jsonschema_rs, _DRAFTS[draft])(
            schema,
            retriever=retrieve,
            pattern_options=jsonschema_rs.FancyRegexOptions(
                backtrack_limit=MAX_BACKTRACKS, size_limit=1 << 20, dfa_size_limit=1 << 20
            ),
        )
        breach = next(iter(validator.iter_errors(instance)), None)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, LookupError) as exc:
        raise MalformedError("schema", f"cannot be used: {str(exc).splitlines()[0][:200]}") from exc
    if breach is None:
        return None
    if "BacktrackLimit" in type(breach.kind).__name__:
        raise MalformedError("schema", "cannot be used: a regular expression in it needs too many steps")
    pointer = "".join(f"/{_escaped(part)}" for part in breach.instance_path)
    return f"{subject} {pointer or '/'}", str(breach.message)[:300]


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _check_bounds(schema: Json, subject: str) -> None:
    size = len(canonicalize(schema))
    if size > MAX_SCHEMA_BYTES:
        raise MalformedError(subject, f"has {size} bytes, more than {MAX_SCHEMA_BYTES}")
    try:
        work = _work(schema, schema, {})
    except RecursionError as exc:
        raise MalformedError(subject, "refers from one subschema to the next without end") from exc
    if work > MAX_SCHEMA_WORK:
        raise MalformedError(subject, f"would be {work} subschemas when its references are followed")


def _work(value: Json, root: Json, known: dict[int, int]) -> int:
    """How many subschemas `value` is when each local reference is replaced by its target, circles cut."""
    if not isinstance(value, dict | list):
        return 0
    if id(value) in known:
        return known[id(value)]
    known[id(value)] = 1  # a circle is followed as deep as the instance goes, and that is bounded elsewhere
    items = list(value.values()) if isinstance(value, dict) else value
    total = 1 + sum(_work(item, root, known) for item in items)
    reference = value.get("$ref") if isinstance(value, dict) else None
    if isinstance(reference, str) and reference.startswith("#/"):
        total += _work(_target(reference, root), root, known)
    known[id(value)] = min(total, MAX_SCHEMA_WORK + 1)
    return known[id(value)]


def _target(reference: str, root: Json) -> Json:
    """What a local reference points to, or None; the validator says better what is wrong with it."""
    value = root
    for part in reference.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and len(name) < 8:
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value
