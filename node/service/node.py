"""The composition root: everything a node is made of is opened, run and closed here.

One supervisor: whatever ends unexpectedly ends the node, loudly. Losing the chain is not unexpected: the
logs go on, and the chain's tasks try again.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from testamur.node.api.app import Application, Server, create_app, serve
from testamur.node.api.clients import TrustedProxies
from testamur.node.api.limits import RateLimit
from testamur.node.api.ports import NodePort, NotReady, Sample
from testamur.node.api.vc.ports import VerifierPort
from testamur.node.files import DamagedFile, make_folders
from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.witness import Witness
from testamur.node.index.store import Index
from testamur.node.keystore.store import Keystore
from testamur.node.log.documents import DocumentStore
from testamur.node.service.chain_tasks import ChainTasks
from testamur.node.service.config import NodeConfig, load_config
from testamur.node.service.cosigning import OwnCosigners
from testamur.node.service.folders import NodeFolders
from testamur.node.service.hostings import Hosting
from testamur.node.service.opening import application_slugs, open_hosting
from testamur.node.service.parts import watch_parts
from testamur.node.service.roles import MIRROR, WITNESS, key_name
from testamur.node.service.scrubbing import LogScrub, ScrubProgress
from testamur.node.service.supplied import load_documents
from testamur.node.service.tokens import TokenStore
from testamur.node.service.trust_keeping import TrustKeeper
from testamur.node.service.vc_parts import node_verifier
from testamur.node.service.workers import LOOKING_UP, Workers
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.trust import TrustFile
from testamur.registry.trust_successions import OWN_SLUG

ADMISSION_POLL_SECONDS = 1.0
"""How soon a running node hosts an issuer that the command line has just added."""

REFUSED_SEAL_SECONDS = 1.0
"""How soon a log that may not sign now is asked again."""

BURST_SECONDS = 10
"""A page or a class of dossiers asks for much at once, and then for nothing."""

Clock = Callable[[], datetime]

logger = structlog.get_logger(__name__)


class Node:
    """One member's node. `open`, then `run` until it is cancelled, then `close`."""

    def __init__(self, root: Path, config: NodeConfig, keystore: Keystore, *, clock: Clock) -> None:
        """Open stores and keys; nothing listens and nothing is sent yet.

        Raises ConfigError, StoreLocked, StoreCorrupt, SchemaMismatch.
        """
        self.folders = NodeFolders(root)
        self.config = config
        self.clock = clock
        self.keystore = keystore
        self.supplied = load_documents(root / config.documents if config.documents else None)
        self.hostings: dict[str, Hosting] = {}
        self.keeper = TrustKeeper(self.folders.trust, config.registry)
        self.tokens = TokenStore(self.folders.tokens)
        self.server: Server | None = None
        self.samples: tuple[Sample, ...] = ()
        self._hosted = asyncio.Event()
        self._undo = ExitStack()
        with ExitStack() as undo:
            self.workers = Workers("verify")
            undo.callback(self.workers.close)
            self.waiters = Workers("look-up", workers=LOOKING_UP)
            undo.callback(self.waiters.close)
            make_folders(self.folders.hosting)
            self.index = Index(self.folders.index)
            undo.callback(self.index.close)
            self.documents = DocumentStore(self.folders.documents)
            witness = Witness(
                self.folders.witness,
                key_name(config, WITNESS),
                keystore.load(WITNESS),
                self._seconds,
            )
            undo.callback(witness.close)
            mirror = Mirror(
                self.folders.mirror, key_name(config, MIRROR), keystore.load(MIRROR), self._seconds
            )
            undo.callback(mirror.close)
            self.cosigners = OwnCosigners(witness, mirror, self.documents)
            self.chain = ChainTasks(
                config,
                self.folders,
                keystore,
                index=self.index,
                trust=self.trust,
                hostings=self.hostings,
                clock=clock,
            )
            self._undo = undo.pop_all()
        self.keeper.listeners.append(self.chain.adopt)
        self._open_hostings()

    @classmethod
    def open(cls, root: Path, keystore: Keystore, *, clock: Clock) -> "Node":
        """The node whose settings are in `root`."""
        return cls(root, load_config(root), keystore, clock=clock)

    @property
    def trust(self) -> TrustFile:
        """The trust file that this node uses now."""
        return self.keeper.trust

    @property
    def url(self) -> str:
        """Where the HTTP interface listens."""
        return self.server.url if self.server else ""

    async def run(self, *, port: NodePort, ready: asyncio.Event | None = None) -> None:
        """Serve and work until cancelled; `port` stands over this node, `ready` is set when it listens."""
        app = make_app(port, self.config, node_verifier(self, self.workers, self.waiters))
        self.server = await serve(app, host=self.config.host, port=self.config.port)
        logger.info("listening", url=self.server.url, registry=self.config.registry)
        if ready is not None:
            ready.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self.chain.run())
                tasks.create_task(self._admissions())
                tasks.create_task(watch_parts(port))
                for slug in list(self.hostings):
                    self._start_tasks(slug)
        finally:
            await self.server.close()

    async def close(self) -> None:
        """Close everything that was opened; the folders are free for another process then."""
        for hosting in self.hostings.values():
            await asyncio.to_thread(hosting.close)
        self.hostings.clear()
        await self.chain.client.close()
        self._undo.close()

    async def hosted(self, slug: str) -> None:
        """Return once the issuer that the command line has just added is hosted."""
        while slug not in self.hostings:
            self._hosted.clear()
            await self._hosted.wait()

    # ----------------------------------------------------------------------------------------------- look-ups

    def hosting_of(self, origin: str) -> Hosting | None:
        """The hosting of a log by its origin."""
        return next((item for item in self.hostings.values() if item.log.name == origin), None)

    def hosting_by_id(self, log_id: bytes) -> Hosting | None:
        """The hosting of a log by its id."""
        return next((item for item in self.hostings.values() if item.log.origin.log_id == log_id), None)

    def parts(self) -> dict[str, str]:
        """The state of each part in a word, for /readyz and `node status`."""
        states = {slug: hosting.log.health.state() for slug, hosting in self.hostings.items()}
        wrong = [f"{slug}: {state}" for slug, state in sorted(states.items()) if state != "ok"]
        return {**self.chain.parts(), "logs": "; ".join(wrong) or "ok"}

    # ----------------------------------------------------------------------------------------------- sealing

    def wake_sealer(self, slug: str) -> None:
        """There is something to seal."""
        self.hostings[slug].wake.set()

    async def seal(self, hosting: Hosting, *, heartbeat: bool = False) -> SignedCheckpoint:
        """Seal and publish what is new, have it cosigned, and let the anchorer know."""
        async with hosting.sealing:
            head = await hosting.run(hosting.log.seal, heartbeat=heartbeat)
            head = await hosting.run(self.cosigners.cosign, hosting.log, head)
        self.chain.wake(hosting)
        return head

    def _start_tasks(self, slug: str) -> None:
        hosting = self.hostings[slug]
        progress = ScrubProgress(self.folders.scrub(hosting.log.origin))
        self._tasks.create_task(self._sealer(slug))
        self._tasks.create_task(LogScrub(hosting, progress, hours=self.config.scrub_hours).run())

    async def _seal_or_wait(self, hosting: Hosting, *, heartbeat: bool = False) -> None:
        """Seal; a log that may not sign now is asked again soon, and the node does the rest of its work."""
        try:
            await self.seal(hosting, heartbeat=heartbeat)
        except (NotReady, DamagedFile):
            # The log's health has it, for /readyz and the structured log.
            await asyncio.sleep(REFUSED_SEAL_SECONDS)
            hosting.wake.set()

    async def _sealer(self, slug: str) -> None:
        """Seal this issuer's log whenever something gathered, and when it was silent for too long."""
        hosting = self.hostings[slug]
        longest = timedelta(hours=self.config.heartbeat_hours)
        if hosting.log.publications.newest() is not None:
            await self._seal_or_wait(hosting)
        while True:
            try:
                async with asyncio.timeout(min(60.0, longest.total_seconds())):
                    await hosting.wake.wait()
            except TimeoutError:
                if await hosting.run(hosting.log.is_silent, longest):
                    await self._seal_or_wait(hosting, heartbeat=True)
                continue
            await asyncio.sleep(self.config.seal_seconds)
            hosting.wake.clear()
            if hosting.refusal is not None:
                raise hosting.refusal
            await self._seal_or_wait(hosting)

    async def _admissions(self) -> None:
        """Host issuers that the command line adds while the node runs."""
        while True:
            await asyncio.sleep(ADMISSION_POLL_SECONDS)
            for slug in self._open_hostings():
                self._start_tasks(slug)
                self._hosted.set()

    def _open_hostings(self) -> list[str]:
        opened = []
        for slug in application_slugs(self.folders):
            if slug not in self.hostings:
                self.hostings[slug] = open_hosting(
                    folders=self.folders,
                    config=self.config,
                    keystore=self.keystore,
                    index=self.index,
                    documents=self.documents,
                    slug=slug,
                    clock=self.clock,
                )
                opened.append(slug)
                if slug == OWN_SLUG:
                    self.keeper.adopt_published(self.hostings[slug], self.documents)
        return opened

    def _seconds(self) -> int:
        return int(self.clock().timestamp())


def make_app(port: NodePort, config: NodeConfig, verifier: VerifierPort | None = None) -> Application:
    """The HTTP interface over `port`, as the settings want it."""
    return create_app(
        port,
        registry_name=config.registry,
        devnet=config.development,
        rate_limit=_limit(config.requests_per_second),
        token_limit=_limit(config.token_requests_per_second),
        proxies=TrustedProxies(config.trusted_proxies.split()),
        verifier=verifier,
    )


def _limit(rate: int) -> RateLimit | None:
    """A limit of so many requests a second in the long run; 0 is none."""
    return RateLimit(per_second=rate, burst=BURST_SECONDS * rate, clock=time.monotonic) if rate else None
