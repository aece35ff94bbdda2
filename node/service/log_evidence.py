"""The evidence of a whole log at one checkpoint, and the anchored captures of it.

Entries are added by whoever has a credential and the tiles; a capture is made once per anchor and holds
everything that a chain node forgets after a few hundred blocks.
"""

from pathlib import Path

import structlog

from testamur.node.errors import StoreCorrupt
from testamur.node.files import make_folders, read_file, write_atomically
from testamur.node.service.hosting import HostedLog
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.checkpoints import SignedCheckpoint, parse_signed_checkpoint
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evidence import FirstSeen, MerklePath, StatusProof, parse_evidence
from testamur.registry.evidence_building import (
    entry_json,
    evidence_json,
    status_json,
    with_entries,
    with_first,
)
from testamur.registry.evm.anchors import AnchorEvidence
from testamur.registry.merkle import verify_consistency
from testamur.registry.publications import Publication
from testamur.registry.statements import prove_entry
from testamur.registry.status_records import build_records, records_id
from testamur.registry.tlog_proofs import TlogProof

MAX_CAPTURE_BYTES = 64 << 20
"""A log with hundreds of populated status lists; a file of this node's own making."""

CHECKPOINT = ".checkpoint"
"""How files of cosigned checkpoints end, beside `.evidence.json` of captures."""

MAX_CHECKPOINT_BYTES = 1 << 18
"""A signed note at its own bound."""

logger = structlog.get_logger(__name__)


def log_evidence(
    hosted: HostedLog,
    head: SignedCheckpoint,
    anchors: list[AnchorEvidence],
    first: SignedCheckpoint | None = None,
) -> Json:
    """Evidence without entries for a published head, with every status list of its statement whole.

    `first` is an earlier cosigned checkpoint, for its time.
    """
    size = head.checkpoint.size
    seal = hosted.seal_of(head)
    publication = hosted.publications.get(seal.statement_sequence)
    entries = publication.status_entries()
    status: list[Json] = []
    for listed in publication.lists.values():
        index, hashes = prove_entry(entries, listed.entry.id)
        proof = StatusProof(
            entry=listed.entry.to_json(),
            path=MerklePath(index=index, hashes=tuple(hashes)),
            list_credential=listed.credential,
            chunk=None,
            chunk_path=None,
        )
        status.append(status_json(proof))
    seal_path = MerklePath(index=size - 1, hashes=tuple(hosted.writer.reader.prove_inclusion(size - 1, size)))
    log: Json = {
        "key": hosted.writer.key.to_text(),
        "checkpoint": head.to_bytes().decode(),
        "seal": {"document": seal.to_json(), "proof": seal_path.to_json()},
        "statement": publication.statement.json,
        "keyEvents": [event.json for event in publication.keys.events],
        "status": status,
        "documents": _batches(publication),
        "first": _first(hosted, head, first),
    }
    proofs: list[Json] = [anchor.to_json() for anchor in anchors]
    return evidence_json(hosted.origin.registry, [], {hosted.name: log}, proofs)


def _batches(publication: Publication) -> list[Json]:
    """The documents with which a holder of a record renews its proof."""
    entries = publication.document_entries()
    found: list[Json] = []
    for listed in publication.lists.values():
        name = records_id(listed.entry.id)
        if listed.batches and name in publication.documents:
            index, hashes = prove_entry(entries, name)
            document = build_records(listed.entry.id, listed.batches)
            path = MerklePath(index=index, hashes=tuple(hashes))
            found.append({"id": name, "document": document, "path": path.to_json()})
    return found


def credential_evidence(
    hosted: HostedLog,
    base: Json,
    head: SignedCheckpoint,
    digest: bytes,
    leaf_index: int,
    *,
    first: SignedCheckpoint | None = None,
) -> Json:
    """`base`, which is about `head`, with the entry of one credential and what dates it, if there is any."""
    proof = TlogProof(
        index=leaf_index,
        hashes=tuple(hosted.writer.reader.prove_inclusion(leaf_index, head.checkpoint.size)),
        checkpoint_note=head.to_bytes(),
    )
    document = with_entries(base, [entry_json(hosted.name, digest, proof)])
    return with_first(document, hosted.name, _first(hosted, head, first))


def _first(hosted: HostedLog, head: SignedCheckpoint, first: SignedCheckpoint | None) -> Json:
    """The member `first`: the earlier checkpoint, proven to be extended by `head`."""
    if first is None or first.checkpoint.size >= head.checkpoint.size:
        return None
    early, newest = first.checkpoint, head.checkpoint
    proof = tuple(hosted.writer.reader.prove_consistency(early.size, newest.size))
    try:
        verify_consistency(early.size, early.root, newest.size, newest.root, proof)
    except VerificationError:
        # Given out it would spoil every file that is made from it; the log's own checks are elsewhere.
        logger.warning("first-checkpoint-contradicts-log", log=hosted.name, size=early.size)
        return None
    return FirstSeen(checkpoint=first, proof=proof).to_json()


class CaptureStore:
    """The newest anchored evidence of one log, and the cosigned checkpoint of every one there was.

    A newer capture proves all that an older one did, but for the time at which witnesses saw it: their
    checkpoints are kept for ever, one small file each, and never replaced.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest: tuple[int, Json] | None = None

    def put(self, size: int, evidence: Json) -> None:
        """Keep the capture of the anchored head of `size`, durable on return; then drop older ones."""
        make_folders(self._folder)
        (log,) = parse_evidence(evidence).logs.values()
        checkpoint = self._folder / f"{size:016d}{CHECKPOINT}"
        if len(log.checkpoint.note.signatures) > 1 and not checkpoint.exists():
            write_atomically(checkpoint, log.note.encode())
        write_atomically(self._path(size), canonicalize(evidence))
        self._newest = (size, evidence)
        for path in self._folder.glob("*.evidence.json"):
            if self._size_of(path) < size:
                path.unlink(missing_ok=True)

    def first_covering(self, leaf_index: int) -> SignedCheckpoint | None:
        """The earliest kept checkpoint that holds this leaf, or None. Raises StoreCorrupt."""
        paths = self._folder.glob(f"*{CHECKPOINT}")
        covering = [path for path in paths if self._size_of(path) > leaf_index]
        if not covering:
            return None
        path = min(covering, key=self._size_of)
        try:
            return parse_signed_checkpoint(read_file(path, max_bytes=MAX_CHECKPOINT_BYTES) or b"")
        except MalformedError as error:
            raise StoreCorrupt(
                f"{path}: {error}; restore it from a backup, or delete it: the time that it proves is lost"
            ) from error

    def newest(self) -> tuple[int, Json] | None:
        """(size, evidence) of the newest capture, or None before the first. Raises StoreCorrupt."""
        if self._newest is None:
            paths = sorted(self._folder.glob("*.evidence.json"), key=self._size_of)
            if not paths:
                return None
            data = read_file(paths[-1], max_bytes=MAX_CAPTURE_BYTES)
            try:
                evidence = parse_json(data or b"", subject="capture", max_bytes=MAX_CAPTURE_BYTES)
            except MalformedError as error:
                raise StoreCorrupt(
                    f"{paths[-1]}: {error}; delete it, the next anchor makes a new one"
                ) from error
            self._newest = (self._size_of(paths[-1]), evidence)
        return self._newest

    def _path(self, size: int) -> Path:
        return self._folder / f"{size:016d}.evidence.json"

    @staticmethod
    def _size_of(path: Path) -> int:
        digits = path.name.partition(".")[0]
        return int(digits) if digits.isdigit() else -1
