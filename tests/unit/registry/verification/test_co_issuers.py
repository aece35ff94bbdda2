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
from testamur.registry.issuer_keys import IssuerKeys
from testamur.registry.key_event_format import verification_method
from testamur.registry.proofs import sign_document
from testamur.registry.verification import Outcome, Policy, Step
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


# -- one institution has to pass all three steps


SECURITY_V2 = "https://w3id.org/security/data-integrity/v2"
METHOD = verification_method(BABBAGE, BABBAGE_KEY.public_key)


def of_three(babbage: World, *, appended: bool = False, admitted: bool = True) -> Any:
    """Two are needed of Ada, Babbage and a key; a context may be appended after the key signed."""
    document = also_signed(joint(2, BABBAGE, did_key(KEYED.public_key)), KEYED)
    if appended:
        document["@context"] = [*document["@context"], SECURITY_V2]
    ada = World(award=document)
    ada.credential = also_signed(ada.credential, BABBAGE_KEY, METHOD)
    babbage.credential = ada.credential
    if not admitted:
        babbage.identity = bytes(31) + b"\1"
    return judge(two_logs(ada, babbage))


def counted(verdict: Any) -> list[str]:
    return [name.partition(":web:")[2] or "key" for name in verdict.check(Step.ISSUER).facts["institutions"]]


def test_who_falls_out_in_one_step_does_not_count_in_another(babbage: World) -> None:
    """The key did not sign all of it, and Babbage is not admitted: neither makes two with the issuer."""
    verdict = of_three(babbage, appended=True, admitted=False)
    assert check(verdict, Step.CREDENTIAL_PROOF)[0] == "pass"
    assert check(verdict, Step.ISSUER) == ("fail", "joint-award-below-threshold")
    assert verdict.outcome is Outcome.INVALID


def test_whoever_counts_passed_every_step(babbage: World) -> None:
    assert counted(of_three(babbage)) == ["ada.example", "babbage.example", "key"]


def test_a_signature_under_fewer_contexts_counts_in_no_step(babbage: World) -> None:
    verdict = of_three(babbage, appended=True)
    assert (verdict.outcome, counted(verdict)) == (Outcome.VALID, ["ada.example", "babbage.example"])


def test_who_is_not_admitted_is_not_listed(babbage: World) -> None:
    verdict = of_three(babbage, admitted=False)
    assert (verdict.outcome, counted(verdict)) == (Outcome.VALID, ["ada.example", "key"])


def test_an_institution_without_evidence_might_have_made_up_for_another(babbage: World) -> None:
    """Babbage is not admitted; of Curie nobody can tell, so that nothing is proven to be wrong."""
    curie, key = "did:web:curie.example", signing_key(33)
    ada = World(award=joint(2, BABBAGE, curie))
    ada.credential = also_signed(ada.credential, BABBAGE_KEY, METHOD)
    ada.credential = also_signed(ada.credential, key, verification_method(curie, key.public_key))
    babbage.credential = ada.credential
    babbage.identity = bytes(31) + b"\1"
    verdict = judge(two_logs(ada, babbage))
    assert check(verdict, Step.ISSUER) == ("unknown", "joint-award-evidence-missing")
    assert verdict.check(Step.ISSUER).parameters["institution"] == curie
    assert verdict.outcome is Outcome.INDETERMINATE


def test_the_key_that_signed_all_of_it_is_the_one_that_has_to_be_in_force(
    babbage: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two signatures of one institution, one covers too little and the other's key had ended."""
    document = also_signed(joint(2, BABBAGE), BABBAGE_KEY, METHOD)
    document["@context"] = [*document["@context"], SECURITY_V2]
    ada = World(award=document)
    second = METHOD + "-2"
    babbage.credential = ada.credential = also_signed(ada.credential, BABBAGE_KEY, second)
    known, in_force = IssuerKeys.public_key, IssuerKeys.is_in_force

    def public_key(keys: IssuerKeys, method: str, position: Any = None) -> Any:
        return known(keys, METHOD if method == second else method, position)

    monkeypatch.setattr(IssuerKeys, "public_key", public_key)
    dossier = two_logs(ada, babbage)
    verdict = judge(dossier)
    assert check(verdict, Step.SIGNING_KEY) == ("fail", "joint-award-below-threshold")

    def both_in_force(keys: IssuerKeys, method: str, position: Any) -> bool:
        return in_force(keys, METHOD if method == second else method, position)

    monkeypatch.setattr(IssuerKeys, "is_in_force", both_in_force)
    assert judge(dossier).outcome is Outcome.VALID


# -- what the policy asks of the issuer's log, it asks of every institution's


@pytest.mark.parametrize("logged", [True, False])
def test_an_institution_whose_log_nobody_witnessed_is_not_known_to_stand(
    babbage: World, logged: bool
) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    babbage.witnesses = babbage.mirrors = ()
    dossier = two_logs(ada, babbage, logged=logged)
    verdict = judge(dossier)
    assert check(verdict, Step.WITNESSED)[0] == "pass"
    assert check(verdict, Step.ISSUER) == ("unknown", "joint-award-evidence-missing")
    assert verdict.outcome is Outcome.INDETERMINATE
    assert judge(dossier, policy=Policy(require_witnesses=False)).outcome is Outcome.VALID


@pytest.mark.parametrize("logged", [True, False])
def test_without_an_anchor_mirrors_vouch_for_every_institution_where_the_policy_lets_them(
    babbage: World, logged: bool
) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    dossier = two_logs(ada, babbage, logged=logged)
    dossier["evidence"]["anchors"] = []
    assert judge(dossier).outcome is Outcome.INDETERMINATE
    assert judge(dossier, policy=Policy(require_anchor=False)).outcome is Outcome.VALID


def broken_cosignature(log: Any) -> None:
    lines = log["checkpoint"].splitlines(keepends=True)
    lines[-1] = lines[-1][:-7] + ("AAAA" if lines[-1][-7:-3] != "AAAA" else "BBBB") + lines[-1][-3:]
    log["checkpoint"] = "".join(lines)


def another_seal(log: Any) -> None:
    log["seal"]["document"]["previousSeal"] = 3


@pytest.mark.parametrize(("lie", "step"), [(broken_cosignature, 5), (another_seal, 5)])
def test_false_evidence_of_an_institution_proves_nothing_and_spoils_the_award(
    babbage: World, lie: Any, step: int
) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    dossier = two_logs(ada, babbage)
    lie(dossier["evidence"]["logs"][str(babbage.origin)])
    verdict = judge(dossier)
    assert verdict.check(Step(step)).result is CheckResult.PASS  # that of the issuer's own log
    assert check(verdict, Step.ISSUER) == ("fail", "joint-award-below-threshold")


def test_an_anchor_that_holds_another_root_of_its_log_takes_an_institution_out(babbage: World) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    babbage.root_on_chain = bytes(31) + b"\1"
    verdict = judge(two_logs(ada, babbage))
    assert check(verdict, Step.ISSUER) == ("fail", "joint-award-below-threshold")


# -- logs of two hosts, anchored in two blocks


def later_by(world: World, seconds: int, history: tuple[int, ...] = (1,)) -> Any:
    """The anchor of the world's log in a block that much later."""
    state = world.chain()
    state.timestamp += seconds
    state.number += seconds
    anchor = state.evidence_for(world.origin.issuer_id, world.origin.log_id, history=history)
    attested = attest_header(
        whole_registry.REGISTRY, chain_id=CHAIN_ID, genesis_hash=GENESIS, header=parse_header(anchor.header)
    )
    notes = [sign_attestation(attested, role_signer(name, "attestation")) for name in MEMBERS]
    return anchor.with_notes(notes).to_json()


@pytest.mark.parametrize(("of_ada", "of_babbage"), [(0, 1800), (1800, 0)])
def test_each_institutions_log_may_be_anchored_in_a_block_of_its_own(
    babbage: World, of_ada: int, of_babbage: int
) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    dossier = two_logs(ada, babbage)
    dossier["evidence"]["anchors"] = [later_by(ada, of_ada), later_by(babbage, of_babbage)]
    verdict = judge(dossier)
    assert verdict.outcome is Outcome.VALID
    assert verdict.anchored.block_number == 64 + of_ada  # the issuer's own: its status is as old as that


def test_the_newest_anchor_about_a_log_decides_and_no_older_one_beside_it(babbage: World) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    dossier = two_logs(ada, babbage)
    good = later_by(ada, 0)
    ada.statement_on_chain = 9
    dossier["evidence"]["anchors"] = [good, later_by(ada, 900), later_by(babbage, 1800)]
    assert check(judge(dossier), Step.ANCHORED) == ("fail", "statement-outdated")


def test_an_anchor_that_is_about_others_alone_says_nothing(babbage: World) -> None:
    ada, credential = signed_by_both()
    babbage.credential = credential
    dossier = two_logs(ada, babbage)
    dossier["evidence"]["anchors"] = [later_by(babbage, 0)]
    verdict = judge(dossier)
    assert check(verdict, Step.ANCHORED) == ("unknown", "storage-slot-missing")
    assert verdict.outcome is Outcome.INDETERMINATE
