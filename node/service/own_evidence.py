"""What this node's logs know beyond the evidence that somebody sent: what its issuer has stated since.

Evidence stays convincing for a while, and its bearer chooses which one to show. A node that hosts the log
does not judge by yesterday's statement when it holds today's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from testamur.registry.canonical import Json, parse_json
from testamur.registry.credentials import credential_digest
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_LOGS
from testamur.registry.newer_evidence import (
    find_older_statement,
    newer_evidence,
    newest_statements,
    with_kept,
)
from testamur.registry.verification.verdict import Verdict
from testamur.registry.verification.weighing import weigh

if TYPE_CHECKING:
    from testamur.node.service.node import Node


class EvidenceOf(Protocol):
    """The evidence of a digest in this node's logs, as it is served."""

    async def __call__(self, digest: bytes, *, newest: bool = False) -> bytes | None:
        """At the anchored checkpoint, or with `newest` at the newest one, which may not be anchored yet."""


NEWER_EVIDENCE = (
    "Its issuer has signed a newer statement since; this node judged by what its own log proves today."
)
THIS_NODE = "this node's own log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """Evidence to judge by, with notes for the verdict.

    `unanchored`: what this node's own log shows of a newer statement still, before the chain proves it.
    """

    evidence: Json
    notes: tuple[str, ...] = ()
    unanchored: Json = None

    def judged(self, judge: Callable[[Json, tuple[str, ...]], Verdict]) -> Verdict:
        """The verdict of `judge` (evidence, notes): what the newest statement takes back is taken back."""
        verdict = judge(self.evidence, self.notes)
        if self.unanchored is None:
            return verdict
        # What this node has logged is its issuer's: it took no statement that another key signed.
        return weigh(verdict, judge(self.unanchored, self.notes), who=THIS_NODE, has_known_keys=True)


async def brought_up_to_date(
    node: "Node", evidence_of: EvidenceOf, credential: Json, evidence: Json
) -> Current:
    """What to judge by: this node's own evidence, where it is newer and loses no proof.

    What is malformed is given back as it came: judging says what is wrong with it.
    """
    current = Current(evidence=evidence)
    if evidence is None:
        return current
    stated = {
        hosting.log.origin.issuer_id: published.statement.sequence
        for hosting in list(node.hostings.values())
        if (published := hosting.log.publications.newest()) is not None
    }
    if not _may_be_outdated(evidence, stated):
        return current
    digest = await node.workers.run(_if_outdated, credential, evidence, stated)
    served = None if digest is None else await evidence_of(digest)
    newer = None if served is None else await node.workers.run(_newer, served, evidence, credential)
    if newer is not None:
        current = Current(evidence=newer, notes=(NEWER_EVIDENCE,))
        digest = await node.workers.run(_if_outdated, credential, newer, stated)
    served = None if digest is None else await evidence_of(digest, newest=True)
    if served is None:
        return current
    unanchored = await node.workers.run(_ahead, served, current.evidence, credential)
    return replace(current, unanchored=unanchored)


def _may_be_outdated(evidence: Json, stated: Mapping[bytes, int]) -> bool:
    """Whether a statement in the evidence has a smaller number than its issuer's newest here, or none at all.

    Without parsing the rest: nearly all evidence is new, and is parsed once, by whoever judges. A number that
    is made up to look new is a statement that nobody signed, and judging says so.
    """
    logs = evidence.get("logs") if isinstance(evidence, dict) else None
    if not isinstance(logs, dict) or len(logs) > MAX_LOGS:
        return False  # no evidence
    for name, log in logs.items():
        try:
            newest = stated.get(parse_origin(name).issuer_id, 0)
        except MalformedError:
            return False
        statement = log.get("statement") if isinstance(log, dict) else None
        number = statement.get("sequence") if isinstance(statement, dict) else None
        if not isinstance(number, int) or number < newest:
            return True
    return False


def _if_outdated(credential: Json, evidence: Json, stated: Mapping[bytes, int]) -> bytes | None:
    """The credential's digest, if an issuer in its evidence has a newer statement here, in whatever log."""
    try:
        shown = newest_statements(evidence)
        outdated = any(number < stated.get(issuer, 0) for issuer, (_, _, number) in shown.items())
        return credential_digest(credential) if outdated else None
    except MalformedError:
        return None


def _newer(served: bytes, evidence: Json, credential: Json) -> Json | None:
    return newer_evidence(parse_json(served, subject="evidence"), evidence, credential)


def _ahead(served: bytes, evidence: Json, credential: Json) -> Json | None:
    """What is served, if `evidence` is a step back from it: an issuer has a newer statement there."""
    document = parse_json(served, subject="evidence")
    is_ahead = find_older_statement(evidence, document) is not None
    return with_kept(document, evidence, credential) if is_ahead else None
