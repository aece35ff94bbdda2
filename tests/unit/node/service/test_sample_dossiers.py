"""The samples of a devnet's page, and the moment that a day means: judged by the very same code."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fakes.whole_registry import NOW, World, trust
from testamur.node.service.judging import judge
from testamur.node.service.sample_dossiers import STRANGER, make_samples
from testamur.registry.dossiers import encode_dossier, parse_dossier, split_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.timestamps import end_of_day
from testamur.registry.verification import Outcome


def made():
    dossier = World().dossier()
    files = [encode_dossier(dossier["credential"], dossier["evidence"])] * 2
    return {sample.name: sample for sample in make_samples(files)}


def verdict_on(sample):
    return judge(*parse_dossier(sample.file), trust=trust(), now=NOW)


@pytest.mark.parametrize(
    ("name", "outcome", "reasons"),
    [
        ("good", Outcome.VALID, set()),
        ("tampered", Outcome.INVALID, {"signature-invalid", "entry-missing"}),
        ("not-yet-anchored", Outcome.INDETERMINATE, {"not-anchored"}),
        ("unknown-issuer", Outcome.INDETERMINATE, {"no-evidence"}),
    ],
)
def test_each_sample_is_what_its_name_says(name, outcome, reasons):
    verdict = verdict_on(made()[name])
    assert verdict.outcome == outcome
    others = {"well-formed", "profile-kept", "proof-verified", "not-established"}
    said = {check.reason for check in verdict.checks if check.result in ("fail", "unknown")} - others
    assert said == reasons


def test_the_note_of_the_tampered_one_names_the_change():
    sample = made()["tampered"]
    assert sample.note == "Changed after it was signed: the grade B became A."
    assert verdict_on(sample).credential["grade"].startswith("A")


def test_the_stranger_signs_well_and_is_nobody():
    verdict = verdict_on(made()["unknown-issuer"])
    assert verdict.credential["issuerName"] == STRANGER
    assert str(verdict.checks[2].result) == "pass"
    assert verdict_on(made()["unknown-issuer"]).credential["issuer"] != verdict.credential["issuer"]


def test_without_dossiers_there_are_no_samples():
    assert make_samples([]) == ()


def test_a_credential_without_a_grade_is_tampered_with_by_its_name():
    world = World()
    del world.credential["credentialSubject"]["result"]
    dossier = world.dossier()
    samples = make_samples([encode_dossier(dossier["credential"], dossier["evidence"])])
    assert "another name" in samples[1].note
    assert verdict_on(samples[1]).outcome == Outcome.INVALID


# -- the moment that a day means


def test_a_day_means_its_end_and_today_means_now():
    assert end_of_day(date(2026, 11, 20), NOW) == datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
    assert end_of_day(NOW.date(), NOW) == NOW


def test_a_day_is_judged_as_its_end():
    dossier = World().dossier()
    asked = [
        judge(*split_dossier(dossier), trust=trust(), now=NOW, as_of=day).as_of for day in (NOW.date(), NOW)
    ]
    assert asked == [NOW, NOW]
    with pytest.raises(MalformedError, match="future"):
        judge(*split_dossier(dossier), trust=trust(), now=NOW, as_of=NOW.date() + timedelta(days=1))


def test_tomorrow_is_nothing_that_can_be_asked_about():
    with pytest.raises(MalformedError, match="future"):
        end_of_day(NOW.date() + timedelta(days=1), NOW)
