"""The issuer service as a process: issuers, their folder, a verifier for what they issue, and a port."""

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from testamur.node.api.app import Server, serve
from testamur.node.api.vc.issuer_app import create_issuer_app
from testamur.node.errors import ConfigError
from testamur.node.fetch.dids import DidWebFetcher
from testamur.node.files import FolderLock, make_folders
from testamur.node.service.did_finding import DidFinder
from testamur.node.service.vc_issuers import VcIssuer
from testamur.node.service.vc_issuing import VcIssuing
from testamur.node.service.verifying import Verifier
from testamur.node.service.workers import LOOKING_UP, Workers
from testamur.registry.canonical import Json
from testamur.registry.documents import Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerServiceOptions:
    """What the service is started with.

    Issuers without tokens are for development only, and then the verifier's routes are served on the same
    port. `base_url` is the address under which others reach it: it names status lists. `folder` belongs to
    one process.
    """

    folder: Path
    issuers: Sequence[VcIssuer]
    documents: Documents
    host: str = "127.0.0.1"
    port: int = 0
    base_url: str = ""
    web: DidWebFetcher | None = None


@asynccontextmanager
async def issuer_service(
    options: IssuerServiceOptions, *, clock: Callable[[], datetime]
) -> AsyncIterator[Server]:
    """The running service; it is stopped at the end. Raises ConfigError, StoreCorrupt, StoreLocked."""
    is_open = {issuer.token_digest is None for issuer in options.issuers}
    if len(is_open) > 1:
        raise ConfigError("token_file", "is named by some issuers only; name one for each")
    make_folders(options.folder, mode=0o700)
    lock = FolderLock(options.folder)
    workers = Workers("issue")
    waiters = Workers("look-up", workers=LOOKING_UP)
    try:
        async with _serving(options, workers, waiters, clock) as server:
            yield server
    finally:
        workers.close()
        waiters.close()
        lock.release()


@asynccontextmanager
async def _serving(
    options: IssuerServiceOptions, workers: Workers, waiters: Workers, clock: Callable[[], datetime]
) -> AsyncIterator[Server]:
    port = options.port or _free_port(options.host)
    base_url = options.base_url.rstrip("/") or f"http://{options.host}:{port}"
    issuing: list[VcIssuing] = []
    issuing += [
        VcIssuing(
            issuer,
            options.folder,
            base_url=base_url,
            documents=options.documents,
            workers=workers,
            clock=clock,
            beside=issuing,
        )
        for issuer in options.issuers
    ]

    def own_list(url: str, _issuer: str) -> Json | None:
        return next((found for item in issuing if (found := item.lists.find_by_url(url)) is not None), None)

    finder = DidFinder(options.documents, web=options.web)
    verifier = Verifier(
        options.documents, finder, workers=workers, waiters=waiters, clock=clock, lists=own_list
    )
    app = create_issuer_app(
        issuing,
        verifier=verifier,
        serves_verifier=any(item.token_digest is None for item in issuing),
    )
    server = await serve(app, host=options.host, port=port)
    try:
        yield server
    finally:
        await server.close()


def _free_port(host: str) -> int:
    """A port that is free now: status lists are named by it before anything listens."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
