"""Putting evidence together: what is proven once is never given away for less."""

import copy
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.whole_registry import ANCHORED_AT, World, cut, judge, trust
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evidence import parse_evidence
from testamur.registry.evidence_building import keep_first
from testamur.registry.evm.accounts import needed_nodes
from testamur.registry.evm.anchors import parse_anchor
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.slots import history_slot, issuer_slots, log_slots
from testamur.registry.hashing import sha256
from testamur.registry.merkle import prove_consistency
from testamur.registry.newer_evidence import is_anchored, is_weaker
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import CheckResult, Step

ANCHORED, WITNESSED = World().evidence(), World(anchored=False).evidence()


def test_anchored_evidence_is_not_replaced_by_evidence_without_an_anchor():
    assert is_weaker(WITNESSED, ANCHORED)


@pytest.mark.parametrize("kept", [None, WITNESSED, ANCHORED, "not evidence", {"type": "TestamurEvidence"}])
def test_anchored_evidence_replaces_whatever_was_there(kept):
    assert not is_weaker(ANCHORED, kept)


@pytest.mark.parametrize("kept", [None, WITNESSED, 7])
def test_without_an_anchor_to_lose_the_newer_evidence_wins(kept):
    assert not is_weaker(WITNESSED, kept)


def test_what_is_no_evidence_is_refused_before_anything_is_replaced():
    with pytest.raises(MalformedError):
        is_weaker({}, ANCHORED)


def test_evidence_is_anchored_when_it_brings_an_anchor():
    assert is_anchored(ANCHORED)
    assert not is_anchored(WITNESSED)


@pytest.mark.parametrize("document", [None, 7, {"anchors": {}}, {"anchors": [1] * 100_000}])
def test_what_has_no_list_of_anchors_is_malformed(document):
    with pytest.raises(MalformedError):
        is_anchored(document)


# ------------------------------------------------------------------------------------------- as small as said


def log_of(evidence):
    (log,) = evidence["logs"].values()
    return log


def test_the_checkpoint_stands_once_and_completes_the_tlog_proof():
    (entry,) = ANCHORED["entries"]
    assert entry["proof"].endswith("\n\n")
    (parsed,) = parse_evidence(ANCHORED).entries
    assert parsed.proof.to_text() == entry["proof"] + log_of(ANCHORED)["checkpoint"]


def test_a_whole_tlog_proof_is_as_good_if_it_is_about_the_same_tree():
    world = World()
    dossier = copy.deepcopy(world.dossier())
    (entry,) = dossier["evidence"]["entries"]
    entry["proof"] += log_of(dossier["evidence"])["checkpoint"]
    assert judge(dossier).outcome == Outcome.VALID
    entry["proof"] = entry["proof"].replace("\n11\n", "\n12\n", 1)
    check = judge(dossier).check(Step.LOGGED)
    assert (check.result, check.reason) == (CheckResult.FAIL, "checkpoint-mismatch")


def test_tailored_evidence_is_smaller_and_gives_the_same_verdict():
    world = World()
    whole = world.evidence()
    small = cut(whole, world.credential)
    before, after = (
        judge({"credential": world.credential, "evidence": item}).to_json() for item in (whole, small)
    )
    # Only the anchor that covers nothing is gone: what is said of the credential is the same to the letter.
    assert before == after
    assert len(canonicalize(small)) < len(canonicalize(whole))
    (anchor,) = small["anchors"]
    assert (len(anchor["slots"]), anchor["history"]) == (5, [2])
    assert len(anchor["finality"][0]["notes"]) == 1
    assert cut(small, world.credential) == small


def test_an_anchor_that_is_not_understood_is_kept_to_the_letter():
    world = World()
    whole = world.evidence()
    strange = {"type": "opentimestamps", "proof": "u"}
    later = {**whole["anchors"][0], "comment": "of a later version"}
    small = cut({**whole, "anchors": [strange, later]}, world.credential)
    assert small["anchors"] == [strange, later]


@pytest.mark.parametrize("bits", [(), (7,), tuple(range(0, 131_072, 3))])
def test_a_chunk_survives_its_compression_and_is_never_much_longer(bits):
    world = World(revoked=bits)
    for proof in log_of(cut(world.evidence(), world.credential))["status"]:
        assert "chunk" in proof
        assert len(proof["chunk"]) < 1500


# ------------------------------------------------------------------------------------------ the first is kept

EARLIER = ANCHORED_AT - timedelta(days=100)


def with_first(world, first):
    evidence = copy.deepcopy(world.evidence())
    log_of(evidence)["first"] = first
    return evidence


def prover(world):
    leaves = world.leaves()
    return lambda _origin, old, new: prove_consistency(leaves[:new], old, new)


def test_a_refreshed_file_keeps_the_first_checkpoint_of_the_older_one():
    world = World()
    first = world.first(world.leaf_index + 1, EARLIER)
    kept = keep_first(world.evidence(), with_first(world, first), prover(world))
    assert log_of(kept)["first"] == first
    verdict = judge({"credential": world.credential, "evidence": kept})
    assert verdict.witnessed.no_later_than == EARLIER + timedelta(seconds=1)
    # Refreshing again and again changes nothing.
    assert keep_first(world.evidence(), kept, prover(world)) == kept


def test_the_older_of_two_wins_whichever_file_brings_it():
    world = World(others=20)
    late, early = (world.first(size, EARLIER) for size in (world.leaf_index + 1, 7))
    document = {**with_first(world, late), "entries": []}
    trusted = trust()
    assert log_of(keep_first(document, with_first(world, early), prover(world)))["first"] == early
    document = {**with_first(world, early), "entries": []}
    assert (
        log_of(keep_first(document, with_first(world, late), prover(world), trust=trusted))["first"] == early
    )


@pytest.mark.parametrize("kept", [None, "no evidence", World().evidence()])
def test_without_an_earlier_checkpoint_there_is_none(kept):
    assert log_of(keep_first(World().evidence(), kept, prover(World())))["first"] is None


@pytest.mark.parametrize(("witnesses", "mirrors"), [(("ada",), ()), (("ada", "bit"), ("ada",))])
def test_one_that_was_taken_before_its_quorum_takes_no_place_from_one_that_dates(witnesses, mirrors):
    early = World(others=0, anchored=False, witnesses=witnesses, mirrors=mirrors).evidence()
    later = {**World(others=3).evidence(), "entries": []}
    assert log_of(keep_first(later, early, lambda *_: ()))["first"] is None
    whole = World(others=0, anchored=False).evidence()
    with pytest.raises(
        VerificationError
    ):  # that one is offered, and these two worlds do not extend each other
        keep_first(later, whole, lambda *_: ())


def test_one_that_does_not_cover_the_entry_dates_nothing_and_is_left_out():
    world = World()
    first = world.first(world.leaf_index, EARLIER)
    assert log_of(keep_first(with_first(world, first), None, prover(world)))["first"] is None


def test_two_files_whose_trees_contradict_each_other_are_not_merged():
    world = World()
    forged = world.first(world.leaf_index + 1, EARLIER, root=sha256(b"fork"))
    with pytest.raises(VerificationError) as caught:
        keep_first(world.evidence(), with_first(world, forged), prover(world))
    assert caught.value.reason == "consistency-mismatch"


def without_slots(world, slots):
    """The holder's evidence proven anew without these slots: nodes of other walks only."""
    small = copy.deepcopy(cut(world.evidence(), world.credential))
    anchor = parse_anchor(small["anchors"][0])
    kept = tuple(slot for slot in anchor.slots if slot not in slots)
    nodes = needed_nodes(parse_header(anchor.header).state_root, anchor.contract, kept, anchor.nodes)
    small["anchors"] = [replace(anchor, slots=kept, nodes=nodes).to_json()]
    return {"credential": world.credential, "evidence": small}


def test_of_a_holders_five_slots_none_can_be_left_out_but_the_one_that_only_dates():
    world = World()
    origin = world.origin
    root, _, key, *_ = log_slots(origin.log_id)
    for slot in (*issuer_slots(origin.issuer_id)[:2], root, key):
        check = judge(without_slots(world, {slot})).check(Step.ANCHORED)
        assert (check.result, check.reason) == (CheckResult.UNKNOWN, "storage-slot-missing")
    verdict = judge(without_slots(world, {history_slot(origin.log_id, 2)}))
    assert verdict.outcome == Outcome.VALID
    # Later than the anchor, and still no later than the truth: the block whose state holds the root.
    assert verdict.anchored.entry_at == verdict.anchored.block_at == ANCHORED_AT


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"root_on_chain": b"\7" * 32}, "anchor-root-mismatch"),
        ({"log_key_on_chain": b"\7" * 32}, "log-key-mismatch"),
        ({"statement_on_chain": 2}, "statement-outdated"),
    ],
)
def test_what_is_cut_away_hides_no_contradiction(lie, reason):
    world = World(**lie)
    small = {"credential": world.credential, "evidence": cut(world.evidence(), world.credential)}
    assert len(small["evidence"]["anchors"][0]["slots"]) == 5
    assert judge(small).check(Step.ANCHORED).reason == reason
