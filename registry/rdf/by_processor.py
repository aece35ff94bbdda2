"""The slow road from a document to statements: the JSON-LD processor expands, what it says is written down.

It decides whenever the fast road is not certain, and it is what the fast road is tested against. The
library's step from expanded JSON to RDF is not used: it compares every value of a member with every other.
"""

from collections.abc import Mapping
from typing import Any

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import expand_safely
from testamur.registry.rdf.literals import XSD_DOUBLE, canonical_double, write_number
from testamur.registry.rdf.processor import ContextWork
from testamur.registry.rdf.quads import (
    I18N,
    RDF,
    RDF_FIRST,
    RDF_NIL,
    RDF_REST,
    RDF_TYPE,
    Quad,
    write_literal,
)


def quads_by_processor(
    document: Mapping[str, Json],
    *,
    contexts: Mapping[str, Json] | None = None,
    subject: str = "document",
    work: ContextWork | None = None,
) -> list[Quad]:
    """The statements of the safely expanded document. Raises MalformedError, VerificationError."""
    expanded = expand_safely(document, contexts=contexts, subject=subject, work=work)
    writer = _Writer()
    try:
        for item in expanded:
            writer.term(item, "")
    except RecursionError as exc:
        raise MalformedError(subject, "is nested too deeply for its contexts") from exc
    return writer.quads


class _Writer:
    """Statements of an expanded document (JSON-LD API §7 and §8); `expand_safely` has checked its values."""

    __slots__ = ("_blank", "quads")

    def __init__(self) -> None:
        self.quads: list[Quad] = []
        self._blank = 0

    def term(self, item: Any, graph: str) -> str:
        """The term for a value, list or node, after saying what a node says."""
        if "@value" in item:
            return _literal(item)
        if "@list" in item:
            return self._list([self.term(inner, graph) for inner in item["@list"]], graph)
        subject = _resource(item["@id"]) if "@id" in item else self._new_blank()
        for name, values in item.items():
            if name == "@type":
                self.quads += [(subject, RDF_TYPE, _resource(kind), graph) for kind in values]
            elif name == "@graph":
                for inner in values:
                    self.term(inner, subject)
            elif name == "@reverse":
                for reverse_name, inners in values.items():
                    predicate = _resource(reverse_name)
                    self.quads += [(self.term(inner, graph), predicate, subject, graph) for inner in inners]
            elif name != "@id":
                predicate = _resource(name)
                self.quads += [(subject, predicate, self.term(value, graph), graph) for value in values]
        return subject

    def _list(self, targets: list[str], graph: str) -> str:
        head = RDF_NIL
        for target in reversed(targets):
            cell = self._new_blank()
            self.quads += [(cell, RDF_FIRST, target, graph), (cell, RDF_REST, head, graph)]
            head = cell
        return head

    def _new_blank(self) -> str:
        self._blank += 1
        return f"_:b{self._blank}"


def _resource(value: str) -> str:
    """An IRI, or a document's own blank node under a label that is never one of ours."""
    return f"_:x{value}" if value.startswith("_:") else f"<{value}>"


def _literal(item: Mapping[str, Any]) -> str:
    value, datatype = item["@value"], item.get("@type")
    if datatype == "@json":
        return write_literal(canonicalize(value).decode(), f"{RDF}JSON")
    if not isinstance(value, str):
        return write_number(value, datatype)
    if datatype == XSD_DOUBLE:
        return write_literal(canonical_double(float(value)), XSD_DOUBLE)
    if "@direction" in item:
        # As a datatype, which the W3C's suites sign: https://www.w3.org/TR/json-ld11/#the-i18n-namespace.
        language = str(item.get("@language", "")).lower()
        return write_literal(value, f"{I18N}{language}_{item['@direction']}")
    return write_literal(value, datatype, item.get("@language"))
