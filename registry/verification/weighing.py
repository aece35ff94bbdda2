"""Two verdicts on one credential: by the evidence that is kept, and by what somebody serves now.

What is proven once is not given up for evidence that proves less. What an issuer's newer statement takes back
is taken back before an anchor proves it as well, if it is certain whose statement it is.
"""

from dataclasses import replace

from testamur.registry.entries import parse_origin
from testamur.registry.errors import RegistryError
from testamur.registry.evidence import Evidence, LogEvidence
from testamur.registry.issuer_keys import IssuerKeys, verify_issuer_keys
from testamur.registry.verification.decide import OF_THE_MOMENT
from testamur.registry.verification.verdict import Check, CheckResult, Step, Verdict

TAKEN_BACK = frozenset({"revoked", "suspended"})
"""Failures of step 9 by a statement; step 5 has checked its signature, by the keys in the evidence."""

REPUDIATED = "entry-repudiated"
"""Nothing is lost with it: the issuer's own word, proven, that it never issued this."""


def find_lost(before: Verdict, after: Verdict) -> Check | None:
    """The first check of `after` that shows less than it did before; a status may become bad."""
    for then, check in zip(before.checks, after.checks, strict=True):
        is_bad_status = then.step in OF_THE_MOMENT and then.result == CheckResult.FAIL
        if _is_false(check):
            if then.result != CheckResult.FAIL:
                return check
        elif check.result == CheckResult.UNKNOWN and (then.result == CheckResult.PASS or is_bad_status):
            return check
    return None


def weigh(kept: Verdict, served: Verdict, *, who: str, has_known_keys: bool) -> Verdict:
    """The verdict that counts, with a note where it is not simply what `who` serves.

    `served` is by a statement that is not older. It counts unless something would be lost by it. Where only
    proof is missing and its statement revokes or suspends, it counts all the same, but for moments that
    the kept evidence proves. `has_known_keys` as from the function: without an anchor only they show that
    the statement is the issuer's, and not of a log that somebody made up.
    """
    lost = find_lost(kept, served)
    is_taken_back = served.check(Step.STATUS).reason in TAKEN_BACK
    issuer = served.check(Step.ISSUER)
    if is_taken_back and not has_known_keys and issuer.result != CheckResult.PASS:
        lost = lost or issuer
    elif is_taken_back and lost is not None and not any(_is_false(check) for check in served.checks):
        note = f"{who} has a newer statement, which takes it back and is not proven to be anchored yet"
        proven = kept.as_of is not None and kept.evidence_at is not None and kept.as_of <= kept.evidence_at
        return _noted(replace(kept, now=served.now) if proven else served, note)
    if lost is None:
        return served
    reason = f"{who} serves evidence that proves less (check {int(lost.step)}: {lost.reason})"
    return _noted(kept, f"{reason}; the evidence that was brought was judged")


def has_known_keys(served: Evidence, kept: Evidence) -> bool:
    """Whether every issuer in `kept` speaks in `served` with the key chains that are known of it there.

    A chain goes on with a key that it has committed to. A chain that is new is nobody's without the contract.
    """
    try:
        offered = _newest_logs(served)
        known = _newest_logs(kept)
        return all(issuer in offered and _goes_on(offered[issuer], log) for issuer, log in known.items())
    except RegistryError:
        return False


def _newest_logs(evidence: Evidence) -> dict[bytes, LogEvidence]:
    by_epoch = sorted(evidence.logs.values(), key=lambda log: parse_origin(log.origin).epoch)
    return {parse_origin(log.origin).issuer_id: log for log in by_epoch}


def _goes_on(log: LogEvidence, known: LogEvidence) -> bool:
    def beginnings(keys: IssuerKeys) -> list[bytes]:
        return [chain.first_digest for chain in keys.chains]

    if log.key_events[: len(known.key_events)] != known.key_events:
        return False
    return beginnings(verify_issuer_keys(log.key_events)) == beginnings(verify_issuer_keys(known.key_events))


def _is_false(check: Check) -> bool:
    return check.result == CheckResult.FAIL and check.step not in OF_THE_MOMENT and check.reason != REPUDIATED


def _noted(verdict: Verdict, note: str) -> Verdict:
    return replace(verdict, notes=(*verdict.notes, note))
