"""An issuer as the interface shows it: what the register says and what this node has."""

from testamur.node.api.ports import IssuerSummary, StandingWord
from testamur.node.service.hostings import Hosting
from testamur.registry.evm.layout import Lifecycle

STANDING: dict[Lifecycle, StandingWord] = {
    Lifecycle.ACTIVE: "active",
    Lifecycle.SUSPENDED: "suspended",
    Lifecycle.CLOSED: "closed",
}
"""A hosted issuer was admitted, so there is no word for one that was not."""


def summary_of(hosting: Hosting) -> IssuerSummary:
    """As of the newest published head and the newest capture. Reads no file that was read before."""
    log = hosting.log
    captured = hosting.captures.newest()
    publication = log.publications.newest()
    return IssuerSummary(
        slug=log.origin.slug,
        did=log.did,
        name=hosting.name,
        lifecycle=STANDING.get(hosting.lifecycle, "active"),
        epoch=log.origin.epoch,
        origin=log.name,
        log_id=log.origin.log_id,
        verifier_key=log.writer.key.to_text(),
        size=log.writer.size,
        anchored_size=0 if captured is None else captured[0],
        statement_sequence=0 if publication is None else publication.statement.sequence,
    )
