"""JSON-LD in safe mode: nothing that a document says is silently outside of what its contexts define.

Digests never depend on JSON-LD (they hash RFC 8785 bytes); this is the check that a term means something
before it is signed. The processor is loaded on first use, because importing it costs 0.2 s.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from testamur.registry.canonical import Json
from testamur.registry.contexts import find_context
from testamur.registry.errors import MalformedError

RELATIVE_BASE = "testamur-relative://relative.invalid/"
"""What relative references are resolved against, to recognise them: a scheme that nothing else has."""

MAX_CONTEXTS = 16
"""Contexts in one @context list; each is processed anew for every node below it."""

MAX_NODES = 20_000
"""Values in one document. An award has about 150; expansion copies each several times."""

_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")
_KEYWORD_LIKE = re.compile(r"@[A-Za-z]+")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_DOCUMENT_KEYWORDS = frozenset({"@context", "@id", "@type", "@value", "@language", "@list", "@set", "@json"})
"""Keywords that may stand in a document. `@direction` is lost by the processor, `@graph`, `@included`,
`@reverse` and `@nest` let values float free of any node, and no credential needs them."""


def expand_safely(
    document: Mapping[str, Json], *, contexts: Mapping[str, Json] | None = None, subject: str = "document"
) -> list[Json]:
    """The expanded document, when every term, type and reference in it is defined.

    `contexts` are further context documents by URL; they cannot replace a bundled one. Refused, naming the
    culprit: unknown context URLs, members and types that no context defines, relative references, nulls,
    text directions, misspelt keywords. The rules follow the safe mode of jsonld.js. Raises MalformedError.
    """
    _check_input(document, subject)
    from pyld import jsonld  # noqa: PLC0415 - 0.2 s that only issuing and strict verification pay

    def refuse(term: str | None) -> None:
        named = f"{term!r}" if term else "a member that its context maps to null"
        raise MalformedError(subject, f"{named} is not defined by any context, and would not be part of it")

    try:
        expanded: list[Json] = jsonld.expand(
            dict(document),
            options={"base": RELATIVE_BASE, "contextResolver": _resolver(contexts or {})},
            on_property_dropped=refuse,
        )
    except (jsonld.JsonLdError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
        # The processor meets odd inline contexts with whatever its code stumbles over.
        raise _our_error(exc, subject) from exc
    except RecursionError as exc:
        raise MalformedError(subject, "is nested too deeply for its contexts") from exc
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


# ------------------------------------------------------------------------------------------ before expansion


def _check_input(document: Mapping[str, Json], subject: str) -> None:
    """Refuse what the processor would drop without calling anybody."""
    stack: list[tuple[Json, str]] = [(dict(document), "")]
    seen = 0
    while stack:
        value, where = stack.pop()
        seen += 1
        if seen > MAX_NODES:
            raise MalformedError(subject, f"has more than {MAX_NODES} values")
        if value is None:
            raise MalformedError(f"{subject} {where}", "is null, which JSON-LD drops; leave the member out")
        if isinstance(value, list):
            stack += [(item, f"{where}/{number}") for number, item in enumerate(value)]
        elif isinstance(value, dict):
            for name, item in value.items():
                _check_member(name, item, f"{where}/{name}", subject)
                if name != "@context":
                    stack.append((item, f"{where}/{name}"))


def _check_member(name: str, value: Json, where: str, subject: str) -> None:
    if name == "@context":
        if isinstance(value, list) and len(value) > MAX_CONTEXTS:
            raise MalformedError(f"{subject} {where}", f"has {len(value)} contexts, more than {MAX_CONTEXTS}")
        _check_context(value, where, subject)
    elif name.startswith("@") and name not in _DOCUMENT_KEYWORDS:
        raise MalformedError(f"{subject} {where}", f"the keyword {name!r} is not used in credentials")
    elif name == "@language" and not (isinstance(value, str) and _LANGUAGE_TAG.fullmatch(value)):
        raise MalformedError(f"{subject} {where}", "must be a language tag (BCP 47)")


def _check_context(value: Json, where: str, subject: str) -> None:
    """Inline contexts: the processor ignores names that look like keywords, so they are refused here."""
    for item in value if isinstance(value, list) else [value]:
        for name in item if isinstance(item, dict) else ():
            if _KEYWORD_LIKE.fullmatch(name) and name not in {"@vocab", "@base", "@version", "@protected"}:
                reason = f"the inline context member {name!r} is not used in credentials"
                raise MalformedError(f"{subject} {where}", reason)


def _resolver(contexts: Mapping[str, Json]) -> Any:
    """A resolver of the processor with a cache of its own: the shared one would mix up callers' documents."""
    if not contexts:
        return _bundled_resolver()
    return _make_resolver(contexts)


@cache
def _bundled_resolver() -> Any:
    return _make_resolver({})


def _make_resolver(contexts: Mapping[str, Json]) -> Any:
    from cachetools import LRUCache  # noqa: PLC0415 - belongs to the processor, and is loaded with it
    from pyld.context_resolver import ContextResolver  # noqa: PLC0415 - likewise

    def load(url: str, _options: object) -> dict[str, Any]:
        found = find_context(url) or contexts.get(url)
        if not isinstance(found, dict):
            raise MalformedError(
                "@context", f"the context {url[:200]} is not bundled; pass it with --context-file"
            )
        return {
            "contextUrl": None,
            "documentUrl": url,
            "document": found,
            "contentType": "application/ld+json",
        }

    return ContextResolver(LRUCache(maxsize=64), load)


def _our_error(error: BaseException, subject: str) -> MalformedError:
    """What the processor complained about, in one line; an error of ours that it wrapped is given back."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MalformedError):
            return cause
        cause = cause.__cause__
    words = str(error.args[0]) if error.args else type(error).__name__
    return MalformedError(subject, f"is not valid JSON-LD: {words[:200]}")


# ------------------------------------------------------------------------------------------- after expansion


def _check_expanded(expanded: list[Json], subject: str) -> None:
    """Every reference that is left is absolute: a relative one would mean something else to every reader."""
    stack: list[Json] = list(expanded)
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        elif isinstance(value, dict):
            for name, item in value.items():
                if name == "@id":
                    _check_reference(item, "the reference", subject)
                elif name == "@type":
                    for kind in item if isinstance(item, list) else [item]:
                        if kind != "@json":
                            _check_reference(kind, "the type", subject)
                elif name.startswith("_:"):
                    raise MalformedError(subject, f"the member {name!r} is a blank node")
                elif name not in {"@value", "@language", "@index"}:
                    stack.append(item)


def _check_reference(value: Json, kind: str, subject: str) -> None:
    if isinstance(value, str) and value.startswith(RELATIVE_BASE.partition(":")[0] + ":"):
        shown = value.removeprefix(RELATIVE_BASE)[:200]
        missing = "is not defined by any context" if kind == "the type" else "is not an absolute URL"
        raise MalformedError(subject, f"{kind} {shown!r} {missing}")
    if not isinstance(value, str) or not (is_absolute_iri(value) or value.startswith("_:")):
        raise MalformedError(subject, f"{kind} {str(value)[:200]!r} is not an absolute URL")
