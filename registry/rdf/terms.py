"""What one name is in one context: a keyword, a property with its coercion and container, or uncertain."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from testamur.registry.jsonld import is_absolute_iri, is_language_tag
from testamur.registry.rdf.processor import RELATIVE_SCHEME
from testamur.registry.rdf.read_by_name import is_disguised


class NotCertainError(Exception):
    """The fast road ends here: the document uses something that only the processor decides."""


class Kind(Enum):
    """What a member of a document is, by its name."""

    ID = "@id"
    TYPE = "@type"
    VALUE = "@value"
    LANGUAGE = "@language"
    PROPERTY = "property"
    UNCERTAIN = "uncertain"


class Container(Enum):
    """How the value of a property is read."""

    PLAIN = "@set"
    LIST = "@list"
    LANGUAGE = "@language"
    GRAPH = "@graph"


_KINDS: Final = {kind.value: kind for kind in (Kind.ID, Kind.TYPE, Kind.VALUE, Kind.LANGUAGE)}
_CONTAINERS: Final = {
    frozenset(): Container.PLAIN,
    frozenset({"@set"}): Container.PLAIN,
    frozenset({"@list"}): Container.LIST,
    frozenset({"@language"}): Container.LANGUAGE,
    frozenset({"@language", "@set"}): Container.LANGUAGE,
    frozenset({"@graph"}): Container.GRAPH,
    frozenset({"@graph", "@set"}): Container.GRAPH,
}


class Term:
    """One name in one context. `coercion` is "@id", "@vocab", a datatype or None; `language` the default."""

    __slots__ = ("coercion", "container", "kind", "language", "predicate", "scoped")

    def __init__(
        self, name: str, iri: object, mapping: Mapping[str, Any], default_language: str | None
    ) -> None:
        self.scoped = mapping.get("@context") is not None
        self.predicate = f"<{iri}>"
        coercion = mapping.get("@type")
        self.coercion: str | None = None if coercion == "@none" else coercion
        self.language: str | None = mapping.get("@language", default_language)
        container = _CONTAINERS.get(frozenset(mapping.get("@container", ())))
        self.container = container or Container.PLAIN
        self.kind = _KINDS.get(str(iri), Kind.UNCERTAIN)
        if (
            isinstance(iri, str)
            and is_absolute_iri(iri)
            and not iri.startswith(RELATIVE_SCHEME)
            and container is not None
            and not mapping.get("reverse")
            and not is_disguised(name, iri)
            and coercion != "@json"
            and (coercion is None or coercion.startswith("@") or is_absolute_iri(coercion))
            and (self.language is None or is_language_tag(self.language))
            and mapping.get("@direction") is None
        ):
            self.kind = Kind.PROPERTY
