"""A node does not judge by an older statement than its own logs hold, and gives up nothing that is proven."""

from types import SimpleNamespace

import pytest

from fakes.whole_registry import World, judge
from testamur.node.service.own_evidence import NEWER_EVIDENCE, brought_up_to_date
from testamur.node.service.workers import Workers
from testamur.registry.canonical import canonicalize
from testamur.registry.credentials import credential_digest
from testamur.registry.evidence import parse_evidence
from testamur.registry.evidence_building import statement_of
from testamur.registry.verification import Outcome

OLD, NEW = World().dossier(), World(revoked=(7,)).dossier()


def newest(dossier):
    ((origin, log),) = parse_evidence(dossier["evidence"]).logs.items()
    return origin, statement_of(log)


@pytest.fixture
def node():
    origin, sequence = newest(NEW)
    published = SimpleNamespace(statement=SimpleNamespace(sequence=sequence))
    log = SimpleNamespace(name=origin, publications=SimpleNamespace(newest=lambda: published))
    workers = Workers("test")
    yield SimpleNamespace(hostings={"ada": SimpleNamespace(log=log)}, workers=workers)
    workers.close()


async def current(node, dossier, served):
    asked = []

    async def evidence_of(digest):
        asked.append(digest)
        return None if served is None else canonicalize(served)

    evidence, notes = await brought_up_to_date(node, evidence_of, dossier["credential"], dossier["evidence"])
    return {**dossier, "evidence": evidence}, notes, asked


async def test_a_revoked_credential_is_not_valid_because_its_bearer_shows_last_weeks_evidence(node):
    assert newest(OLD)[1] < newest(NEW)[1]
    assert judge(OLD).outcome is Outcome.VALID
    dossier, notes, asked = await current(node, OLD, NEW["evidence"])
    assert asked == [credential_digest(OLD["credential"])]
    assert notes == (NEWER_EVIDENCE,)
    assert judge(dossier).check(9).reason == "revoked"


async def test_what_is_as_new_as_the_log_is_not_asked_for(node):
    assert await current(node, NEW, NEW["evidence"]) == (NEW, (), [])


async def test_nothing_is_given_up_for_evidence_that_is_missing_older_or_not_anchored_yet(node):
    unanchored = {**NEW["evidence"], "anchors": []}
    for served in (None, OLD["evidence"], unanchored):
        dossier, notes, asked = await current(node, OLD, served)
        assert (dossier, notes, len(asked)) == (OLD, (), 1)


@pytest.mark.parametrize("evidence", [None, {}, [], "x", {"type": "TestamurEvidence"}])
async def test_what_is_no_evidence_is_left_for_the_verdict_to_say(node, evidence):
    dossier, notes, asked = await current(node, {**OLD, "evidence": evidence}, NEW["evidence"])
    assert (dossier["evidence"], notes, asked) == (evidence, (), [])
