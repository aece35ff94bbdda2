"""What is shown of the dates on another day, and which registries carry the warning."""

from datetime import timedelta

import pytest

from fakes.whole_registry import NOW, World, judge, trust_document
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification import Outcome, verify
from testamur.registry.verification.development import is_for_development
from testamur.registry.verification.verdict import CheckResult, Step


def dates(verdict):
    return next(check for check in verdict.checks if check.step == Step.VALIDITY_PERIOD)


def test_a_day_before_it_was_valid_fails_in_step_ten_and_today_does_not():
    before = judge(World().dossier(), as_of=NOW - timedelta(days=3650))
    assert (before.outcome, dates(before).result) == (Outcome.INVALID, CheckResult.FAIL)
    assert dates(before).reason == "not-yet-valid"
    assert before.now == Outcome.VALID
    assert dates(judge(World().dossier())).result == CheckResult.PASS


@pytest.mark.parametrize(("chain", "warned"), [(31337, True), (1337, True), (1, False), (4242, False)])
def test_a_development_chain_is_one_whatever_the_trust_file_says(chain, warned):
    document = trust_document()
    document["chains"][0]["chainId"] = chain
    assert document.get("development", False) is False
    trust = parse_trust_file(canonicalize(document))
    assert is_for_development(trust) is warned
    assert judge(World().dossier(), trust=trust).development is warned


def test_the_bytes_of_a_file_are_verified_like_what_is_in_them():
    data = canonicalize(World().dossier())
    trust = parse_trust_file(canonicalize(trust_document()))
    assert verify(data, trust=trust, now=NOW).to_json() == judge(World().dossier()).to_json()
    with pytest.raises(MalformedError, match="no credential"):
        verify(canonicalize(World().evidence()), trust=trust, now=NOW)
    with pytest.raises(MalformedError):
        verify(b"\x89PNG", trust=trust, now=NOW)
