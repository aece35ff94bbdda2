"""From checks to outcomes: the truth table of docs/trust.md, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from testamur.registry.status_lists import REVOCATION, SUSPENSION
from testamur.registry.verification.policy import Policy
from testamur.registry.verification.verdict import CheckResult, CredentialStatus, Outcome, StatusSpan, Step

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
        Step.HOLDER_BINDING,
    }
)
"""Steps whose *unknown* no policy tolerates. Step 11 is skipped unless somebody asks who is there."""

OF_THE_MOMENT = frozenset({Step.STATUS, Step.VALIDITY_PERIOD, Step.HOLDER_BINDING})
"""Steps that ask about a moment; the others hold for ever once they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What the times of a verification are made of.

    `entry_at`: the credential is proven to have been logged then. `evidence_at`: the status is proven as of
    then. `spans`: what is known of each of the credential's lists before that. `final`: the issuer is proven
    closed, so that its status does not age.
    """

    entry_at: datetime | None
    evidence_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    list_status: CredentialStatus
    spans: tuple[StatusSpan, ...] = ()
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
    "not revoked" in younger evidence answers for every earlier moment; a suspension may have been set and
    cleared, and "revoked" alone does not say since when: that takes the record of the change.
    """
    genuine = when_issued(results, policy)
    if genuine != Outcome.VALID:
        return genuine, CredentialStatus.UNKNOWN
    if results.get(Step.HOLDER_BINDING) == CheckResult.FAIL:
        # Whoever shows it is not its holder, whatever moment is asked about.
        return Outcome.INVALID, CredentialStatus.UNKNOWN
    if moments.valid_from is not None and moment < moments.valid_from:
        return Outcome.INVALID, CredentialStatus.NOT_YET_VALID
    if moments.entry_at is None or moment < moments.entry_at:
        return Outcome.INDETERMINATE, CredentialStatus.UNKNOWN
    status = _status_at(moments, moment)
    if status in {CredentialStatus.REVOKED, CredentialStatus.SUSPENDED}:
        return Outcome.INVALID, status
    if moments.valid_until is not None and moment > moments.valid_until:
        return Outcome.INVALID, CredentialStatus.EXPIRED
    is_known = results.get(Step.HOLDER_BINDING) != CheckResult.UNKNOWN
    if status != CredentialStatus.ACTIVE or is_stale(policy, moments, moment) or not is_known:
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
    if moments.evidence_at is None:
        return CredentialStatus.UNKNOWN
    if moment >= moments.evidence_at or moments.list_status == CredentialStatus.UNKNOWN:
        return moments.list_status
    values = {(span.purpose, span.value_at(moment)) for span in moments.spans}
    if (REVOCATION, True) in values:
        return CredentialStatus.REVOKED
    if any(value is None for _, value in values):
        return CredentialStatus.UNKNOWN
    if (SUSPENSION, True) in values:
        return CredentialStatus.SUSPENDED
    return CredentialStatus.ACTIVE
