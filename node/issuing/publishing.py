"""The road of a new statement to the host.

Recorded before anybody sees it, sent until it is accepted, and only then taken for published: there are never
two statements with one sequence, whatever crashes, and a crash anywhere is mended by calling again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from testamur.node.errors import ConfigError, PeerMisbehaved
from testamur.node.issuing.bundles import ListVersion, build_bundle
from testamur.node.issuing.decks import deck_numbers
from testamur.node.issuing.ports import RegistryPort
from testamur.node.issuing.workspace import Workspace
from testamur.registry.canonical import Json
from testamur.registry.key_events import FIRST_POSITION
from testamur.registry.keys import SigningKey
from testamur.registry.multiformats import encode_digest
from testamur.registry.publications import FAR_POSITION, Publication, parse_bundle, verify_bundle
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import PURPOSES, REVOCATION


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One bit to write: of which credential (its digest), for which purpose, to which value."""

    digest: bytes
    purpose: str
    value: bool


def publish_pending(workspace: Workspace, port: RegistryPort) -> Publication:
    """Send the statement that a crash or an outage left behind, if there is one; what is published now.

    Raises PeerUnreachable, and PeerMisbehaved when the host has another statement than ours.
    """
    published = workspace.publication()
    bundle = workspace.find_pending()
    if not isinstance(bundle, dict):
        return published
    publication = _verified(workspace, published, bundle)
    wanted = publication.statement.sequence
    newest = port.publish(workspace.settings.slug, bundle)
    if newest != wanted:
        raise PeerMisbehaved(
            f"the host's newest statement is {newest}, not {wanted}: another workspace signs too"
        )
    with workspace.ledger.transaction():
        workspace.accept(publication)
    return publication


def publish_lists(
    workspace: Workspace,
    lists: Sequence[ListVersion],
    *,
    key: SigningKey,
    port: RegistryPort,
    now: datetime,
    above: int = 0,
) -> Publication:
    """The lists are published by a new statement, after any that was pending. Durable on return.

    `above`: the contract's sequence, when somebody with the operator's key has raised it above ours. Without
    lists the statement says what the newest one says, under a number that can be anchored.
    Raises what `publish_pending` raises; VerificationError for a list that may not follow its older version.
    """
    earlier = publish_pending(workspace, port)
    bundle = build_bundle(earlier, did=workspace.settings.did, lists=lists, key=key, now=now, above=above)
    next_one = _verified(workspace, earlier, bundle)
    with workspace.ledger.transaction():
        workspace.record_statement(bundle, next_one.statement.sequence)
    return publish_pending(workspace, port)


def ensure_lists(workspace: Workspace, *, key: SigningKey, port: RegistryPort, now: datetime) -> None:
    """Every deck's pair of status lists is published: no credential points to a list that is not there."""
    known = publish_pending(workspace, port).lists
    wanted = [
        (workspace.settings.list_id(purpose, deck), purpose)
        for deck in deck_numbers(workspace.ledger)
        for purpose in PURPOSES
    ]
    missing = [(list_id, purpose, StatusBits()) for list_id, purpose in wanted if list_id not in known]
    if missing:
        publish_lists(workspace, missing, key=key, port=port, now=now)


def change_status(
    workspace: Workspace,
    changes: Iterable[StatusChange],
    *,
    key: SigningKey,
    port: RegistryPort,
    now: datetime,
) -> Publication:
    """The bits are written and published by one new statement; without a change there is no statement.

    Raises ConfigError for a digest that this workspace never issued and for taking a revocation back.
    """
    published = publish_pending(workspace, port)
    changed: dict[str, ListVersion] = {}
    for change in changes:
        deck, index = _status_place(workspace, change.digest)
        list_id = workspace.settings.list_id(change.purpose, deck)
        known = published.lists.get(list_id)
        if known is None:
            raise ConfigError("purpose", f"there is no status list {list_id}")
        _, _, bits = changed.get(list_id, (list_id, change.purpose, StatusBits.from_bytes(known.data)))
        if bits.get(index) == change.value:
            continue
        if change.purpose == REVOCATION and not change.value:
            raise ConfigError("purpose", "a revocation is final; issue the credential anew instead")
        bits.set(index, change.value)
        changed[list_id] = (list_id, change.purpose, bits)
    if not changed:
        return published
    return publish_lists(workspace, list(changed.values()), key=key, port=port, now=now)


def _status_place(workspace: Workspace, digest: bytes) -> tuple[int, int]:
    rows = workspace.ledger.run("SELECT deck, status_index FROM credentials WHERE digest = ?", (digest,))
    if not rows:
        raise ConfigError("credential", f"{encode_digest(digest)} was not issued from this workspace")
    deck, index = rows[0]
    return deck, index


def _verified(workspace: Workspace, earlier: Publication, bundle: Json) -> Publication:
    """Our own bundle by the host's rules, before anybody else sees it."""
    return verify_bundle(
        earlier,
        parse_bundle(bundle),
        did=workspace.settings.did,
        published=FIRST_POSITION,
        logged=FAR_POSITION,
    )
