"""The fast road from a document to statements: one walk over the JSON, with contexts compiled beforehand.

It knows the features that credentials use. Anything else (inline contexts, blank node ids, nested lists, JSON
literals, index maps, and everything that is to be refused) raises NotCertainError, and the processor decides.
§ numbers are those of the JSON-LD 1.1 Processing Algorithms.
"""

from collections.abc import Mapping
from typing import Any

from testamur.registry.canonical import Json
from testamur.registry.jsonld import MAX_NODES, is_exact, is_language_tag
from testamur.registry.rdf.compiled_contexts import Compiled, ContextSpace
from testamur.registry.rdf.literals import XSD_DOUBLE, write_number
from testamur.registry.rdf.quads import RDF_FIRST, RDF_NIL, RDF_REST, RDF_TYPE, Quad, write_literal
from testamur.registry.rdf.terms import Container, Kind, NotCertainError, Term


def quads_by_walk(document: Mapping[str, Json], space: ContextSpace) -> list[Quad]:
    """The statements of `document`, repeated ones as often as they are said. Raises NotCertainError."""
    walk = _Walk()
    try:
        walk.node(space.root(), None, dict(document), "")
    except RecursionError as exc:
        raise NotCertainError from exc
    # What is said in no statement at all is for the slow road to refuse; and so is what is too long.
    if not walk.quads or walk.seen > MAX_NODES:
        raise NotCertainError
    return walk.quads


class _Walk:
    """The statements found so far, and how many values were seen (as `jsonld.check_input` counts them)."""

    __slots__ = ("_blank", "quads", "seen")

    def __init__(self) -> None:
        self.quads: list[Quad] = []
        self.seen = 1
        self._blank = 0

    def node(self, active: Compiled, name: str | None, element: dict[str, Any], graph: str) -> str:
        """The term for an object that is the value of the member `name`; says what it says (§5.1.2)."""
        outside = active
        self.seen += len(element)
        previous = active.previous
        if previous is not None and not _stays(active, element):
            active = previous
        if name is not None and outside.term(name).scoped:
            active = active.for_term(name, outside)
        if "@context" in element:
            self.seen -= 1
            active = active.for_urls(element["@context"])
        typed = active  # what types are looked up in, before their own contexts apply
        type_name = None
        for member in element:
            if member != "@context" and active.term(member).kind is Kind.TYPE:
                if type_name is not None:
                    raise NotCertainError
                type_name = member
        types: list[str] = []
        if type_name is not None:
            types = self._types(element[type_name])
            active = active.for_types(types)
        return self._members(active, typed, (type_name, types), element, graph)

    def _types(self, value: Any) -> list[str]:
        types = [value]
        if isinstance(value, list):
            self.seen += len(value)
            types = value
        if not all(isinstance(item, str) for item in types):
            raise NotCertainError
        return types

    def _members(
        self,
        active: Compiled,
        typed: Compiled,
        type_member: tuple[str | None, list[str]],
        element: dict[str, Any],
        graph: str,
    ) -> str:
        type_name, types = type_member
        subject = None
        properties = []
        for member, value in element.items():
            if member == "@context":
                continue
            term = active.term(member)
            kind = term.kind
            if kind is Kind.PROPERTY:
                properties.append((term, member, value))
            elif kind is Kind.ID:
                if subject is not None or not isinstance(value, str):
                    raise NotCertainError
                subject = f"<{active.reference(value)}>"
            elif kind is Kind.TYPE:
                if member != type_name:
                    raise NotCertainError
            elif kind is Kind.VALUE:
                return _value_object(active, typed, element)
            else:
                raise NotCertainError
        if type_name is not None and active.term(type_name).kind is not Kind.TYPE:
            raise NotCertainError
        if subject is None:
            subject = self._new_blank()
        for kind_name in types:
            self.quads.append((subject, RDF_TYPE, f"<{typed.vocabulary_iri(kind_name)}>", graph))
        for term, member, value in properties:
            self._property(active, (term, member), value, subject, graph)
        return subject

    def _property(
        self, active: Compiled, named: tuple[Term, str], value: Any, subject: str, graph: str
    ) -> None:
        term, name = named
        inside, inner = active, term
        if term.scoped:
            inside = active.for_term(name, active)
            inner = inside.term(name)
        container = term.container
        if container is Container.LANGUAGE and isinstance(value, dict):
            self._language_map(inside, value, subject, term.predicate, graph)
            return
        values = [value]
        if isinstance(value, list):
            self.seen += len(value)
            values = value
        if inner.kind is not Kind.PROPERTY and not all(isinstance(item, dict) for item in values):
            raise NotCertainError  # its scoped context takes away what the term means for a plain value
        if container is Container.GRAPH:
            for item in values:
                within = self._new_blank()
                self.quads.append((subject, term.predicate, within, graph))
                if isinstance(item, dict):
                    if self.node(inside, name, item, within)[0] == '"':
                        raise NotCertainError
                elif not isinstance(item, str) or inner.coercion not in ("@id", "@vocab"):
                    raise NotCertainError
                else:
                    self._object(inside, inner, name, item, within)
            return
        targets = [self._object(inside, inner, name, item, graph) for item in values]
        if container is Container.LIST:
            self.quads.append((subject, term.predicate, self._list(targets, graph), graph))
            return
        for target in targets:
            self.quads.append((subject, term.predicate, target, graph))

    def _object(self, inside: Compiled, term: Term, name: str, value: Any, graph: str) -> str:
        """§5.3.2 and §8.2.2: what a single value is, by the coercion of its term."""
        coercion = term.coercion
        if isinstance(value, str):
            if coercion is None:
                return write_literal(value, None, term.language)
            if coercion == "@id":
                return f"<{inside.reference(value)}>"
            if coercion == "@vocab":
                return f"<{inside.vocabulary_iri(value)}>"
            if coercion == XSD_DOUBLE:
                raise NotCertainError
            return write_literal(value, coercion)
        if isinstance(value, dict):
            return self.node(inside, name, value, graph)
        return _number(value, None if coercion in ("@id", "@vocab") else coercion)

    def _list(self, targets: list[str], graph: str) -> str:
        """An RDF collection; its head."""
        head = RDF_NIL
        for target in reversed(targets):
            cell = self._new_blank()
            self.quads.append((cell, RDF_FIRST, target, graph))
            self.quads.append((cell, RDF_REST, head, graph))
            head = cell
        return head

    def _language_map(
        self, inside: Compiled, texts: dict[str, Any], subject: str, predicate: str, graph: str
    ) -> None:
        self.seen += len(texts)
        for language, value in texts.items():
            if not is_language_tag(language) or inside.has_term(language):
                raise NotCertainError
            values = [value]
            if isinstance(value, list):
                self.seen += len(value)
                values = value
            for text in values:
                if not isinstance(text, str):
                    raise NotCertainError
                self.quads.append((subject, predicate, write_literal(text, None, language.lower()), graph))

    def _new_blank(self) -> str:
        self._blank += 1
        return f"_:b{self._blank}"


def _stays(active: Compiled, element: dict[str, Any]) -> bool:
    """Whether a type-scoped context reaches into this object: a value or a mere reference (§5.1.2, 7)."""
    if len(element) > 2 or "@context" in element:
        return False
    kinds = [active.term(member).kind for member in element]
    return Kind.VALUE in kinds or kinds == [Kind.ID]


def _value_object(active: Compiled, typed: Compiled, element: dict[str, Any]) -> str:
    """A literal written out: a string, number or boolean with at most a type or a language."""
    found: dict[Kind, Any] = {}
    for member, value in element.items():
        if member == "@context":
            continue
        kind = active.term(member).kind
        if kind in found or kind not in (Kind.VALUE, Kind.TYPE, Kind.LANGUAGE):
            raise NotCertainError
        found[kind] = value
    value = found[Kind.VALUE]
    datatype = None
    if Kind.TYPE in found:
        if not isinstance(found[Kind.TYPE], str) or Kind.LANGUAGE in found:
            raise NotCertainError
        datatype = typed.vocabulary_iri(found[Kind.TYPE])
    if not isinstance(value, str):
        if Kind.LANGUAGE in found:
            raise NotCertainError
        return _number(value, datatype)
    if datatype == XSD_DOUBLE:
        raise NotCertainError
    language = found.get(Kind.LANGUAGE)
    if language is None:
        return write_literal(value, datatype)
    if not isinstance(language, str) or not is_language_tag(language):
        raise NotCertainError
    return write_literal(value, None, language.lower())


def _number(value: Any, datatype: str | None) -> str:
    if not isinstance(value, bool) and not (isinstance(value, int | float) and is_exact(value)):
        raise NotCertainError
    return write_number(value, datatype)
