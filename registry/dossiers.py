"""The files that people keep: a credential, its evidence, or both in one dossier."""

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_EVIDENCE_BYTES
from testamur.registry.shapes import Shape


def parse_dossier(data: bytes) -> tuple[Json, Json]:
    """(credential, evidence) of a file that holds both, or one of them; the absent one is None.

    Only the shape of the envelope is looked at. Raises MalformedError.
    """
    return split_dossier(parse_json(data, subject="file", max_bytes=2 * MAX_EVIDENCE_BYTES))


def split_dossier(document: Json) -> tuple[Json, Json]:
    """The same for a document that is parsed already."""
    if not isinstance(document, dict):
        raise MalformedError("file", "must be a JSON object: a credential, evidence, or a dossier with both")
    if document.get("type") == "TestamurEvidence":
        return None, document
    if "credential" in document and "@context" not in document:
        shape = Shape(document, "dossier")
        credential, evidence = shape.any("credential"), shape.any("evidence")
        shape.refuse_unknown()
        return credential, evidence
    if "@context" not in document and "credentialSubject" not in document:
        raise MalformedError("file", "is neither a credential, nor evidence, nor a dossier with both")
    return document, None


def encode_dossier(credential: Json, evidence: Json) -> bytes:
    """The `.credential.json` file: canonical JSON and a newline, so that equal dossiers are equal files."""
    return canonicalize({"credential": credential, "evidence": evidence}) + b"\n"
