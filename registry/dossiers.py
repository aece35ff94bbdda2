"""The files that people keep: a credential, its evidence, or both in one dossier."""

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_EVIDENCE_BYTES
from testamur.registry.shapes import Shape

PRESENTATION_FILE = "TestamurPresentation"
"""The `type` of a `.presentation.json` file (docs/spec/presentation.md)."""

MAX_DOSSIER_BYTES = 2 * MAX_EVIDENCE_BYTES
"""A credential and its evidence, each of the largest size that is parsed at all."""

MAX_PRESENTATION_BYTES = 4 << 20
"""Twenty dossiers of 50 kB each, four times over; what is larger is sent in several files."""

OTHER_FILES = {
    "CredentialTemplate": "a template",
    "IssuerApplication": "an issuer's application",
    "IssuerWorkspace": "an issuer's workspace",
    "NodeBackup": "a list of what a backup holds",
    "Statement": "an issuer's statement",
    "TestamurKey": "a key",
    "TestamurPolicy": "a policy",
    "TestamurTrust": "a trust file",
    "TestamurVerdict": "a verdict",
    "TestamurVerificationReport": "a report of verifications",
    "TestamurWallet": "a wallet",
}
"""Files of this registry that lie beside credentials, by their `type`."""

_RECORD_MEMBERS = {"record", "path", "batch", "batchPath"}

_MARKS = frozenset(
    {"@context", "credential", "credentialSubject", "evidence", "issuer", "proof", "signature"}
    | {"verifiableCredential"}
)
"""A document with one of these may be a credential, or what is left of one."""


class OtherFile(MalformedError):
    """The file is whole, and it is something else than a credential: the reason says what."""


def parse_file(data: bytes) -> Json:
    """Any of the files as JSON, each with its own bound. Raises MalformedError."""
    document = parse_json(data, subject="file", max_bytes=MAX_PRESENTATION_BYTES)
    if len(data) > MAX_DOSSIER_BYTES and not is_presentation(document):
        raise MalformedError("file", f"is larger than {MAX_DOSSIER_BYTES} bytes")
    return document


def is_presentation(document: Json) -> bool:
    """Whether this is meant to be a presentation, with evidence or without."""
    kinds = document.get("type") if isinstance(document, dict) else None
    found = kinds if isinstance(kinds, list) else [kinds]
    return PRESENTATION_FILE in found or "VerifiablePresentation" in found


def parse_dossier(data: bytes) -> tuple[Json, Json]:
    """(credential, evidence) of a file that holds both, or one of them; the absent one is None.

    Only the shape of the envelope is looked at. Raises MalformedError.
    """
    return split_dossier(parse_json(data, subject="file", max_bytes=MAX_DOSSIER_BYTES))


def split_dossier(document: Json) -> tuple[Json, Json]:
    """The same for a document that is parsed already. Raises OtherFile for what certainly is neither."""
    if not isinstance(document, dict):
        raise MalformedError("file", "must be a JSON object: a credential, evidence, or a dossier with both")
    if document.get("type") == "TestamurEvidence":
        return None, document
    if (kind := OTHER_FILES.get(str(document.get("type")))) is not None:
        raise OtherFile("file", f"is {kind}, and no credential")
    if document.keys() >= _RECORD_MEMBERS:
        raise OtherFile("file", "is the record of a status change; `testamur evidence --record` takes it")
    if "credential" in document and "@context" not in document:
        shape = Shape(document, "dossier")
        credential, evidence = shape.any("credential"), shape.any("evidence")
        shape.refuse_unknown()
        return credential, evidence
    if is_presentation(document):
        reason = "is a presentation, not a credential; `testamur verify` and POST /v1/presentations take it"
        raise MalformedError("file", reason)
    if "@context" not in document and "credentialSubject" not in document:
        error = OtherFile if _MARKS.isdisjoint(document) else MalformedError
        raise error("file", "is neither a credential, nor evidence, nor a dossier with both")
    return document, None


def encode_dossier(credential: Json, evidence: Json) -> bytes:
    """The `.credential.json` file: canonical JSON and a newline, so that equal dossiers are equal files."""
    return canonicalize({"credential": credential, "evidence": evidence}) + b"\n"
