"""The life of one hosted log in one process, to be killed anywhere: `log_life.py FOLDER`.

Opens the log (which recovers it), publishes the first statement, submits three batches, and seals and
cosigns after each. Says on standard output what it is about to do (`@ arrow`) and what it has promised
(`= digest index`), in one write each, so that nothing said is lost with the process.
"""

import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.witness import Witness
from testamur.node.index.store import Index
from testamur.node.issuing.bundles import build_bundle
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.node.service.cosigning import OwnCosigners
from testamur.node.service.hosting import HostedLog
from testamur.node.service.statements import PublicationStore
from testamur.registry.canonical import Json
from testamur.registry.entries import Origin
from testamur.registry.key_events import build_key_event, commitment, parse_key_event
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.publications import parse_bundle
from testamur.registry.status import StatusBits

ORIGIN = Origin(registry="registry.example", slug="ada", epoch=1)
DID = "did:web:ada.example"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
BATCHES = 3
BATCH_DIGESTS = 120
"""So that the second batch fills the first tile, whose partial files are then removed."""


def key(name: str) -> SigningKey:
    """The same key for the same name in every process."""
    return SigningKey.from_seed(Algorithm.ED25519, hashlib.sha256(name.encode()).digest())


def say(line: str) -> None:
    """Lines in one write, without a buffer."""
    os.write(1, f"{line}\n".encode())


def digests(batch: int) -> list[bytes]:
    """The credentials of a batch."""
    return [hashlib.sha256(f"{batch}/{number}".encode()).digest() for number in range(BATCH_DIGESTS)]


def first_bundle() -> Json:
    """The issuer's first statement; the same bytes in every process."""
    event = build_key_event(
        did=DID,
        keys=[key("issuer")],
        next_commitment=commitment([key("next").public_key]),
        created="2026-11-21T00:00:00Z",
    )
    lists = [
        (f"https://s.example/{purpose}/1", purpose, StatusBits()) for purpose in ("revocation", "suspension")
    ]
    return build_bundle(None, did=DID, lists=lists, key=key("issuer"), now=NOW, key_events=[event])


def main() -> None:
    """Live the life to its end, from wherever an earlier process left it."""
    root = Path(sys.argv[1])
    say("@ open")
    documents = DocumentStore(root / "documents")
    index = Index(root / "index")
    writer = LogWriter(root / "log", str(ORIGIN), key("log"), documents)
    bundle = parse_bundle(first_bundle())
    log = HostedLog(
        origin=ORIGIN,
        did=DID,
        first_key_event=parse_key_event(bundle.key_events[0]).digest,
        writer=writer,
        index=index,
        publications=PublicationStore(root / "statements"),
        clock=lambda: datetime.now(UTC),
    )
    witness = Witness(root / "witness", "w", key("witness"), lambda: 1_795_000_000)
    mirror = Mirror(root / "mirror", "m", key("mirror"), lambda: 1_795_000_000)
    cosigners = OwnCosigners(witness, mirror, documents)
    say("@ statement")
    if log.publications.newest() is None:
        log.publish_statement(bundle)
    for batch in range(BATCHES):
        say("@ submit")
        placed = log.submit(digests(batch))
        promised = zip(digests(batch), placed.leaf_indexes, strict=True)
        say("\n".join(f"= {digest.hex()} {leaf_index}" for digest, leaf_index in promised))
        say("@ seal")
        head = log.seal()
        say("@ cosign")
        cosigners.cosign(log, head)
    say("@ close")
    for part in (mirror, witness, writer, index):
        part.close()
    say("@ end")


if __name__ == "__main__":
    main()
