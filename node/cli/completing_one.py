"""One dossier of `evidence`: asked for, put together, and written only where nothing is lost by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from testamur.node.cli.dossier_files import Found
from testamur.node.cli.output import read_input, write_output
from testamur.node.errors import ConfigError, PeerUnreachable
from testamur.node.fetch.registry import RegistryClient
from testamur.registry.canonical import Json, canonicalize
from testamur.registry.credentials import credential_digest, parse_credential
from testamur.registry.dossiers import (
    OtherFile,
    encode_dossier,
    is_presentation,
    parse_file,
    split_dossier,
)
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import Evidence, parse_evidence
from testamur.registry.newer_evidence import find_older_statement, statement_of
from testamur.registry.record_proofs import RecordProof
from testamur.registry.trust import TrustFile
from testamur.registry.verification import verify
from testamur.registry.verification.earlier import EARLIER_FALSE
from testamur.registry.verification.verdict import Check, Step
from testamur.registry.verification.weighing import find_lost

OTHERS_READ = 0o044


class Nodes(Protocol):
    """The nodes that are asked."""

    def of(self, credential: Json) -> RegistryClient:
        """The one to ask about a credential. Raises PeerUnreachable for one that was given up."""

    def gave_up(self, url: str, error: PeerUnreachable) -> None:
        """It did not answer, and is not asked again."""


class NoCredential(Exception):
    """A file in a folder that is something else, and does not claim to be a credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completer:
    """What one `evidence` command was told; completes one file after the other."""

    nodes: Nodes
    out: Path | None
    records: Sequence[RecordProof]
    refresh: bool
    forget: bool
    trust: TrustFile | None

    def complete(self, found: Found, *, alone: bool) -> dict[str, Json]:
        """The file has the newest evidence when this returns; what that is, for a line of JSON."""
        file = Path(found.path)
        if found.problem is not None:
            raise ConfigError(str(file), found.problem)
        credential, kept = _read(file, found)
        client = self.nodes.of(credential)
        try:
            document = self._newest(file, client, credential, kept, alone=alone)
        except PeerUnreachable as error:
            self.nodes.gave_up(client.url, error)
            raise
        evidence = parse_evidence(document)
        self._refuse_worse(file, client.url, credential, kept, evidence)
        if self.out is not None:
            write_output(self.out, canonicalize(document) + b"\n")
        elif document != kept:
            # Whoever could not read the dossier before cannot read it now.
            is_private = not file.stat().st_mode & OTHERS_READ
            write_output(file, encode_dossier(credential, document), secret=is_private)
        entry = evidence.entries[0]
        return {
            "file": str(self.out or file),
            "state": "anchored" if evidence.anchors else "witnessed",
            "changed": self.out is not None or document != kept,
            "origin": entry.origin,
            "leafIndex": entry.proof.index,
            "statement": statement_of(evidence.logs[entry.origin]),
            "earlier": len(evidence.earlier),
        }

    def _newest(
        self, file: Path, client: RegistryClient, credential: Json, kept: Json, *, alone: bool
    ) -> Json:
        """What may take the place of `kept`, as far as it can be told without a trust file."""
        document = _served(client, credential, kept)
        if document is None:
            raise ConfigError(str(file), f"{client.url} has this credential in no published checkpoint (yet)")
        own = {(entry.list_id, entry.index) for entry in parse_credential(credential).status}
        if self.records and alone and own.isdisjoint(_place(proof) for proof in self.records):
            raise ConfigError("--record", f"is of another credential than {file}; nothing was changed")
        document = client.refreshed(document, kept, credential, records=self.records, trust=self.trust)
        if self.forget or self._is_spoilt(credential, document):
            document = _without_earlier(document)
        older = find_older_statement(document, kept)
        if older is not None:
            # A node that is behind, or that replays what suits it, takes no newer statement out of a file.
            origin, got, known = older
            served = f"serves the older {got}" if got else "serves nothing of that log"
            reason = f"holds statement {known} of {origin}, and {client.url} {served}"
            raise ConfigError(str(file), f"{reason}; nothing was changed: ask another node, and why")
        return document

    def _is_spoilt(self, credential: Json, document: Json) -> bool:
        """Whether what was kept of a file that was never verified makes false what is true."""
        evidence = parse_evidence(document)
        if self.trust is None or not evidence.earlier:
            return False
        verdict = verify(credential, evidence, trust=self.trust, now=datetime.now(UTC))
        return verdict.check(Step.ANCHORED).reason == EARLIER_FALSE

    def _refuse_worse(self, file: Path, url: str, credential: Json, kept: Json, evidence: Evidence) -> None:
        if self.refresh and not evidence.anchors:
            raise ConfigError(str(file), f"{url} has no anchor of it yet; nothing was changed")
        before = _parsed(kept)
        if before is None or self.out is not None:
            return
        if before.anchors and not evidence.anchors:
            reason = f"holds anchored evidence, and {url} has none yet; nothing was changed"
            raise ConfigError(str(file), reason)
        lost = None if self.trust is None else self._find_lost(credential, before, evidence, self.trust)
        if lost is not None:
            reason = f"proves more than what {url} serves now (check {int(lost.step)}: {lost.reason})"
            raise ConfigError(str(file), f"{reason}; nothing was changed: ask another node, and why")

    @staticmethod
    def _find_lost(credential: Json, before: Evidence, after: Evidence, trust: TrustFile) -> Check | None:
        now = datetime.now(UTC)
        old, new = (verify(credential, evidence, trust=trust, now=now) for evidence in (before, after))
        return find_lost(old, new)


def _read(file: Path, found: Found) -> tuple[Json, Json]:
    """(credential, evidence or None). Raises NoCredential for what a folder holds beside credentials."""
    document = parse_file(read_input(file))
    if found.in_folder and is_presentation(document):
        raise NoCredential("is a presentation, which its holder makes anew")
    try:
        credential, kept = split_dossier(document)
    except OtherFile as other:
        if found.may_be_other:
            raise NoCredential(other.reason) from None
        raise
    if credential is None:
        reason = "holds evidence but no credential"
        if found.may_be_other:
            raise NoCredential(reason)
        raise ConfigError(str(file), reason)
    return credential, kept


def _without_earlier(document: Json) -> Json:
    if not isinstance(document, dict):
        return document
    return {name: member for name, member in document.items() if name != "earlier"}


def _served(client: RegistryClient, credential: Json, kept: Json) -> Json:
    """The node's evidence: of the place that the file names, so that nothing is asked by digest again."""
    digest, before = credential_digest(credential), _parsed(kept)
    for entry in before.entries_for(digest) if before is not None else ():
        document = client.evidence_at(entry.origin, entry.proof.index, digest)
        if document is not None:
            return document
    return client.evidence(digest)


def _parsed(kept: Json) -> Evidence | None:
    """Evidence that may be damaged: then there is nothing to keep of it."""
    try:
        return None if kept is None else parse_evidence(kept)
    except MalformedError:
        return None


def _place(proof: RecordProof) -> tuple[str, int]:
    return proof.record.list_id, proof.record.index
