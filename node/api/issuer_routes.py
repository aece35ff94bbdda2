"""The routes of the issuer's side: what a hosted issuer sends, with its token."""

from testamur.node.api import writes
from testamur.node.api.models import MAX_SUBMITTED_DIGESTS
from testamur.node.api.parameters import SLUG
from testamur.node.api.routing import Route

WRITE = ("malformed", "unauthenticated", "forbidden", "not-found", "stale")
BODY = ("too-large", "unsupported-media-type", "too-slow")

ISSUER_ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/v1/logs/{slug}/entries",
        handler=writes.submit_entries,
        operation="submitEntries",
        tag="issuer",
        summary=f"Log credential digests, at most {MAX_SUBMITTED_DIGESTS} at once; durable on answer",
        parameters=(SLUG,),
        takes="Submission",
        answers="Submitted",
        problems=(*WRITE, *BODY),
        is_open=False,
        needs_token=True,
    ),
    Route(
        method="POST",
        path="/v1/logs/{slug}/statements",
        handler=writes.publish_statement,
        operation="publishStatement",
        tag="issuer",
        summary="Publish a signed statement with the key events, status lists and documents that it names",
        parameters=(SLUG,),
        takes="StatementBundle",
        answers="AcceptedStatement",
        problems=(*WRITE, *BODY, "not-proven"),
        is_open=False,
        needs_token=True,
    ),
    Route(
        method="POST",
        path="/v1/logs/{slug}/status",
        handler=writes.publish_status,
        operation="publishStatus",
        tag="issuer",
        summary="Publish a signed statement that changes status lists, and nothing else",
        parameters=(SLUG,),
        takes="StatementBundle",
        answers="AcceptedStatement",
        problems=(*WRITE, *BODY, "not-proven"),
        is_open=False,
        needs_token=True,
    ),
    Route(
        method="POST",
        path="/v1/logs/{slug}/seal",
        handler=writes.seal,
        operation="seal",
        tag="issuer",
        summary="Seal and publish what is logged",
        parameters=(SLUG,),
        answers="SealedHead",
        takes="Nothing",
        takes_nothing=True,
        problems=(*WRITE, *BODY),
        is_open=False,
        needs_token=True,
    ),
)
