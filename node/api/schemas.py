"""JSON Schemas of everything that the interface takes and answers with; OpenAPI 3.1 uses them as they are."""

from typing import Any

from testamur.node.api.requests import MAX_SUBMITTED_DIGESTS
from testamur.registry.publications import MAX_BUNDLE_ITEMS

Schema = dict[str, Any]

DIGEST_PATTERN = "^u[A-Za-z0-9_-]{43}$"
SLUG_PATTERN = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
DIGEST_IN_PATH_PATTERN = "^(u[A-Za-z0-9_-]{43}|[0-9a-fA-F]{64})$"


def ref(name: str) -> Schema:
    """A reference to a schema of this module."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **more: Any) -> Schema:
    """A string."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def count(description: str = "", minimum: int = 0) -> Schema:
    """An integer that is a size, an index or a sequence."""
    return {"type": "integer", "minimum": minimum, **({"description": description} if description else {})}


def array(items: Schema, **more: Any) -> Schema:
    """A list."""
    return {"type": "array", "items": items, **more}


def record(description: str, members: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with exactly these members; all are required but the optional ones."""
    return {
        "type": "object",
        "description": description,
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def foreign(description: str) -> Schema:
    """A document whose format has a specification of its own."""
    return {"type": "object", "description": description}


DIGEST = text("SHA-256, multibase base64url", pattern=DIGEST_PATTERN)
ORIGIN = text("<registry name>/<issuer slug>/<epoch>")

SCHEMAS: dict[str, Schema] = {
    "Digest": DIGEST,
    "Submission": record(
        "Credential digests for the issuer's log. Repeating one is harmless: it keeps its leaf index.",
        {"digests": array(ref("Digest"), minItems=1, maxItems=MAX_SUBMITTED_DIGESTS)},
    ),
    "Submitted": record(
        "Durable on answer; in the order of the request.",
        {
            "origin": ORIGIN,
            "new": count("how many were not logged before"),
            "entries": array(
                record("", {"digest": ref("Digest"), "leafIndex": count("index of the entry in the log")})
            ),
        },
    ),
    "StatementBundle": record(
        "A signed statement, and what it names that the node may not have yet.",
        {
            "statement": foreign("docs/spec/statements.md"),
            "keyEvents": array(foreign("docs/spec/statements.md"), maxItems=MAX_BUNDLE_ITEMS),
            "statusLists": array(
                foreign("a signed BitstringStatusListCredential"), maxItems=MAX_BUNDLE_ITEMS
            ),
            "documents": array(
                record(
                    "", {"id": text(minLength=1, maxLength=2048), "document": foreign("a public document")}
                ),
                maxItems=MAX_BUNDLE_ITEMS,
            ),
        },
        optional=("keyEvents", "statusLists", "documents"),
    ),
    "AcceptedStatement": record(
        "The next seal names this statement.", {"sequence": count(minimum=1), "digest": ref("Digest")}
    ),
    "SealedHead": record(
        "The published head of the log.",
        {
            "origin": ORIGIN,
            "size": count("leaves, the seal included"),
            "statement": count("sequence of the statement that the seal names"),
            "checkpoint": text("C2SP checkpoint, verbatim"),
        },
    ),
    "LoggedCredential": record(
        "Where a credential digest is logged.",
        {
            "digest": ref("Digest"),
            "entries": array(
                record(
                    "",
                    {
                        "origin": ORIGIN,
                        "leafIndex": count(),
                        "state": text(enum=["logged", "sealed", "anchored"]),
                    },
                ),
                minItems=1,
            ),
        },
    ),
    "PrefixAnswer": record(
        "Every digest that begins with the prefix, which the node has shortened to find 1 024 or all.",
        {
            "prefix": text("the prefix that was answered", pattern="^[0-9a-f]{0,64}$"),
            "isEverything": {"type": "boolean"},
            "credentials": array(
                record(
                    "",
                    {
                        "digest": ref("Digest"),
                        "entries": array(record("", {"origin": ORIGIN, "leafIndex": count()})),
                    },
                )
            ),
        },
    ),
    "Issuer": record(
        "An issuer and its current log.",
        {
            "slug": text(pattern=SLUG_PATTERN),
            "did": text(),
            "name": {"type": ["string", "null"]},
            "lifecycle": text("on-chain lifecycle", enum=["active", "suspended", "closed"]),
            "epoch": count(minimum=1),
            "origin": ORIGIN,
            "logId": text("hex; the log is served under /log/{logId}/", pattern="^[0-9a-f]{64}$"),
            "verifierKey": text("the log's verifier key, C2SP signed-note"),
            "size": count("leaves in the published checkpoint"),
            "anchoredSize": count("leaves in the anchored checkpoint"),
            "statement": count("sequence of the newest statement"),
            "devnet": {"type": "boolean", "description": "true: a development chain, worth nothing"},
        },
    ),
    "Issuers": record(
        "All issuers of the registry.",
        {"registry": text(), "devnet": {"type": "boolean"}, "issuers": array(ref("Issuer"))},
    ),
    "Verdict": foreign("docs/trust.md"),
    "Dossier": foreign("a credential, or {credential, evidence} (docs/spec/evidence.md)"),
    "Evidence": foreign("docs/spec/evidence.md"),
    "TrustFile": foreign("docs/spec/trust-file.md"),
    "Document": foreign("a public document: statement, key event, status list credential, seal …"),
    "StatusList": foreign("a signed BitstringStatusListCredential"),
    "OpenApi": foreign("this document"),
    "Health": record("The process answers.", {"status": text(enum=["alive"])}),
    "Ready": record(
        "The state of each part.",
        {
            "status": text(enum=["ready"]),
            "parts": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    ),
    "Problem": {
        "type": "object",
        "description": "RFC 9457. Types: docs/http-api.md.",
        "properties": {
            "type": text(format="uri"),
            "title": text(),
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text(),
            "requestId": text(),
            "subject": text("malformed: what does not have its form"),
            "reason": text("not-proven: the reason code of the check, docs/trust.md"),
            "parameters": {"type": "object", "description": "not-proven: the parameters of the reason"},
            "current": {
                "type": "object",
                "description": "stale: what is the newest",
                "additionalProperties": count(),
            },
            "limit": count("too-large: the bound"),
            "parts": {"type": "object", "description": "not ready: the state of each part"},
        },
        "required": ["type", "title", "status", "requestId"],
        "additionalProperties": False,
    },
}
