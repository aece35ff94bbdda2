"""Contexts compiled once: for each term a ready predicate, coercion and container, whatever document asks.

The processor itself resolves every context, scoped ones included; here its results are only remembered, under
the context they were applied to. So what a term means cannot differ from what the slow road says.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count
from typing import Any, Final, TypeVar

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.jsonld import MAX_CONTEXTS, is_absolute_iri
from testamur.registry.rdf.processor import RELATIVE_BASE, RELATIVE_SCHEME, ContextResolver, guarded
from testamur.registry.rdf.terms import NotCertainError, Term

MAX_COMPILED: Final = 512
"""Compiled contexts kept, about 50 kB each. Ordinary traffic needs a few dozen; a document that asks for more
combinations empties the cache and takes the slow road, whose work is counted."""

MAX_NAMES: Final = 256
"""Names remembered per context beyond those that it defines: strangers choose absolute and compact ones."""


_T = TypeVar("_T")


class Compiled:
    """One active context. `previous` is what a type-scoped one is left for when a node inside it begins."""

    __slots__ = (
        "_made",
        "_names",
        "_scoped_types",
        "_space",
        "_terms",
        "prefixes",
        "previous",
        "raw",
        "serial",
    )

    def __init__(self, space: "ContextSpace", raw: Any, previous: "Compiled | None") -> None:
        self.raw = raw
        self.previous = previous
        self.serial = next(_SERIALS)
        mappings = raw["mappings"].items()
        self.prefixes: dict[str, str] = {
            name: mapping["@id"] for name, mapping in mappings if mapping and mapping["_prefix"]
        }
        self._scoped_types = frozenset(
            name for name, mapping in mappings if mapping and mapping.get("@context")
        )
        self._space = space
        self._terms: dict[str, Term] = {}
        self._names: dict[str, str] = {}
        self._made: dict[object, Compiled] = {}

    def term(self, name: str) -> Term:
        """What a member named `name` is here."""
        return self._terms.get(name) or self._compile(name)

    def vocabulary_iri(self, name: str) -> str:
        """The IRI of a type, or of a value among the vocabulary's. Raises NotCertainError."""
        known = self._names.get(name)
        if known is None:
            iri = self._space.expand_iri(self.raw, name, base=RELATIVE_BASE)
            if not isinstance(iri, str) or not is_absolute_iri(iri) or iri.startswith(RELATIVE_SCHEME):
                raise NotCertainError
            known = self._remember(self._names, name, iri)
        return known

    def reference(self, text: str) -> str:
        """The IRI of a reference: absolute, or compact by a declared prefix. Raises NotCertainError."""
        prefix, colon, suffix = text.partition(":")
        if not colon or prefix == "_":
            raise NotCertainError
        if prefix in self.prefixes and not suffix.startswith("//"):
            text = self.prefixes[prefix] + suffix
        if not is_absolute_iri(text) or text.startswith(RELATIVE_SCHEME):
            raise NotCertainError
        return text

    def for_term(self, name: str, source: "Compiled") -> "Compiled":
        """This context with the one scoped to the term `name` of `source` applied (§ property-scoped)."""
        key = (source.serial, name)
        made = self._made.get(key)
        if made is None:
            scoped = source.raw["mappings"][name]["@context"]
            made = self._made[key] = self._space.apply(self, scoped, override_protected=True)
        return made

    def for_types(self, types: list[str]) -> "Compiled":
        """This context with those scoped to `types` applied, in the order of their names; self if none."""
        scoped = tuple(sorted(name for name in types if name in self._scoped_types))
        if not scoped:
            return self
        made = self._made.get(scoped)
        if made is None:
            made = self
            for name in scoped:
                made = self._space.apply(made, self.raw["mappings"][name]["@context"], propagate=False)
            self._made[scoped] = made
        return made

    def for_urls(self, value: Json) -> "Compiled":
        """This context with the document's own `@context` applied. Raises NotCertainError for an object."""
        urls = value if isinstance(value, list) else [value]
        if not 0 < len(urls) <= MAX_CONTEXTS:
            raise NotCertainError
        key = ("@context", *urls) if all(isinstance(url, str) for url in urls) else None
        if key is None:
            raise NotCertainError
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._space.apply(self, urls)
        return made

    def has_term(self, name: str) -> bool:
        """Whether a context defines `name` itself."""
        return name in self.raw["mappings"]

    def _compile(self, name: str) -> Term:
        iri = self._space.expand_iri(self.raw, name)
        mapping = self.raw["mappings"].get(name) or {}
        if self.raw.get("@direction") is not None:
            mapping = {"@direction": self.raw["@direction"], **mapping}
        return self._remember(self._terms, name, Term(name, iri, mapping, self.raw.get("@language")))

    def _remember(self, kept: dict[str, _T], name: str, value: _T) -> _T:
        mappings = self.raw["mappings"]
        if name in mappings or len(kept) < len(mappings) + MAX_NAMES:
            kept[name] = value
        return value


class ContextSpace:
    """The compiled contexts over one set of context documents; the documents must not change afterwards."""

    def __init__(self, contexts: Mapping[str, Json]) -> None:
        self._contexts = contexts
        self._resolver: ContextResolver | None = None
        self._count = 0
        self._root: Compiled | None = None

    def root(self) -> Compiled:
        """The empty context, under which all others are remembered."""
        root = self._root  # another thread may empty the cache meanwhile
        if root is None:
            raw = self._use(lambda processor, options: processor._get_initial_context(options))  # noqa: SLF001
            self._root = root = Compiled(self, raw, None)
        return root

    def apply(
        self, active: Compiled, context: object, *, override_protected: bool = False, propagate: bool = True
    ) -> Compiled:
        """`active` with `context` applied by the processor. Raises NotCertainError when it refuses."""
        if self._count >= MAX_COMPILED:
            self._count, self._root = 0, None
            raise NotCertainError
        raw = self._use(
            lambda processor, options: processor._process_context(  # noqa: SLF001 - it has no public way
                active.raw, context, options, override_protected=override_protected, propagate=propagate
            )
        )
        self._count += 1
        before = raw.get("previousContext")
        return Compiled(self, raw, None if before is None else self._known(before, active))

    def expand_iri(self, raw: Any, name: str, base: str | None = None) -> object:
        """The processor's reading of a name under an active context, vocabulary first."""
        return self._use(lambda processor, _: processor._expand_iri(raw, name, base=base, vocab=True))  # noqa: SLF001

    def _known(self, raw: Any, active: Compiled) -> Compiled:
        known: Compiled | None = active
        while known is not None:
            if known.raw is raw:
                return known
            known = known.previous
        return Compiled(self, raw, None)

    def _use(self, use: Any) -> Any:
        if self._resolver is None:
            self._resolver = ContextResolver(self._contexts)
        try:
            return guarded(use, resolver=self._resolver, on_dropped=_ignore, subject="@context")
        except (MalformedError, VerificationError) as exc:
            raise NotCertainError from exc


class ContextSet(Mapping[str, Json]):
    """Context documents by URL that do not change, compiled once for all documents that use them."""

    __slots__ = ("_documents", "space")

    def __init__(self, documents: Mapping[str, Json]) -> None:
        self._documents = dict(documents)
        self.space = ContextSpace(self._documents)

    def __getitem__(self, url: str) -> Json:
        return self._documents[url]

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def __reduce__(self) -> tuple[object, ...]:
        """To another process without what was compiled here."""
        return type(self), (self._documents,)


def space_of(contexts: Mapping[str, Json] | None) -> ContextSpace:
    """The space of a ContextSet, else the bundled contexts' own: what is used once is not worth compiling.

    A document that needs more than the bundled contexts then takes the slow road. One that does not is read
    alike in both, because nobody can replace a bundled context.
    """
    return contexts.space if isinstance(contexts, ContextSet) else _bundled_space()


@cache
def _bundled_space() -> ContextSpace:
    return ContextSpace({})


_SERIALS: Final = count()


def _ignore(_: str | None) -> None:
    """Nothing is dropped while a context is processed."""
