"""Revoking, suspending and reinstating: what is asked becomes bits, records, and one signed statement.

Planned first, so that a dry run and a refusal change nothing; asked again, what is done is left alone.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from testamur.node.errors import ConfigError
from testamur.node.issuing.bundles import ListVersion
from testamur.node.issuing.decks import SIGNED_ELSEWHERE, RandomBytes
from testamur.node.issuing.ports import RegistryPort
from testamur.node.issuing.publishing import Reasoned, publish_lists, publish_pending
from testamur.node.issuing.workspace import Workspace
from testamur.registry.keys import SigningKey
from testamur.registry.multiformats import encode_digest
from testamur.registry.publications import Publication
from testamur.registry.status import StatusBits
from testamur.registry.status_lists import REVOCATION, SUSPENSION
from testamur.registry.status_records import (
    MAX_NOTE_CHARACTERS,
    REASON_CLASSES,
    RETROACTIVE_REASONS,
    SALT_BYTES,
    StatusRecord,
)
from testamur.registry.timestamps import format_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One bit to write: of which credential (its digest), for which purpose, to which value, and why.

    Without a `reason` no record is made. `effective` is the moment of the statement unless it is given;
    `issued_at` is when the credential begins to count, if the caller knows. `where` names a line of a file.
    """

    digest: bytes
    purpose: str
    value: bool
    reason: str | None = None
    effective: datetime | None = None
    note: str | None = None
    issued_at: datetime | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A change that cannot be made, and why."""

    change: StatusChange
    reason: str


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a set of changes comes to: new list versions, their records, and what needs no change."""

    published: Publication
    bits: dict[str, StatusBits] = field(default_factory=dict)
    lists: dict[str, ListVersion] = field(default_factory=dict)
    records: dict[str, list[Reasoned]] = field(default_factory=dict)
    changed: list[bytes] = field(default_factory=list)
    already: list[bytes] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def plan_changes(
    workspace: Workspace,
    published: Publication,
    changes: Iterable[StatusChange],
    *,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Plan:
    """What the changes come to after `published`; nothing is signed. What cannot be done is in `refused`."""
    plan = Plan(published=published)
    for change in changes:
        try:
            _add(plan, workspace, change, now, random_bytes)
        except ConfigError as error:
            plan.refused.append(Refused(change=change, reason=error.reason))
    return plan


def change_status(
    workspace: Workspace,
    changes: Iterable[StatusChange],
    *,
    key: SigningKey,
    port: RegistryPort,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Publication:
    """The bits are written and published by one new statement; without a change there is no statement.

    Raises ConfigError for the first change that cannot be made, with nothing signed, and what
    `publish_pending` raises.
    """
    published = publish_pending(workspace, port)
    plan = plan_changes(workspace, published, changes, now=now, random_bytes=random_bytes)
    if plan.refused:
        raise ConfigError(plan.refused[0].change.where or "credential", plan.refused[0].reason)
    return publish_plan(workspace, plan, key=key, port=port, now=now)


def publish_plan(
    workspace: Workspace, plan: Plan, *, key: SigningKey, port: RegistryPort, now: datetime
) -> Publication:
    """The plan's lists and records in one new statement, accepted by the host; none without a change."""
    if not plan.lists:
        return workspace.publication()
    return publish_lists(
        workspace, list(plan.lists.values()), key=key, port=port, now=now, records=plan.records
    )


def _add(
    plan: Plan,
    workspace: Workspace,
    change: StatusChange,
    now: datetime,
    random_bytes: RandomBytes,
) -> None:
    deck, index = _status_place(workspace, change.digest)
    list_id = workspace.settings.list_id(change.purpose, deck)
    bits = _bits(plan, list_id)
    if change.purpose == SUSPENSION and not change.value:
        revoked = _bits(plan, workspace.settings.list_id(REVOCATION, deck))
        if revoked.get(index):  # clearing the other bit would look like a success, and change no verdict
            raise ConfigError("purpose", "it is revoked, which is final; issue the credential anew instead")
    if bits.get(index) == change.value:
        plan.already.append(change.digest)
        return
    if change.purpose == REVOCATION and not change.value:
        raise ConfigError("purpose", "a revocation is final; issue the credential anew instead")
    if change.reason is not None:
        record = StatusRecord(
            list_id=list_id,
            index=index,
            value=change.value,
            reason=change.reason,
            effective=_effective(change, now),
            note=change.note,
            salt=random_bytes(SALT_BYTES),
        )
        plan.records.setdefault(list_id, []).append((change.digest, record))
    bits.set(index, change.value)
    plan.lists[list_id] = (list_id, change.purpose, bits)
    plan.changed.append(change.digest)


def _bits(plan: Plan, list_id: str) -> StatusBits:
    bits = plan.bits.get(list_id)
    if bits is None:
        known = plan.published.lists.get(list_id)
        if known is None:
            raise ConfigError("purpose", f"there is no status list {list_id}")
        bits = plan.bits[list_id] = StatusBits.from_bytes(known.data)
    return bits


def _effective(change: StatusChange, now: datetime) -> datetime:
    """From when the change counts. Raises ConfigError for a reason or a moment against the rules."""
    known = REASON_CLASSES.get(change.purpose, ())
    if change.reason not in known:
        raise ConfigError("--reason", f"{change.reason!r} is none of: {', '.join(known)}")
    if change.note is not None and len(change.note) > MAX_NOTE_CHARACTERS:
        raise ConfigError("--note", f"has {len(change.note)} characters, more than {MAX_NOTE_CHARACTERS}")
    if change.effective is None:
        return now.replace(microsecond=0)
    shown = format_timestamp(change.effective)
    if change.effective > now:
        raise ConfigError("--effective", f"{shown} is in the future; run the command when it has come")
    if change.issued_at is not None and change.effective < change.issued_at:
        issued = format_timestamp(change.issued_at)
        raise ConfigError("--effective", f"{shown} is before the credential was issued ({issued})")
    if change.reason not in RETROACTIVE_REASONS:
        allowed = " or ".join(sorted(RETROACTIVE_REASONS))
        raise ConfigError(
            "--effective", f"{shown} is in the past, which needs the reason {allowed}; leave it out otherwise"
        )
    return change.effective


def _status_place(workspace: Workspace, digest: bytes) -> tuple[int, int]:
    rows = workspace.ledger.run(
        "SELECT deck, status_index, leaf_index FROM credentials WHERE digest = ?", (digest,)
    )
    if not rows:
        raise ConfigError("credential", f"{encode_digest(digest)} was not issued from this workspace")
    deck, index, leaf_index = rows[0]
    if deck == SIGNED_ELSEWHERE:
        reason = "was signed elsewhere: its status stands in the lists that it names, not in this workspace's"
        raise ConfigError("credential", f"{encode_digest(digest)} {reason}")
    if leaf_index is None:
        reason = "is signed and was never logged: run the same `testamur issue` again first"
        raise ConfigError("credential", f"{encode_digest(digest)} {reason}")
    return deck, index
