"""The evidence of a whole log at one checkpoint, and the anchored captures of it.

Entries are added by whoever has a credential and the tiles; a capture is made once per anchor and holds
everything that a chain node forgets after a few hundred blocks.
"""

from pathlib import Path

from testamur.node.errors import StoreCorrupt
from testamur.node.files import make_folders, read_file, write_atomically
from testamur.node.service.hosting import HostedLog
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MerklePath, StatusProof
from testamur.registry.evidence_building import entry_json, evidence_json, status_json, with_entries
from testamur.registry.evm.anchors import AnchorEvidence
from testamur.registry.statements import prove_entry
from testamur.registry.tlog_proofs import TlogProof

MAX_CAPTURE_BYTES = 64 << 20
"""A log with hundreds of populated status lists; a file of this node's own making."""


def log_evidence(hosted: HostedLog, head: SignedCheckpoint, anchors: list[AnchorEvidence]) -> Json:
    """Evidence without entries for a published head, with every status list of its statement whole."""
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
        "documents": [],
        "first": None,
    }
    proofs: list[Json] = [anchor.to_json() for anchor in anchors]
    return evidence_json(hosted.origin.registry, [], {hosted.name: log}, proofs)


def credential_evidence(
    hosted: HostedLog, base: Json, head: SignedCheckpoint, digest: bytes, leaf_index: int
) -> Json:
    """`base`, which is about `head`, with the entry of one credential."""
    proof = TlogProof(
        index=leaf_index,
        hashes=tuple(hosted.writer.reader.prove_inclusion(leaf_index, head.checkpoint.size)),
        checkpoint_note=head.to_bytes(),
    )
    return with_entries(base, [entry_json(hosted.name, digest, proof)])


class CaptureStore:
    """The newest anchored evidence of one log. A newer capture proves all that an older one did."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest: tuple[int, Json] | None = None

    def put(self, size: int, evidence: Json) -> None:
        """Keep the capture of the anchored head of `size`, durable on return; then drop older ones."""
        make_folders(self._folder)
        write_atomically(self._path(size), canonicalize(evidence))
        self._newest = (size, evidence)
        for path in self._folder.glob("*.evidence.json"):
            if self._size_of(path) < size:
                path.unlink(missing_ok=True)

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
