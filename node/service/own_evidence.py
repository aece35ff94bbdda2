"""What this node's logs know beyond the evidence that somebody sent: what its issuer has stated since.

Evidence stays convincing for a while, and its bearer chooses which one to show. A node that hosts the log
does not judge by yesterday's statement when it holds today's.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from testamur.registry.canonical import Json, parse_json
from testamur.registry.credentials import credential_digest
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.evidence_building import newer_evidence, statement_of

if TYPE_CHECKING:
    from testamur.node.service.node import Node

EvidenceOf = Callable[[bytes], Awaitable[bytes | None]]
"""The newest evidence of a digest in this node's logs, as it is served."""

NEWER_EVIDENCE = (
    "Its issuer has signed a newer statement since; this node judged by what its own log proves today."
)


async def brought_up_to_date(
    node: "Node", evidence_of: EvidenceOf, credential: Json, evidence: Json
) -> tuple[Json, tuple[str, ...]]:
    """(evidence to judge by, notes for the verdict): this node's own, where it is newer and loses no proof.

    What is malformed is given back as it came: judging says what is wrong with it.
    """
    if evidence is None:
        return evidence, ()
    newest = {
        hosting.log.name: published.statement.sequence
        for hosting in list(node.hostings.values())
        if (published := hosting.log.publications.newest()) is not None
    }
    digest = await node.workers.run(_if_outdated, credential, evidence, newest)
    served = None if digest is None else await evidence_of(digest)
    newer = None if served is None else await node.workers.run(_newer, served, evidence)
    return (evidence, ()) if newer is None else (newer, (NEWER_EVIDENCE,))


def _if_outdated(credential: Json, evidence: Json, newest: Mapping[str, int]) -> bytes | None:
    """The credential's digest, if a log in its evidence has a newer statement here."""
    try:
        logs = parse_evidence(evidence).logs
        outdated = any(statement_of(log) < newest.get(origin, 0) for origin, log in logs.items())
        return credential_digest(credential) if outdated else None
    except MalformedError:
        return None


def _newer(served: bytes, evidence: Json) -> Json | None:
    return newer_evidence(parse_json(served, subject="evidence"), evidence)
