"""What a node's verifier is made of: supplied documents, hosted logs, the guarded web, and the chain."""

import asyncio
from typing import TYPE_CHECKING

from testamur.node.fetch.dids import DidWebFetcher
from testamur.node.fetch.guarded import GuardedFetcher
from testamur.node.fetch.lists import StatusListFetcher
from testamur.node.service.chain_access import hex_bytes
from testamur.node.service.did_ethr_reading import ChainEthrReader
from testamur.node.service.did_finding import DidFinder, FoundDocument
from testamur.node.service.verifying import Verifier
from testamur.node.service.workers import Workers
from testamur.registry.canonical import Json
from testamur.registry.did_web import parse_did_document
from testamur.registry.errors import MalformedError

if TYPE_CHECKING:
    from testamur.node.service.node import Node


FETCH_SECONDS = 5.0
"""For one DID document or status list: whoever asks waits for several of them."""


def node_verifier(node: "Node", workers: Workers, waiters: Workers) -> Verifier:
    """The verifier over a node's settings, logs and chain. Called in the node's event loop."""
    is_development = node.config.development
    fetcher = GuardedFetcher(allow_loopback=is_development, max_seconds=FETCH_SECONDS)
    web = DidWebFetcher(fetcher, plain_loopback=is_development) if node.config.fetch_dids else None
    fetched_lists = StatusListFetcher(fetcher) if node.config.fetch_status_lists else None

    def snapshot(did: str) -> FoundDocument | None:
        return _logged_document(node, did)

    def status_list(url: str, issuer: str) -> Json | None:
        published = _published_list(node, url, issuer)
        if published is not None or fetched_lists is None:
            return published
        fetched = fetched_lists.find(url)
        return None if isinstance(fetched, str) else fetched

    ethr = None
    registry = hex_bytes("did_ethr_registry", node.config.did_ethr_registry, 20)
    if registry is not None:
        ethr = ChainEthrReader(
            node.chain.client,
            registry,
            chain_id=node.config.chain_id,
            loop=asyncio.get_running_loop(),
            clock=node.clock,
        )
    finder = DidFinder(node.supplied, web=web, snapshots=snapshot, ethr=ethr)
    return Verifier(
        node.supplied, finder, workers=workers, waiters=waiters, clock=node.clock, lists=status_list
    )


def _logged_document(node: "Node", did: str) -> FoundDocument | None:
    """The DID document that the issuer with this DID has published in its own log."""
    for hosting in list(node.hostings.values()):
        publication = hosting.log.publications.newest()
        if hosting.log.did != did or publication is None:
            continue
        entry = publication.documents.get(did)
        data = node.documents.find(entry.digest) if entry is not None else None
        if data is None:
            continue
        try:
            document = parse_did_document(data, did)
        except MalformedError:
            continue
        origin, sequence = hosting.log.name, publication.statement.sequence
        return FoundDocument(
            document=document, metadata={"source": "log", "origin": origin, "statement": sequence}
        )
    return None


def _published_list(node: "Node", url: str, issuer: str) -> Json | None:
    """The status list that this issuer has published in its own log here; nobody else's of that address."""
    for hosting in list(node.hostings.values()):
        publication = hosting.log.publications.newest()
        if hosting.log.did == issuer and publication is not None and url in publication.lists:
            return publication.lists[url].credential
    return None
