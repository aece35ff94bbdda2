"""The routes of the issuer's side: what a hosted issuer sends, with its token."""

from functools import partial

from testamur.node.api import writes
from testamur.node.api.models import MAX_SUBMITTED_DIGESTS
from testamur.node.api.parameters import SLUG
from testamur.node.api.routing import Route

WRITE = ("malformed", "unauthenticated", "forbidden", "not-found", "stale")
BODY = ("too-large", "unsupported-media-type", "too-slow")

_write = partial(
    Route,
    method="POST",
    tag="issuer",
    parameters=(SLUG,),
    problems=(*WRITE, *BODY),
    is_open=False,
    needs_token=True,
)

ISSUER_ROUTES: tuple[Route, ...] = (
    _write(
        path="/v1/logs/{slug}/entries",
        handler=writes.submit_entries,
        operation="submitEntries",
        summary=f"Log credential digests, at most {MAX_SUBMITTED_DIGESTS} at once; durable on answer",
        takes="Submission",
        answers="Submitted",
    ),
    _write(
        path="/v1/logs/{slug}/statements",
        handler=writes.publish_statement,
        operation="publishStatement",
        summary="Publish a signed statement with the key events, status lists and documents that it names",
        takes="StatementBundle",
        answers="AcceptedStatement",
        problems=(*WRITE, *BODY, "not-proven"),
    ),
    _write(
        path="/v1/logs/{slug}/status",
        handler=writes.publish_status,
        operation="publishStatus",
        summary="Publish a signed statement that changes status lists, and nothing else",
        takes="StatementBundle",
        answers="AcceptedStatement",
        problems=(*WRITE, *BODY, "not-proven"),
    ),
    _write(
        path="/v1/logs/{slug}/seal",
        handler=writes.seal,
        operation="seal",
        summary="Seal and publish what is logged",
        answers="SealedHead",
        takes="Nothing",
        takes_nothing=True,
    ),
)
