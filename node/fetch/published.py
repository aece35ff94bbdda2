"""A whole log over HTTP, proven against its checkpoint: entries, and the public documents that they name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from testamur.node.errors import ConfigError, PeerMisbehaved
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import Json, parse_json
from testamur.registry.checkpoints import verify_checkpoint
from testamur.registry.entries import Entry, EntryKind, parse_entry
from testamur.registry.errors import MalformedError, RegistryError
from testamur.registry.evidence import LogEvidence, parse_evidence
from testamur.registry.hashing import sha256
from testamur.registry.merkle import root_hash
from testamur.registry.notes import parse_vkey
from testamur.registry.shapes import Shape
from testamur.registry.tiles import TILE_WIDTH, parse_entry_bundle

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLog:
    """The entries of a log at one signed checkpoint, and what the node says of it beside."""

    origin: str
    did: str
    entries: tuple[Entry, ...]
    evidence: Json
    log: LogEvidence


def find_issuer(client: RegistryClient, name: str) -> tuple[str, str]:
    """(origin, DID) of the issuer with this slug or this log. Raises ConfigError when the node has none."""
    rows = Shape(client.issuers(), "issuers").shapes("issuers", maximum=100_000)
    for row in rows:
        if name in {row.text("slug"), row.text("origin")}:
            return row.text("origin"), row.text("did")
    known = ", ".join(row.text("slug") for row in rows)[:200]
    raise ConfigError("LOG", f"{client.url} knows no issuer {name!r}; it knows {known or 'none'}")


def read_log(
    client: RegistryClient, name: str, *, anchored: bool = True, progress: Progress = lambda _done, _all: None
) -> ReadLog:
    """Every entry of a log, recomputed to the root of its signed checkpoint: the anchored one, or the newest.

    Raises PeerMisbehaved when the entries are not those that the checkpoint covers.
    """
    origin, did = find_issuer(client, name)
    document = client.log_evidence(origin, anchored=anchored)
    if document is None:
        raise ConfigError("LOG", f"{client.url} has no checkpoint of {origin} yet")
    log = _log_of(client, document, origin)
    checkpoint = log.checkpoint.checkpoint
    entries: list[Entry] = []
    for index in range(-(-checkpoint.size // TILE_WIDTH)):
        width = min(TILE_WIDTH, checkpoint.size - index * TILE_WIDTH)
        try:
            bundle = parse_entry_bundle(client.entry_bundle(origin, index, width), count=width)
            entries += [parse_entry(data) for data in bundle]
        except MalformedError as error:
            raise PeerMisbehaved(f"{client.url} served a bundle of entries that is none ({error})") from error
        progress(len(entries), checkpoint.size)
    if root_hash(entry.leaf_hash for entry in entries) != checkpoint.root:
        raise PeerMisbehaved(f"{client.url} serves entries of {origin} that its checkpoint does not cover")
    return ReadLog(origin=origin, did=did, entries=tuple(entries), evidence=document, log=log)


def read_documents(
    client: RegistryClient, read: ReadLog, *, progress: Progress = lambda _done, _all: None
) -> Iterator[tuple[int, EntryKind, Json]]:
    """(leaf index, kind, document) of every public document and seal, in the order of the log.

    One that is not JSON is None. Raises PeerMisbehaved for bytes with another digest.
    """
    wanted = [
        (number, entry) for number, entry in enumerate(read.entries) if entry.kind is not EntryKind.CREDENTIAL
    ]
    for done, (leaf_index, entry) in enumerate(wanted, 1):
        data = client.document(entry.digest)
        if sha256(data) != entry.digest:
            raise PeerMisbehaved(f"{client.url} served another document than entry {leaf_index} names")
        try:
            document = parse_json(data, subject="document")
        except MalformedError:
            document = None
        progress(done, len(wanted))
        yield leaf_index, entry.kind, document


def _log_of(client: RegistryClient, document: Json, origin: str) -> LogEvidence:
    try:
        log = parse_evidence(document).logs[origin]
        verify_checkpoint(log.checkpoint, parse_vkey(log.key))
    except (RegistryError, KeyError) as error:
        raise PeerMisbehaved(
            f"{client.url} served evidence of {origin} that does not hold ({error})"
        ) from error
    return log
