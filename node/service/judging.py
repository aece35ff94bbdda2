"""Judging what somebody sent to this node: its trust file, its clock, and the code that everybody runs."""

from collections.abc import Mapping
from datetime import date, datetime

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.timestamps import FUTURE, end_of_day
from testamur.registry.trust import TrustFile
from testamur.registry.verification import Shown, verify
from testamur.registry.verification.verdict import Verdict


def judge(
    credential: Json,
    evidence: Json,
    notes: tuple[str, ...] = (),
    *,
    trust: TrustFile,
    now: datetime,
    as_of: date | None = None,
    contexts: Mapping[str, Json] | None = None,
    shown: Shown | None = None,
) -> Verdict:
    """The verdict on a credential; nothing of it is kept.

    `contexts` are those beside the bundled, `shown` says who presented it. `as_of` is a moment, or a day,
    which means its end. Raises MalformedError for evidence that is none, and for a moment in the future.
    """
    moment = as_of if as_of is None or isinstance(as_of, datetime) else end_of_day(as_of, now)
    if moment is not None and moment > now:
        raise MalformedError("asOf", FUTURE)
    parsed = parse_evidence(evidence) if evidence is not None else None
    return verify(
        credential,
        parsed,
        trust=trust,
        now=now,
        as_of=moment,
        contexts=contexts,
        notes=notes,
        shown=shown,
    )
