from dataclasses import replace

import pytest

from fakes.chain_state import CONTRACT, GENESIS, RegistryState
from testamur.registry.entries import Origin
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import slots
from testamur.registry.evm.anchors import parse_anchor, prove_anchor, prove_storage, read_anchor
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.hashing import sha256

ADA = Origin(registry="registry.example", slug="ada", epoch=1)
BOB = Origin(registry="registry.example", slug="bob", epoch=1)
IDENTITY, ROOT, KEY = sha256(b"admission"), sha256(b"root"), sha256(b"vkey")


@pytest.fixture
def state():
    made = RegistryState(neighbours=60)
    for origin in (ADA, BOB):
        made.issuer(origin.issuer_id, identity=IDENTITY, statement=7)
        made.log(origin.log_id, origin.issuer_id, root=ROOT, sequence=3, key=KEY)
        for sequence in (1, 2, 3):
            made.anchor(
                origin.log_id,
                sequence,
                size=10 * sequence,
                block_number=sequence,
                timestamp=1000 + sequence,
                statement=7,
            )
    return made


def prove(evidence, origin=ADA, epoch=None):
    return prove_anchor(
        evidence, issuer_id=origin.issuer_id, log_id=origin.log_id, epoch=epoch or origin.epoch
    )


def reason(evidence, **options):
    with pytest.raises(VerificationError) as caught:
        prove(evidence, **options)
    return caught.value.reason


def test_an_anchor_proves_issuer_log_and_head(state):
    proven = prove(state.evidence_for(ADA.issuer_id, ADA.log_id))
    assert (proven.header.number, proven.header.timestamp) == (state.number, state.timestamp)
    assert (proven.issuer.identity, proven.log.root, proven.head.size) == (IDENTITY, ROOT, 30)
    assert (proven.suspensions, proven.key_chains, set(proven.history)) == ((), (), {3})
    assert (proven.chain_id, proven.genesis_hash, proven.contract) == (31337, GENESIS, CONTRACT)


def test_an_anchor_survives_json(state):
    evidence = state.evidence_for(ADA.issuer_id, ADA.log_id, history=(1,)).with_notes(
        ["a note", "b", "a note"]
    )
    assert parse_anchor(evidence.to_json()) == evidence
    assert evidence.notes == ("a note", "b")


def test_further_anchors_are_proven_beside_the_head(state):
    proven = prove(state.evidence_for(ADA.issuer_id, ADA.log_id, history=(1, 2)))
    assert set(proven.history) == {1, 2, 3}
    assert proven.find_covering(9) == (1, proven.history[1])
    assert proven.find_covering(10) == (2, proven.history[2])
    assert proven.find_covering(30) is None


def test_one_storage_proof_serves_several_logs(state):
    wanted = [
        *state.evidence_for(ADA.issuer_id, ADA.log_id, history=(1,)).slots,
        *state.evidence_for(BOB.issuer_id, BOB.log_id).slots,
    ]
    storage = prove_storage(replace(state.evidence(wanted), history=(1,)))
    ada = read_anchor(storage, issuer_id=ADA.issuer_id, log_id=ADA.log_id, epoch=1)
    bob = read_anchor(storage, issuer_id=BOB.issuer_id, log_id=BOB.log_id, epoch=1)
    assert (set(ada.history), set(bob.history)) == ({1, 3}, {3})


def test_another_log_is_not_proven_by_this_anchor(state):
    assert reason(state.evidence_for(ADA.issuer_id, ADA.log_id), origin=BOB) == "storage-slot-missing"


def test_no_slot_that_matters_can_be_left_out(state):
    state.issuer(
        ADA.issuer_id,
        identity=IDENTITY,
        lifecycle=Lifecycle.CLOSED,
        custodian=b"\x0c" * 32,
        suspensions=1,
        keyChains=1,
    )
    state.suspension(ADA.issuer_id, 0, fromEpoch=1, fromSize=12, suspendedAt=5)
    state.key_chain(ADA.issuer_id, 0, first_key_event=KEY, epoch=1, startSize=15, recordedAt=6)
    whole = state.evidence_for(ADA.issuer_id, ADA.log_id)
    assert prove(whole).issuer.custodian == b"\x0c" * 32
    assert len(whole.slots) == 10
    number, head = slots.log_slots(ADA.log_id)[1], slots.history_slot(ADA.log_id, 3)
    for slot in set(whole.slots) - {number}:
        fewer = state.evidence([other for other in whole.slots if other != slot])
        assert reason(fewer) == "storage-slot-missing"
    lean = prove(state.evidence([slot for slot in whole.slots if slot not in {number, head}]))
    assert (lean.log.root, lean.log.sequence, lean.head, lean.history) == (ROOT, None, None, {})


def test_a_log_that_was_never_opened_is_found_out_by_its_key_alone(state):
    state.log(ADA.log_id, ADA.issuer_id, root=bytes(32), sequence=0, key=bytes(32))
    whole = state.evidence_for(ADA.issuer_id, ADA.log_id)
    number = slots.log_slots(ADA.log_id)[1]
    assert reason(state.evidence([slot for slot in whole.slots if slot != number])) == "log-not-opened"


def test_a_log_of_a_former_epoch_needs_its_good_size(state):
    state.issuer(ADA.issuer_id, identity=IDENTITY, epoch=2)
    state.log(ADA.log_id, ADA.issuer_id, root=ROOT, sequence=3, key=KEY, good_size=33, superseded=True)
    whole = state.evidence_for(ADA.issuer_id, ADA.log_id)
    assert prove(whole).log.good_size == 33
    for slot in slots.log_slots(ADA.log_id)[3:]:
        assert (
            reason(state.evidence([other for other in whole.slots if other != slot]))
            == "storage-slot-missing"
        )


def test_a_leaf_inside_a_suspension_is_found(state):
    state.issuer(ADA.issuer_id, identity=IDENTITY, suspensions=1)
    state.suspension(
        ADA.issuer_id, 0, fromEpoch=1, fromSize=12, untilEpoch=1, untilSize=14, suspendedAt=5, reinstatedAt=6
    )
    proven = prove(state.evidence_for(ADA.issuer_id, ADA.log_id))
    assert proven.find_suspension(13) == proven.suspensions[0]
    assert [proven.find_suspension(index) for index in (11, 14)] == [None, None]


def test_an_opened_log_without_anchor_has_no_head(state):
    state.log(ADA.log_id, ADA.issuer_id, root=bytes(32), sequence=0, key=KEY)
    proven = prove(state.evidence_for(ADA.issuer_id, ADA.log_id))
    assert (proven.head, proven.log.sequence, proven.history) == (None, 0, {})


def test_a_header_of_another_block_does_not_carry_the_proof(state):
    evidence = state.evidence_for(ADA.issuer_id, ADA.log_id)
    state.storage[bytes(32)] = 1
    assert reason(replace(evidence, header=state.header())) == "storage-proof-incomplete"


def test_a_lie_about_the_head_is_not_provable(state):
    evidence = state.evidence_for(ADA.issuer_id, ADA.log_id)
    state.anchor(ADA.log_id, 3, size=31, block_number=3, timestamp=1003, statement=7)
    forged = state.evidence_for(ADA.issuer_id, ADA.log_id)
    assert reason(replace(evidence, nodes=forged.nodes)) == "storage-proof-incomplete"


def test_an_issuer_nobody_admitted_is_proven_to_be_unknown(state):
    stranger = Origin(registry="registry.example", slug="eve", epoch=1)
    evidence = state.evidence_for(stranger.issuer_id, stranger.log_id)
    assert reason(evidence, origin=stranger) == "issuer-not-admitted"


def test_unknown_members_are_kept_out_and_reported(state):
    document = state.evidence_for(ADA.issuer_id, ADA.log_id).with_notes(["n"]).to_json()
    document["colour"] = "blue"
    document["finality"] += [{"type": "zero-knowledge-2040", "proof": []}]
    document["finality"][0]["mood"] = 1
    anchor = parse_anchor(document)
    assert anchor.other_finality == ("zero-knowledge-2040",)
    assert len(anchor.unknown) == 2
    assert any("colour" in name for name in anchor.unknown)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "opentimestamps"),
        ("chainId", 0),
        ("chainId", "31337"),
        ("chainId", 2**53),
        ("genesisHash", "0x12"),
        ("genesisHash", "ab" * 32),
        ("contract", "0x5FbDB2315678afecb367f032d93F642f64180aa3"),
        ("header", "zabc"),
        ("header", None),
        ("nodes", ["u!"]),
        ("nodes", "u"),
        ("nodes", ["u" + "A" * 4096]),
        ("slots", ["0x12"]),
        ("slots", ["0x" + "0" * 64] * 2000),
        ("history", [0]),
        ("history", [True]),
        ("history", list(range(1, 1000))),
        ("finality", [{}]),
        ("finality", [{"type": "member-attestations", "notes": [7]}]),
        ("finality", [{"type": "x"}] * 9),
    ],
)
def test_members_of_another_shape_are_malformed(state, member, value):
    document = state.evidence_for(ADA.issuer_id, ADA.log_id).to_json()
    document[member] = value
    with pytest.raises(MalformedError):
        parse_anchor(document)
