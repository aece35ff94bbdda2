"""From an admitted application on disk to a hosted log that is open."""

from collections.abc import Callable
from datetime import datetime

from testamur.node.errors import StoreCorrupt
from testamur.node.files import read_file
from testamur.node.index.store import Index
from testamur.node.issuing.apply import Application, verify_application
from testamur.node.keystore.store import Keystore
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.hosting import HostedLog
from testamur.node.service.hostings import Hosting
from testamur.node.service.log_evidence import CaptureStore
from testamur.node.service.roles import log_key_name
from testamur.node.service.scrubbing import ScrubProgress, health_of
from testamur.node.service.statements import PublicationStore
from testamur.registry.canonical import Json, parse_json
from testamur.registry.entries import Origin
from testamur.registry.errors import RegistryError
from testamur.registry.evidence import parse_evidence
from testamur.registry.evm.anchors import parse_anchor, prove_anchor
from testamur.registry.publications import parse_bundle

APPLICATION_NAME = "application.json"
MAX_APPLICATION_BYTES = 1 << 20
FIRST_EPOCH = 1


def application_slugs(folders: NodeFolders) -> list[str]:
    """The issuers that were admitted with this node as their host."""
    return sorted(path.parent.name for path in folders.hosting.glob(f"*/{APPLICATION_NAME}"))


def open_hosting(
    *,
    folders: NodeFolders,
    config: NodeConfig,
    keystore: Keystore,
    index: Index,
    documents: DocumentStore,
    slug: str,
    clock: Callable[[], datetime],
) -> Hosting:
    """Open an issuer's log, recover it, and log its first statement if that is not done yet."""
    document, application = _load(folders, config, slug)
    origin = Origin(registry=config.registry, slug=slug, epoch=FIRST_EPOCH)
    writer = LogWriter(
        folders.log(origin), str(origin), keystore.load(log_key_name(slug, FIRST_EPOCH)), documents
    )
    progress = ScrubProgress(folders.scrub(origin))
    health = health_of(progress, name=str(origin), hours=config.scrub_hours, clock=clock)
    if not writer.size:
        # Nothing was published yet, so there is nothing that could have rotted.
        health.verified()
    log = HostedLog(
        origin=origin,
        did=application.did,
        first_key_event=application.admission.first_key_event,
        writer=writer,
        index=index,
        publications=PublicationStore(folders.issuer(slug) / "statements"),
        clock=clock,
        health=health,
    )
    if log.publications.newest() is None:
        log.publish_statement(parse_bundle(first_bundle(document)))
    hosting = Hosting(log=log, captures=CaptureStore(folders.capture(origin)), name=application.name)
    _learn_captured(hosting)
    return hosting


def _learn_captured(hosting: Hosting) -> None:
    """How the issuer stood in the newest captured block; active, as it was admitted, before the first."""
    captured = hosting.captures.newest()
    origin = hosting.log.origin
    for anchor in parse_evidence(captured[1]).anchors if captured else ():
        proven = prove_anchor(
            parse_anchor(anchor), issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch
        )
        hosting.learn(proven)
        return


def first_bundle(application: dict[str, Json]) -> Json:
    """The statement bundle that an application contains."""
    return {
        "statement": application["statement"],
        "keyEvents": application["keyEvents"],
        "statusLists": application["documents"],
        "documents": application.get("published", []),
    }


def _load(folders: NodeFolders, config: NodeConfig, slug: str) -> tuple[dict[str, Json], Application]:
    path = folders.issuer(slug) / APPLICATION_NAME
    data = read_file(path, max_bytes=MAX_APPLICATION_BYTES)
    try:
        document = parse_json(data or b"", subject="application")
        application = verify_application(document, registry=config.registry)
    except RegistryError as error:
        raise StoreCorrupt(f"{path}: {error}; restore it from a backup") from error
    if application.slug != slug or not isinstance(document, dict):
        raise StoreCorrupt(f"{path}: is the application of {application.slug}; restore the right one")
    return document, application
