"""Evidence is cut to what its credential needs; what is no list is left for the verdict to name."""

import base64
import copy
import gzip
import random

import pytest

from fakes.awards import award
from fakes.whole_registry import LISTS, World, cut, judge
from testamur.registry.earlier_evidence import keep_earlier
from testamur.registry.status_lists import StatusListEntry
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import CheckResult, Step

SHORT = "u" + base64.urlsafe_b64encode(gzip.compress(bytes(16_384))).decode().rstrip("=")
UNEVEN = "u" + base64.urlsafe_b64encode(gzip.compress(bytes(16_385))).decode().rstrip("=")
MANY = tuple(random.Random(1).sample(range(8, 99_000), 9_000))


def with_entries(*indexes):
    """An award with these entries of its revocation list."""
    document = award()
    document["credentialStatus"] = [
        StatusListEntry(purpose="revocation", index=index, list_id=LISTS["revocation"]).to_json()
        for index in indexes
    ]
    return document


def lists_in(evidence):
    return [one for log in evidence["logs"].values() for one in log["status"]]


@pytest.mark.parametrize(("indexes", "stapled"), [((7,), True), ((7, 100_000), False), ((7, 8), False)])
def test_of_a_list_with_two_entries_of_one_credential_both_can_be_read(indexes, stapled):
    world = World(award=with_entries(*indexes), revoked=MANY)
    dossier = world.dossier()
    small = {**dossier, "evidence": cut(dossier["evidence"], world.credential)}
    assert judge(dossier).outcome == judge(small).outcome
    assert judge(small).check(Step.STATUS) == judge(dossier).check(Step.STATUS)
    assert ["chunk" in one for one in lists_in(small["evidence"])] == [stapled]


def test_an_entry_outside_its_list_is_told_by_step_9_and_cut_nothing_short():
    world = World(award=with_entries(131_072))
    dossier = world.dossier()
    small = {**dossier, "evidence": cut(dossier["evidence"], world.credential)}
    check = judge(small).check(Step.STATUS)
    assert (check.result, check.reason) == (CheckResult.FAIL, "status-index-outside-list")
    assert judge(small).outcome is Outcome.INVALID


def test_a_list_that_is_not_whole_kilobytes_is_left_as_it_is():
    world = World(revoked=(9,))
    evidence = copy.deepcopy(world.evidence())
    for one in lists_in(evidence):
        one["list"]["credentialSubject"]["encodedList"] = UNEVEN
    small = cut(evidence, world.credential)
    assert lists_in(small) == lists_in(evidence)
    assert (
        judge({"credential": world.credential, "evidence": small}).check(Step.STATUS).result
        == CheckResult.FAIL
    )


def test_a_list_that_is_shorter_than_its_statement_says_is_no_reason_to_stop():
    """Nothing of a file that is refreshed is proven yet, and what is no list has nothing to keep."""
    world = World(award=with_entries(262_000))
    evidence = copy.deepcopy(world.evidence())
    for one in lists_in(evidence):
        one["list"]["credentialSubject"]["encodedList"] = SHORT
        one["entry"]["length"] = 262_144
    assert keep_earlier(evidence, evidence, world.credential) == evidence
