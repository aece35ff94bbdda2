"""A hosted log as a node has it, in a node's folders, without a node, a chain or a cosigner."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fakes.issuers import DID, NOW, REGISTRY, signing_key
from testamur.node.index.store import Index
from testamur.node.issuing.bundles import build_bundle
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.node.service.config import NodeConfig, write_config
from testamur.node.service.folders import NodeFolders
from testamur.node.service.health import LogHealth
from testamur.node.service.hosting import HostedLog
from testamur.node.service.hostings import Hosting
from testamur.node.service.log_evidence import CaptureStore
from testamur.node.service.statements import PublicationStore
from testamur.registry.entries import Origin
from testamur.registry.key_events import build_key_event, commitment, parse_key_event
from testamur.registry.publications import parse_bundle
from testamur.registry.status import StatusBits

LIST = "https://status.ada.example/revocation/1"
EVENT = build_key_event(
    did=DID,
    keys=[signing_key(1)],
    next_commitment=commitment([signing_key(2).public_key]),
    created="2026-11-21T10:00:00Z",
)
CONFIG = NodeConfig(registry=REGISTRY, member="ada")


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self):
        self.now = NOW.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts):
        self.now += timedelta(**parts)


class StoppedNode:
    """A node's folder with hosted logs that a test opens, fills and closes."""

    def __init__(self, root, *, config=CONFIG):
        self.root = root
        self.folders = NodeFolders(root)
        root.mkdir(parents=True)
        write_config(root, config)
        self.config = config
        self.clock = Clock()
        self.index = None
        self.hostings = {}
        self.open()

    def open(self):
        self.index = Index(self.folders.index)
        self.documents = DocumentStore(self.folders.documents)

    def host(self, slug, **options):
        """The issuer's log, open, with its first statement logged."""
        origin = Origin(registry=REGISTRY, slug=slug, epoch=1)
        writer = LogWriter(self.folders.log(origin), str(origin), self.key(slug), self.documents)
        options.setdefault("health", LogHealth(self.clock, name=str(origin)))
        log = HostedLog(
            origin=origin,
            did=DID,
            first_key_event=parse_key_event(EVENT).digest,
            writer=writer,
            index=self.index,
            publications=PublicationStore(self.folders.issuer(slug) / "statements"),
            clock=self.clock,
            **options,
        )
        self.hostings[slug] = Hosting(
            log=log, captures=CaptureStore(self.folders.capture(origin)), name=slug.title()
        )
        if log.publications.newest() is None:
            (self.folders.issuer(slug)).mkdir(parents=True, exist_ok=True)
            (self.folders.issuer(slug) / "application.json").write_bytes(b"{}")
            self.state(slug)
        return self.hostings[slug]

    def state(self, slug, *revoked):
        """The next statement, with these status indexes revoked."""
        log = self.hostings[slug].log
        bits = StatusBits()
        for index in revoked:
            bits.set(index)
        earlier = log.publications.newest()
        bundle = build_bundle(
            earlier,
            did=DID,
            lists=[(LIST, "revocation", bits)],
            key=signing_key(1),
            now=self.clock() + timedelta(seconds=0 if earlier is None else earlier.statement.sequence),
            key_events=[EVENT] if earlier is None else [],
        )
        log.publish_statement(parse_bundle(bundle))

    @staticmethod
    def key(slug):
        return signing_key(50 + len(slug))

    def close(self):
        """The folder is what a stopped node leaves."""
        for hosting in self.hostings.values():
            hosting.close()
        self.hostings.clear()
        if self.index is not None:
            self.index.close()
            self.index = None

    def with_config(self, **changes):
        self.config = replace(self.config, **changes)
        return self.config
