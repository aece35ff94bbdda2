"""The road of a new statement to the host.

Recorded before anybody sees it, sent until it is accepted, and only then taken for published: there are never
two statements with one sequence, whatever crashes, and a crash anywhere is mended by calling again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from testamur.node.errors import PeerMisbehaved
from testamur.node.issuing.bundles import LeafRange, ListVersion, build_bundle
from testamur.node.issuing.decks import deck_numbers
from testamur.node.issuing.ports import RegistryPort
from testamur.node.issuing.workspace import Workspace
from testamur.registry.canonical import Json, canonicalize, digest
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.key_events import FIRST_POSITION
from testamur.registry.keys import SigningKey
from testamur.registry.publications import FAR_POSITION, Publication, parse_bundle, verify_bundle
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import PURPOSES
from testamur.registry.status_records import StatusRecord

Reasoned: TypeAlias = tuple[bytes, StatusRecord]
"""The digest of a credential, and why its status changed."""


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
    try:
        newest = port.publish(workspace.settings.slug, bundle)
    except PeerMisbehaved as error:
        raise PeerMisbehaved(_overtaken(workspace, wanted, str(error))) from error
    if newest != wanted:
        raise PeerMisbehaved(
            _overtaken(workspace, wanted, f"the host's newest statement is {newest}, not {wanted}")
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
    records: Mapping[str, Sequence[Reasoned]] = MappingProxyType({}),
) -> Publication:
    """The lists are published by a new statement, after any that was pending. Durable on return.

    `above`: the contract's sequence, when somebody with the operator's key has raised it above ours. Without
    lists the statement says what the newest one says, under a number that can be anchored. `records` say, by
    list id, why each of its bits changed; they are kept in the ledger and published as a root alone.
    Raises what `publish_pending` raises; VerificationError for a list that may not follow its older version.
    """
    earlier = publish_pending(workspace, port)
    bundle = build_bundle(
        earlier,
        did=workspace.settings.did,
        lists=lists,
        key=key,
        now=now,
        above=above,
        records={list_id: [record for _, record in why] for list_id, why in records.items()},
    )
    next_one = _verified(workspace, earlier, bundle)
    sequence = next_one.statement.sequence
    with workspace.ledger.transaction():
        workspace.record_statement(bundle, sequence)
        for list_id, why in records.items():
            workspace.ledger.run_many(
                "INSERT INTO status_records VALUES (?, ?, ?, ?, ?)",
                (
                    (sequence, list_id, position, digest, canonicalize(record.to_json()))
                    for position, (digest, record) in enumerate(why)
                ),
            )
    return publish_pending(workspace, port)


def publish_documents(
    workspace: Workspace,
    documents: Sequence[tuple[str, Json]],
    *,
    key: SigningKey,
    port: RegistryPort,
    now: datetime,
) -> Publication:
    """Public documents, each with its id, are logged and named by a new statement. Durable on return.

    One that is published already, under its id and as it is, needs no statement. Raises what
    `publish_pending` raises.
    """
    earlier = publish_pending(workspace, port)
    known = {entry.id: entry.digest for entry in earlier.document_entries()}
    fresh = [(name, document) for name, document in documents if known.get(name) != digest(document)]
    if not fresh:
        return earlier
    bundle = build_bundle(earlier, did=workspace.settings.did, lists=(), documents=fresh, key=key, now=now)
    next_one = _verified(workspace, earlier, bundle)
    with workspace.ledger.transaction():
        workspace.record_statement(bundle, next_one.statement.sequence)
    return publish_pending(workspace, port)


def publish_key_chain(
    workspace: Workspace,
    event: Json,
    *,
    key_chains: tuple[KeyChainRecord, ...],
    key: SigningKey,
    port: RegistryPort,
    now: datetime,
    repudiated: Sequence[LeafRange] = (),
) -> Publication:
    """The issuer speaks again, with `key` of the first key event that the council had recorded for it.

    `key_chains` are all records of the contract, the newest one about `event`. `repudiated` are leaves that
    somebody else had logged with the lost keys. A chain that is published already needs no statement. Durable
    on return. Raises what `publish_pending` raises; VerificationError when contract and event disagree.
    """
    workspace.learn_key_chains(key_chains)
    earlier = publish_pending(workspace, port)
    if digest(event) in {known.digest for known in earlier.keys.events}:
        return earlier
    did = workspace.settings.did
    bundle = build_bundle(
        earlier, did=did, lists=(), key_events=[event], key=key, now=now, repudiated=repudiated
    )
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


def _overtaken(workspace: Workspace, sequence: int, said: str) -> str:
    """What a host that refuses a pending statement most often means, and the cure: sending again is none."""
    slug = workspace.settings.slug
    return (
        f"{said}. Statement {sequence}, which is signed and kept in {workspace.folder}, was not accepted. "
        "If another copy of this workspace (a backup, another machine) has signed since, this one is "
        "overtaken for good: set it aside, give the command again in the copy in which "
        f"`testamur issuer watch --issuer {slug}` finds all as signed, and sign in that one alone. "
        "If there is no such copy, and the host has a statement that you did not sign, somebody has your "
        "key: have your token ended, and tell the host and the council"
    )


def _verified(workspace: Workspace, earlier: Publication, bundle: Json) -> Publication:
    """Our own bundle by the host's rules, before anybody else sees it."""
    parsed = parse_bundle(bundle)
    return verify_bundle(
        earlier,
        parsed,
        did=workspace.settings.did,
        published=FIRST_POSITION,
        logged=FAR_POSITION,
        # A statement from before a recovery stays what it was: the host may have taken it.
        key_chains=workspace.key_chains() if parsed.begins_key_chain else None,
    )
