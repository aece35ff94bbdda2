"""RDF statements as the text that they are in canonical N-Quads: nothing else is ever compared or hashed.

https://www.w3.org/TR/rdf-canon/#canonical-quads.
"""

import re
from typing import Final, TypeAlias

Quad: TypeAlias = tuple[str, str, str, str]
"""(subject, predicate, object, graph), each written as in N-Quads; the graph is "" for the default graph.

A term is a blank node exactly when it starts with an underscore: an IRI starts with "<", a literal with '"'.
"""

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
I18N: Final = "https://www.w3.org/ns/i18n#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
RDF_TYPE: Final = f"<{RDF}type>"
RDF_FIRST: Final = f"<{RDF}first>"
RDF_REST: Final = f"<{RDF}rest>"
RDF_NIL: Final = f"<{RDF}nil>"

_ESCAPED: Final = re.compile(r'[\x00-\x1f"\\\x7f]')
_SHORT: Final = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}


def write_literal(text: str, datatype: str | None = None, language: str | None = None) -> str:
    r"""The literal in canonical form; `datatype` None or xsd:string writes none, `language` outranks it.

    Control characters become \uXXXX or their short form, everything else stays itself. The caller has
    checked that `datatype` is an IRI and `language` a language tag: they are written as they are.
    """
    quoted = f'"{_ESCAPED.sub(_escape, text)}"' if _ESCAPED.search(text) else f'"{text}"'
    if language is not None:
        return f"{quoted}@{language}"
    if datatype is None or datatype == f"{XSD}string":
        return quoted
    return f"{quoted}^^<{datatype}>"


def write_quad(quad: Quad) -> str:
    """The statement as one line of canonical N-Quads, with its line feed."""
    subject, predicate, target, graph = quad
    if graph:
        return f"{subject} {predicate} {target} {graph} .\n"
    return f"{subject} {predicate} {target} .\n"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character) or f"\\u{ord(character):04X}"
