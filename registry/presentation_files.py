"""The `.presentation.json` file: a presentation, and the evidence of each credential in it.

The evidence is outside of what the holder signs: it proves itself, and whoever receives the file may replace
it with newer evidence. docs/spec/presentation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.dossiers import MAX_PRESENTATION_BYTES, PRESENTATION_FILE
from testamur.registry.errors import MalformedError
from testamur.registry.presentations import MAX_PRESENTED, Presentation, parse_presentation
from testamur.registry.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationFile:
    """`evidence` has one item for each credential, None where there is none."""

    presentation: Presentation
    evidence: tuple[Json, ...]


def parse_presentation_file(data: bytes) -> PresentationFile:
    """The file that `encode_presentation_file` wrote, or a presentation alone. Raises MalformedError."""
    return split_presentation(parse_json(data, subject="presentation file", max_bytes=MAX_PRESENTATION_BYTES))


def split_presentation(document: Json) -> PresentationFile:
    """The same for a document that is parsed already. A presentation that shows nothing is refused."""
    evidence: tuple[Json, ...] = ()
    if isinstance(document, dict) and document.get("type") == PRESENTATION_FILE:
        shape = Shape(document, "presentation file")
        shape.expect("type", PRESENTATION_FILE)
        shape.expect("version", 1)
        presentation = parse_presentation(shape.any("presentation"))
        evidence = tuple(shape.items("evidence", maximum=MAX_PRESENTED))
        shape.refuse_unknown()
        if len(evidence) != len(presentation.credentials):
            count = len(presentation.credentials)
            raise MalformedError(
                "presentation file /evidence", f"has {len(evidence)} items for {count} credentials"
            )
    else:
        presentation = parse_presentation(document)
        evidence = (None,) * len(presentation.credentials)
    if not presentation.credentials:
        raise MalformedError("presentation /verifiableCredential", "is missing: nothing is shown")
    return PresentationFile(presentation=presentation, evidence=evidence)


def encode_presentation_file(presentation: Json, evidence: Sequence[Json]) -> bytes:
    """Canonical JSON and a newline. Raises MalformedError for what is too large to be read again."""
    document: Json = {
        "type": PRESENTATION_FILE,
        "version": 1,
        "presentation": presentation,
        "evidence": list(evidence),
    }
    data = canonicalize(document) + b"\n"
    if len(data) > MAX_PRESENTATION_BYTES:
        reason = f"has {len(data)} bytes, more than {MAX_PRESENTATION_BYTES}; show fewer credentials at once"
        raise MalformedError("presentation file", reason)
    return data
