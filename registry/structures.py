"""All that the JSON-LD safety of a document can depend on, as 32 bytes: expand once per structure."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.contexts import find_context
from testamur.registry.hashing import sha256
from testamur.registry.jsonld import is_absolute_iri, is_exact, is_keyword_like

_KEYWORDS = ("@type", "@value", "@language")
"""Keywords whose values are looked up or have a form; a tuple, because a context may hold anything."""


def string_class(text: str) -> str:
    """One letter for what a reference could be: blank node, absolute, keyword-like, or other text.

    Within one letter, every string at one place of a document has the same effect on `expand_safely`, unless
    the place is one where terms are looked up (types), or where a text must be a number or a language tag.
    """
    if text.startswith("_:"):
        return "B"
    if is_absolute_iri(text):
        return "I"
    return "K" if is_keyword_like(text) else "T"


def structure_key(document: Mapping[str, Json], *, contexts: Mapping[str, Json] | None = None) -> bytes:
    """32 bytes that are equal only for documents which `expand_safely` treats alike.

    It covers everything on which safety can depend: contexts, member names, types, the kinds of values, and
    of every string whether it is an absolute reference. A batch from one template expands once per key.
    """
    verbatim = {"type", "@type"}
    for url_or_context in _contexts_of(document):
        verbatim |= _verbatim_members_of(url_or_context, contexts or {})
    parts: list[str] = []
    _describe(document, None, frozenset(verbatim), parts.append)
    return sha256("".join(parts).encode("utf-8", "surrogatepass"))


def _describe(
    value: "Json | Mapping[str, Json]",
    name: str | None,
    verbatim: frozenset[str],
    put: Callable[[str], None],
) -> None:
    """Write the shape of `value`, member `name` of its parent, without what safety cannot depend on."""
    if isinstance(value, str):
        if name is not None and (name in verbatim or name.startswith("@")):
            put(f"={len(value)}:{value}")
        else:
            put(string_class(value))
    elif isinstance(value, Mapping):
        put("{")
        for member, item in value.items():
            put(f"{len(member)}:{member}")
            if member == "@context":
                put(canonicalize(item).decode())
            else:
                _describe(item, member, verbatim, put)
        put("}")
    elif isinstance(value, list):
        put("[")
        for item in value:
            _describe(item, name, verbatim, put)
        put("]")
    else:
        put("0" if value is None else "b" if isinstance(value, bool) else "n" if is_exact(value) else "x")


def _contexts_of(value: Mapping[str, Json]) -> Iterator[Json]:
    """Every context, by URL or inline, that stands anywhere in the document."""
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            for name, member in item.items():
                if name == "@context":
                    yield from member if isinstance(member, list) else [member]
                elif isinstance(member, list | dict):
                    stack.append(member)
        elif isinstance(item, list):
            stack += [member for member in item if isinstance(member, list | dict)]


def _verbatim_members_of(context: Json, contexts: Mapping[str, Json]) -> frozenset[str]:
    if not isinstance(context, str):
        return _verbatim_members(context)
    bundled = _verbatim_members_of_bundled(context)
    return bundled if bundled is not None else _verbatim_members(contexts.get(context))


@cache
def _verbatim_members_of_bundled(url: str) -> frozenset[str] | None:
    document = find_context(url)
    return None if document is None else _verbatim_members(document)


def _verbatim_members(definition: Json) -> frozenset[str]:
    """Terms whose values safety looks at: other names for keywords, members typed `@vocab` or as a double."""
    found: set[str] = set()
    stack: list[Json] = [definition]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        elif isinstance(value, dict):
            for name, item in value.items():
                long_form = item if isinstance(item, dict) else {}
                kind = long_form.get("@type")
                if (
                    item in _KEYWORDS
                    or long_form.get("@id") in _KEYWORDS
                    or kind == "@vocab"
                    or (isinstance(kind, str) and kind.endswith("double"))
                ):
                    found.add(name)
                stack.append(item)
    return frozenset(found)
