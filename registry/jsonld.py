"""JSON-LD in safe mode: nothing that a document says is silently outside of what its contexts define.

Digests never depend on JSON-LD (they hash RFC 8785 bytes); this is the check that a term means something
before it is signed. What is accepted, what is refused and why: docs/spec/json-ld.md.
"""

import math
import re
from collections.abc import Mapping

from testamur.registry.canonical import MAX_SAFE_INTEGER, Json
from testamur.registry.errors import MalformedError
from testamur.registry.rdf.processor import RELATIVE_BASE, RELATIVE_SCHEME, ContextWork, expand

MAX_CONTEXTS = 16
"""Contexts in one @context list; each is processed anew for every node below it."""

MAX_NODES = 20_000
"""Values in one document. An award has about 150; expansion copies each several times."""

_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")
_KEYWORD_LIKE = re.compile(r"@[A-Za-z]+")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_XSD_DOUBLE = "http://www.w3.org/2001/XMLSchema#double"

_DOCUMENT_KEYWORDS = frozenset(
    {"@context", "@id", "@type", "@value", "@language", "@direction", "@list", "@set", "@json"}
)
"""Keywords that may stand in a document. `@graph`, `@included`, `@reverse` and `@nest` let values float free
of any node, and no credential needs them."""

_DIRECTIONS = ("ltr", "rtl")

_CONTEXT_KEYWORDS = frozenset({"@vocab", "@base", "@version", "@protected"})
"""Keywords of an inline context. `@import` would fetch, `@language` and `@direction` change every text."""

_TERM_KEYWORDS = frozenset({"@id", "@type", "@container", "@context", "@protected", "@prefix", "@language"})
"""Keywords of a term's definition in an inline context. `@reverse` and `@nest` let values change places."""

_CONTAINERS = frozenset({"@list", "@set", "@language", "@graph"})
"""Containers in an inline context. The keys of the others (`@index`, `@id`, `@type`) are lost, or names."""


def expand_safely(
    document: Mapping[str, Json],
    *,
    contexts: Mapping[str, Json] | None = None,
    subject: str = "document",
    work: ContextWork | None = None,
) -> list[Json]:
    """The expanded document, when every term, type and reference in it is defined.

    `contexts` are further context documents by URL; they cannot replace a bundled one. Refused, naming the
    culprit: unknown context URLs, members and types that no context defines, relative references, nulls,
    misspelt keywords, numbers that others read differently. The rules follow the safe
    mode of jsonld.js. Raises MalformedError, and VerificationError("context-work-too-much").
    """
    check_input(document, subject)

    def refuse(term: str | None) -> None:
        named = f"{term!r}" if term else "a member that its context maps to null"
        raise MalformedError(subject, f"{named} is not defined by any context, and would not be part of it")

    expanded = expand(document, contexts=contexts or {}, on_dropped=refuse, subject=subject, work=work)
    if not expanded:
        raise MalformedError(subject, "says nothing once its contexts are applied")
    _check_expanded(expanded, subject)
    return expanded


def is_absolute_iri(text: str) -> bool:
    """Whether `text` is a reference that means the same everywhere: scheme, colon, no spaces or brackets."""
    return _ABSOLUTE_IRI.fullmatch(text) is not None


def is_keyword_like(text: str) -> bool:
    """Whether a processor ignores `text` as a name, because it could become a keyword (JSON-LD 1.1 §9.16)."""
    return _KEYWORD_LIKE.fullmatch(text) is not None


def is_language_tag(text: str) -> bool:
    """Whether `text` has the form of a language tag (BCP 47): anything else could end the literal early."""
    return _LANGUAGE_TAG.fullmatch(text) is not None


# ------------------------------------------------------------------------------------------ before expansion


def check_input(document: Mapping[str, Json], subject: str) -> None:
    """Refuse what the processor would drop, round or follow silently. Raises MalformedError."""
    stack: list[tuple[Json, str]] = [(dict(document), "")]
    seen = 0
    while stack:
        value, where = stack.pop()
        seen += 1
        if seen > MAX_NODES:
            raise MalformedError(subject, f"has more than {MAX_NODES} values")
        if value is None:
            raise MalformedError(f"{subject} {where}", "is null, which JSON-LD drops; leave the member out")
        if isinstance(value, int | float) and not is_exact(value):
            raise MalformedError(f"{subject} {where}", "is a number that others read differently")
        if isinstance(value, list):
            stack += [(item, f"{where}/{number}") for number, item in enumerate(value)]
        elif isinstance(value, dict):
            for name, item in value.items():
                _check_member(name, item, f"{where}/{name}", subject)
                if name != "@context":
                    stack.append((item, f"{where}/{name}"))


def is_exact(value: float) -> bool:
    """Whether all read this number alike: an integer below 2^53, or a finite double but minus zero."""
    if isinstance(value, int):
        return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
    return math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0)


def _check_member(name: str, value: Json, where: str, subject: str) -> None:
    if name == "@context":
        if isinstance(value, list) and len(value) > MAX_CONTEXTS:
            raise MalformedError(f"{subject} {where}", f"has {len(value)} contexts, more than {MAX_CONTEXTS}")
        _check_context(value, where, subject)
    elif name.startswith("@") and name not in _DOCUMENT_KEYWORDS:
        raise MalformedError(f"{subject} {where}", f"the keyword {name!r} is not used in credentials")
    elif name == "@direction" and value not in _DIRECTIONS:
        raise MalformedError(f"{subject} {where}", "must be ltr or rtl")
    elif name == "@language" and not (isinstance(value, str) and is_language_tag(value)):
        raise MalformedError(f"{subject} {where}", "must be a language tag (BCP 47)")


def _check_context(value: Json, where: str, subject: str) -> None:
    """Inline contexts, and those inside their terms: only what cannot lose, move or fetch anything."""
    stack: list[Json] = [_unwrapped(item) for item in value] if isinstance(value, list) else [value]
    while stack:
        context = stack.pop()
        if isinstance(context, list):
            stack += context
        elif isinstance(context, dict):
            for name, definition in context.items():
                if is_keyword_like(name) and name not in _CONTEXT_KEYWORDS and name != "@type":
                    reason = f"the inline context member {name!r} is not used in credentials"
                    raise MalformedError(f"{subject} {where}", reason)
                if isinstance(definition, dict):
                    _check_term(name, definition, f"{subject} {where}")
                    stack.append(definition.get("@context"))


def _unwrapped(context: Json) -> Json:
    """The definitions of a context in a list that is written as a document: processors look into those."""
    if isinstance(context, dict) and list(context) == ["@context"] and isinstance(context["@context"], dict):
        return context["@context"]
    return context


def _check_term(name: str, definition: dict[str, Json], where: str) -> None:
    strange = sorted(set(definition) - _TERM_KEYWORDS)
    if strange:
        raise MalformedError(
            where, f"the member {strange[0]!r} of the term {name!r} is not used in credentials"
        )
    containers = definition.get("@container", [])
    for container in containers if isinstance(containers, list) else [containers]:
        if container not in _CONTAINERS:
            raise MalformedError(where, f"the container {container!r} of the term {name!r} is not used")


# ------------------------------------------------------------------------------------------- after expansion


def _check_expanded(expanded: list[Json], subject: str) -> None:
    """Every reference that is left is absolute: a relative one would mean something else to every reader."""
    stack: list[Json] = list(expanded)
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        elif isinstance(value, dict):
            if "@value" in value:
                _check_value(value, subject)
                continue
            for name, item in value.items():
                if name == "@id":
                    _check_reference(item, "the reference", subject)
                elif name == "@type":
                    for kind in item if isinstance(item, list) else [item]:
                        _check_reference(kind, "the type", subject)
                elif name in {"@graph", "@list", "@set", "@reverse"}:
                    _check_inner(name, item, subject)
                    stack.append(item)
                elif name.startswith("@"):
                    raise MalformedError(subject, f"has {name!r} after expansion, which RDF does not keep")
                elif not is_absolute_iri(name) or name.startswith(RELATIVE_SCHEME):
                    kind = "a blank node" if name.startswith("_:") else "not an absolute URL"
                    raise MalformedError(subject, f"the member {name!r} is {kind}")
                else:
                    stack.append(item)


def _check_inner(name: str, items: Json, subject: str) -> None:
    """Values in a graph of their own belong to no node, and would be lost."""
    if name == "@graph" and isinstance(items, list):
        for item in items:
            if not isinstance(item, dict) or "@value" in item or "@list" in item:
                raise MalformedError(subject, "has a plain value where an object is expected")


def _check_value(value: dict[str, Json], subject: str) -> None:
    for name in value:
        if name not in {"@value", "@type", "@language", "@direction"}:
            raise MalformedError(subject, f"a value has {name!r}, which RDF does not keep")
    language = value.get("@language")
    if language is not None and not (isinstance(language, str) and is_language_tag(language)):
        raise MalformedError(subject, f"{str(language)[:80]!r} is not a language tag (BCP 47)")
    if "@direction" in value and not (
        isinstance(value["@value"], str) and value["@direction"] in _DIRECTIONS
    ):
        raise MalformedError(subject, "only text has a '@direction', which is ltr or rtl")
    kind = value.get("@type")
    if kind is not None and kind != "@json":
        _check_reference(kind, "the type", subject)
    content = value["@value"]
    if kind == _XSD_DOUBLE and isinstance(content, str) and not _is_number(content):
        raise MalformedError(subject, f"{content[:80]!r} is not a number that everybody reads alike")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and is_exact(float(text))


def _check_reference(value: Json, kind: str, subject: str) -> None:
    if isinstance(value, str) and value.startswith(RELATIVE_SCHEME):
        shown = value.removeprefix(RELATIVE_BASE)[:200]
        missing = "is not defined by any context" if kind == "the type" else "is not an absolute URL"
        raise MalformedError(subject, f"{kind} {shown!r} {missing}")
    if not isinstance(value, str) or not (is_absolute_iri(value) or value.startswith("_:")):
        raise MalformedError(subject, f"{kind} {str(value)[:200]!r} is not an absolute URL")
