"""Joint awards in the eleven steps: each institution is judged by its own evidence."""

from copy import deepcopy
from typing import Any

import pytest

from fakes import whole_registry
from fakes.awards import award
from fakes.chain_state import GENESIS
from fakes.issuers import signing_key
from fakes.whole_registry import CHAIN_ID, MEMBERS, World, judge, role_signer
from testamur.registry.admissions import Admission
from testamur.registry.contexts import JOINT_AWARD_V1
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.entries import Origin
from testamur.registry.evm.attestations import attest_header, sign_attestation
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.key_event_format import verification_method
from testamur.registry.proofs import sign_document
from testamur.registry.verification import Outcome, Step
from testamur.registry.verification.verdict import CheckResult

BABBAGE = "did:web:babbage.example"
BABBAGE_KEY = signing_key(31)
KEYED = signing_key(32)
CREATED = "2026-11-20T00:00:00Z"


def joint(threshold: int, *others: str) -> dict[str, Any]:
    document = award()
    document["@context"].append(JOINT_AWARD_V1)
    co_issuers = [{"id": other, "type": ["Profile"], "name": "Another"} for other in others]
    document["jointAward"] = {"type": ["JointAward"], "threshold": threshold, "coIssuer": co_issuers}
    return document


def also_signed(document: dict[str, Any], key: Any, method: str | None = None) -> dict[str, Any]:
    method = method or did_key_verification_method(key.public_key)
    return sign_document(document, key, verification_method=method, created=CREATED)


def check(verdict: Any, step: Step) -> tuple[str, str]:
    found = verdict.check(step)
    return str(found.result), found.reason


def test_a_second_institution_with_a_did_key_makes_two_of_two() -> None:
    world = World(award=joint(2, did_key(KEYED.public_key)))
    verdict = judge(world.dossier())
    assert check(verdict, Step.CREDENTIAL_PROOF) == ("fail", "joint-award-below-threshold")
    world.credential = also_signed(world.credential, KEYED)
    verdict = judge(world.dossier())
    assert verdict.outcome is Outcome.VALID
    facts = verdict.check(Step.CREDENTIAL_PROOF).facts
    assert facts["signedBy"] == [whole_registry.DID, did_key(KEYED.public_key)]
    assert verdict.check(Step.ISSUER).facts["institutions"] == facts["signedBy"]


def test_co_issuers_without_the_issuer_are_not_enough() -> None:
    others = [signing_key(number) for number in (32, 33)]
    document = joint(2, *(did_key(key.public_key) for key in others))
    world = World(award=document)
    for key in others:
        document = also_signed(document, key)
    world.credential = document
    assert check(judge(world.dossier()), Step.CREDENTIAL_PROOF) == ("fail", "joint-award-issuer-missing")


def test_a_stranger_fails_the_step_as_on_any_credential() -> None:
    world = World(award=joint(2, did_key(KEYED.public_key)))
    world.credential = also_signed(also_signed(world.credential, KEYED), signing_key(40))
    assert check(judge(world.dossier()), Step.CREDENTIAL_PROOF) == ("fail", "verification-method-unknown")


def test_a_false_signature_of_a_co_issuer_is_not_merely_not_counted() -> None:
    world = World(award=joint(2, did_key(KEYED.public_key), did_key(BABBAGE_KEY.public_key)))
    world.credential = also_signed(also_signed(world.credential, KEYED), BABBAGE_KEY)
    broken = deepcopy(world.credential)
    broken["proof"][2]["created"] = "2026-11-19T00:00:00Z"
    world.credential = broken
    assert check(judge(world.dossier()), Step.CREDENTIAL_PROOF) == ("fail", "signature-invalid")


# -- a co-issuer with a log of its own


@pytest.fixture
def babbage(monkeypatch: pytest.MonkeyPatch) -> World:
    """Another admitted institution, with its own key events, log, statement and anchor."""
    with monkeypatch.context() as patch:
        patch.setattr(whole_registry, "DID", BABBAGE)
        patch.setattr(whole_registry, "ISSUER_KEY", BABBAGE_KEY)
        origin = Origin(registry=whole_registry.REGISTRY, slug="babbage", epoch=1)
        world = World(award=award(), issuer_key=BABBAGE_KEY, origin=origin)
    admission = Admission(
        registry=whole_registry.REGISTRY,
        slug="babbage",
        did=BABBAGE,
        first_key_event=world.publication.keys.first_digest,
    )
    world.identity = admission.digest
    return world


def two_logs(ada: World, babbage: World, *, logged: bool = True) -> dict[str, Any]:
    """The dossier with both logs, and one block in which the contract says both."""
    state = ada.chain()
    state.storage.update(babbage.chain().storage)
    wanted = [
        slot
        for world in (ada, babbage)
        for slot in state.evidence_for(world.origin.issuer_id, world.origin.log_id).slots
    ]
    anchor = state.evidence(tuple(dict.fromkeys(wanted)))
    attested = attest_header(
        whole_registry.REGISTRY,
        chain_id=CHAIN_ID,
        genesis_hash=GENESIS,
        header=parse_header(anchor.header),
    )
    notes = [sign_attestation(attested, role_signer(name, "attestation")) for name in MEMBERS]
    dossier, other = ada.dossier(), babbage.evidence()
    evidence: Any = dossier["evidence"]
    evidence["entries"] += other["entries"] if logged else []
    evidence["logs"].update(other["logs"])
    evidence["anchors"] = [anchor.with_notes(notes).to_json()]
    return dossier


def signed_by_both(threshold: int = 2) -> tuple[World, dict[str, Any]]:
    ada = World(award=joint(threshold, BABBAGE))
    method = verification_method(BABBAGE, BABBAGE_KEY.public_key)
    ada.credential = also_signed(ada.credential, BABBAGE_KEY, method)
    return ada, ada.credential


def test_without_the_co_issuers_evidence_nobody_can_tell() -> None:
    ada, _ = signed_by_both()
    verdict = judge(ada.dossier())
    assert check(verdict, Step.CREDENTIAL_PROOF) == ("unknown", "joint-award-evidence-missing")
    assert verdict.outcome is Outcome.INDETERMINATE


def test_with_the_co_issuers_log_in_the_evidence_its_key_is_known(babbage: World) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    dossier = ada.dossier()
    other: Any = babbage.evidence()
    evidence: Any = dossier["evidence"]
    evidence["entries"] += other["entries"]
    evidence["logs"].update(other["logs"])
    verdict = judge(dossier)
    assert check(verdict, Step.CREDENTIAL_PROOF)[0] == "pass"
    assert check(verdict, Step.SIGNING_KEY)[0] == "pass"
    # The anchor in this file is about the issuer's log alone: who the other one is, nobody has proven.
    assert verdict.check(Step.ISSUER).result is not CheckResult.PASS
    assert verdict.outcome is not Outcome.VALID


def test_two_institutions_with_a_log_each_make_two_of_two(babbage: World) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    verdict = judge(two_logs(ada, babbage))
    assert verdict.outcome is Outcome.VALID
    assert verdict.check(Step.ISSUER).facts["institutions"] == [whole_registry.DID, BABBAGE]


def test_a_co_issuer_need_not_log_the_award_while_its_key_is_in_force(babbage: World) -> None:
    ada, _ = signed_by_both()
    verdict = judge(two_logs(ada, babbage, logged=False))
    assert verdict.outcome is Outcome.VALID


def test_a_co_issuer_that_was_suspended_when_it_logged_the_award_does_not_count(babbage: World) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    babbage.suspension = {"fromSize": 1, "untilSize": 0}
    babbage.lifecycle = Lifecycle.SUSPENDED
    verdict = judge(two_logs(ada, babbage))
    assert check(verdict, Step.SIGNING_KEY)[0] == "pass"
    assert check(verdict, Step.ISSUER) == ("fail", "joint-award-below-threshold")


def test_a_co_issuer_that_was_never_admitted_does_not_count(babbage: World) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    babbage.identity = bytes(31) + b"\1"
    verdict = judge(two_logs(ada, babbage))
    assert check(verdict, Step.ISSUER) == ("fail", "joint-award-below-threshold")


def test_a_co_issuer_that_says_it_was_another_key_does_not_count(babbage: World) -> None:
    ada = World(award=joint(2, BABBAGE))
    method = verification_method(BABBAGE, KEYED.public_key)
    ada.credential = also_signed(ada.credential, KEYED, method)
    babbage.credential = ada.credential
    dossier = ada.dossier()
    other: Any = babbage.evidence()
    dossier["evidence"]["entries"] += other["entries"]
    dossier["evidence"]["logs"].update(other["logs"])
    assert check(judge(dossier), Step.CREDENTIAL_PROOF) == ("fail", "verification-method-unknown")
