"""Canonical forms of one document as its several proofs cover it, every part of it canonicalised once.

A megabyte of numbers takes a tenth of a second to canonicalise. Thirty-two proofs, each under contexts of its
own or over the proofs before it, would take seconds: a stranger's credential must not cost that.
"""

from collections.abc import Mapping

from testamur.registry.canonical import Json, canonicalize

_CONTEXT = "@context"
_PROOF = "proof"


class JsonForms:
    """The RFC 8785 forms of one document without its proofs. The document must not change meanwhile."""

    __slots__ = ("_document", "_parts", "_values")

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._document = document
        self._parts: tuple[bytes, bytes, bytes] | None = None
        self._values: dict[int, bytes] = {}

    def under(self, proven: Mapping[str, Json], earlier: list[Json]) -> bytes:
        """The document with the @context of `proven`, and with `earlier` of its proofs as its proof, if any.

        `proven` is the document without proofs, its @context the document's or a proof's; both are parts of
        the document itself. Raises MalformedError for what JCS cannot carry.
        """
        if not isinstance(self._document.get(_PROOF), list):
            return canonicalize({**proven, _PROOF: earlier} if earlier else dict(proven))  # nothing is shared
        before, between, after = self._members()
        middle = [before]
        if _CONTEXT in proven:
            middle.append(b'"@context":' + self._form(proven[_CONTEXT]))
        middle.append(between)
        if earlier:
            middle.append(b'"proof":[%s]' % b",".join(self._form(item) for item in earlier))
        return b"{%s}" % b",".join(part for part in (*middle, after) if part)

    def _members(self) -> tuple[bytes, bytes, bytes]:
        """The other members in the order of their names, cut where @context and proof belong."""
        if self._parts is None:
            ranges: tuple[dict[str, Json], ...] = ({}, {}, {})
            for name, value in self._document.items():
                if name not in (_CONTEXT, _PROOF):
                    # Below these two names every character has one UTF-16 unit, so code points are the order.
                    ranges[(name > _CONTEXT) + (name > _PROOF)][name] = value
            before, between, after = (canonicalize(members)[1:-1] for members in ranges)
            self._parts = before, between, after
        return self._parts

    def _form(self, value: Json) -> bytes:
        # By identity: the values are parts of the document, which outlives this object's use of them.
        found = self._values.get(id(value))
        if found is None:
            found = self._values[id(value)] = canonicalize(value)
        return found
