"""Whoever stole the operator's key can raise the contract's statement number; the issuer goes on above it."""

from fakes.whole_registry import World, judge
from testamur.registry.verification import Outcome, Step

USED_UP = 16_384
"""What the contract took from the thief."""

OTHER_HOLDER = 99
HOLDER = 7


def reason_of(world, step):
    return {check.step: check.reason for check in judge(world.dossier()).checks}[step]


def test_evidence_from_before_the_theft_is_outdated():
    for revoked in ((), (OTHER_HOLDER,)):
        world = World(revoked=revoked, statement_on_chain=USED_UP)
        assert reason_of(world, Step.ANCHORED) == "statement-outdated"
        assert judge(world.dossier()).outcome is Outcome.INVALID


def test_a_statement_above_the_number_that_was_used_up_is_the_newest():
    world = World(revoked=(OTHER_HOLDER,), statements_above=USED_UP)
    assert world.publication.statement.sequence == USED_UP + 1
    assert judge(world.dossier()).outcome is Outcome.VALID


def test_a_revocation_above_the_number_that_was_used_up_counts():
    world = World(revoked=(HOLDER,), statements_above=USED_UP)
    assert reason_of(world, Step.STATUS) == "revoked"
    assert judge(world.dossier()).outcome is Outcome.INVALID


def test_a_statement_that_is_still_below_is_outdated():
    world = World(revoked=(OTHER_HOLDER,), statements_above=USED_UP - 2, statement_on_chain=USED_UP)
    assert world.publication.statement.sequence == USED_UP - 1
    assert reason_of(world, Step.ANCHORED) == "statement-outdated"
