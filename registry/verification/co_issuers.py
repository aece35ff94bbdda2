"""Joint awards in the steps: each co-issuer's signature, judged by that institution's own evidence.

Steps 3, 7 and 8 ask the same of every institution that signed: a key of its own key events, in force, of an
institution in good standing. One table holds who counts: step 3 fills it, steps 7 and 8 take out of it, so
that whoever counts in the end has passed all three. A did:key has no key events, and counts as what it is: a
key that the award itself names.
"""

from collections.abc import Callable
from dataclasses import replace

from testamur.registry.credentials import Credential
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError, RegistryError, VerificationError
from testamur.registry.evidence import Evidence
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.joint_awards import JointAward
from testamur.registry.key_events import Position
from testamur.registry.keys import PublicKey
from testamur.registry.proofs import ASSERTION
from testamur.registry.repudiations import find_repudiation
from testamur.registry.verification import decide, step_issuer, steps_anchor, steps_log
from testamur.registry.verification.context import Context, Counted, Passed, Undecided
from testamur.registry.verification.verdict import Step
from testamur.registry.verification_methods import find_verification_method

COMPUTED_METHODS = ("did:key:", "did:jwk:")
"""Identifiers that are a key: they never rotate, and nobody admits them."""

PROVING: dict[Step, Callable[[Context], object]] = {
    Step.LOGGED: steps_log.logged,
    Step.WITNESSED: steps_log.witnessed,
    Step.ANCHORED: steps_anchor.match,
}
"""What a co-issuer's own evidence has to show, as far as the policy asks it of the issuer's."""


def co_issuer_of(credential: Credential, verification_method: str) -> str | None:
    """The co-issuer whose key a proof names, or None: then it is the issuer's, or a stranger's."""
    award = credential.joint_award
    controller = verification_method.partition("#")[0]
    return controller if award is not None and controller in award.institutions[1:] else None


def key_of(context: Context, institution: str, verification_method: str) -> PublicKey | None:
    """The co-issuer's key, from its key events in the evidence, or None when there are none.

    Raises VerificationError("verification-method-unknown").
    """
    if institution.startswith(COMPUTED_METHODS):
        return find_verification_method(verification_method, {}, purpose=ASSERTION).public_key
    own = _own_context(context, institution)
    if own.keys is None or own.keys.issuer != institution:
        return None
    return own.keys.public_key(verification_method, _position(own))


def check_threshold(award: JointAward, co_signed: dict[str, Counted]) -> tuple[str, ...]:
    """The institutions that count, the issuer first, when there are enough of them.

    Raises Undecided("joint-award-evidence-missing") when those that are not known could make up for the
    rest, and VerificationError("joint-award-below-threshold") when they could not.
    """
    yes = tuple(name for name in award.institutions[1:] if co_signed.get(name) is Counted.YES)
    unknown = [name for name in award.institutions[1:] if co_signed.get(name) is Counted.UNKNOWN]
    got = 1 + len(yes)
    if got >= award.threshold:
        return (award.institutions[0], *yes)
    numbers: dict[str, str | int] = {"got": got, "wanted": award.threshold, "of": len(award.institutions)}
    if got + len(unknown) >= award.threshold:
        raise Undecided("joint-award-evidence-missing", institution=unknown[0][:200], **numbers)
    raise VerificationError("joint-award-below-threshold", **numbers)


def keys_in_force(context: Context) -> None:
    """For step 7: enough co-issuers signed with a key that was in force, and have not repudiated it.

    Where a co-issuer logged the credential in its own log, that place decides. Where it did not, its key has
    to be in force still, in its newest sealed statement: nothing else orders its signature.
    """
    _lower(context, _in_force)


def issuer(context: Context) -> Passed:
    """Step 8, for the issuer and for as many co-issuers as the award needs."""
    passed = step_issuer.issuer(context)
    if context.need_credential().joint_award is None:
        return passed
    signers = _lower(context, _in_good_standing)
    return replace(passed, facts={**passed.facts, "institutions": [*signers]})


def _lower(context: Context, judge: Callable[[Context, list[str]], None]) -> tuple[str, ...]:
    """The institutions that still count once `judge` has looked at the evidence of each."""
    credential = context.need_credential()
    award = credential.joint_award
    if award is None:
        return ()
    if not context.whole_methods:
        raise Undecided("not-established", step=3)
    for institution, counted in context.co_signed.items():
        if counted is Counted.NO or institution.startswith(COMPUTED_METHODS):
            continue
        own = [item for item in context.whole_methods if co_issuer_of(credential, item) == institution]
        try:
            judge(_own_context(context, institution), own)
        except Undecided:
            context.co_signed[institution] = Counted.UNKNOWN
        except (MalformedError, VerificationError):
            context.co_signed[institution] = Counted.NO
    return check_threshold(award, context.co_signed)


def _in_force(own: Context, methods: list[str]) -> None:
    keys, repudiated = step_issuer.bound_keys(own), own.need_statement().repudiated
    position = _position(own)
    if position is None:
        newest = own.need_newest_log()
        position = Position(parse_origin(newest.origin).epoch, newest.checkpoint.checkpoint.size - 1)

    def counts(method: str) -> bool:
        in_force = keys.is_in_force(method, position)
        return in_force and find_repudiation(repudiated, keys, method=method, position=position) is None

    if methods and not any(counts(method) for method in methods):
        raise VerificationError("key-not-in-force", method=methods[0][:200], index=position.index)


def _in_good_standing(own: Context, _methods: list[str]) -> None:
    if own.shortfall is not None:
        raise own.shortfall
    if own.entry is not None:
        step_issuer.issuer(own)
        return
    anchor = step_issuer.admitted(own)
    if anchor is not None and anchor.issuer.lifecycle != Lifecycle.ACTIVE:
        # Without a place in its log nobody can say whether it signed before or after.
        raise Undecided("not-established", step=4)


def _position(own: Context) -> Position | None:
    if own.entry is None or own.origin is None:
        return None
    return Position(own.origin.epoch, own.entry.proof.index)


def _evidence_of(evidence: Evidence | None, institution: str) -> Evidence | None:
    """The evidence with the entries of that institution's logs alone; what they say is proven later."""
    if evidence is None:
        return None
    statements = {name: log.statement for name, log in evidence.logs.items()}
    own = {
        name
        for name, statement in statements.items()
        if isinstance(statement, dict) and statement.get("issuer") == institution
    }
    return replace(evidence, entries=tuple(entry for entry in evidence.entries if entry.origin in own))


def _own_context(context: Context, institution: str) -> Context:
    """The same verification as if the co-issuer were the issuer, as far as the evidence carries it."""
    known = context.co_issuers.get(institution)
    if known is not None:
        return known
    own = Context(
        document=context.document,
        evidence=_evidence_of(context.evidence, institution),
        trust=context.trust,
        policy=context.policy,
        now=context.now,
        chain=context.chain,
        contexts=context.contexts,
        credential=replace(context.need_credential(), issuer_id=institution, joint_award=None),
        digest=context.digest,
    )
    context.co_issuers[institution] = own
    required = decide.required_steps(context.policy)
    for step, prove in PROVING.items():
        try:
            prove(own)
        except Undecided as undecided:
            if step in required:
                own.shortfall = own.shortfall or undecided
        except MalformedError as error:
            own.shortfall = error
        except VerificationError as error:
            # It need not log the award; without any log of its own, the next step says that nobody can tell.
            if error.reason != "entry-missing" and not isinstance(own.shortfall, RegistryError):
                own.shortfall = error
    return own
