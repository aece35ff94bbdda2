"""RFC 8785 bytes of documents that share most of their parts: what is shared is canonicalised once.

Nine tenths of an award are the same for the whole class. The result is what `registry.canonical` computes.
"""

from collections.abc import Iterable
from json.encoder import encode_basestring as quote

from testamur.registry.canonical import Json, canonicalize_for_issuing

MAX_ORDERS = 1024
"""Sets of member names whose order is remembered; a template has one for each object, or a few."""


class CanonicalParts:
    """Remembers the canonical form of `shared` objects and lists, which must live and never change."""

    def __init__(self, shared: Iterable[Json]) -> None:
        """Raises MalformedError for a part that JCS cannot carry."""
        # Kept, because an identity is only unique as long as its object lives.
        self._shared = list(shared)
        self._known = {id(part): canonicalize_for_issuing(part).decode() for part in self._shared}
        self._orders: dict[tuple[str, ...], list[tuple[str, str]] | None] = {}

    def canonicalize(self, document: dict[str, Json]) -> bytes:
        """The same bytes as `canonicalize_for_issuing`, faster when shared parts are in the document.

        Raises MalformedError for what JCS cannot carry.
        """
        try:
            return self._encode(document).encode()
        except UnicodeEncodeError:
            # A lone surrogate; the thorough way has the words for it.
            return canonicalize_for_issuing(document)

    def _encode(self, value: Json) -> str:
        kind = type(value)
        if kind is str:
            return quote(value)  # type: ignore[arg-type]
        if kind is dict or kind is list:
            known = self._known.get(id(value))
            if known is not None:
                return known
            if isinstance(value, dict):
                order = self._order_of(value)
                if order is None:
                    return canonicalize_for_issuing(value).decode()
                members = [
                    begun + (quote(item) if type(item := value[name]) is str else self._encode(item))
                    for name, begun in order
                ]
                return "{" + ",".join(members) + "}"
            if isinstance(value, list):
                return "[" + ",".join([self._encode(item) for item in value]) + "]"
        return canonicalize_for_issuing(value).decode()

    def _order_of(self, members: dict[str, Json]) -> list[tuple[str, str]] | None:
        """(name, how it is written) in canonical order; None for names that UTF-16 may order otherwise."""
        names = tuple(members)
        if names not in self._orders:
            if len(self._orders) >= MAX_ORDERS:
                self._orders.clear()
            written = [(name, f"{quote(name)}:") for name in sorted(names)]
            self._orders[names] = written if "".join(names).isascii() else None
        return self._orders[names]
