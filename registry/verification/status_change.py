"""What the record of a status change establishes: since when, and why, as far as the holder shows it.

Recorded time comes from the log: the record's batch names the statement that carried it, and an anchor with
an older statement proves that it had not been recorded yet.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from testamur.registry.canonical import Json
from testamur.registry.errors import VerificationError
from testamur.registry.evidence import StatusProof
from testamur.registry.record_proofs import RecordProof, effect_of, is_newest, verify_record
from testamur.registry.statements import parse_status_entry_of_statement
from testamur.registry.status_lists import REVOCATION, StatusListEntry
from testamur.registry.timestamps import format_timestamp, parse_timestamp
from testamur.registry.verification.context import Context
from testamur.registry.verification.verdict import StatusSpan

NEVER = datetime.max.replace(tzinfo=UTC)
"""Since when a status is known that is known for no moment before the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A proven change of a credential's status: it counts `since`, and its statement is of `recorded`."""

    value: bool
    reason: str
    since: datetime
    recorded: datetime
    statement: int
    is_first: bool
    note: str | None

    @property
    def is_retroactive(self) -> bool:
        """Whether it counts from before it was recorded."""
        return self.since < self.recorded

    def parameters(self) -> dict[str, str | int]:
        """For the check, beside the statement's number."""
        return {
            "since": format_timestamp(self.since),
            "why": self.reason,
            "recorded": format_timestamp(self.recorded),
        }

    def to_json(self) -> dict[str, Json]:
        """For the facts of the check."""
        return {
            "reason": self.reason,
            "since": format_timestamp(self.since),
            "recorded": format_timestamp(self.recorded),
            "retroactive": self.is_retroactive,
            "statement": self.statement,
            "note": self.note,
        }

    def words(self, purpose: str) -> str:
        """One line for a person."""
        done = "revoked" if purpose == REVOCATION else "suspended" if self.value else "reinstated"
        how = f", retroactively: recorded {format_timestamp(self.recorded)}" if self.is_retroactive else ""
        note = f"; {self.note}" if self.note else ""
        return f"{done} from {format_timestamp(self.since)} on ({self.reason}{how}){note}"


def change_of(context: Context, proof: StatusProof, wanted: StatusListEntry, value: bool) -> Change | None:
    """The change that the evidence's record proves; None when it shows none, or one that was overtaken.

    Raises VerificationError("status-record-mismatch") for a record that is not committed to, or of another
    entry, and MalformedError.
    """
    shown = proof.record
    if shown is None:
        return None
    entry = parse_status_entry_of_statement(proof.entry)
    record = verify_record(shown, entry.records_root)
    if (record.list_id, record.index) != (wanted.list_id, wanted.index):
        raise VerificationError("status-record-mismatch", list=wanted.list_id[:200])
    if record.value != value:
        # An older change, undone since: true, and no answer to why the status is what it is.
        return None
    if wanted.purpose != REVOCATION and not is_newest(shown, entry.sequence):
        # This very entry may have changed since, and then back: a holder who shows only the first of two
        # reinstatements would hide the suspension between them.
        return None
    signed, not_before = parse_timestamp(shown.batch.time), _not_recorded_at(context, shown)
    return Change(
        value=value,
        reason=record.reason,
        since=effect_of(shown, not_before),
        recorded=max(signed, not_before or signed),
        statement=shown.batch.statement,
        # Nothing changed before: the first version that could have changed anything brought the batch.
        is_first=shown.batch_position == 0 and entry.sequence == 2,
        note=record.note,
    )


def span_of(purpose: str, value: bool, version: int, change: Change | None) -> StatusSpan:
    """What one list says over time."""
    if version == 1 or (purpose == REVOCATION and not value):
        # The first version is as old as the list, and a revocation that is not there was never there.
        return StatusSpan(purpose=purpose, value=value)
    if change is None:
        return StatusSpan(purpose=purpose, value=value, since=NEVER)
    # What came before a change is known when there was nothing to change: no revocation, no earlier batch.
    before = not value if purpose == REVOCATION or change.is_first else None
    return StatusSpan(purpose=purpose, value=value, since=change.since, before=before)


def with_earlier(context: Context, proof: StatusProof, span: StatusSpan) -> StatusSpan:
    """The span with its place in time, and with what replaced evidence says of the same list."""
    entry = parse_status_entry_of_statement(proof.entry)
    earlier = tuple(one for older in context.earlier for one in older.spans if one.list_id == entry.id)
    clear = next((one.until for one in earlier if one.until is not None and not one.value), None)
    if span.value and span.since == NEVER and clear is not None:
        context.status_notes.append(
            f"{span.purpose}: not yet at {format_timestamp(clear)}, by evidence of then; the record, which "
            "would say whether it reaches further back, is not shown"
        )
    version = (entry.sequence, entry.digest)
    return replace(span, list_id=entry.id, version=version, until=context.evidence_at, earlier=earlier)


def _not_recorded_at(context: Context, proof: RecordProof) -> datetime | None:
    """The latest moment at which the chain shows an older statement than the one with the record."""
    shown: list[tuple[int, int]] = []
    for one in (context, *context.earlier):
        if one.proven is not None:
            shown.append((one.proven.issuer.statement, one.proven.header.timestamp))
            shown += [(anchor.statement, anchor.timestamp) for anchor in one.proven.history.values()]
    times = [seconds for statement, seconds in shown if statement < proof.batch.statement]
    return datetime.fromtimestamp(max(times), UTC) if times else None
