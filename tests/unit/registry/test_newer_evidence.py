"""Which of two pieces of evidence is newer is asked of issuers, not of logs; and each is judged by its newest."""

from fakes.whole_registry import REGISTRY, World, judge
from testamur.registry.entries import Origin
from testamur.registry.newer_evidence import find_older_statement, newer_evidence
from testamur.registry.verification import Outcome, Step

ADA_2 = Origin(registry=REGISTRY, slug="ada", epoch=2)
BIT = Origin(registry=REGISTRY, slug="bit", epoch=1)


def beside(evidence, other):
    """The evidence with the other one's log and entries beside its own."""
    return {
        **evidence,
        "entries": [*evidence["entries"], *other["entries"]],
        "logs": {**evidence["logs"], **other["logs"]},
    }


def test_the_newest_log_of_an_issuer_cannot_be_left_out():
    first, second = World().evidence(), World(revoked=(7,), origin=ADA_2).evidence()
    both = beside(first, second)
    assert find_older_statement(first, both) == (str(ADA_2), 0, 2)
    assert find_older_statement(both, first) is None
    # An older log is needed for the entries in it alone, which is for verification to say.
    assert find_older_statement(second, both) is None


def test_an_older_statement_is_a_step_back_in_whatever_log_it_stands():
    known = World(revoked=(7,)).evidence()
    served = beside(World().evidence(), World(origin=ADA_2).evidence())
    assert find_older_statement(served, known) == (str(World().origin), 1, 2)
    assert find_older_statement(known, served) == (str(ADA_2), 0, 1)
    assert newer_evidence(served, known, World().credential) is None


def test_an_issuer_cannot_be_left_out():
    both = beside(World().evidence(), World(origin=BIT).evidence())
    assert find_older_statement(World().evidence(), both) == (str(BIT), 0, 1)


def test_a_newer_epoch_is_newer_evidence():
    world = World()
    both = beside(world.evidence(), World(revoked=(7,), origin=ADA_2).evidence())
    assert newer_evidence(both, world.evidence(), world.credential) == both
    assert newer_evidence(world.evidence(), both, world.credential) is None
    assert newer_evidence(world.evidence(), world.evidence(), world.credential) is None


def test_each_issuer_is_judged_by_the_newest_of_both_files():
    """A node hosts the log of one of two institutions: what it knows counts, what it lacks is not lost."""
    ada, revoked, bit = World(), World(revoked=(7,)), World(origin=BIT)
    sent = beside(ada.evidence(), bit.evidence())
    assert judge({"credential": ada.credential, "evidence": sent}).outcome is Outcome.VALID
    newer = newer_evidence(revoked.evidence(), sent, ada.credential)
    assert newer["logs"] == {**revoked.evidence()["logs"], **bit.evidence()["logs"]}
    assert newer["entries"] == [*revoked.evidence()["entries"], *bit.evidence()["entries"]]
    assert newer["anchors"] == [*revoked.evidence()["anchors"], *sent["anchors"]]
    verdict = judge({"credential": ada.credential, "evidence": newer})
    assert verdict.check(Step.ANCHORED).reason == judge(revoked.dossier()).check(Step.ANCHORED).reason
    assert verdict.check(Step.STATUS).reason == "revoked"


def test_nothing_of_the_other_file_stays_where_all_is_newer():
    world, revoked = World(), World(revoked=(7,))
    assert newer_evidence(revoked.evidence(), world.evidence(), world.credential) == revoked.evidence()
    assert newer_evidence({**revoked.evidence(), "anchors": []}, world.evidence(), world.credential) is None
