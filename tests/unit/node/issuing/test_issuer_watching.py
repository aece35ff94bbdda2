"""The issuer's own watch: what is shown to the world is what the issuer signed, or there is an alarm."""

from datetime import timedelta

import pytest

from fakes.issuers import DID, NOW, MemoryHost, copy_workspace, signing_key
from fakes.whole_registry import World
from testamur.node.issuing.bundles import build_bundle
from testamur.node.issuing.publishing import publish_lists
from testamur.node.issuing.watching import Signed, compare, signed_by
from testamur.registry.canonical import canonicalize
from testamur.registry.timestamps import parse_timestamp

HOUR = timedelta(hours=1)


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


def look(node, mine, after=timedelta(0)):
    return compare(node, mine, now=NOW + after, patience=HOUR)


def test_what_is_shown_as_it_was_signed_raises_no_alarm(worlds):
    found = look(Shown(worlds[1]), signed(*worlds))
    assert (found.anchored, found.alarms) == (2, ())


def test_a_statement_that_is_held_back_alarms_once_patience_is_over(worlds):
    before, _ = worlds
    late = look(Shown(before), signed(*worlds), after=timedelta(days=1))
    assert any("held back" in alarm for alarm in late.alarms)
    patient = compare(Shown(before), signed(*worlds), now=NOW, patience=timedelta(days=3))
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
