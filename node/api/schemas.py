"""JSON Schemas of everything that the interface takes and answers with; OpenAPI 3.1 uses them as they are."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from testamur.node.api import models
from testamur.node.api.vc import models as vc_models

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"

DIGEST_IN_PATH_PATTERN = f"^({models.DIGEST_PATTERN[1:-1]}|[0-9a-fA-F]{{64}})$"


def ref(name: str) -> Schema:
    """A reference to a schema of this module."""
    return {"$ref": REFERENCE.format(model=name)}


def text(description: str = "", **more: Any) -> Schema:
    """A string."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def foreign(description: str) -> Schema:
    """A document whose format has a specification of its own."""
    return {"type": "object", "description": description}


_TAKEN: tuple[type, ...] = (
    *(models.Submission, models.StatementBundle, models.Nothing, models.ChallengeRequest),
    *(vc_models.CredentialToVerify, vc_models.PresentationToVerify),
)

_ANSWERED: tuple[type, ...] = (
    *(models.Submitted, models.AcceptedStatement, models.SealedHead, models.LoggedCredential),
    *(models.PrefixAnswer, models.Issuer, models.Issuers, models.Documents, models.Health, models.Ready),
    *(*(models.Challenge, models.Problem), vc_models.VerificationResult),
)

_FOREIGN: dict[str, Schema] = {
    "Verdict": foreign("docs/spec/verdict.md"),
    "Dossier": foreign("a credential, or {credential, evidence} (docs/spec/evidence.md)"),
    "Presentation": foreign("a presentation, alone or with evidence (docs/spec/presentation.md)"),
    "PresentationVerdict": foreign("docs/spec/presentation.md"),
    "Evidence": foreign("docs/spec/evidence.md"),
    "TrustFile": foreign("docs/spec/trust-file.md"),
    "TrustSuccessions": foreign("docs/spec/trust-file.md"),
    "Document": foreign("a public document: statement, key event, status list credential, seal …"),
    "StatusList": foreign("a signed BitstringStatusListCredential"),
    "DidResolution": foreign("docs/spec/dids.md"),
    "OpenApi": foreign("this document"),
}


def _without_titles(schema: Any) -> Any:
    """Pydantic repeats every name as a title, which tells a reader nothing."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_titles(value)
        for name, value in schema.items()
        # A member that is called "title" has a schema and no text.
        if name != "title" or isinstance(value, dict)
    }


def _generated() -> dict[str, Schema]:
    modes: tuple[tuple[JsonSchemaMode, tuple[type, ...]], ...] = (
        ("validation", _TAKEN),
        ("serialization", _ANSWERED),
    )
    every: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (kind.__name__, mode, TypeAdapter(kind)) for mode, kinds in modes for kind in kinds
    ]
    _, document = TypeAdapter.json_schemas(every, ref_template=REFERENCE)
    found: dict[str, Schema] = _without_titles(document["$defs"])
    return found


SCHEMAS: dict[str, Schema] = {**_generated(), **_FOREIGN}
