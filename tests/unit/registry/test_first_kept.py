"""No checkpoint that proves nothing takes the place of one that dates a credential."""

import copy
from datetime import timedelta

import pytest

from fakes.issuers import signing_key
from fakes.whole_registry import ANCHORED_AT, World, judge, trust
from testamur.registry.evidence_building import keep_first
from testamur.registry.merkle import prove_consistency

WORLD = World(others=20)
EARLY = ANCHORED_AT - timedelta(days=100)
DATED = WORLD.leaf_index + 1
TRUST = trust()


def with_first(first):
    evidence = copy.deepcopy(WORLD.evidence())
    (log,) = evidence["logs"].values()
    log["first"] = first
    return evidence


def prove(_origin, old, new):
    return prove_consistency(WORLD.leaves()[:new], old, new)


def first_of(document, kept, **options):
    (log,) = keep_first(document, kept, prove, **options)["logs"].values()
    return log["first"]


GOOD = WORLD.first(DATED, EARLY)
WORTHLESS = {
    "signed by another log": WORLD.first(DATED, ANCHORED_AT, key=signing_key(77)),
    "cosigned by one": WORLD.first(DATED, ANCHORED_AT, witnesses=("ada",)),
    "cosigned by nobody": WORLD.first(DATED, ANCHORED_AT, witnesses=()),
}


@pytest.mark.parametrize("trusted", [None, TRUST])
@pytest.mark.parametrize("name", WORTHLESS)
def test_what_a_node_offers_replaces_nothing_that_dates_the_credential(name, trusted):
    kept = keep_first(with_first(WORTHLESS[name]), with_first(GOOD), prove, trust=trusted)
    verdict = judge({"credential": WORLD.credential, "evidence": kept})
    assert verdict.witnessed.no_later_than == EARLY + timedelta(seconds=1)


def test_the_log_has_to_have_signed_it_even_where_nothing_is_kept():
    assert first_of(with_first(WORTHLESS["signed by another log"]), None) is None
    assert first_of(with_first(GOOD), None) == GOOD


def test_without_a_trust_file_nobody_can_tell_that_an_earlier_one_is_better():
    leaves = [WORLD.first(size, EARLY) for size in (7, DATED)]
    undated = {"entries": []}
    offered, kept = ({**with_first(first), **undated} for first in leaves)
    assert first_of(offered, kept) == leaves[1]
    assert first_of(offered, kept, trust=TRUST) == leaves[0]
    lone = {**with_first(WORLD.first(7, EARLY, witnesses=("ada",))), **undated}
    assert first_of(lone, kept, trust=TRUST) == leaves[1]


def test_what_lacks_the_quorum_of_the_trust_file_dates_nothing_and_is_dropped():
    assert first_of(WORLD.evidence(), with_first(WORTHLESS["cosigned by one"]), trust=TRUST) is None
