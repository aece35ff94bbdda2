"""The JSON-LD processor behind bounds: it fetches nothing, shares nothing by mistake, its work is counted.

The library is loaded on first use, because importing it costs 0.2 s.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from testamur.registry.canonical import Json
from testamur.registry.contexts import find_context
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.rdf.read_by_name import READ_BY_NAME, is_disguised

RELATIVE_BASE: Final = "testamur-relative://relative.invalid/"
"""What relative references are resolved against, to recognise them: a scheme that nothing else has."""

RELATIVE_SCHEME: Final = RELATIVE_BASE.partition(":")[0] + ":"
"""What a reference begins with that was relative; nobody may begin one with it."""

MAX_CONTEXT_WORK: Final = 60_000
"""Term definitions and copies of contexts for one document, about 5 µs each. An award needs a few thousand;
thousands of small contexts inside one document would need millions."""

MAX_SHARED_CONTEXT_WORK: Final = 4 * MAX_CONTEXT_WORK
"""The same for everything under one document's proofs: the document with each set of them, and each proof."""

COPIED_PER_STEP: Final = 40
"""Terms that are copied with a context in the time of one step."""

MAX_CONTEXT_CHAIN: Final = 10
"""Contexts that consist of the URL of the next one; more are a circle."""

_MAX_REMEMBERED: Final = 8
"""Results kept per context and what it was applied to; emptied when full."""


class ContextWork:
    """The steps that are left to everything that is expanded for one secured document."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_SHARED_CONTEXT_WORK


class UnknownContextError(MalformedError):
    """A context that is neither bundled nor supplied: what its terms mean cannot be known here."""

    def __init__(self, url: str) -> None:
        shown = url[:200]
        super().__init__("@context", f"the context {shown} is not bundled; pass it with --context-file")
        self.url = shown


def expand(
    document: Mapping[str, Json],
    *,
    contexts: Mapping[str, Json],
    on_dropped: Callable[[str | None], None],
    subject: str,
    work: ContextWork | None = None,
) -> list[Json]:
    """The expanded document. Raises MalformedError, and VerificationError("too-much-work")."""

    def run(processor: Any, options: dict[str, Any]) -> Any:
        return processor.expand(dict(document), options)

    expanded: list[Json] = guarded(
        run, resolver=ContextResolver(contexts), on_dropped=on_dropped, subject=subject, work=work
    )
    return expanded


def guarded(
    use: Callable[[Any, dict[str, Any]], Any],
    *,
    resolver: "ContextResolver",
    on_dropped: Callable[[str | None], None],
    subject: str,
    work: ContextWork | None = None,
) -> Any:
    """What `use(processor, options)` returns; what the processor stumbles over becomes an error of ours."""
    processor, json_ld_error = _processor_class()
    options = {"base": RELATIVE_BASE, "contextResolver": resolver, "processingMode": "json-ld-1.1"}
    try:
        return use(processor(on_dropped, subject, work or ContextWork()), options)
    except (json_ld_error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
        # The processor meets odd inline contexts with whatever its code stumbles over.
        raise _our_error(exc, subject) from exc
    except RecursionError as exc:
        raise MalformedError(subject, "is nested too deeply for its contexts") from exc


def load_context(url: str, contexts: Mapping[str, Json]) -> dict[str, Json]:
    """The context document at `url`: the bundled one, else the caller's. Raises MalformedError."""
    bundled = find_context(url)
    found = contexts.get(url) if bundled is None else bundled
    if found is None:
        raise UnknownContextError(url)
    if not isinstance(found, dict):
        raise MalformedError(
            f"context {url[:200]}", "is not an object; a context document has a member @context"
        )
    return found


class Resolved:
    """One context, and what it makes of the contexts that it was applied to.

    The library's own class keeps these in a cache that two threads can break.
    """

    __slots__ = ("_made", "document")

    def __init__(self, document: Any) -> None:
        self.document = document
        self._made: dict[str, Any] = {}

    def get_processed(self, active: Mapping[str, Any]) -> Any:
        """The result that is remembered for `active`, or None."""
        return self._made.get(active["_uuid"])

    def set_processed(self, active: Mapping[str, Any], processed: Any) -> None:
        """Remember a result."""
        if len(self._made) >= _MAX_REMEMBERED:
            self._made.clear()
        self._made[active["_uuid"]] = processed


class ContextResolver:
    """Finds contexts for one document: bundled ones are shared by all, the caller's belong to this one."""

    def __init__(self, contexts: Mapping[str, Json]) -> None:
        self._contexts = contexts
        self._own_urls: dict[str, list[Resolved]] = {}
        self._own_objects: dict[int, Resolved] = {}

    def resolve(
        self, _active: object, context: Any, _base: object, _cycles: object = None, depth: int = 0
    ) -> list[Resolved]:
        """Called by the processor: one entry for each context in `context`."""
        if isinstance(context, Mapping) and "@context" in context:
            context = context["@context"]
        found: list[Resolved] = []
        for item in context if isinstance(context, list) else [context]:
            if isinstance(item, str):
                found += self._at(item, depth)
            elif item is None or item is False:
                found.append(Resolved(False))
            elif isinstance(item, Mapping):
                found.append(self._of_object(item))
            else:
                raise MalformedError("@context", f"holds {str(item)[:80]!r}, which is no context")
        return found

    def _at(self, url: str, depth: int) -> list[Resolved]:
        known = _shared_urls().get(url) or self._own_urls.get(url)
        if known is not None:
            return known
        if depth >= MAX_CONTEXT_CHAIN:
            raise MalformedError("@context", f"the context {url[:200]} leads back to itself")
        document = load_context(url, self._contexts)
        shared = find_context(url) is not None
        # The processor writes into contexts that it imports: it gets a copy.
        context = copy.deepcopy(document.get("@context", {}))
        if any("@import" in inner for inner in _objects_in(context)):
            raise MalformedError(f"context {url[:200]}", "imports another context (@import); write it out")
        resolved = self.resolve(None, context, None, depth=depth + 1)
        (_shared_urls() if shared else self._own_urls)[url] = resolved
        if shared:
            for inner in _objects_in(context):
                _shared_objects()[id(inner)] = Resolved(inner)
        return resolved

    def _of_object(self, context: Mapping[str, Any]) -> Resolved:
        known = _shared_objects().get(id(context)) or self._own_objects.get(id(context))
        if known is None or known.document is not context:
            known = self._own_objects[id(context)] = Resolved(context)
        return known


@cache
def _shared_urls() -> dict[str, list[Resolved]]:
    return {}


@cache
def _shared_objects() -> dict[int, Resolved]:
    """By identity: these objects belong to the bundled contexts above, and live as long."""
    return {}


def _objects_in(context: Any) -> Iterator[dict[str, Any]]:
    stack = [context]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack += item.values()
        elif isinstance(item, list):
            stack += item


@cache
def _processor_class() -> tuple[Any, type[Exception]]:
    from pyld import jsonld  # noqa: PLC0415 - 0.2 s that only issuing and strict verification pay

    class Bounded(jsonld.JsonLdProcessor):  # type: ignore[misc]
        """The library's processor, with its two dear steps counted."""

        def __init__(
            self, on_dropped: Callable[[str | None], None], subject: str, shared: ContextWork
        ) -> None:
            super().__init__(on_dropped)
            self._shared = shared
            self._subject = subject
            self.work = 0

        def _clone_active_context(self, active: Any, *args: Any, **options: Any) -> Any:
            self._count(1 + len(active["mappings"]) // COPIED_PER_STEP)
            return super()._clone_active_context(active, *args, **options)

        def _create_term_definition(self, *args: Any, **options: Any) -> Any:
            self._count()
            return super()._create_term_definition(*args, **options)

        def _expand_object(
            self, active: Any, name: Any, iri: Any, element: Any, *args: Any, **more: Any
        ) -> Any:
            for member in element:
                meant = None if member == "@context" else self._expand_iri(active, member, vocab=True)
                if is_disguised(member, meant):
                    wanted = READ_BY_NAME[str(meant)]
                    raise MalformedError(self._subject, f"{member[:200]!r} means {wanted}; call it so")
            return super()._expand_object(active, name, iri, element, *args, **more)

        def _count(self, steps: int = 1) -> None:
            self.work += steps
            self._shared.left -= steps
            if self.work > MAX_CONTEXT_WORK or self._shared.left < 0:
                raise _TooMuchWorkError(self._subject)

    return Bounded, jsonld.JsonLdError


class _TooMuchWorkError(VerificationError):
    """Of its own class, to be found among the causes of the processor's errors."""

    def __init__(self, subject: str) -> None:
        super().__init__("context-work-too-much", subject=subject, limit=MAX_CONTEXT_WORK)


def _our_error(error: BaseException, subject: str) -> MalformedError | VerificationError:
    """What the processor complained about, in one line; an error of ours that it wrapped is given back."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MalformedError | VerificationError):
            return cause
        cause = cause.__cause__
    words = str(error.args[0]) if error.args else type(error).__name__
    return MalformedError(subject, f"is not valid JSON-LD: {words[:200]}")
