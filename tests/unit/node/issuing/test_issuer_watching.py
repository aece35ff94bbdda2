"""The issuer's own watch: what is shown to the world is what the issuer signed, or there is an alarm."""

from datetime import timedelta

import pytest

from fakes.issuers import DID, NOW, MemoryHost, copy_workspace, signing_key
from fakes.whole_registry import World, trust
from testamur.node.issuing.bundles import build_bundle
from testamur.node.issuing.publishing import publish_lists
from testamur.node.issuing.watching import Signed, compare, signed_by
from testamur.registry.canonical import canonicalize
from testamur.registry.timestamps import parse_timestamp

HOUR = timedelta(hours=1)
TRUST = trust()


class Shown:
    """A node that shows an honest registry, or an older one of itself."""

    def __init__(self, anchored, newest=None, lists=None):
        self._anchored = anchored
        self._newest = newest or anchored
        self._lists = lists or anchored

    def log_evidence(self, origin, *, anchored=True):
        return (self._anchored if anchored else self._newest).evidence()

    def status_list(self, list_id, issuer):
        assert issuer == DID
        return canonicalize(self._lists.publication.lists[list_id].credential)


def signed(*worlds):
    """What an issuer signed who made the statements of these worlds, the newest last."""
    statements = [world.publication.statement for world in worlds]
    return Signed(
        origin=str(worlds[0].origin),
        did=DID,
        statements={item.sequence: item.digest for item in statements},
        times={item.sequence: parse_timestamp(item.time) for item in statements},
        lists={key: item.entry.digest for key, item in worlds[-1].publication.lists.items()},
    )


@pytest.fixture(scope="module")
def worlds():
    return World(), World(revoked=(7,))


def look(node, mine, after=timedelta(0), trusted=TRUST):
    return compare(node, mine, now=NOW + after, patience=HOUR, trust=trusted)


def test_what_is_shown_as_it_was_signed_raises_no_alarm(worlds):
    found = look(Shown(worlds[1]), signed(*worlds))
    assert (found.anchored, found.is_proven, found.alarms) == (2, True, ())


def test_a_statement_that_is_held_back_alarms_once_patience_is_over(worlds):
    before, _ = worlds
    late = look(Shown(before), signed(*worlds), after=timedelta(days=1))
    assert any("held back" in alarm for alarm in late.alarms)
    patient = compare(Shown(before), signed(*worlds), now=NOW, patience=timedelta(days=3), trust=TRUST)
    assert patient.alarms == ()


def test_a_statement_that_the_issuer_never_signed_alarms(worlds):
    before, after = worlds
    found = look(Shown(after), signed(before))
    assert any("was not signed here" in alarm for alarm in found.alarms)
    assert any("the contract holds statement 2" in alarm for alarm in found.alarms) or found.anchored == 2


def test_another_statement_under_the_same_number_alarms(worlds):
    found = look(Shown(World(revoked=(8,))), signed(*worlds))
    assert any("another one than was signed" in alarm for alarm in found.alarms)


def test_an_older_seal_after_a_newer_anchor_alarms(worlds):
    before, after = worlds
    found = look(Shown(after, newest=before), signed(*worlds))
    assert any("older than the anchored" in alarm for alarm in found.alarms)


def test_an_old_list_that_is_served_as_the_newest_alarms(worlds):
    before, after = worlds
    found = look(Shown(after, lists=before), signed(*worlds))
    assert any("another version of the status list" in alarm for alarm in found.alarms)


def test_a_workspace_knows_what_it_signed_and_its_host_took(tmp_path):
    with copy_workspace(tmp_path / "ada") as workspace:
        host = MemoryHost(workspace.publication())
        publish_lists(workspace, [], key=signing_key(1), port=host, now=NOW)
        pending = build_bundle(workspace.publication(), did=DID, lists=[], key=signing_key(1), now=NOW)
        with workspace.ledger.transaction():
            workspace.record_statement(pending, 3)
        mine = signed_by(workspace)
    assert (mine.newest, sorted(mine.statements)) == (2, [1, 2])
    assert mine.statements[2] == host.publication.statement.digest


class ShownWith(Shown):
    """A node that shows its newest log, with anchors of the host's choosing."""

    def __init__(self, world, anchors):
        super().__init__(world)
        self._anchors = anchors

    def log_evidence(self, origin, *, anchored=True):
        return {**super().log_evidence(origin), "anchors": self._anchors}


@pytest.mark.parametrize("trusted", [TRUST, None])
def test_a_host_that_shows_a_statement_without_anchoring_it_alarms(worlds, trusted):
    """That its log names the statement is the host's word, and it may show another log to everybody else."""
    after = worlds[1]
    found = look(ShownWith(after, []), signed(*worlds), after=timedelta(days=30), trusted=trusted)
    assert (found.anchored, found.is_proven) == (0, False)
    assert any("held back" in alarm for alarm in found.alarms)
    patient = compare(ShownWith(after, []), signed(*worlds), now=NOW, patience=HOUR * 72, trust=trusted)
    assert (patient.anchored, patient.alarms) == (0, ())


@pytest.mark.parametrize("trusted", [TRUST, None])
def test_an_older_anchor_under_the_newest_log_alarms(worlds, trusted):
    before, after = worlds
    node = ShownWith(after, before.evidence()["anchors"])
    found = look(node, signed(*worlds), after=timedelta(days=30), trusted=trusted)
    assert (found.anchored, found.is_proven) == (0, False)
    assert any("the anchor that is shown is none of this log" in alarm for alarm in found.alarms)
    assert any("held back" in alarm for alarm in found.alarms)


def test_a_number_that_the_contract_does_not_hold_is_not_anchored(worlds):
    before, _ = worlds
    lagging = World(revoked=(7,), statement_on_chain=1)
    found = look(Shown(lagging), signed(before, lagging), after=timedelta(days=1))
    assert found.anchored == 1
    assert any("statement 2 of" in alarm and "held back" in alarm for alarm in found.alarms)


def test_a_block_that_nobody_attests_counts_only_where_no_trust_file_says_who_should(worlds):
    before, _ = worlds
    unattested = World(revoked=(7,), attesters=("ada",))
    mine = signed(before, unattested)
    found = look(Shown(unattested), mine, after=timedelta(days=1))
    assert found.anchored == 0
    assert any("held back" in alarm for alarm in found.alarms)
    believed = look(Shown(unattested), mine, after=timedelta(days=1), trusted=None)
    assert (believed.anchored, believed.is_proven, believed.alarms) == (2, False, ())


def test_used_up_numbers_alarm(worlds):
    used_up = World(revoked=(7,), statement_on_chain=9)
    found = look(Shown(used_up), signed(worlds[0], used_up))
    assert any("the contract holds statement 9" in alarm for alarm in found.alarms)
