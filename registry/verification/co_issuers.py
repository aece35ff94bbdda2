"""Joint awards in the steps: each co-issuer's signature, judged by that institution's own evidence.

Steps 3, 7 and 8 ask the same of every institution that signed: a key of its own key events, in force, of an
institution in good standing. A co-issuer's evidence stands in the same file; what fails there makes its
signature not count, and the award fails when too few are left. A did:key has no key events, and counts as
what it is: a key that the award itself names.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from testamur.registry.admissions import Admission
from testamur.registry.credentials import Credential
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evidence import Evidence
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.joint_awards import JointAward
from testamur.registry.key_events import Position
from testamur.registry.keys import PublicKey
from testamur.registry.proofs import ASSERTION
from testamur.registry.verification import steps_anchor, steps_log
from testamur.registry.verification.context import Context, Passed, Undecided
from testamur.registry.verification_methods import find_verification_method

COMPUTED_METHODS = ("did:key:", "did:jwk:")
"""Identifiers that are a key: they never rotate, and nobody admits them."""


class Counted(Enum):
    """Whether a co-issuer's signature counts towards the threshold."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


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


def check_threshold(award: JointAward, counted: dict[str, Counted]) -> tuple[str, ...]:
    """The institutions that count, the issuer first, when there are enough of them.

    Raises Undecided("joint-award-evidence-missing") when those that are not known could make up for the
    rest, and VerificationError("joint-award-below-threshold") when they could not.
    """
    yes = tuple(name for name in award.institutions[1:] if counted.get(name) is Counted.YES)
    unknown = [name for name in award.institutions[1:] if counted.get(name) is Counted.UNKNOWN]
    got = 1 + len(yes)
    if got >= award.threshold:
        return (award.institutions[0], *yes)
    numbers: dict[str, str | int] = {"got": got, "wanted": award.threshold, "of": len(award.institutions)}
    if got + len(unknown) >= award.threshold:
        raise Undecided("joint-award-evidence-missing", institution=unknown[0][:200], **numbers)
    raise VerificationError("joint-award-below-threshold", **numbers)


def keys_in_force(context: Context, methods: list[str]) -> None:
    """For step 7: enough co-issuers signed with a key that was in force, and have not repudiated it.

    Where a co-issuer logged the credential in its own log, that place decides. Where it did not, its key has
    to be in force still, in its newest sealed statement: nothing else orders its signature.
    """
    _tally(context, methods, _in_force)


def issuer(context: Context) -> Passed:
    """Step 8, for the issuer and for as many co-issuers as the award needs."""
    passed = steps_anchor.issuer(context)
    credential = context.need_credential()
    if credential.joint_award is None:
        return passed
    signers = _tally(context, list(context.proof_methods), _in_good_standing)
    return replace(passed, facts={**passed.facts, "institutions": [*signers]})


def _tally(
    context: Context, methods: list[str], judge: Callable[[Context, list[str]], None]
) -> tuple[str, ...]:
    credential = context.need_credential()
    award = credential.joint_award
    if award is None:
        return ()
    if not methods:
        raise Undecided("not-established", step=3)
    counted: dict[str, Counted] = {}
    for institution in award.institutions[1:]:
        own = [method for method in methods if co_issuer_of(credential, method) == institution]
        if not own:
            continue
        counted[institution] = Counted.YES
        if institution.startswith(COMPUTED_METHODS):
            continue
        try:
            judge(_own_context(context, institution), own)
        except Undecided:
            counted[institution] = Counted.UNKNOWN
        except (MalformedError, VerificationError):
            counted[institution] = Counted.NO
    return check_threshold(award, counted)


def _in_force(own: Context, methods: list[str]) -> None:
    keys, statement = own.need_keys(), own.need_statement()
    position = _position(own)
    if position is None:
        newest = own.need_newest_log()
        position = Position(parse_origin(newest.origin).epoch, newest.checkpoint.checkpoint.size - 1)
    elif statement.is_repudiated(position):
        raise VerificationError("entry-repudiated", index=position.index)
    if not any(keys.is_in_force(method, position) for method in methods):
        raise VerificationError("key-not-in-force", method=methods[0][:200], index=position.index)


def _in_good_standing(own: Context, methods: list[str]) -> None:
    _in_force(own, methods)
    if own.entry is not None:
        steps_anchor.issuer(own)
        return
    anchor, keys, newest = own.proven, own.need_keys(), own.need_newest_log()
    if anchor is None:
        raise Undecided("not-established", step=6)
    origin = parse_origin(newest.origin)
    admission = Admission(
        registry=origin.registry, slug=origin.slug, did=keys.issuer, first_key_event=keys.first_digest
    )
    if admission.digest != anchor.issuer.identity:
        raise VerificationError("admission-mismatch", issuer=keys.issuer[:200])
    keys.bind(anchor.key_chains)
    if anchor.issuer.lifecycle != Lifecycle.ACTIVE:
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
    for step in (steps_log.logged, steps_log.witnessed, steps_anchor.anchored):
        try:
            step(own)
        except (MalformedError, VerificationError, Undecided):
            if own.log is None:
                break  # nothing about this institution; what is there is judged by what it left behind
    return own
