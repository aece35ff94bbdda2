"""Step 11: whether a credential belongs to whoever shows it, from the file alone."""

import json
from datetime import timedelta

import pytest

from fakes.holders import (
    CHALLENGE,
    DID,
    DOMAIN,
    KEY,
    OTHER_DID,
    OTHER_KEY,
    bound_to,
    file_of,
    holding,
    judge_file,
    presented,
)
from fakes.whole_registry import NOW, judge, trust
from testamur.registry.dossiers import MAX_PRESENTATION_BYTES, is_presentation, parse_file
from testamur.registry.errors import MalformedError
from testamur.registry.presentation_files import encode_presentation_file, parse_presentation_file
from testamur.registry.verification import Outcome, Shown, Step, verify
from testamur.registry.verification.context import NO_PRESENTATION

WORLD = bound_to(DID)
FILE = file_of([WORLD])


def parts(data=FILE):
    return json.loads(data)


def test_the_holder_who_answers_the_challenge_is_proven():
    verdict = judge_file(FILE)
    assert (verdict.outcome, holding(verdict)) == (Outcome.VALID, ("pass", "holder-proven"))
    assert verdict.verdicts[0].check(Step.HOLDER_BINDING).facts == {"holder": DID}
    document = verdict.to_json()
    assert document["type"] == "TestamurPresentationVerdict"
    assert document["presentation"]["controllers"] == [DID]
    assert document["presentation"]["problem"] is None
    assert document["credentials"][0]["outcome"] == "valid"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"challenge": "another"}, "proof-challenge-mismatch"),
        ({"domain": "other.example"}, "proof-domain-mismatch"),
        ({"now": NOW + timedelta(hours=1)}, "proof-expired"),
        ({"now": NOW - timedelta(minutes=10)}, "proof-created-later"),
    ],
)
def test_a_replayed_presentation_fails_and_says_why_and_the_credential_stays_genuine(options, reason):
    verdict = judge_file(FILE, **options)
    assert (verdict.outcome, holding(verdict)) == (Outcome.INVALID, ("fail", reason))
    assert verdict.verdicts[0].at_issuance == Outcome.VALID
    assert verdict.verdicts[0].credential_status == "unknown"
    assert verdict.to_json()["presentation"]["problem"]["reason"] == reason


def test_a_stolen_credential_shown_by_another_key_fails():
    verdict = judge_file(file_of([WORLD], [OTHER_KEY]))
    assert (verdict.outcome, holding(verdict)) == (Outcome.INVALID, ("fail", "holder-mismatch"))


def test_a_stolen_presentation_whose_proof_is_exchanged_fails():
    document = parts()
    document["presentation"]["proof"] = presented([WORLD], [OTHER_KEY])["proof"]
    assert holding(judge_file(document)) == ("fail", "signature-invalid")


def test_a_credential_that_names_nobody_says_so_and_cannot_be_told():
    verdict = judge_file(file_of([bound_to()]))
    assert (verdict.outcome, holding(verdict)) == (Outcome.INDETERMINATE, ("unknown", "holder-not-bound"))


def test_without_a_challenge_nothing_is_said_about_who_is_there_now():
    verdict = judge_file(FILE, challenge=None, domain=None)
    assert (verdict.outcome, holding(verdict)) == (Outcome.VALID, ("skipped", "holder-unchallenged"))
    unbound = judge_file(file_of([bound_to()]), challenge=None, domain=None)
    assert (unbound.outcome, holding(unbound)) == (Outcome.VALID, ("skipped", "holder-not-bound"))
    false = judge_file(file_of([WORLD], [OTHER_KEY]), challenge=None, domain=None)
    assert holding(false) == ("fail", "holder-mismatch")


def test_a_domain_that_was_not_compared_is_a_warning():
    check = judge_file(FILE, domain=None).verdicts[0].check(Step.HOLDER_BINDING)
    assert check.result == "pass"
    assert DOMAIN in check.warnings[0]


def test_a_bare_credential_does_not_answer_a_challenge():
    verdict = verify(WORLD.credential, None, trust=trust(), now=NOW, shown=NO_PRESENTATION)
    check = verdict.check(Step.HOLDER_BINDING)
    assert (check.result, check.reason) == ("unknown", "presentation-missing")
    assert judge(WORLD.dossier()).check(Step.HOLDER_BINDING).reason == "holder-not-asked"
    assert judge(bound_to().dossier()).check(Step.HOLDER_BINDING).reason == "holder-not-bound"


def test_any_one_of_several_subjects_may_show_it_and_nobody_else():
    joint = bound_to(DID, OTHER_DID)
    assert holding(judge_file(file_of([joint], [OTHER_KEY]))) == ("pass", "holder-proven")
    stranger = verify(
        joint.credential, None, trust=None, now=NOW, shown=Shown(controllers=frozenset({"did:example:x"}))
    )
    assert stranger.check(Step.HOLDER_BINDING).reason == "holder-mismatch"


def test_each_credential_has_its_own_verdict_and_the_worst_one_counts():
    worlds = [WORLD, bound_to(DID, revoked=(7,), others=3), bound_to(OTHER_DID, others=4)]
    verdict = judge_file(file_of(worlds))
    assert [item.outcome for item in verdict.verdicts] == ["valid", "invalid", "invalid"]
    assert [holding(verdict, number)[1] for number in range(3)] == [
        "holder-proven",
        "holder-proven",
        "holder-mismatch",
    ]
    assert verdict.outcome == Outcome.INVALID
    both = judge_file(file_of(worlds[::2], [KEY, OTHER_KEY]))
    assert both.outcome == Outcome.VALID


def test_evidence_of_another_credential_proves_nothing_of_this_one():
    document = parts(file_of([WORLD, bound_to(OTHER_DID)], [KEY, OTHER_KEY]))
    document["evidence"].reverse()
    verdict = judge_file(document)
    assert verdict.outcome == Outcome.INVALID
    assert {item.check(Step.LOGGED).result for item in verdict.verdicts} == {"fail"}


def test_a_presentation_without_evidence_cannot_be_told_and_the_holder_can():
    verdict = judge_file(presented([WORLD]))
    assert (verdict.outcome, holding(verdict)) == (Outcome.INDETERMINATE, ("pass", "holder-proven"))


def test_a_holder_who_cannot_be_looked_up_is_unknown_and_not_refused():
    verdict = verify(
        WORLD.credential,
        None,
        trust=trust(),
        now=NOW,
        shown=Shown(problem="controller-document-missing", parameters={"controller": "x"}, is_unknown=True),
    )
    assert verdict.check(Step.HOLDER_BINDING).result == "unknown"


def test_another_moment_does_not_make_a_thief_the_holder():
    verdict = judge_file(file_of([WORLD], [OTHER_KEY]), as_of=NOW - timedelta(minutes=1))
    assert verdict.outcome == Outcome.INVALID
    assert judge_file(FILE, as_of=NOW - timedelta(minutes=1)).outcome == Outcome.VALID
    unbound = judge_file(file_of([bound_to()]), as_of=NOW - timedelta(minutes=1))
    assert unbound.outcome == Outcome.INDETERMINATE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "must be 1"),
        ({"evidence": []}, "0 items for 1 credentials"),
        ({"evidence": [None, None]}, "2 items for 1 credentials"),
        ({"presentation": None}, "must be an object"),
        ({"more": 1}, "unknown members"),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_is_wrong(change, reason):
    with pytest.raises(MalformedError, match=reason):
        judge_file({**parts(), **change})


def test_a_presentation_that_shows_nothing_is_refused():
    document = presented([WORLD])
    del document["verifiableCredential"]
    with pytest.raises(MalformedError, match="nothing is shown"):
        judge_file(document)


def test_trailing_data_duplicates_and_a_file_that_is_too_large_are_refused():
    for data in (FILE + b"{}", FILE.replace(b'"version":1', b'"version":1,"version":1')):
        with pytest.raises(MalformedError):
            parse_presentation_file(data)
    with pytest.raises(MalformedError, match="larger than"):
        parse_presentation_file(FILE + b" " * MAX_PRESENTATION_BYTES)
    with pytest.raises(MalformedError, match="show fewer"):
        encode_presentation_file({}, ["x" * MAX_PRESENTATION_BYTES])


def test_a_file_says_what_it_is_and_dossiers_keep_their_own_bound():
    assert is_presentation(parse_file(FILE))
    assert not is_presentation(WORLD.dossier())
    assert not is_presentation([])
    big = json.dumps({"credential": {"x": "y" * (3 << 20)}}).encode()
    with pytest.raises(MalformedError, match="larger than"):
        parse_file(big)
    assert parse_presentation_file(FILE).presentation.first("challenge") == CHALLENGE


def test_an_rdf_proof_over_a_context_that_is_not_there_cannot_be_told():
    made = presented([WORLD], cryptosuite="eddsa-rdfc-2022")
    made["@context"] = [*made["@context"], "https://learner.example/context"]
    assert holding(judge_file(made)) == ("unknown", "context-unknown")
