"""Judging what somebody sent to this node: its trust file, its clock, and the code that everybody runs."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.trust import TrustFile
from testamur.registry.verification import verify
from testamur.registry.verification.verdict import Verdict


def judge(
    credential: Json,
    evidence: Json,
    *,
    trust: TrustFile,
    now: datetime,
    as_of: datetime | None = None,
    contexts: Mapping[str, Json] | None = None,
    notes: tuple[str, ...] = (),
) -> Verdict:
    """The verdict on a credential; nothing of it is kept. `contexts` are those beside the bundled.

    Raises MalformedError for evidence that is none, and for a moment in the future.
    """
    if as_of is not None and as_of > now:
        raise MalformedError("asOf", "lies in the future; nothing can be proven about it")
    parsed = parse_evidence(evidence) if evidence is not None else None
    return verify(credential, parsed, trust=trust, now=now, as_of=as_of, contexts=contexts, notes=notes)


def end_of_day(day: date, now: datetime) -> datetime:
    """The last second of `day` in UTC, or `now` on the day that has not ended. Raises MalformedError."""
    if day > now.astimezone(UTC).date():
        raise MalformedError("the date", "lies in the future; nothing can be proven about it")
    return min(datetime.combine(day, time(23, 59, 59), UTC), now)
