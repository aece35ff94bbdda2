"""The issuer's side: digests, statements and seals, each for the holder of that issuer's bearer token."""

from aiohttp import web

from testamur.node.api import requests, responses
from testamur.node.api.context import context_of
from testamur.registry.multiformats import encode_digest
from testamur.registry.publications import parse_bundle


async def submit_entries(request: web.Request) -> web.Response:
    """Log credential digests."""
    node = context_of(request).node
    slug = await requests.authorise(request, node)
    body = await requests.read_json(request, subject="submission", max_bytes=requests.MAX_SUBMISSION_BYTES)
    digests = requests.submitted_digests(body)
    submission = await node.submit(slug, digests)
    return responses.json_response(
        {
            "origin": submission.origin,
            "new": submission.new,
            "entries": [
                {"digest": encode_digest(digest), "leafIndex": leaf_index}
                for digest, leaf_index in zip(digests, submission.leaf_indexes, strict=True)
            ],
        }
    )


async def publish_statement(request: web.Request) -> web.Response:
    """Accept a statement with what it names."""
    node = context_of(request).node
    slug = await requests.authorise(request, node)
    body = await requests.read_json(request, subject="statement bundle", max_bytes=requests.MAX_BUNDLE_BYTES)
    accepted = await node.publish_statement(slug, parse_bundle(body))
    return responses.json_response({"sequence": accepted.sequence, "digest": encode_digest(accepted.digest)})


async def seal(request: web.Request) -> web.Response:
    """Seal and publish what is logged."""
    node = context_of(request).node
    slug = await requests.authorise(request, node)
    await requests.expect_no_body(request)
    head = await node.seal(slug)
    return responses.json_response(
        {
            "origin": head.origin,
            "size": head.size,
            "statement": head.statement_sequence,
            "checkpoint": head.checkpoint.decode(),
        }
    )
