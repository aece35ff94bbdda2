"""From checks to outcomes: the truth table of docs/trust.md, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from testamur.registry.verification.policy import Policy
from testamur.registry.verification.verdict import CheckResult, CredentialStatus, Outcome, Step

Results = Mapping[Step, CheckResult]

ALWAYS_REQUIRED = frozenset(
    {
        Step.WELL_FORMED,
        Step.CREDENTIAL_PROOF,
        Step.LOGGED,
        Step.SIGNING_KEY,
        Step.ISSUER,
        Step.STATUS,
        Step.VALIDITY_PERIOD,
    }
)
"""Steps whose *unknown* no policy tolerates."""

OF_THE_MOMENT = frozenset({Step.STATUS, Step.VALIDITY_PERIOD})
"""Steps that ask about a moment; the others hold for ever once they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What the times of a verification are made of.

    `entry_at`: the credential is proven to have been logged then. `evidence_at`: the status is proven as of
    then. `status_changed`: some status list of the credential has had an earlier version. `final`: the
    issuer is proven closed, so that its status does not age.
    """

    entry_at: datetime | None
    evidence_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    list_status: CredentialStatus
    status_changed: bool
    final: bool


def required_steps(policy: Policy) -> frozenset[Step]:
    """The steps whose *unknown* makes the outcome indeterminate under this policy."""
    required = set(ALWAYS_REQUIRED)
    if policy.require_witnesses:
        required.add(Step.WITNESSED)
    if policy.require_anchor:
        required.add(Step.ANCHORED)
    return frozenset(required)


def combine(results: Results, required: frozenset[Step]) -> Outcome:
    """Any fail is invalid; else any required unknown is indeterminate; else valid."""
    if any(result == CheckResult.FAIL for result in results.values()):
        return Outcome.INVALID
    if any(results.get(step, CheckResult.UNKNOWN) == CheckResult.UNKNOWN for step in required):
        return Outcome.INDETERMINATE
    return Outcome.VALID


def when_issued(results: Results, policy: Policy) -> Outcome:
    """The answer that time cannot change: genuine, and logged by its issuer with a key then in force."""
    lasting = {step: result for step, result in results.items() if step not in OF_THE_MOMENT}
    return combine(lasting, required_steps(policy) - OF_THE_MOMENT)


def at_now(results: Results, policy: Policy, moments: Moments, now: datetime) -> Outcome:
    """The answer for the moment of asking; a status older than the policy allows is not said of now."""
    outcome = combine(results, required_steps(policy))
    if outcome == Outcome.VALID and is_stale(policy, moments, now):
        return Outcome.INDETERMINATE
    return outcome


def is_stale(policy: Policy, moments: Moments, moment: datetime) -> bool:
    """Whether the proven status is too old to be said of `moment`."""
    if moments.final:
        return False
    return moments.evidence_at is None or moment - moments.evidence_at > policy.max_status_age


def at_moment(
    results: Results, policy: Policy, moments: Moments, moment: datetime
) -> tuple[Outcome, CredentialStatus]:
    """The answer about a moment in the past (`--as-of`), from evidence that is usually younger.

    A credential that is not proven to have existed then is indeterminate. A revocation never clears, so
    "active" in younger evidence answers for every earlier moment, unless a list has changed meanwhile:
    a suspension may have been set and cleared, and "revoked" does not say since when.
    """
    genuine = when_issued(results, policy)
    if genuine != Outcome.VALID:
        return genuine, CredentialStatus.UNKNOWN
    if moments.valid_from is not None and moment < moments.valid_from:
        return Outcome.INVALID, CredentialStatus.NOT_YET_VALID
    if moments.entry_at is None or moment < moments.entry_at:
        return Outcome.INDETERMINATE, CredentialStatus.UNKNOWN
    status = _status_at(moments, moment)
    if status in {CredentialStatus.REVOKED, CredentialStatus.SUSPENDED}:
        return Outcome.INVALID, status
    if moments.valid_until is not None and moment > moments.valid_until:
        return Outcome.INVALID, CredentialStatus.EXPIRED
    if status != CredentialStatus.ACTIVE or is_stale(policy, moments, moment):
        return Outcome.INDETERMINATE, CredentialStatus.UNKNOWN
    return Outcome.VALID, status


def status_word(
    of_lists: CredentialStatus, outside_validity: CredentialStatus | None, now: Outcome
) -> CredentialStatus:
    """One word for the status now.

    Revoked and suspended outrank the dates, and *active* is said of nothing that is not valid.
    """
    if of_lists in {CredentialStatus.REVOKED, CredentialStatus.SUSPENDED}:
        return of_lists
    if outside_validity is not None:
        return outside_validity
    return of_lists if now == Outcome.VALID else CredentialStatus.UNKNOWN


def _status_at(moments: Moments, moment: datetime) -> CredentialStatus:
    """What the lists say of `moment`: nothing, when they may have said something else in between."""
    if moments.evidence_at is None or (moment < moments.evidence_at and moments.status_changed):
        return CredentialStatus.UNKNOWN
    return moments.list_status
