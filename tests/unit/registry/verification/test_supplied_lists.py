"""Step 9 of a logged credential whose status stands in a list of an older format, supplied by the verifier."""

import pytest

from fakes.awards import award
from fakes.issuers import DID, signing_key
from fakes.whole_registry import ISSUER_KEY, World, judge
from testamur.registry.key_events import verification_method
from testamur.registry.proofs import sign_document
from testamur.registry.status import StatusBits, encode_list
from testamur.registry.verification import Outcome, Step
from testamur.registry.verification.verdict import CheckResult, CredentialStatus

LIST = "https://ada.example/revocations"
OWN_ID = award()["id"]
HOLDER = 7
REVOCATIONS = {"id": LIST, "type": "1EdTechRevocationList"}
OLDER = {
    "id": f"{LIST}#7",
    "type": "StatusList2021Entry",
    "statusPurpose": "revocation",
    "statusListIndex": "7",
    "statusListCredential": LIST,
}


def world(*entries, with_own=False, **options):
    document = award()
    own = document.pop("credentialStatus")
    return World(award={**document, "credentialStatus": [*(own if with_own else []), *entries]}, **options)


def revocations(*entries, **changes):
    return {"id": LIST, "issuer": DID, "revokedCredentials": list(entries), **changes}


def list_2021(*set_bits, purpose="revocation", key=ISSUER_KEY):
    bits = StatusBits()
    for bit in set_bits:
        bits.set(bit)
    document = {
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/vc/status-list/2021/v1"],
        "id": LIST,
        "type": ["VerifiableCredential", "StatusList2021Credential"],
        "issuer": DID,
        "issuanceDate": "2026-11-20T00:00:00Z",
        "credentialSubject": {
            "type": "StatusList2021",
            "statusPurpose": purpose,
            "encodedList": encode_list(bits)[1:],  # without the multibase `u`
        },
    }
    method = verification_method(DID, key.public_key)
    return sign_document(document, key, verification_method=method, created="2026-11-20T00:00:00Z")


def said(made, documents=None, **options):
    verdict = judge(made.dossier(), contexts=documents, **options)
    (check,) = [check for check in verdict.checks if check.step == Step.STATUS]
    return verdict.outcome, verdict.credential_status, check.result, check.reason


ACTIVE = (Outcome.VALID, CredentialStatus.ACTIVE, CheckResult.PASS, "status-active-by-list")
REVOKED = (Outcome.INVALID, CredentialStatus.REVOKED, CheckResult.FAIL, "revoked-by-list")


def unknown(reason):
    return Outcome.INDETERMINATE, CredentialStatus.UNKNOWN, CheckResult.UNKNOWN, reason


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (revocations({"id": OWN_ID, "revoked": True, "revocationReason": "An error"}), REVOKED),
        (revocations({"id": "urn:uuid:another"}, {"id": OWN_ID}), REVOKED),
        ({"id": LIST, "issuer": {"id": DID}, "revokedCredential": {"id": OWN_ID}}, REVOKED),
        (revocations({"id": OWN_ID, "revoked": False}), ACTIVE),
        (revocations({"id": "urn:uuid:another", "revoked": True}), ACTIVE),
        (revocations(), ACTIVE),
        (
            revocations({"id": OWN_ID}, issuer="did:web:stranger.example"),
            unknown("status-list-issuer-mismatch"),
        ),
        (revocations({"id": OWN_ID}, id="https://ada.example/others"), unknown("malformed")),
        (revocations({"id": OWN_ID, "revoked": "yes"}), unknown("malformed")),
        ({"id": LIST, "issuer": DID}, unknown("malformed")),
        ([], unknown("malformed")),
    ],
)
def test_a_revocation_list_of_1edtech_says_what_it_names(document, expected):
    assert said(world(REVOCATIONS), {LIST: document}) == expected


@pytest.mark.parametrize("entry", [REVOCATIONS, OLDER])
def test_a_list_that_nobody_supplies_leaves_the_status_unknown(entry):
    assert said(world(entry)) == unknown("status-list-not-supplied")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (list_2021(HOLDER), REVOKED),
        (list_2021(HOLDER + 1), ACTIVE),
        (list_2021(HOLDER, purpose="suspension"), unknown("status-purpose-mismatch")),
        (list_2021(key=signing_key(3)), unknown("status-list-unproven")),
        ({**list_2021(), "issuanceDate": "2026-11-19T00:00:00Z"}, unknown("status-list-unproven")),
    ],
)
def test_a_status_list_of_2021_counts_when_the_issuer_signed_it(document, expected):
    assert said(world(OLDER), {LIST: document}) == expected


def test_a_suspension_in_an_older_list_suspends():
    entry = {**OLDER, "statusPurpose": "suspension"}
    assert said(world(entry), {LIST: list_2021(HOLDER, purpose="suspension")})[1:] == (
        CredentialStatus.SUSPENDED,
        CheckResult.FAIL,
        "suspended-by-list",
    )


@pytest.mark.parametrize("order", [1, -1])
def test_a_type_that_nobody_knows_stays_unknown_and_hides_no_revocation(order):
    entries = [REVOCATIONS, {"id": "https://ada.example/s", "type": "StatusList2030Entry"}][::order]
    assert said(world(*entries), {LIST: revocations()}) == unknown("status-type-unknown")
    assert said(world(*entries), {LIST: revocations({"id": OWN_ID})}) == REVOKED


def test_beside_the_lists_of_the_issuers_statement_both_have_to_be_clear():
    clear, revoking = {LIST: revocations()}, {LIST: revocations({"id": OWN_ID})}
    both = world(REVOCATIONS, with_own=True)
    assert said(both, clear)[:2] == (Outcome.VALID, CredentialStatus.ACTIVE)
    assert said(both, revoking) == REVOKED
    assert said(both) == unknown("status-list-not-supplied")
    assert said(world(REVOCATIONS, with_own=True, revoked=(HOLDER,)), clear)[3] == "revoked"
    suspended = world(REVOCATIONS, with_own=True, suspended=(HOLDER,))
    assert said(suspended, clear)[1] is CredentialStatus.SUSPENDED


def test_a_supplied_list_is_named_and_answers_for_no_earlier_moment():
    made = world(REVOCATIONS)
    verdict = judge(made.dossier(), contexts={LIST: revocations()})
    assert any(LIST in note for note in verdict.notes)
    earlier = judge(made.dossier(), contexts={LIST: revocations({"id": OWN_ID})}, as_of=made.cosigned_at)
    assert earlier.outcome in {Outcome.INVALID, Outcome.INDETERMINATE}
