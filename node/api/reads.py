"""Open reads: credentials by digest, verdicts, issuers, documents, status lists, trust file, logs."""

from aiohttp import web

from testamur.node.api import requests, responses
from testamur.node.api.context import Context, context_of
from testamur.node.api.ports import IssuerSummary, NotFound
from testamur.registry.canonical import Json
from testamur.registry.multiformats import encode_digest
from testamur.registry.tiles import parse_tile_path


async def get_credential(request: web.Request) -> web.Response:
    """Where the digest is logged."""
    digest = requests.digest_in_path(request)
    entries = await context_of(request).node.find_credential(digest)
    if not entries:
        raise NotFound("no credential with this digest is logged here")
    return responses.json_response(
        {
            "digest": encode_digest(digest),
            "entries": [
                {"origin": entry.origin, "leafIndex": entry.leaf_index, "state": entry.state}
                for entry in entries
            ],
        }
    )


async def get_evidence(request: web.Request) -> web.Response:
    """The newest evidence for the digest."""
    evidence = await context_of(request).node.evidence(requests.digest_in_path(request))
    if evidence is None:
        raise NotFound("no credential with this digest is in a published checkpoint here")
    return responses.bytes_response(request, evidence, media=responses.JSON, cache=responses.NO_STORE)


async def list_credentials(request: web.Request) -> web.Response:
    """Digests by prefix, at least 1 024 or all."""
    answer = await context_of(request).node.find_prefix(requests.prefix_in_query(request))
    return responses.json_response(
        {
            "prefix": answer.prefix,
            "isEverything": answer.is_everything,
            "credentials": [
                {
                    "digest": encode_digest(digest),
                    "entries": [
                        {"origin": origin, "leafIndex": leaf_index} for origin, leaf_index in entries
                    ],
                }
                for digest, entries in answer.found
            ],
        }
    )


async def verify(request: web.Request) -> web.Response:
    """The verdict about a credential or dossier; invalid is an answer, not an error."""
    as_of = requests.as_of_in_query(request)
    body = await requests.read_json(request, subject="dossier", max_bytes=requests.MAX_DOSSIER_BYTES)
    return responses.json_response(await context_of(request).node.verify(body, as_of))


async def list_issuers(request: web.Request) -> web.Response:
    """All issuers."""
    context = context_of(request)
    issuers: list[Json] = [_issuer_json(issuer, context) for issuer in await context.node.issuers()]
    body: dict[str, Json] = {
        "registry": context.registry_name,
        "devnet": context.is_devnet,
        "issuers": issuers,
    }
    return responses.json_response(body, cache=responses.REVALIDATE)


async def get_issuer(request: web.Request) -> web.Response:
    """One issuer."""
    context = context_of(request)
    issuer = await context.node.issuer(requests.slug_in_path(request))
    if issuer is None:
        raise NotFound("no issuer has this slug")
    return responses.json_response(_issuer_json(issuer, context), cache=responses.REVALIDATE)


async def get_log_evidence(request: web.Request) -> web.Response:
    """Everything that evidence of a log holds but the entries."""
    slug, epoch = requests.slug_in_path(request), requests.epoch_in_query(request)
    newest = requests.flag_in_query(request, "newest")
    evidence = await context_of(request).node.log_evidence(slug, epoch, newest=newest)
    if evidence is None:
        raise NotFound("no such log has a published checkpoint here")
    return responses.bytes_response(request, evidence, media=responses.JSON, cache=responses.REVALIDATE)


async def get_document(request: web.Request) -> web.Response:
    """A public document by digest."""
    document = await context_of(request).node.document(requests.digest_in_path(request))
    if document is None:
        raise NotFound("no document with this digest is kept here")
    return responses.bytes_response(request, document, media=responses.JSON, cache=responses.IMMUTABLE)


async def find_status_list(request: web.Request) -> web.Response:
    """The newest version of a status list, by its id."""
    list_id = request.query.get("id", "")
    found = await context_of(request).node.status_list(list_id) if list_id else None
    return _status_list_response(request, found)


async def get_own_status_list(request: web.Request) -> web.Response:
    """The newest version of a status list, under its own address."""
    slug, number = requests.slug_in_path(request), requests.number_in_path(request)
    found = await context_of(request).node.own_status_list(slug, request.match_info["purpose"], number)
    return _status_list_response(request, found)


async def get_trust_file(request: web.Request) -> web.Response:
    """The trust file that this node uses: a convenience, not a root of trust."""
    trust_file = await context_of(request).node.trust_file()
    if trust_file is None:
        raise NotFound("this node has no trust file yet")
    return responses.bytes_response(request, trust_file, media=responses.JSON, cache=responses.REVALIDATE)


async def get_checkpoint(request: web.Request) -> web.Response:
    """tlog-tiles: the newest checkpoint."""
    checkpoint = await context_of(request).node.checkpoint(requests.log_id_in_path(request))
    if checkpoint is None:
        raise NotFound("no log with this id is published here")
    return responses.bytes_response(request, checkpoint, media=responses.TEXT, cache=responses.REVALIDATE)


async def get_tile(request: web.Request) -> web.Response:
    """tlog-tiles: a tile or an entry bundle."""
    log_id, tile_id = requests.log_id_in_path(request), parse_tile_path(f"tile/{request.match_info['tile']}")
    tile = await context_of(request).node.tile(log_id, tile_id)
    if tile is None:
        raise NotFound("no log with this id has this tile here")
    return responses.bytes_response(request, tile, media=responses.OCTETS, cache=responses.IMMUTABLE)


def _status_list_response(request: web.Request, found: bytes | None) -> web.Response:
    if found is None:
        raise NotFound("no status list with this id is kept here")
    return responses.bytes_response(request, found, media=responses.CREDENTIAL, cache=responses.REVALIDATE)


def _issuer_json(issuer: IssuerSummary, context: Context) -> dict[str, Json]:
    return {
        "slug": issuer.slug,
        "did": issuer.did,
        "name": issuer.name,
        "lifecycle": issuer.lifecycle,
        "epoch": issuer.epoch,
        "origin": issuer.origin,
        "logId": issuer.log_id.hex(),
        "verifierKey": issuer.verifier_key,
        "size": issuer.size,
        "anchoredSize": issuer.anchored_size,
        "statement": issuer.statement_sequence,
        "devnet": context.is_devnet,
    }
