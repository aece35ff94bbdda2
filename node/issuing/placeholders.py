"""One placeholder of a template: its column, its type, and the value it takes from a row."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testamur.node.issuing.tables import COLUMN_NAME
from testamur.registry.canonical import MAX_SAFE_INTEGER, Json
from testamur.registry.dids import parse_did
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.jsonld import is_absolute_iri
from testamur.registry.timestamps import parse_timestamp

SALT = "@salt"
BUILT_IN = frozenset({"@issuer", "@issuer-name", "@row", "@time", SALT})
"""Values that issuing knows itself: the issuer's DID and name, the row's number, the job's time, and a random
salt of the award, for identity hashes."""

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_INSIDE = re.compile(
    r"\s*(?P<column>@?[A-Za-z][A-Za-z0-9_-]{0,63})(?P<optional>\?)?(?::(?P<type>[a-z-]+))?\s*"
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class _Omitted:
    """The value of an optional placeholder whose cell is empty."""


OMITTED: Json = _Omitted()  # type: ignore[assignment]
"""A mark and no JSON value: whoever builds objects and lists leaves it out."""


@dataclass(frozen=True, slots=True)
class Values:
    """What placeholders are filled from: a row's cells, the built-in values, and where the row is."""

    where: str
    cells: Mapping[str, str]
    built_in: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conversion:
    """A type: what a cell must look like, in words, and the JSON value it becomes."""

    accepts: str
    convert: Callable[[str, Values], Json]


def _text(cell: str, _values: Values) -> Json:
    return cell


def _number(cell: str, _values: Values) -> Json:
    if not _NUMBER.fullmatch(cell):
        raise ValueError(cell)
    number = float(cell)
    if number == int(number) and abs(number) <= MAX_SAFE_INTEGER:
        return int(number)  # the same JSON number, and much faster to canonicalise
    return number


def _boolean(cell: str, _values: Values) -> Json:
    return {"true": True, "false": False}[cell.lower()]


def _date(cell: str, _values: Values) -> Json:
    if not _DATE.fullmatch(cell):
        raise ValueError(cell)
    parse_timestamp(f"{cell}T00:00:00Z")
    return cell


def _time(cell: str, _values: Values) -> Json:
    """A day alone means its beginning in UTC: class lists seldom have clocks."""
    text = f"{cell}T00:00:00Z" if _DATE.fullmatch(cell) else cell
    parse_timestamp(text)
    return text


def _url(cell: str, _values: Values) -> Json:
    if not is_absolute_iri(cell):
        raise ValueError(cell)
    return cell


def _did(cell: str, _values: Values) -> Json:
    parse_did(cell)
    return cell


def _identity_hash(cell: str, values: Values) -> Json:
    """https://www.imsglobal.org/spec/ob/v3p0/#identityhash, over the cell and the award's salt."""
    return "sha256$" + sha256((cell + values.built_in[SALT]).encode()).hex()


CONVERSIONS: Mapping[str, Conversion] = {
    "text": Conversion("any text", _text),
    "number": Conversion("a number with a decimal point, like 2.5", _number),
    "boolean": Conversion("true or false", _boolean),
    "date": Conversion("a day, like 2026-11-21", _date),
    "time": Conversion("a time with zone, like 2026-11-21T10:00:00Z, or a day", _time),
    "url": Conversion("an absolute URL", _url),
    "did": Conversion("a DID, like did:key:z6Mk…", _did),
    "identity-hash": Conversion("an identifier, which is hashed with the award's {{@salt}}", _identity_hash),
}
"""Types by the name after the colon."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{{column}}`, `{{column:type}}`, `{{column?}}` or `{{column?:type}}`; `text` is how it was written."""

    text: str
    column: str
    optional: bool
    conversion: Conversion

    def convert(self, values: Values) -> Json:
        """The JSON value for this row, or OMITTED. Raises MalformedError naming row and placeholder."""
        source = values.built_in if self.column.startswith("@") else values.cells
        cell = source[self.column]
        if not cell:
            if self.optional:
                return OMITTED
            raise MalformedError(
                values.where, f"column {self.column} is empty, and {self.text} needs a value"
            )
        try:
            return self.conversion.convert(cell, values)
        except (KeyError, ValueError, MalformedError) as exc:
            reason = f"column {self.column} is {cell[:60]!r}, and {self.text} needs {self.conversion.accepts}"
            raise MalformedError(values.where, reason) from exc


def parse_text(text: str, where: str) -> list[str | Placeholder]:
    """A string of a template as constant pieces and placeholders. Raises MalformedError.

    Types and question marks are for whole values only: inside a longer text there is nothing to type or omit.
    """
    parts: list[str | Placeholder] = []
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        if found.start() > end:
            parts.append(text[end : found.start()])
        parts.append(_placeholder(found.group(0), found.group(1), where))
        end = found.end()
    if end < len(text) or not parts:
        parts.append(text[end:])
    for part in parts:
        if isinstance(part, str) and ("{{" in part or "}}" in part):
            raise MalformedError(where, f"has braces that are no placeholder: {part[:60]!r}")
        typed = isinstance(part, Placeholder) and (
            part.optional or part.conversion is not CONVERSIONS["text"]
        )
        if typed and len(parts) > 1 and isinstance(part, Placeholder):
            raise MalformedError(where, f"{part.text} must be the whole value to be typed or optional")
    return parts


def _placeholder(text: str, inside: str, where: str) -> Placeholder:
    found = _INSIDE.fullmatch(inside)
    if found is None:
        raise MalformedError(where, f"{text} is no placeholder; write {{{{column}}}} or {{{{column:type}}}}")
    column, kind = found["column"], found["type"] or "text"
    if column.startswith("@"):
        if column not in BUILT_IN:
            known = ", ".join(sorted(BUILT_IN))
            raise MalformedError(where, f"{text} is not one of the built-in values {known}")
    elif not COLUMN_NAME.fullmatch(column):
        raise MalformedError(where, f"{text} names no column")
    if kind not in CONVERSIONS:
        raise MalformedError(where, f"{text} has an unknown type; known are {', '.join(CONVERSIONS)}")
    return Placeholder(text, column, found["optional"] is not None, CONVERSIONS[kind])
