"""A statement counts as anchored when the contract holds it, and not because the host's log names it."""

import pytest

from fakes.whole_registry import World, trust
from testamur.node.errors import PeerMisbehaved
from testamur.node.service.status_following import wait_until_sealed

BEFORE, AFTER = World(), World(revoked=(7,))
ORIGIN = str(BEFORE.origin)


class Host:
    """A host that serves these, one after the other, and then the last one again."""

    url = "http://host"

    def __init__(self, *served):
        self.served = list(served)

    def forget_logs(self):
        pass

    def log_evidence(self, origin):
        return self.served.pop(0) if len(self.served) > 1 else self.served[0]


def wait(*served, trusted=None, sequence=2, seconds=3.0):
    ticks = iter(range(100))
    return wait_until_sealed(
        Host(*served),
        ORIGIN,
        sequence,
        trust=trusted,
        timeout_seconds=seconds,
        sleep=lambda _: None,
        clock=lambda: float(next(ticks)),
    )


@pytest.mark.parametrize("trusted", [None, trust()])
def test_what_the_contract_holds_is_anchored(trusted):
    found = wait(None, BEFORE.evidence(), AFTER.evidence(), trusted=trusted)
    assert (found.number, found.finality) == (2, None if trusted is None else "3 of 3 member-attestations")
    assert wait(AFTER.evidence(), trusted=trusted, sequence=1).number == 2


@pytest.mark.parametrize("trusted", [None, trust()])
def test_a_log_that_names_the_statement_is_no_anchor(trusted):
    unanchored = {**AFTER.evidence(), "anchors": []}
    lagging = World(revoked=(7,), statement_on_chain=1).evidence()
    for served in (None, BEFORE.evidence(), unanchored, lagging):
        assert wait(served, trusted=trusted) is None


@pytest.mark.parametrize("trusted", [None, trust()])
def test_the_anchor_of_another_tree_is_the_hosts_misbehaviour(trusted):
    with pytest.raises(PeerMisbehaved, match="does not hold"):
        wait({**AFTER.evidence(), "anchors": BEFORE.evidence()["anchors"]}, trusted=trusted)


def test_a_block_that_is_not_final_by_the_trust_file_is_not_waited_out_early():
    unattested = World(revoked=(7,), attesters=("ada",)).evidence()
    assert wait(unattested, trusted=trust()) is None
    assert wait(unattested).finality is None
