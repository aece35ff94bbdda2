"""The route table: what is served is what /openapi.json describes, because both are made from it."""

from functools import partial

from testamur.node.api import about, reads, responses, vocabulary
from testamur.node.api.issuer_routes import BODY, ISSUER_ROUTES
from testamur.node.api.parameters import (
    AFTER_ID,
    AFTER_SLUG,
    AFTER_VERSION,
    AS_OF,
    DIGEST,
    EPOCH,
    LIMIT,
    LIST_ID,
    LIST_ISSUER,
    LOG_ID,
    NEWEST,
    NUMBER,
    PREFIX,
    PURPOSE,
    SLUG,
    TILE,
    TIMESTAMP,
)
from testamur.node.api.presenting import PRESENTATION_ROUTES
from testamur.node.api.routing import Route

_READ = ("malformed", "not-found")

_credential_read = partial(Route, method="GET", tag="credentials", problems=_READ)
_registry_read = partial(Route, method="GET", tag="registry", problems=_READ, can_be_unchanged=True)
_log_read = partial(
    Route, method="GET", tag="log", problems=_READ, can_be_unchanged=True, takes_any_query=True
)
_node_read = partial(Route, method="GET", tag="node", problems=("malformed",))

ROUTES: tuple[Route, ...] = (
    _credential_read(
        path="/v1/credentials/{digest}",
        handler=reads.get_credential,
        operation="getCredential",
        summary="Where a credential digest is logged",
        parameters=(DIGEST,),
        answers="LoggedCredential",
    ),
    _credential_read(
        path="/v1/credentials/{digest}/evidence",
        handler=reads.get_evidence,
        operation="getEvidence",
        summary="The newest evidence for a credential digest",
        parameters=(DIGEST,),
        answers="Evidence",
        can_be_unchanged=True,
    ),
    _credential_read(
        path="/v1/credentials",
        handler=reads.list_credentials,
        operation="listCredentials",
        summary="Digests by prefix: at least 1 024 or all, so that the node does not learn which was meant",
        parameters=(PREFIX,),
        answers="PrefixAnswer",
        problems=("malformed",),
    ),
    Route(
        method="POST",
        path="/v1/verify",
        handler=reads.verify,
        operation="verify",
        tag="credentials",
        summary="The verdict about a credential or dossier; nothing is kept, and invalid is not an error",
        parameters=(AS_OF,),
        takes="Dossier",
        answers="Verdict",
        problems=("malformed", *BODY),
    ),
    *PRESENTATION_ROUTES,
    _registry_read(
        path="/v1/issuers",
        handler=reads.list_issuers,
        operation="listIssuers",
        summary="Issuers in order of slug, a page at a time",
        parameters=(AFTER_SLUG, LIMIT),
        answers="Issuers",
        problems=("malformed",),
    ),
    _registry_read(
        path="/v1/issuers/{slug}",
        handler=reads.get_issuer,
        operation="getIssuer",
        summary="One issuer",
        parameters=(SLUG,),
        answers="Issuer",
    ),
    _registry_read(
        path="/v1/issuers/{slug}/documents",
        handler=reads.list_documents,
        operation="listDocuments",
        summary="Documents and status lists that the issuer's newest statement names, a page at a time",
        parameters=(SLUG, AFTER_ID, LIMIT),
        answers="Documents",
    ),
    _registry_read(
        path="/v1/logs/{slug}/evidence",
        handler=reads.get_log_evidence,
        operation="getLogEvidence",
        summary="Evidence of a log without entries, to be completed from tiles without naming a credential",
        parameters=(SLUG, EPOCH, NEWEST),
        answers="Evidence",
    ),
    _registry_read(
        path="/v1/documents/{digest}",
        handler=reads.get_document,
        operation="getDocument",
        summary="A public document by its digest, verbatim",
        parameters=(DIGEST,),
        answers="Document",
    ),
    _registry_read(
        path="/v1/status-lists",
        handler=reads.find_status_list,
        operation="findStatusList",
        summary="A version of a status list by its id, also when the issuer's own address is dead",
        parameters=(LIST_ID, LIST_ISSUER, TIMESTAMP),
        answers="StatusList",
        media=responses.CREDENTIAL,
    ),
    _registry_read(
        path="/status/{slug}/{purpose}/{number}",
        handler=reads.get_own_status_list,
        operation="getOwnStatusList",
        summary="The newest version of a status list whose id is this address",
        parameters=(SLUG, PURPOSE, NUMBER),
        answers="StatusList",
        media=responses.CREDENTIAL,
    ),
    _registry_read(
        path="/v1/registry",
        handler=reads.get_trust_file,
        operation="getTrustFile",
        summary="The trust file that this node uses: compare its fingerprint with one from elsewhere",
        answers="TrustFile",
    ),
    _registry_read(
        path="/v1/registry/successions",
        handler=reads.get_trust_successions,
        operation="getTrustSuccessions",
        summary="The versions of the trust file after one's own, each signed by a quorum of the one before",
        parameters=(AFTER_VERSION,),
        answers="TrustSuccessions",
        problems=("malformed",),
    ),
    *ISSUER_ROUTES,
    _log_read(
        path="/log/{log_id}/checkpoint",
        handler=reads.get_checkpoint,
        operation="getCheckpoint",
        summary="The newest checkpoint (C2SP tlog-tiles)",
        parameters=(LOG_ID,),
        media=responses.TEXT,
    ),
    _log_read(
        path="/log/{log_id}/tile/{tile:.+}",
        handler=reads.get_tile,
        operation="getTile",
        summary="A tile or entry bundle (C2SP tlog-tiles)",
        parameters=(LOG_ID, TILE),
        media=responses.OCTETS,
    ),
    vocabulary.ROUTE,
    _node_read(
        path="/openapi.json",
        handler=about.get_openapi,
        operation="getOpenApi",
        summary="This interface as OpenAPI 3.1",
        answers="OpenApi",
        can_be_unchanged=True,
    ),
    _node_read(
        path="/healthz",
        handler=about.get_health,
        operation="getHealth",
        summary="The process answers",
        answers="Health",
    ),
    _node_read(
        path="/readyz",
        handler=about.get_readiness,
        operation="getReadiness",
        summary="The node does its whole job: chain reachable, stores healthy",
        answers="Ready",
    ),
    _node_read(
        path="/metrics",
        handler=about.get_metrics,
        operation="getMetrics",
        summary="Counters and gauges in Prometheus' text format",
        media=responses.TEXT,
        is_open=False,
    ),
)
