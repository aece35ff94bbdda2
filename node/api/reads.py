"""Open reads: credentials by digest, verdicts, issuers, documents, status lists, trust file, logs."""

from aiohttp import web

from testamur.node.api import models, parameters, requests, responses
from testamur.node.api.context import Context, context_of
from testamur.node.api.ports import IssuerSummary, NotFound
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.tiles import parse_tile_path


async def get_credential(request: web.Request) -> web.Response:
    """Where the digest is logged."""
    digest = parameters.digest_in_path(request)
    entries = await context_of(request).node.find_credential(digest)
    if not entries:
        raise NotFound("no credential with this digest is logged here")
    places: list[models.StatedPlace] = [
        {"origin": entry.origin, "leafIndex": entry.leaf_index, "state": entry.state} for entry in entries
    ]
    body: models.LoggedCredential = {"digest": encode_digest(digest), "entries": places}
    return responses.typed_response(body)


async def get_evidence(request: web.Request) -> web.Response:
    """The newest evidence for the digest."""
    evidence = await context_of(request).node.evidence(parameters.digest_in_path(request))
    if evidence is None:
        raise NotFound("no credential with this digest is in a published checkpoint here")
    return responses.bytes_response(request, evidence, media=responses.JSON, cache=responses.NO_STORE)


async def list_credentials(request: web.Request) -> web.Response:
    """Digests by prefix, at least 1 024 or all."""
    prefix = parameters.PREFIX.get(request).lower()
    answer = await context_of(request).node.find_prefix(prefix)
    found: list[models.FoundCredential] = [
        {
            "digest": encode_digest(digest),
            "entries": [{"origin": origin, "leafIndex": leaf_index} for origin, leaf_index in entries],
        }
        for digest, entries in answer.found
    ]
    body: models.PrefixAnswer = {
        "prefix": answer.prefix,
        "isEverything": answer.is_everything,
        "credentials": found,
    }
    return responses.typed_response(body)


async def verify(request: web.Request) -> web.Response:
    """The verdict about a credential or dossier; invalid is an answer, not an error."""
    as_of = parameters.moment_in_query(request, parameters.AS_OF)
    body = await requests.read_json(request, subject="dossier", max_bytes=requests.MAX_DOSSIER_BYTES)
    if not isinstance(body, dict):
        raise MalformedError("dossier", "must be an object: a credential, or a dossier with its evidence")
    return responses.json_response(await context_of(request).node.verify(body, as_of))


async def list_issuers(request: web.Request) -> web.Response:
    """A page of the issuers."""
    context = context_of(request)
    limit = parameters.number_in_query(request, parameters.LIMIT) or parameters.DEFAULT_PAGE
    found = await context.node.issuers(parameters.AFTER_SLUG.get(request), limit + 1)
    page = models.Issuers(
        registry=context.registry_name,
        devnet=context.is_devnet,
        issuers=[_issuer(issuer, context) for issuer in found[:limit]],
        next=found[limit - 1].slug if len(found) > limit else None,
    )
    return responses.page_response(request, page)


async def get_issuer(request: web.Request) -> web.Response:
    """One issuer."""
    context = context_of(request)
    issuer = await context.node.issuer(parameters.SLUG.in_path(request))
    if issuer is None:
        raise NotFound(parameters.SLUG.missing)
    return responses.page_response(request, _issuer(issuer, context))


async def list_documents(request: web.Request) -> web.Response:
    """A page of what the issuer's newest statement names."""
    slug = parameters.SLUG.in_path(request)
    limit = parameters.number_in_query(request, parameters.LIMIT) or parameters.DEFAULT_PAGE
    after = parameters.AFTER_ID.get(request)
    answer = await context_of(request).node.documents_of(slug, after, limit + 1)
    if answer is None:
        raise NotFound(parameters.SLUG.missing)
    sequence, found = answer
    page = models.Documents(
        statement=sequence,
        documents=[
            models.ListedDocument(id=item.id, digest=encode_digest(item.digest), type=item.kind)
            for item in found[:limit]
        ],
        next=f"{found[limit - 1].kind}:{found[limit - 1].id}" if len(found) > limit else None,
    )
    return responses.page_response(request, page)


async def get_log_evidence(request: web.Request) -> web.Response:
    """Everything that evidence of a log holds but the entries."""
    slug = parameters.SLUG.in_path(request)
    epoch = parameters.number_in_query(request, parameters.EPOCH)
    newest = parameters.NEWEST.find(request) == "true"
    evidence = await context_of(request).node.log_evidence(slug, epoch, newest=newest)
    if evidence is None:
        raise NotFound("no such log has a published checkpoint here")
    return responses.bytes_response(request, evidence, media=responses.JSON, cache=responses.REVALIDATE)


async def get_document(request: web.Request) -> web.Response:
    """A public document by digest."""
    document = await context_of(request).node.document(parameters.digest_in_path(request))
    if document is None:
        raise NotFound("no document with this digest is kept here")
    return responses.bytes_response(request, document, media=responses.JSON, cache=responses.IMMUTABLE)


async def find_status_list(request: web.Request) -> web.Response:
    """A version of a status list, by its id."""
    list_id, issuer = parameters.LIST_ID.get(request), parameters.LIST_ISSUER.find(request)
    at = parameters.moment_in_query(request, parameters.TIMESTAMP)
    found = await context_of(request).node.status_list(list_id, issuer, at)
    return _status_list_response(request, found)


async def get_own_status_list(request: web.Request) -> web.Response:
    """The newest version of a status list, under its own address."""
    slug, purpose = parameters.SLUG.in_path(request), parameters.PURPOSE.in_path(request)
    number = int(parameters.NUMBER.in_path(request))
    found = await context_of(request).node.own_status_list(slug, purpose, number)
    return _status_list_response(request, found)


async def get_trust_file(request: web.Request) -> web.Response:
    """The trust file that this node uses: a convenience, not a root of trust."""
    trust_file = await context_of(request).node.trust_file()
    if trust_file is None:
        raise NotFound("this node has no trust file yet")
    return responses.bytes_response(request, trust_file, media=responses.JSON, cache=responses.REVALIDATE)


async def get_trust_successions(request: web.Request) -> web.Response:
    """The way from the client's version of the trust file to the newest; proven by the client, not here."""
    after = parameters.number_in_query(request, parameters.AFTER_VERSION) or 0
    found = await context_of(request).node.trust_successions(after)
    return responses.bytes_response(request, found, media=responses.JSON, cache=responses.REVALIDATE)


async def get_checkpoint(request: web.Request) -> web.Response:
    """tlog-tiles: the newest checkpoint."""
    checkpoint = await context_of(request).node.checkpoint(bytes.fromhex(parameters.LOG_ID.in_path(request)))
    if checkpoint is None:
        raise NotFound("no log with this id is published here")
    return responses.bytes_response(request, checkpoint, media=responses.TEXT, cache=responses.REVALIDATE)


async def get_tile(request: web.Request) -> web.Response:
    """tlog-tiles: a tile or an entry bundle."""
    log_id = bytes.fromhex(parameters.LOG_ID.in_path(request))
    tile_id = parse_tile_path(f"tile/{parameters.TILE.in_path(request)}")
    tile = await context_of(request).node.tile(log_id, tile_id)
    if tile is None:
        raise NotFound("no log with this id has this tile here")
    return responses.bytes_response(request, tile, media=responses.OCTETS, cache=responses.IMMUTABLE)


def _status_list_response(request: web.Request, found: bytes | None) -> web.Response:
    if found is None:
        raise NotFound("no status list with this id is kept here")
    media, varying = responses.credential_headers(request)
    answer = responses.bytes_response(request, found, media=media, cache=responses.REVALIDATE)
    answer.headers.update(varying)
    return answer


def _issuer(issuer: IssuerSummary, context: Context) -> models.Issuer:
    return models.Issuer(
        slug=issuer.slug,
        did=issuer.did,
        name=issuer.name,
        lifecycle=issuer.lifecycle,
        epoch=issuer.epoch,
        origin=issuer.origin,
        log_id=issuer.log_id.hex(),
        verifier_key=issuer.verifier_key,
        size=issuer.size,
        anchored_size=issuer.anchored_size,
        statement=issuer.statement_sequence,
        devnet=context.is_devnet,
    )
