"""What a holder keeps of an anchor: all that a verifier asks for, and not one trie node more."""

from dataclasses import replace

import pytest

from fakes.chain_state import RegistryState
from testamur.registry.entries import Origin
from testamur.registry.evm import lean, slots
from testamur.registry.evm.anchors import prove_anchor, prove_storage
from testamur.registry.evm.dating import covering_records
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.evm.lean import ProvenLog, dating_anchor, lean_anchor
from testamur.registry.hashing import sha256

ADA = Origin(registry="registry.example", slug="ada", epoch=1)
NEXT = Origin(registry="registry.example", slug="ada", epoch=2)
IDENTITY, ROOT, KEY = sha256(b"admission"), sha256(b"root"), sha256(b"vkey")


@pytest.fixture
def state():
    made = RegistryState(neighbours=400)
    made.issuer(ADA.issuer_id, identity=IDENTITY, statement=7)
    made.log(ADA.log_id, ADA.issuer_id, root=ROOT, sequence=9, key=KEY)
    for number in range(1, 10):
        made.anchor(
            ADA.log_id, number, size=10 * number, block_number=number, timestamp=1000 + number, statement=7
        )
    return made


def capture(state, history=(1, 5, 7, 8)):
    return state.evidence_for(ADA.issuer_id, ADA.log_id, history=history)


def wanted(*leaves, origin=ADA, is_mirrored=True):
    return ProvenLog(
        issuer_id=origin.issuer_id,
        log_id=origin.log_id,
        epoch=origin.epoch,
        leaves=leaves,
        is_mirrored=is_mirrored,
    )


def prove(anchor, origin=ADA):
    return prove_anchor(anchor, issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=origin.epoch)


@pytest.mark.parametrize(("leaf", "number"), [(3, 1), (10, 5), (60, 7), (70, 8), (80, 9), (89, 9)])
def test_of_the_history_the_earliest_anchor_that_covers_the_leaf_is_kept(state, leaf, number):
    whole = capture(state)
    lean = lean_anchor(whole, (wanted(leaf),))
    proven = prove(lean)
    assert lean.history == (number,)
    assert proven.find_covering(leaf) == prove(whole).find_covering(leaf)
    assert set(proven.history) == {number}
    assert (proven.issuer, proven.log.root, proven.log.key) == (prove(whole).issuer, ROOT, KEY)


def test_five_slots_are_enough_and_their_nodes_are_fewer(state):
    whole = capture(state)
    lean = lean_anchor(whole, (wanted(3),))
    assert len(whole.slots) == 10
    assert set(lean.slots) == {
        *slots.issuer_slots(ADA.issuer_id)[:2],
        slots.log_slots(ADA.log_id)[0],
        slots.log_slots(ADA.log_id)[2],
        slots.history_slot(ADA.log_id, 1),
    }
    assert len(lean.nodes) < len(whole.nodes)
    assert set(lean.nodes) < set(whole.nodes)


def test_a_lean_anchor_stays_as_it_is(state):
    lean = lean_anchor(capture(state), (wanted(3),))
    assert lean_anchor(lean, (wanted(3),)) == lean


def test_suspensions_and_a_custodian_stay(state):
    state.issuer(
        ADA.issuer_id,
        identity=IDENTITY,
        statement=7,
        lifecycle=Lifecycle.CLOSED,
        custodian=b"\x0c" * 32,
        suspensions=1,
        keyChains=1,
    )
    state.suspension(ADA.issuer_id, 0, fromEpoch=1, fromSize=12, suspendedAt=5)
    state.key_chain(ADA.issuer_id, 0, first_key_event=KEY, epoch=1, startSize=15, recordedAt=6)
    proven, whole = prove(lean_anchor(capture(state), (wanted(3),))), prove(capture(state))
    assert (proven.issuer, proven.suspensions, proven.key_chains) == (
        whole.issuer,
        whole.suspensions,
        whole.key_chains,
    )


def test_a_log_and_its_successor_are_both_kept(state):
    state.issuer(ADA.issuer_id, identity=IDENTITY, statement=7, epoch=2)
    state.log(ADA.log_id, ADA.issuer_id, root=ROOT, sequence=9, key=KEY, good_size=95, superseded=True)
    state.log(NEXT.log_id, NEXT.issuer_id, root=KEY, sequence=1, key=ROOT, epoch=2)
    state.anchor(NEXT.log_id, 1, size=5, block_number=20, timestamp=2000, statement=7)
    both = replace(
        state.evidence(
            dict.fromkeys(
                [
                    *capture(state).slots,
                    *state.evidence_for(NEXT.issuer_id, NEXT.log_id, epoch=2).slots,
                ]
            )
        ),
        history=(1, 5, 7, 8),
    )
    lean = lean_anchor(both, (wanted(60), wanted(origin=NEXT)))
    assert (prove(lean).log.good_size, set(prove(lean).history)) == (95, {7})
    assert (prove(lean, NEXT).log.root, prove(lean, NEXT).issuer.epoch) == (KEY, 2)


@pytest.mark.parametrize("origin", [NEXT, Origin(registry="registry.example", slug="bob", epoch=1)])
def test_an_anchor_that_does_not_prove_a_log_is_left_alone(state, origin):
    whole = capture(state)
    assert lean_anchor(whole, (wanted(3), wanted(3, origin=origin))) == whole


def test_a_false_anchor_is_left_alone(state):
    whole = capture(state)
    broken = replace(whole, nodes=whole.nodes[:-1])
    assert lean_anchor(broken, (wanted(3),)) == broken


def test_leaves_that_one_anchor_dates_are_cut_once_and_others_are_cut_apart(state, monkeypatch):
    whole, calls = capture(state), []
    monkeypatch.setattr(
        lean, "needed_nodes", lambda *found, real=lean.needed_nodes: calls.append(found) or real(*found)
    )
    lean._cut.cache_clear()
    same = [lean_anchor(whole, (wanted(leaf),)) for leaf in (10, 11, 49)]
    assert same[0] == same[1] == same[2]
    assert len(calls) == 1
    assert lean_anchor(whole, (wanted(60),)).history == (7,)
    assert len(calls) == 2


def test_where_no_mirrors_vouch_for_the_size_the_heads_own_record_stays(state):
    lean_one = lean_anchor(capture(state), (wanted(65),))
    with_head = lean_anchor(capture(state), (wanted(65, is_mirrored=False),))
    extra = set(with_head.slots) - set(lean_one.slots)
    assert extra == {slots.log_slots(ADA.log_id)[1], slots.history_slot(ADA.log_id, 9)}
    assert prove(with_head).head.size == 90
    assert prove(lean_one).head is None
    # What was cut before stays as it is.
    assert lean_anchor(lean_one, (wanted(65, is_mirrored=False),)) == lean_one


def test_one_record_of_the_history_can_stand_alone(state):
    alone = dating_anchor(capture(state), ADA.log_id, 7)
    assert (alone.slots, alone.history) == ((slots.history_slot(ADA.log_id, 7),), (7,))
    ((number, record),) = covering_records([prove_storage(alone)], ADA.log_id, 65)
    assert (number, record.size, record.timestamp) == (7, 70, 1007)
    assert covering_records([prove_storage(alone)], ADA.log_id, 70) == []
    assert covering_records([prove_storage(alone)], NEXT.log_id, 0) == []
