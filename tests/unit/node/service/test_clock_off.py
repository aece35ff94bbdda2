"""A machine's clock an hour off, either way: seals, statements, cosignatures and verdicts stay right or say why."""

from datetime import timedelta

import pytest

from fakes.hostings import StoppedNode
from fakes.whole_registry import ANCHORED_AT, NOW, World, judge
from testamur.registry.hashing import sha256
from testamur.registry.verification.verdict import CheckResult, Outcome

HOUR = timedelta(hours=1)


@pytest.fixture
def node(tmp_path):
    made = StoppedNode(tmp_path / "node")
    yield made
    made.close()


@pytest.mark.parametrize("off", [HOUR, -HOUR])
def test_a_log_seals_and_states_on_when_the_clock_is_set_by_an_hour(node, off):
    """Order is by leaves and sequence numbers: a time that goes back is a time that goes back, and no more."""
    hosting = node.host("ada")
    log = hosting.log
    log.submit([sha256(b"one")])
    first = log.seal()
    node.clock.now += off
    log.submit([sha256(b"two")])
    node.state("ada", 7)
    second = log.seal()
    assert second.checkpoint.size > first.checkpoint.size
    assert log.seal_of(second).statement_sequence == log.seal_of(first).statement_sequence + 1
    node.close()
    node.open()
    assert node.host("ada").log.writer.reader.find_head().checkpoint == second.checkpoint


def test_a_clock_that_went_back_delays_the_heartbeat_by_no_more_than_that(node):
    log = node.host("ada").log
    log.seal()
    node.clock.now -= HOUR
    assert not log.is_silent(timedelta(hours=24))
    node.clock.now += timedelta(hours=25)
    assert log.is_silent(timedelta(hours=24))


@pytest.mark.parametrize(
    ("off", "outcome"), [(HOUR, Outcome.VALID), (-HOUR, Outcome.VALID), (-3 * HOUR, Outcome.INDETERMINATE)]
)
def test_a_verifier_whose_clock_is_off_never_says_invalid(off, outcome):
    """Before anybody had cosigned, by its own clock, it cannot tell: cosignatures from the future don't count."""
    verdict = judge(World().dossier(), now=NOW + off)
    assert verdict.outcome is outcome
    reasons = [check.reason for check in verdict.checks if check.result is CheckResult.UNKNOWN]
    assert reasons == ([] if outcome is Outcome.VALID else ["quorum-missing"])


@pytest.mark.parametrize(
    ("cosigned_at", "outcome"),
    [
        (ANCHORED_AT - HOUR, Outcome.VALID),
        (ANCHORED_AT + HOUR, Outcome.VALID),
        (NOW + HOUR, Outcome.INDETERMINATE),
    ],
)
def test_cosigners_whose_clocks_are_off_are_counted_once_that_time_has_come(cosigned_at, outcome):
    dossier = World(cosigned_at=cosigned_at).dossier()
    assert judge(dossier).outcome is outcome
    assert judge(dossier, now=cosigned_at + HOUR).outcome is Outcome.VALID
