"""The issuer's side: digests, statements and seals, each for the holder of that issuer's bearer token."""

from aiohttp import web

from testamur.node.api import requests, responses
from testamur.node.api.context import context_of
from testamur.node.api.models import (
    MAX_SUBMITTED_DIGESTS,
    AcceptedStatement,
    Placed,
    SealedHead,
    StatementBundle,
    Submitted,
)
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.publications import parse_bundle
from testamur.registry.status_records import is_records


async def submit_entries(request: web.Request) -> web.Response:
    """Log credential digests."""
    slug = await requests.authorise(request)
    body = await requests.read_json(
        request,
        subject="submission",
        max_bytes=requests.MAX_SUBMISSION_BYTES,
        holds=f"at most {MAX_SUBMITTED_DIGESTS} digests at once",
    )
    digests = requests.submitted_digests(body)
    submission = await context_of(request).node.submit(slug, digests)
    return responses.model_response(
        Submitted(
            origin=submission.origin,
            new=submission.new,
            entries=[
                Placed(digest=encode_digest(digest), leaf_index=leaf_index)
                for digest, leaf_index in zip(digests, submission.leaf_indexes, strict=True)
            ],
        )
    )


async def publish_statement(request: web.Request) -> web.Response:
    """Accept a statement with what it names."""
    slug = await requests.authorise(request)
    body = await requests.read_json(request, subject="statement bundle", max_bytes=requests.MAX_BUNDLE_BYTES)
    # The outer form first, as it is described; what is in it has forms of its own.
    requests.parse_model(StatementBundle, body, "statement bundle")
    accepted = await context_of(request).node.publish_statement(slug, parse_bundle(body))
    return responses.model_response(
        AcceptedStatement(sequence=accepted.sequence, digest=encode_digest(accepted.digest))
    )


async def publish_status(request: web.Request) -> web.Response:
    """Accept a statement that changes status lists and nothing else: a narrower errand for the same token."""
    slug = await requests.authorise(request)
    body = await requests.read_json(request, subject="status bundle", max_bytes=requests.MAX_BUNDLE_BYTES)
    bundle = requests.parse_model(StatementBundle, body, "status bundle")
    if bundle.key_events or not bundle.status_lists:
        raise MalformedError(
            "status bundle", "brings status lists and no key events; send others to statements"
        )
    if not all(is_records(item.document) for item in bundle.documents):
        raise MalformedError("status bundle /documents", "has one that is no records of a status list")
    accepted = await context_of(request).node.publish_statement(slug, parse_bundle(body))
    return responses.model_response(
        AcceptedStatement(sequence=accepted.sequence, digest=encode_digest(accepted.digest))
    )


async def seal(request: web.Request) -> web.Response:
    """Seal and publish what is logged."""
    slug = await requests.authorise(request)
    await requests.expect_no_body(request)
    head = await context_of(request).node.seal(slug)
    return responses.model_response(
        SealedHead(
            origin=head.origin,
            size=head.size,
            statement=head.statement_sequence,
            checkpoint=head.checkpoint.decode(),
        )
    )
