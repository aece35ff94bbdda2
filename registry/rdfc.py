"""The canonical RDF of a document: what `eddsa-rdfc-2022`, `ecdsa-rdfc-2019` and older proofs are made over.

https://www.w3.org/TR/rdf-canon/ and https://www.w3.org/TR/json-ld11-api/. Nothing is fetched, nothing that
the document says is lost on the way, and the work is bounded.
"""

from collections.abc import Mapping

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.rdf.by_processor import quads_by_processor
from testamur.registry.rdf.canonical import canonicalize_quads
from testamur.registry.rdf.compiled_contexts import ContextSet, space_of
from testamur.registry.rdf.fast import quads_by_walk
from testamur.registry.rdf.processor import ContextWork
from testamur.registry.rdf.quads import Quad
from testamur.registry.rdf.terms import NotCertainError

__all__ = ["ContextSet", "canonicalize_nquads", "canonicalize_rdf", "check_terms"]


def canonicalize_rdf(
    document: Mapping[str, Json],
    *,
    contexts: Mapping[str, Json] | None = None,
    algorithm: str = "sha256",
    subject: str = "document",
    work: ContextWork | None = None,
) -> bytes:
    """The canonical N-Quads of everything that `document` says; UTF-8, sorted, one line per statement.

    `contexts` are further context documents by URL; they cannot replace a bundled one. `algorithm` is the
    hash inside RDFC-1.0: "sha256", or "sha384" for P-384 suites. Takes up to tens of milliseconds: not for an
    event loop. Contexts in a ContextSet (`Documents` is one) are compiled once; in a plain mapping they are
    processed anew each time, twenty times as slow. Raises MalformedError (a term, type or reference without
    meaning, an unknown context, a redefined protected term …) and
    VerificationError: "too-much-work", "context-work-too-much"; `work` may be shared by several documents.
    """
    try:
        return canonicalize_quads(_statements(document, contexts, subject, work), algorithm, subject)
    except UnicodeEncodeError as exc:
        raise MalformedError(subject, "holds a lone surrogate") from exc


def check_terms(
    document: Mapping[str, Json], *, contexts: Mapping[str, Json] | None = None, subject: str = "document"
) -> None:
    """Prove that every term, type and reference in `document` is defined; `expand_safely`, but sooner.

    Raises MalformedError, VerificationError("context-work-too-much").
    """
    _statements(document, contexts, subject)


def _statements(
    document: Mapping[str, Json],
    contexts: Mapping[str, Json] | None,
    subject: str,
    work: ContextWork | None = None,
) -> list[Quad]:
    """By the fast road where it is certain, else by the processor, which also says what is wrong."""
    try:
        return quads_by_walk(document, space_of(contexts))
    except NotCertainError:
        return quads_by_processor(document, contexts=contexts, subject=subject, work=work)


def canonicalize_nquads(text: str, algorithm: str = "sha256") -> bytes:
    """The canonical N-Quads of N-Quads `text`. Raises MalformedError, VerificationError("too-much-work")."""
    from testamur.registry.rdf.nquads import parse_nquads  # noqa: PLC0415 - its patterns take a while to build

    try:
        return canonicalize_quads(parse_nquads(text), algorithm, "N-Quads")
    except UnicodeEncodeError as exc:
        raise MalformedError("N-Quads", "hold a lone surrogate") from exc
