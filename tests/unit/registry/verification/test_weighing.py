"""What is proven is not given up for evidence that proves less, and what is taken back is taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.issuers import DID, signing_key
from fakes.whole_registry import ANCHORED_AT, NOW, World, judge
from testamur.registry.evidence import parse_evidence
from testamur.registry.key_events import Position, build_key_event, commitment, parse_key_event
from testamur.registry.verification import Outcome, Step
from testamur.registry.verification.verdict import CheckResult, CredentialStatus
from testamur.registry.verification.weighing import find_lost, has_known_keys, weigh

CREATED = "2026-11-20T00:00:00Z"
GOOD = judge(World().dossier())
REVOKED = World(revoked=(7,))
BARE = judge({"credential": World().credential, "evidence": None})


def unanchored(world, **options):
    dossier = world.dossier()
    return judge({**dossier, "evidence": {**dossier["evidence"], "anchors": []}}, **options)


def weighed(kept, served, *, known=True):
    return weigh(kept, served, who="http://n", has_known_keys=known)


def test_what_shows_as_much_counts_without_a_word():
    revoked = judge(REVOKED.dossier())
    for kept, served in ((GOOD, GOOD), (GOOD, revoked), (BARE, GOOD), (unanchored(World()), GOOD)):
        assert find_lost(kept, served) is None
        assert weighed(kept, served) is served


def test_a_bad_status_may_follow_and_never_a_missing_one():
    assert find_lost(judge(REVOKED.dossier()), GOOD) is None  # who serves an older statement is found before
    assert find_lost(judge(REVOKED.dossier()), BARE).step in {Step.CREDENTIAL_PROOF, Step.LOGGED}


@pytest.mark.parametrize(
    ("served", "said"),
    [
        (BARE, "check 3: "),
        (unanchored(World()), "check 6: not-anchored"),
        (judge(World(witnesses=()).dossier()), "check 5: quorum-missing"),
        (judge(World(root_on_chain=bytes(31) + b"x").dossier()), "check 6: anchor-root-mismatch"),
    ],
)
def test_what_proves_less_is_not_taken(served, said):
    assert served.outcome is not Outcome.VALID
    found = weighed(GOOD, served)
    assert (found.outcome, found.checks) == (Outcome.VALID, GOOD.checks)
    (note,) = found.notes
    assert note.startswith("http://n serves evidence that proves less")
    assert said in note


def test_a_lie_makes_nothing_invalid_that_could_only_not_be_told():
    lie = judge(World(root_on_chain=bytes(31) + b"x").dossier())
    kept = unanchored(World())
    assert (kept.outcome, lie.outcome) == (Outcome.INDETERMINATE, Outcome.INVALID)
    assert weighed(kept, lie).outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    ("world", "status"),
    [
        (REVOKED, CredentialStatus.REVOKED),
        (World(suspended=(7,)), CredentialStatus.SUSPENDED),
    ],
)
def test_what_the_issuer_takes_back_is_taken_back_before_it_is_anchored(world, status):
    found = weighed(GOOD, unanchored(world))
    assert (found.outcome, found.credential_status) == (Outcome.INVALID, status)
    assert "takes it back" in found.notes[-1]


def test_but_no_forgery_is_the_issuers_word():
    served = unanchored(REVOKED)
    forged = tuple(
        replace(check, result=CheckResult.FAIL) if check.step == Step.WITNESSED else check
        for check in served.checks
    )
    assert weighed(GOOD, replace(served, checks=forged)).outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("moment", "outcome"),
    [
        (ANCHORED_AT, Outcome.VALID),
        (ANCHORED_AT + timedelta(hours=1), Outcome.INDETERMINATE),
        (NOW, Outcome.INDETERMINATE),
    ],
)
def test_of_a_moment_that_is_proven_the_proof_goes_on_answering(moment, outcome):
    kept = judge(World().dossier(), as_of=moment)
    found = weighed(kept, unanchored(REVOKED, as_of=moment))
    assert (found.outcome, found.at, found.now) == (outcome, outcome, Outcome.INVALID)


def test_without_an_anchor_only_keys_that_are_known_take_anything_back():
    """Anybody can make a log that names the issuer, its key beside his own, and a revocation."""
    served = unanchored(REVOKED)
    for kept in (GOOD, unanchored(World())):
        found = weighed(kept, served, known=False)
        assert (found.outcome, found.checks) == (kept.outcome, kept.checks)
        assert "proves less" in found.notes[-1]
    anchored = judge(REVOKED.dossier())
    assert weighed(GOOD, anchored, known=False) is anchored  # the contract says whose log it is


def with_key_events(events):
    ((name, log),) = World().evidence()["logs"].items()
    return parse_evidence({**World().evidence(), "logs": {name: {**log, "keyEvents": events}}})


def test_keys_are_known_while_their_chain_goes_on():
    keys = {number: signing_key(number) for number in (1, 2, 3)}

    def event(number, **options):
        following = commitment([keys[number % 3 + 1].public_key])
        return build_key_event(
            did=DID, keys=[keys[number]], next_commitment=following, created=CREATED, **options
        )

    first, other = event(1), event(3)
    rotated = event(2, previous=parse_key_event(first), start=Position(1, 20))
    known = with_key_events([first])
    assert has_known_keys(known, known)
    assert has_known_keys(with_key_events([first, rotated]), known)
    assert not has_known_keys(known, with_key_events([first, rotated]))
    assert not has_known_keys(with_key_events([other]), known)
    assert not has_known_keys(with_key_events([first, other]), known)  # a chain that only the contract proves
    assert not has_known_keys(with_key_events([first, {**rotated, "created": "x"}]), known)
