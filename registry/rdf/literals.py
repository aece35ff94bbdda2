"""JSON scalars as RDF literals: https://www.w3.org/TR/json-ld11-api/#data-round-tripping."""

import re
from typing import Any, Final

from testamur.registry.rdf.quads import XSD, write_literal

XSD_DOUBLE: Final = f"{XSD}double"
_MAX_PLAIN_INTEGER: Final = 1e21
"""Integers from here on are written as doubles (JSON-LD API §8.2.2)."""

_PADDED_DOUBLE: Final = re.compile(r"(\d)0*E\+?(-)?0*(\d)")


def write_number(value: bool | float, datatype: str | None) -> str:
    """A boolean, integer or double in its XSD canonical form, under `datatype` or its own."""
    if isinstance(value, bool):
        return write_literal("true" if value else "false", datatype or f"{XSD}boolean")
    whole = isinstance(value, int) or value.is_integer()
    if not whole or datatype == XSD_DOUBLE or abs(value) >= _MAX_PLAIN_INTEGER:
        return write_literal(canonical_double(value), datatype or XSD_DOUBLE)
    return write_literal(str(int(value)), datatype or f"{XSD}integer")


def canonical_double(value: Any) -> str:
    """The canonical form of an xsd:double: one digit, a point, the fewest of fifteen digits, an exponent."""
    return _PADDED_DOUBLE.sub(r"\1E\2\3", f"{value:1.15E}")
