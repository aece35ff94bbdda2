import pytest

from fakes.chain_state import CONTROLLER, OPERATOR, RegistryState
from testamur.registry.entries import Origin
from testamur.registry.errors import VerificationError
from testamur.registry.evm import layout, slots
from testamur.registry.evm.layout import Lifecycle, evidence_slots
from testamur.registry.hashing import keccak256, sha256

ADA = Origin(registry="registry.example", slug="ada", epoch=1)
ISSUER, LOG = ADA.issuer_id, ADA.log_id
IDENTITY, ROOT, KEY = sha256(b"admission"), sha256(b"root"), sha256(b"vkey")


@pytest.fixture
def state():
    made = RegistryState()
    made.issuer(ISSUER, identity=IDENTITY, statement=7)
    made.log(LOG, ISSUER, root=ROOT, sequence=2, key=KEY)
    made.anchor(LOG, 1, size=10, block_number=5, timestamp=1000, statement=6)
    made.anchor(LOG, 2, size=20, block_number=8, timestamp=1100, statement=7)
    return made


class Proven(dict):
    """Storage in which every word is proven, the zeros too."""

    def get(self, slot, default=None):
        return super().get(slot, 0)


def values(state):
    return Proven(state.storage)


def test_a_mapping_stands_where_solidity_puts_it():
    # keccak256(abi.encode(key, position)), as `forge inspect` and eth_getProof see it
    base = keccak256(ISSUER + (4).to_bytes(32))
    assert slots.issuer_slots(ISSUER) == tuple((int.from_bytes(base) + n).to_bytes(32) for n in range(3))
    outer = keccak256(LOG + (6).to_bytes(32))
    assert slots.history_slot(LOG, 3) == keccak256((3).to_bytes(32) + outer)
    assert slots.key_chain_slots(ISSUER, 0)[0] == keccak256(bytes(32) + keccak256(ISSUER + (8).to_bytes(32)))
    assert len(slots.log_slots(LOG)) == 5


def test_the_slot_after_the_last_is_the_first():
    assert slots._offset(b"\xff" * 32, 1) == bytes(32)


def test_an_issuer_is_decoded(state):
    record = layout.decode_issuer(ISSUER, values(state))
    assert (record.identity, record.controller, record.lifecycle) == (IDENTITY, CONTROLLER, Lifecycle.ACTIVE)
    assert (record.epoch, record.statement, record.suspensions, record.key_chains) == (1, 7, 0, 0)
    assert record.custodian is None


def test_a_closed_issuer_has_a_custodian_or_none(state):
    state.issuer(ISSUER, identity=IDENTITY, lifecycle=Lifecycle.CLOSED, custodian=b"\x0c" * 32)
    assert layout.decode_issuer(ISSUER, values(state)).custodian == b"\x0c" * 32
    state.issuer(ISSUER, identity=IDENTITY, lifecycle=Lifecycle.CLOSED)
    assert layout.decode_issuer(ISSUER, values(state)).custodian is None


def test_an_issuer_nobody_admitted_is_not_a_record(state):
    with pytest.raises(VerificationError) as caught:
        layout.decode_issuer(sha256(b"nobody"), values(state))
    assert caught.value.reason == "issuer-not-admitted"


def test_a_log_is_decoded(state):
    record = layout.decode_log(LOG, ISSUER, values(state), is_current=True)
    assert (record.root, record.operator, record.sequence, record.key) == (ROOT, OPERATOR, 2, KEY)
    assert (record.good_size, record.superseded) == (None, False)


def test_a_superseded_log_tells_its_good_size(state):
    state.log(LOG, ISSUER, root=ROOT, sequence=2, key=KEY, good_size=25, superseded=True)
    record = layout.decode_log(LOG, ISSUER, values(state), is_current=False)
    assert (record.good_size, record.superseded) == (25, True)


def test_a_log_of_a_former_epoch_must_be_superseded_and_of_its_issuer(state):
    for changed in ({"superseded": False}, {"superseded": True, "good_size": 25}):
        owner = ISSUER if not changed["superseded"] else sha256(b"another issuer")
        state.log(LOG, owner, root=ROOT, sequence=2, key=KEY, **changed)
        with pytest.raises(VerificationError) as caught:
            layout.decode_log(LOG, ISSUER, values(state), is_current=False)
        assert caught.value.reason == "storage-layout-unknown"


def test_a_log_nobody_opened_is_not_a_record(state):
    with pytest.raises(VerificationError) as caught:
        layout.decode_log(sha256(b"none"), ISSUER, values(state), is_current=True)
    assert caught.value.reason == "log-not-opened"


def test_an_anchor_is_decoded_and_an_empty_one_refused(state):
    record = layout.decode_anchor(LOG, 2, values(state))
    assert (record.size, record.block_number, record.timestamp, record.statement) == (20, 8, 1100, 7)
    with pytest.raises(VerificationError) as caught:
        layout.decode_anchor(LOG, 3, values(state))
    assert caught.value.reason == "storage-layout-unknown"


def test_bits_that_no_field_has_are_not_ignored(state):
    state.storage[slots.history_slot(LOG, 2)] |= 1 << 224
    with pytest.raises(VerificationError) as caught:
        layout.decode_anchor(LOG, 2, values(state))
    assert caught.value.reason == "storage-layout-unknown"


def test_a_lifecycle_without_a_name_is_refused(state):
    state.issuer(ISSUER, identity=IDENTITY, lifecycle=4)
    with pytest.raises(VerificationError) as caught:
        layout.decode_issuer(ISSUER, values(state))
    assert caught.value.reason == "storage-layout-unknown"


def test_a_word_that_was_not_proven_is_not_zero(state):
    with pytest.raises(VerificationError) as caught:
        layout.decode_anchor(LOG, 3, dict(state.storage))
    assert caught.value.reason == "storage-slot-missing"


def test_a_suspension_has_an_end_only_when_it_ended(state):
    state.suspension(ISSUER, 0, fromEpoch=1, fromSize=10, suspendedAt=500)
    record = layout.decode_suspension(ISSUER, 0, values(state))
    assert (record.until_epoch, record.until_size, record.reinstated_at) == (None, None, None)
    assert [record.contains(1, 9), record.contains(1, 10), record.contains(9, 0)] == [False, True, True]


def test_a_suspension_may_end_in_another_epoch(state):
    state.suspension(
        ISSUER, 0, fromEpoch=1, fromSize=10, untilEpoch=2, untilSize=5, suspendedAt=500, reinstatedAt=600
    )
    record = layout.decode_suspension(ISSUER, 0, values(state))
    inside = [(1, 10), (1, 10_000), (2, 0), (2, 4)]
    outside = [(1, 9), (2, 5), (3, 0)]
    assert all(record.contains(*position) for position in inside)
    assert not any(record.contains(*position) for position in outside)


def test_a_key_chain_is_decoded(state):
    state.key_chain(ISSUER, 1, first_key_event=KEY, epoch=2, startSize=30, recordedAt=900)
    record = layout.decode_key_chain(ISSUER, 1, values(state))
    assert (record.first_key_event, record.epoch, record.start_size, record.recorded_at) == (KEY, 2, 30, 900)


def wanted(state, **options):
    """What `evidence_slots` asks for once everything it asked for before is proven."""
    known = {}
    for _ in range(3):
        known = {
            slot: state.storage.get(slot, 0) for slot in evidence_slots(ISSUER, LOG, values=known, **options)
        }
    return set(known)


ORDINARY = {*slots.issuer_slots(ISSUER)[:2], *slots.log_slots(LOG)[:3], slots.history_slot(LOG, 2)}


def test_an_ordinary_proof_has_six_slots(state):
    assert wanted(state, epoch=1) == ORDINARY


def test_asked_for_anchors_are_proven_beside_the_head_if_they_exist(state):
    assert wanted(state, epoch=1, history=(1, 2, 3)) == ORDINARY | {slots.history_slot(LOG, 1)}


def test_a_log_without_anchors_has_no_head_to_prove(state):
    state.log(LOG, ISSUER, root=bytes(32), sequence=0, key=KEY)
    assert wanted(state, epoch=1) == ORDINARY - {slots.history_slot(LOG, 2)}


def test_counts_and_lifecycle_ask_for_more(state):
    state.issuer(
        ISSUER,
        identity=IDENTITY,
        lifecycle=Lifecycle.CLOSED,
        epoch=2,
        suspensions=2,
        keyChains=1,
        statement=7,
    )
    assert wanted(state, epoch=1) == ORDINARY | {
        slots.issuer_slots(ISSUER)[2],
        *slots.log_slots(LOG)[3:],
        slots.suspension_slot(ISSUER, 0),
        slots.suspension_slot(ISSUER, 1),
        *slots.key_chain_slots(ISSUER, 0),
    }
