"""N-Quads text read into statements: for test vectors, and for whoever has RDF at hand.

https://www.w3.org/TR/n-quads/.
"""

import re
from typing import Final

from testamur.registry.errors import MalformedError
from testamur.registry.rdf.quads import Quad, write_literal

MAX_NQUADS_BYTES: Final = 1 << 20
"""Longest text that is read (1 MiB), like every other document."""

_ESCAPE: Final = r"\\(?:[tbnrf\"'\\]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"
_IRI: Final = r"<((?:[^\x00-\x20<>\"{}|^`\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+)>"
_BLANK: Final = r"(_:[^\W.](?:[\w.·-]*[\w·-])?)"
_LITERAL: Final = (
    rf'"((?:[^"\\\n\r]|{_ESCAPE})*+)"(?:\^\^{_IRI}|@([a-zA-Z]+(?:-[a-zA-Z0-9]+)*(?:--(?:ltr|rtl))?))?'
)
_LINE: Final = re.compile(
    rf"[ \t]*(?:{_IRI}|{_BLANK})[ \t]*{_IRI}[ \t]*(?:{_IRI}|{_BLANK}|{_LITERAL})"
    rf"[ \t]*(?:{_IRI}|{_BLANK})?[ \t]*\.[ \t]*(?:#.*)?"
)
_NOTHING: Final = re.compile(r"[ \t]*(?:#.*)?")
_ONE_ESCAPE: Final = re.compile(_ESCAPE)
_MEANING: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def parse_nquads(text: str, *, subject: str = "N-Quads") -> list[Quad]:
    """The statements of `text` in their order, repeated ones once. Raises MalformedError, naming the line."""
    if len(text) > MAX_NQUADS_BYTES:
        raise MalformedError(subject, f"has more than {MAX_NQUADS_BYTES} characters")
    found: dict[Quad, None] = {}
    for number, line in enumerate(re.split(r"[\n\r]+", text), start=1):
        match = _LINE.fullmatch(line)
        if match is not None:
            found[_quad(match, f"{subject} line {number}")] = None
        elif _NOTHING.fullmatch(line) is None:
            raise MalformedError(f"{subject} line {number}", "is not a statement")
    return list(found)


def _quad(match: re.Match[str], where: str) -> Quad:
    s_iri, s_blank, predicate, o_iri, o_blank, text, datatype, language, g_iri, g_blank = match.groups()
    target = _resource(o_iri, o_blank, where)
    if text is not None:
        target = write_literal(
            _unescape(text, where), None if datatype is None else _unescape(datatype, where), language
        )
    return (
        _resource(s_iri, s_blank, where),
        f"<{_unescape(predicate, where)}>",
        target,
        _resource(g_iri, g_blank, where),
    )


def _resource(iri: str | None, blank: str | None, where: str) -> str:
    return blank or "" if iri is None else f"<{_unescape(iri, where)}>"


def _unescape(text: str, where: str) -> str:
    if "\\" not in text:
        return text
    return _ONE_ESCAPE.sub(lambda match: _character(match[0][1:], where), text)


def _character(escape: str, where: str) -> str:
    if escape in _MEANING:
        return _MEANING[escape]
    number = int(escape[1:], 16)
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise MalformedError(where, f"\\{escape} is not a character")
    return chr(number)
