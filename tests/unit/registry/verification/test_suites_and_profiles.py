"""Steps 1 to 3 for credentials of other suites, and for those that break the rules of a profile."""

from dataclasses import replace

from fakes.awards import award
from fakes.whole_registry import DID, ISSUER_KEY, World, judge
from testamur.registry.key_event_format import verification_method
from testamur.registry.proofs import sign_document
from testamur.registry.verification import DEFAULT_POLICY, Outcome, Step


def signed_by_meaning() -> World:
    world = World()
    world.credential = sign_document(
        world.award,
        ISSUER_KEY,
        verification_method=verification_method(DID, ISSUER_KEY.public_key),
        created="2026-11-20T00:00:00Z",
        cryptosuite="eddsa-rdfc-2022",
    )
    return world


def test_a_credential_that_is_signed_by_its_meaning_is_valid() -> None:
    assert judge(signed_by_meaning().dossier()).outcome is Outcome.VALID


def test_what_is_added_to_it_without_a_meaning_fails() -> None:
    world = signed_by_meaning()
    world.credential = {**world.credential, "unheardOf": 1}
    check = judge(world.dossier()).check(Step.CREDENTIAL_PROOF)
    assert (str(check.result), check.reason) == ("fail", "malformed")
    assert "unheardOf" in str(check.parameters["problem"])


def test_a_breach_of_a_profile_is_a_warning_unless_policy_is_strict() -> None:
    document = award()
    document["credentialSubject"]["achievement"]["achievementType"] = "Thing"
    dossier = World(award=document).dossier()
    verdict = judge(dossier)
    assert verdict.outcome is Outcome.VALID
    assert "achievementType" in verdict.check(Step.PROFILE).warnings[0]
    strict = judge(dossier, policy=replace(DEFAULT_POLICY, strict_profile=True))
    assert strict.check(Step.PROFILE).reason == "profile-incomplete"
    assert strict.outcome is Outcome.INVALID
