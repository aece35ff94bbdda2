"""The earliest cosigned checkpoint: it dates a credential for ever, and a false one spoils the file."""

import copy
from datetime import timedelta

import pytest

from fakes.issuers import signing_key
from fakes.whole_registry import ANCHORED_AT, MEMBERS, NOW, World, judge
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import CheckResult, Step

WORLD = World()
EARLIER = ANCHORED_AT - timedelta(days=100)
SIZE = WORLD.leaf_index + 1


def with_first(first, world=WORLD):
    dossier = copy.deepcopy(world.dossier())
    dossier["evidence"]["logs"][str(world.origin)]["first"] = first
    return dossier


def seen(dossier, **options):
    verdict = judge(dossier, **options)
    assert verdict.outcome == Outcome.VALID
    return verdict.witnessed.no_later_than


def refusal(dossier):
    verdict = judge(dossier)
    assert verdict.outcome == Outcome.INVALID
    check = verdict.check(Step.WITNESSED)
    assert check.result == CheckResult.FAIL
    return check.reason


def test_without_an_earlier_checkpoint_the_quorum_of_this_one_dates_the_entry():
    assert seen(WORLD.dossier()) == ANCHORED_AT


def test_an_earlier_checkpoint_dates_the_entry_by_the_last_witness_of_its_quorum():
    # Two of three are needed, and they cosigned one second after another.
    verdict = judge(with_first(WORLD.first(SIZE, EARLIER)))
    assert verdict.witnessed.no_later_than == EARLIER + timedelta(seconds=1)
    assert verdict.check(Step.WITNESSED).facts["noLaterThan"] == "2026-08-13T09:00:01Z"
    assert verdict.to_json()["witnessed"]["noLaterThan"] == "2026-08-13T09:00:01Z"


def test_the_status_is_as_of_the_newest_checkpoint_not_of_the_first():
    assert judge(with_first(WORLD.first(SIZE, EARLIER))).evidence_at == ANCHORED_AT


def test_the_very_checkpoint_of_the_log_may_stand_there_again():
    assert seen(with_first(WORLD.first(SIZE + 1, EARLIER))) == EARLIER + timedelta(seconds=1)


def test_one_that_is_younger_than_this_one_changes_nothing():
    assert seen(with_first(WORLD.first(SIZE, ANCHORED_AT + timedelta(hours=1)))) == ANCHORED_AT


def test_one_from_before_the_entry_dates_nothing():
    assert seen(with_first(WORLD.first(WORLD.leaf_index, EARLIER))) == ANCHORED_AT


@pytest.mark.parametrize("witnesses", [(), MEMBERS[:1]])
def test_one_without_a_quorum_dates_nothing(witnesses):
    assert seen(with_first(WORLD.first(SIZE, EARLIER, witnesses=witnesses))) == ANCHORED_AT


def test_cosignatures_from_before_the_witnesses_keys_do_not_count():
    assert seen(with_first(WORLD.first(SIZE, EARLIER - timedelta(days=3650)))) == ANCHORED_AT


def test_cosignatures_from_the_future_do_not_count():
    assert seen(with_first(WORLD.first(SIZE, NOW + timedelta(days=1)))) == ANCHORED_AT


def test_a_fork_with_another_root_fails():
    assert refusal(with_first(WORLD.first(SIZE, EARLIER, root=sha256(b"fork")))) == "consistency-mismatch"


def test_a_larger_tree_than_that_of_the_evidence_fails():
    first = WORLD.first(SIZE + 5, EARLIER, root=sha256(b"later"))
    assert refusal(with_first(first)) == "consistency-mismatch"


def test_one_that_the_log_did_not_sign_fails():
    assert refusal(with_first(WORLD.first(SIZE, EARLIER, key=signing_key(77)))) == "note-unsigned"


@pytest.mark.parametrize("change", [list.clear, lambda proof: proof.append("u" + "A" * 43)])
def test_a_consistency_proof_of_another_length_fails(change):
    first = WORLD.first(4, EARLIER)
    change(first["proof"])
    assert refusal(with_first(first)) == "consistency-mismatch"


def test_a_false_cosignature_fails_even_when_others_are_a_quorum():
    first = WORLD.first(SIZE, EARLIER)
    lines = first["checkpoint"].splitlines(keepends=True)
    first["checkpoint"] = "".join([*lines[:-1], lines[-1][:-9] + "AAAAAAA=\n"])
    assert refusal(with_first(first)) == "note-signature-invalid"


@pytest.mark.parametrize(
    "first",
    [
        WORLD.first(SIZE, EARLIER, origin="registry.example/bit/1"),
        "a checkpoint as text",
        {"proof": []},
        {**WORLD.first(SIZE, EARLIER), "proof": ["u" + "A" * 43] * 64},
        {**WORLD.first(SIZE, EARLIER), "proof": ["uAAAA"]},
    ],
)
def test_what_has_another_shape_or_is_of_another_log_is_malformed(first):
    with pytest.raises(MalformedError, match="first"):
        judge(with_first(first))
