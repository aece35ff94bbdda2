"""Verification: eleven numbered steps over bytes that the caller brings, and one verdict.

    from testamur.registry import parse_trust_file, verify

    trust = parse_trust_file(Path("trust.json").read_bytes())
    verdict = verify(Path("diploma.credential.json").read_bytes(), trust=trust, now=datetime.now(UTC))

Pure: nothing is fetched, no clock is read. What is not in the arguments is *unknown*.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.dossiers import parse_dossier
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evidence import Evidence, parse_evidence
from testamur.registry.trust import TrustFile
from testamur.registry.verification import (
    co_issuers,
    decide,
    earlier,
    step_status,
    steps_credential,
    steps_log,
)
from testamur.registry.verification.context import ChainView, Context, Passed, Shown, Undecided
from testamur.registry.verification.development import is_for_development
from testamur.registry.verification.policy import DEFAULT_POLICY, Policy
from testamur.registry.verification.verdict import (
    Check,
    CheckResult,
    Facts,
    Outcome,
    Step,
    Verdict,
)

__all__ = [
    "DEFAULT_POLICY",
    "ChainView",
    "Outcome",
    "Policy",
    "Shown",
    "Step",
    "Verdict",
    "verify",
    "verify_dossier",
]

STEPS: Mapping[Step, Callable[[Context], Passed]] = {
    Step.WELL_FORMED: steps_credential.well_formed,
    Step.PROFILE: steps_credential.profile,
    Step.LOGGED: steps_log.logged,
    Step.WITNESSED: steps_log.witnessed,
    Step.ANCHORED: earlier.anchored,
    Step.CREDENTIAL_PROOF: steps_credential.credential_proof,
    Step.SIGNING_KEY: steps_credential.signing_key,
    Step.ISSUER: co_issuers.issuer,
    Step.STATUS: step_status.status,
    Step.VALIDITY_PERIOD: steps_credential.validity_period,
    Step.HOLDER_BINDING: steps_credential.holder_binding,
}
"""In the order in which they can be decided: the keys that step 3 needs stand in the evidence of step 4."""


def verify_dossier(
    data: bytes,
    *,
    trust: TrustFile | None,
    now: datetime,
    policy: Policy = DEFAULT_POLICY,
    as_of: datetime | None = None,
    chain: ChainView | None = None,
    evidence: Json = None,
    notes: tuple[str, ...] = (),
    contexts: Mapping[str, Json] | None = None,
) -> Verdict:
    """The verdict on a file: a dossier, or a bare credential with its evidence given apart.

    Raises MalformedError when the file or the evidence does not have the shape of one; everything else that
    can be wrong is in the verdict.
    """
    return verify(
        data,
        parse_evidence(evidence) if evidence is not None else None,
        trust=trust,
        now=now,
        policy=policy,
        as_of=as_of,
        chain=chain,
        notes=notes,
        contexts=contexts,
    )


def verify(
    credential: Json | bytes,
    evidence: Evidence | None = None,
    *,
    trust: TrustFile | None,
    now: datetime,
    policy: Policy = DEFAULT_POLICY,
    as_of: datetime | None = None,
    chain: ChainView | None = None,
    notes: tuple[str, ...] = (),
    contexts: Mapping[str, Json] | None = None,
    shown: Shown | None = None,
) -> Verdict:
    """The verdict on a credential. `now` and `as_of` are aware; `as_of` is not after `now`.

    `credential` is a parsed one, or the bytes of a file: a dossier, or a bare credential. `chain` is what the
    caller knows from its own RPC endpoints, `notes` what it wants to be shown with the verdict, `contexts`
    are JSON-LD contexts by URL beside the bundled ones, `shown` says who presented it, when a presentation is
    checked (`presentation_verdicts`). Never raises for anything that a parsed credential or
    the evidence contains; bytes that are no such file raise MalformedError.
    """
    if isinstance(credential, bytes):
        credential, enclosed = parse_dossier(credential)
        if credential is None:
            raise MalformedError("file", "holds evidence but no credential; give the credential file as well")
        if evidence is None and enclosed is not None:
            evidence = parse_evidence(enclosed)
    if now.tzinfo is None or (as_of is not None and (as_of.tzinfo is None or as_of > now)):
        raise ValueError("now and as_of must be aware, and as_of not after now")
    context = Context(
        document=credential,
        evidence=evidence,
        trust=trust,
        policy=policy,
        now=now,
        chain=chain or ChainView(),
        contexts=contexts,
        shown=shown,
    )
    checks = {step: _run(step, context) for step in STEPS}
    return _verdict(context, tuple(checks[step] for step in sorted(checks)), as_of, notes)


def _run(step: Step, context: Context) -> Check:
    """One step, its three answers turned into a check."""
    try:
        passed = STEPS[step](context)
    except VerificationError as error:
        return Check(step=step, result=CheckResult.FAIL, reason=error.reason, parameters=error.parameters)
    except MalformedError as error:
        parameters: dict[str, str | int] = {"where": error.subject, "problem": error.reason}
        return Check(step=step, result=CheckResult.FAIL, reason="malformed", parameters=parameters)
    except Undecided as undecided:
        return Check(
            step=step, result=CheckResult.UNKNOWN, reason=undecided.reason, parameters=undecided.parameters
        )
    return Check(
        step=step,
        result=CheckResult.SKIPPED if passed.skipped else CheckResult.PASS,
        reason=passed.reason,
        parameters=passed.parameters,
        facts=passed.facts,
        warnings=passed.warnings,
    )


def _verdict(
    context: Context, checks: tuple[Check, ...], as_of: datetime | None, notes: tuple[str, ...]
) -> Verdict:
    results = {check.step: check.result for check in checks}
    credential = context.credential
    moments = decide.Moments(
        entry_at=context.anchored.entry_at if context.anchored else None,
        evidence_at=context.evidence_at,
        valid_from=credential.valid_from if credential else None,
        valid_until=context.valid_until,
        list_status=context.list_status,
        spans=tuple(context.spans),
        final=context.final,
    )
    now = decide.at_now(results, context.policy, moments, context.now)
    at, status = None, decide.status_word(context.list_status, context.outside_validity, now)
    if as_of is not None:
        at, status = decide.at_moment(results, context.policy, moments, as_of)
        # What is shown of the dates is about the moment that was asked about, as the outcome is.
        then = _run(Step.VALIDITY_PERIOD, replace(context, now=as_of))
        checks = tuple(then if check.step == Step.VALIDITY_PERIOD else check for check in checks)
    return Verdict(
        registry=context.trust.registry if context.trust else None,
        development=context.trust is not None and is_for_development(context.trust),
        credential=_facts(checks),
        outcome=now if at is None else at,
        credential_status=status,
        witnessed=context.witnessed,
        anchored=context.anchored,
        at_issuance=decide.when_issued(results, context.policy),
        at=at,
        now=now,
        asked_at=context.now,
        as_of=as_of,
        evidence_at=context.evidence_at,
        checks=checks,
        notes=notes + _notes(context),
    )


def _facts(checks: tuple[Check, ...]) -> Facts:
    """What the credential says of itself, as established by step 1."""
    return dict(checks[0].facts)


def _notes(context: Context) -> tuple[str, ...]:
    if context.evidence is None:
        return ()
    return (*context.status_notes, *_ignored(context.evidence))


def _ignored(evidence: Evidence) -> tuple[str, ...]:
    return tuple(f"ignored unknown member {name} of the evidence" for name in evidence.unknown)
