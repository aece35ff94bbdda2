"""A node does not judge by an older statement than its own logs hold, and gives up nothing that is proven."""

import copy
from types import SimpleNamespace

import pytest

from fakes.whole_registry import ANCHORED_AT, NOW, World, judge
from testamur.node.service.own_evidence import NEWER_EVIDENCE, brought_up_to_date
from testamur.node.service.workers import Workers
from testamur.registry.canonical import canonicalize
from testamur.registry.credentials import credential_digest
from testamur.registry.entries import Origin, parse_origin
from testamur.registry.evidence import parse_evidence
from testamur.registry.newer_evidence import statement_of
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import CredentialStatus

FORGED = "2026-11-21T08:30:00Z"
OLD, NEW = World().dossier(), World(revoked=(7,)).dossier()


def newest(dossier):
    ((origin, log),) = parse_evidence(dossier["evidence"]).logs.items()
    return origin, statement_of(log)


@pytest.fixture
def node():
    origin, sequence = newest(NEW)
    published = SimpleNamespace(statement=SimpleNamespace(sequence=sequence))
    log = SimpleNamespace(origin=parse_origin(origin), publications=SimpleNamespace(newest=lambda: published))
    workers = Workers("test")
    yield SimpleNamespace(hostings={"ada": SimpleNamespace(log=log)}, workers=workers)
    workers.close()


async def brought(node, dossier, anchored, newest=None):
    """What is judged by, and whether the node was asked for its anchored (False) or newest (True) evidence."""
    asked = []

    async def evidence_of(digest, *, newest=False):
        assert digest == credential_digest(dossier["credential"])
        asked.append(newest)
        served = latest if newest else anchored
        return None if served is None else canonicalize(served)

    latest = newest
    found = await brought_up_to_date(node, evidence_of, dossier["credential"], dossier["evidence"])
    return found, asked


async def current(node, dossier, served):
    found, asked = await brought(node, dossier, served)
    assert found.unanchored is None
    return {**dossier, "evidence": found.evidence}, found.notes, asked


def verdict(found, dossier, **options):
    def by(evidence, notes):
        return judge({**dossier, "evidence": evidence}, notes=notes, **options)

    return found.judged(by)


async def test_a_revoked_credential_is_not_valid_because_its_bearer_shows_last_weeks_evidence(node):
    assert newest(OLD)[1] < newest(NEW)[1]
    assert judge(OLD).outcome is Outcome.VALID
    dossier, notes, asked = await current(node, OLD, NEW["evidence"])
    assert asked == [False]
    assert notes == (NEWER_EVIDENCE,)
    assert judge(dossier).check(9).reason == "revoked"


async def test_a_newer_log_of_the_issuer_counts_as_its_older_ones_do(node):
    """The evidence that was sent does not know of the second epoch."""
    origin = Origin(registry="registry.example", slug="ada", epoch=2)
    second = World(revoked=(7,), origin=origin).evidence()
    served = {**OLD["evidence"], "logs": {**OLD["evidence"]["logs"], **second["logs"]}}
    node.hostings["ada"].log.origin = origin
    dossier, notes, _ = await current(node, OLD, served)
    assert (dossier["evidence"], notes) == (served, (NEWER_EVIDENCE,))


async def test_what_is_as_new_as_the_log_is_not_asked_for(node):
    assert await current(node, NEW, NEW["evidence"]) == (NEW, (), [])


async def test_what_is_as_new_as_the_log_is_parsed_once_by_whoever_judges(node):
    node.workers = None
    assert (await current(node, NEW, None))[0] == NEW


async def test_a_number_that_is_made_up_to_look_new_convinces_nobody(node):
    dossier = copy.deepcopy(OLD)
    ((_, log),) = dossier["evidence"]["logs"].items()
    log["statement"]["sequence"] = newest(NEW)[1] + 1
    found, asked = await brought(node, dossier, NEW["evidence"])
    assert (found.evidence, asked) == (dossier["evidence"], [])
    assert judge(dossier).outcome is Outcome.INVALID


async def test_nothing_is_given_up_for_evidence_that_is_missing_older_or_not_anchored_yet(node):
    unanchored = {**NEW["evidence"], "anchors": []}
    for served in (None, OLD["evidence"], unanchored):
        dossier, notes, asked = await current(node, OLD, served)
        assert (dossier, notes, asked) == (OLD, (), [False, True])


@pytest.mark.parametrize("evidence", [None, {}, [], "x", {"type": "TestamurEvidence"}, {"logs": {"x": 1}}])
async def test_what_is_no_evidence_is_left_for_the_verdict_to_say(node, evidence):
    dossier, notes, asked = await current(node, {**OLD, "evidence": evidence}, NEW["evidence"])
    assert (dossier["evidence"], notes, asked) == (evidence, (), [])


UNANCHORED = {**NEW["evidence"], "anchors": []}


async def test_a_revocation_in_the_nodes_own_log_counts_before_it_is_anchored(node):
    """The chain may be down for hours, and the bearer shows the evidence of the moment before."""
    found, asked = await brought(node, OLD, OLD["evidence"], UNANCHORED)
    assert asked == [False, True]
    answer = verdict(found, OLD)
    assert (answer.outcome, answer.credential_status) == (Outcome.INVALID, CredentialStatus.REVOKED)
    assert any("not proven to be anchored yet" in note for note in answer.notes)


async def test_what_was_proven_of_the_past_stays_proven(node):
    found, _ = await brought(node, OLD, OLD["evidence"], UNANCHORED)
    before = verdict(found, OLD, as_of=ANCHORED_AT)
    assert (before.outcome, before.now) == (Outcome.VALID, Outcome.INVALID)
    after = verdict(found, OLD, as_of=NOW)
    assert (after.outcome, after.now) == (Outcome.INDETERMINATE, Outcome.INVALID)


async def test_an_unanchored_statement_that_takes_nothing_back_only_leaves_a_note(node):
    other = World(revoked=(8,)).dossier()["evidence"]
    found, _ = await brought(node, OLD, OLD["evidence"], {**other, "anchors": []})
    answer = verdict(found, OLD)
    assert (answer.outcome, answer.anchored is not None) == (Outcome.VALID, True)
    assert [note for note in answer.notes if "proves less (check 6: not-anchored)" in note]


async def test_a_forged_revocation_takes_nothing_back(node):
    """Were the node's own log damaged, a signature that does not hold would be no word of the issuer's."""
    (name,) = UNANCHORED["logs"]
    log = UNANCHORED["logs"][name]
    forged = {**UNANCHORED, "logs": {name: {**log, "statement": {**log["statement"], "time": FORGED}}}}
    found, _ = await brought(node, OLD, OLD["evidence"], forged)
    assert found.unanchored is not None
    assert verdict(found, OLD).outcome is Outcome.VALID
