"""Evidence that was replaced: what it goes on proving of the past, beside the evidence that replaced it.

It counts as it would if it were shown alone, and for no moment after its own: nothing is believed of the two
together that one of them does not prove. One that is false spoils the file, as every false proof does.
"""

from dataclasses import replace

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evidence import Evidence
from testamur.registry.timestamps import format_timestamp
from testamur.registry.verification import decide, step_status, steps_anchor, steps_log
from testamur.registry.verification.context import ChainView, Context, Passed, Undecided
from testamur.registry.verification.verdict import Anchored, Step

PROVING = {
    Step.LOGGED: steps_log.logged,
    Step.WITNESSED: steps_log.witnessed,
    Step.ANCHORED: steps_anchor.anchored,
}
"""What evidence has to show before its status counts. Keys and standing are judged by the newest alone."""

EARLIER_FALSE = "earlier-evidence-false"

OF_A_BIT = frozenset({"revoked", "suspended"})
"""Failures of step 9 that are answers."""


def anchored(context: Context) -> Passed:
    """Step 6, with what older evidence in the file shows: an earlier time of the entry, an earlier status.

    Raises VerificationError("earlier-evidence-false") for one that fails steps 4, 5, 6 or 9, or is about
    another entry. One that proves too little for the policy counts for nothing.
    """
    passed = steps_anchor.anchored(context)
    if context.evidence is None or context.anchored is None or not context.evidence.earlier:
        return passed
    # The oldest first: what had not been recorded then is known of those that follow.
    for evidence in reversed(context.evidence.earlier):
        older = _look_back(context, evidence)
        if older is not None and older.anchored is not None:
            context.earlier.append(older)
            context.anchored = _earliest(context.anchored, older.anchored)
    context.earlier.sort(key=lambda one: one.evidence_at or context.now, reverse=True)
    shown: list[Json] = [
        {"at": format_timestamp(one.evidence_at), "statement": one.need_statement().sequence}
        for one in context.earlier
        if one.evidence_at is not None
    ]
    facts = context.anchored.to_json()
    return replace(passed, facts={**(facts if isinstance(facts, dict) else {}), "earlier": shown})


def _earliest(newest: Anchored, older: Anchored) -> Anchored:
    """The newest, with the earlier of both times of the entry."""
    if older.entry_at >= newest.entry_at:
        return newest
    return replace(newest, entry_at=older.entry_at, entry_block=older.entry_block)


def _look_back(context: Context, evidence: Evidence) -> Context | None:
    """What the older evidence establishes, or None when that is not enough."""
    older = Context(
        document=context.document,
        evidence=evidence,
        trust=context.trust,
        policy=context.policy,
        now=context.now,
        # That there is a newer statement is no news of it.
        chain=ChainView(headers=context.chain.headers),
        contexts=context.contexts,
        credential=context.credential,
        digest=context.digest,
        earlier=context.earlier[::-1],
    )
    required = decide.required_steps(context.policy)
    for step, prove in PROVING.items():
        try:
            prove(older)
        except Undecided:
            if step in required:
                return None
        except (MalformedError, VerificationError) as error:
            raise _false(step, error) from error
    _need_same_entry(context, older)
    try:
        step_status.status(older)
    except Undecided:
        pass
    except VerificationError as error:
        if error.reason not in OF_A_BIT:
            raise _false(Step.STATUS, error) from error
    except MalformedError as error:
        raise _false(Step.STATUS, error) from error
    return older


def _need_same_entry(context: Context, older: Context) -> None:
    """The same leaf of the same log: otherwise another time, and another institution, would count."""
    now, then = context.need_entry()[0], older.need_entry()[0]
    if (now.origin, now.proof.index) != (then.origin, then.proof.index):
        raise VerificationError(EARLIER_FALSE, step=int(Step.LOGGED), problem="other-entry")


def _false(step: Step, error: MalformedError | VerificationError) -> VerificationError:
    problem = error.reason if isinstance(error, VerificationError) else "malformed"
    return VerificationError(EARLIER_FALSE, step=int(step), problem=problem)
