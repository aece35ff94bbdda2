import gzip
import hashlib
from base64 import b64encode
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes.awards import award
from fakes.issuers import signing_key
from testamur.registry.contexts import CREDENTIALS_V2, JOINT_AWARD_V1, OPEN_BADGES_V3
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.jose import envelop, sign_token
from testamur.registry.jwk import encode_base64url
from testamur.registry.keys import SigningKey
from testamur.registry.proofs import sign_document
from testamur.registry.status import StatusBits, encode_list
from testamur.registry.status_lists import build_status_list_credential
from testamur.registry.vc_issuing import check_new_credential, issue_credential, issue_token
from testamur.registry.vc_verification import verify_credential
from testamur.registry.verification.verdict import CredentialStatus

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
CREATED = "2026-11-20T10:00:00Z"
KEYS = [signing_key(number) for number in (1, 2, 3, 4)]
ADA, BABBAGE, CURIE, STRANGER = (did_key(key.public_key) for key in KEYS)
LIST = "https://status.ada.example/ada/revocation/1"
SUSPENSIONS = "https://status.ada.example/ada/suspension/1"


def method(key: SigningKey) -> str:
    return did_key_verification_method(key.public_key)


def credential(**changes: Any) -> dict[str, Any]:
    document = award()
    document["issuer"]["id"] = ADA
    del document["credentialStatus"]
    return {**document, **changes}


def sign(
    document: dict[str, Any], *keys: SigningKey, suite: str = "eddsa-jcs-2022", **options: Any
) -> dict[str, Any]:
    for key in keys or KEYS[:1]:
        document = sign_document(
            document,
            key,
            verification_method=method(key),
            created=CREATED,
            cryptosuite=suite,
            options=options,
        )
    return document


def judge(document: Any, documents: Any = None, **options: Any) -> Any:
    return verify_credential(document, documents=documents or {}, now=NOW, **options)


def reasons(result: Any) -> list[str]:
    return [problem.reason for problem in result.problems]


def status_list(
    url: str = LIST, *set_bits: int, purpose: str = "revocation", key: SigningKey = KEYS[0], **changes: Any
) -> dict[str, Any]:
    bits = StatusBits()
    for bit in set_bits:
        bits.set(bit)
    issuer = did_key(key.public_key)
    document = build_status_list_credential(
        list_id=url, issuer=issuer, purpose=purpose, bits=bits, valid_from=CREATED
    )
    return sign({**document, **changes}, key)


def entry(url: str = LIST, index: Any = "7", purpose: str = "revocation", **changes: Any) -> dict[str, Any]:
    return {
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": index,
        "statusListCredential": url,
        **changes,
    }


# -- proofs and issuer


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_a_credential_of_its_own_issuer_is_verified(suite: str) -> None:
    result = judge(sign(credential(), suite=suite))
    assert (result.verified, result.problems, result.status) == (True, (), CredentialStatus.ACTIVE)
    assert result.signed_by == (ADA,)
    assert result.to_json()["problemDetails"] == []


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_a_key_of_somebody_else_does_not_vouch_for_the_issuer(suite: str) -> None:
    forged = sign(credential(), KEYS[3], suite=suite)
    assert reasons(judge(forged)) == ["issuer-key-mismatch"]
    assert judge(forged, checks=["proof"]).verified
    assert not judge(forged, checks=["prooof"]).verified


def test_a_second_signature_by_a_stranger_is_said_and_harms_nothing() -> None:
    result = judge(sign(credential(), KEYS[0], KEYS[3]))
    assert result.verified
    assert any(STRANGER in warning for warning in result.warnings)


def test_one_false_proof_among_good_ones_is_enough_to_refuse() -> None:
    document = sign(credential(), KEYS[0], KEYS[3])
    document["proof"][1]["created"] = NOW.isoformat()
    assert reasons(judge(document)) == ["signature-invalid"]
    document["proof"][1]["cryptosuite"] = "quantum-2099"
    assert reasons(judge(document)) == ["cryptosuite-unknown"]


@pytest.mark.parametrize("proof", ["absent", None, [], "x", {}, [{}]])
def test_without_a_proof_nothing_is_verified(proof: Any) -> None:
    document = credential() if proof == "absent" else credential(proof=proof)
    result = judge(document, checks=["proof"])
    assert not result.verified
    assert result.problems


@pytest.mark.parametrize(
    "document", [None, 5, "eyJhbGciOiJub25lIn0..", [], {}, {"type": "VerifiableCredential"}]
)
def test_what_is_no_credential_is_refused_and_nothing_raised(document: Any) -> None:
    assert not judge(document).verified


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", None),
        ("verificationMethod", None),
        ("proofPurpose", None),
        ("proofValue", None),
        ("proofValue", "absent"),
        ("proofValue", "abc"),
        ("proofPurpose", "authentication"),
        ("verificationMethod", "did:key:z6Mk"),
        ("verificationMethod", method(KEYS[1])),
        ("verificationMethod", "did:web:ada.example#key-1"),
        ("created", "yesterday"),
        ("type", "Ed25519Signature2018"),
        ("previousProof", "urn:uuid:nobody"),
        ("previousProof", ["urn:uuid:nobody"]),
    ],
)
def test_a_proof_with_one_member_wrong_is_refused(member: str, value: Any) -> None:
    for suite in ("eddsa-jcs-2022", "eddsa-rdfc-2022"):
        document = deepcopy(sign(credential(), suite=suite))
        if value == "absent":
            del document["proof"][member]
        else:
            document["proof"][member] = value
        assert not judge(document, checks=["proof"]).verified


def test_a_proof_for_a_purpose_that_its_key_is_not_authorised_for_is_refused() -> None:
    did = "did:web:ada.example"
    key = {
        "id": f"{did}#k",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": KEYS[0].public_key.to_multikey(),
    }
    signed = sign_document(credential(issuer=did), KEYS[0], verification_method=f"{did}#k")
    good = {"id": did, "verificationMethod": [key], "assertionMethod": [f"{did}#k"]}
    assert judge(signed, {did: good}).verified
    other = {"id": did, "verificationMethod": [key], "authentication": [f"{did}#k"]}
    assert reasons(judge(signed, {did: other}))[0] == "verification-method-unauthorised"
    ended = {**good, "verificationMethod": [{**key, "revoked": "2026-01-01T00:00:00Z"}]}
    assert reasons(judge(signed, {did: ended}))[0] == "verification-method-ended"
    assert reasons(judge(signed))[0] == "controller-document-missing"


def test_a_context_appended_to_a_json_proof_adds_no_meaning() -> None:
    document = sign(credential())
    document["@context"] = [*document["@context"], {"name": "https://evil.example/#insult"}]
    result = judge(document, checks=["proof"])
    assert not result.verified
    assert "proof-context-mismatch" in reasons(result)


def test_contexts_are_compared_as_they_are_signed_and_not_as_python_compares() -> None:
    """1 is not true: a processor would refuse the one, and Python takes them for equal."""
    contexts = credential()["@context"]
    document = sign(
        credential(**{"@context": [*contexts, {"@protected": True, "x": "https://ada.example/x"}]})
    )
    assert judge(document, checks=["proof"]).verified
    document = {**document, "@context": [*contexts, {"@protected": 1, "x": "https://ada.example/x"}]}
    assert "proof-context-mismatch" in reasons(judge(document, checks=["proof"]))
    appended = sign(credential())
    appended["proof"]["@context"] = [*contexts, {"@protected": 1}]
    appended["@context"] = [*contexts, {"@protected": True}]
    assert "proof-context-mismatch" in reasons(judge(appended, checks=["proof"]))


def test_of_a_chain_whose_first_link_cannot_be_told_nothing_is_called_false() -> None:
    first = sign(credential(), KEYS[0], id="urn:proof:1")
    first["proof"]["cryptosuite"] = "eddsa-jcs-2046"
    chained = sign(first, KEYS[1], previousProof="urn:proof:1")
    assert reasons(judge(chained, checks=["proof"])) == ["cryptosuite-unknown"] * 2
    chained["proof"][1]["created"] = "2026-11-19T10:00:00Z"
    assert reasons(judge(chained, checks=["proof"])) == ["cryptosuite-unknown", "signature-invalid"]


def test_a_broken_link_breaks_the_chain_behind_it() -> None:
    first = sign(credential(), KEYS[0], id="urn:proof:1")
    chained = sign(first, KEYS[1], previousProof="urn:proof:1")
    assert judge(chained).verified
    broken = deepcopy(first)
    broken["proof"]["created"] = "2026-11-19T10:00:00Z"
    rebuilt = sign(broken, KEYS[1], previousProof="urn:proof:1")
    assert reasons(judge(rebuilt, checks=["proof"])) == ["signature-invalid", "proof-previous-invalid"]


def test_an_expired_proof_is_refused() -> None:
    assert reasons(judge(sign(credential(), expires="2026-11-20T11:00:00Z")))[0] == "proof-expired"
    assert judge(sign(credential(), expires="2027-11-20T11:00:00Z")).verified


# -- the data model


@pytest.mark.parametrize(
    "changes",
    [
        {"unheardOf": 1},
        {"type": ["VerifiableCredential", "UnheardOf"]},
        {"@context": [CREDENTIALS_V2, OPEN_BADGES_V3, {"VerifiableCredential": "https://evil.example/#x"}]},
    ],
)
def test_what_has_no_meaning_or_another_one_is_refused_whatever_the_suite(changes: dict[str, Any]) -> None:
    document = sign(credential(**changes))
    assert reasons(judge(document, checks=["proof"])) == ["malformed"]


def test_a_context_that_is_not_there_is_named() -> None:
    url = "https://unknown.example/context"
    (problem,) = judge(sign(credential(**{"@context": [CREDENTIALS_V2, url]})), checks=["proof"]).problems
    assert (problem.reason, problem.parameters) == ("context-unknown", {"url": url})


CRED, DATE_TIME = "https://www.w3.org/2018/credentials#", "http://www.w3.org/2001/XMLSchema#dateTime"


def without_names(document: dict[str, Any], how: str) -> dict[str, Any]:
    """The same statements, with the end of validity and the status under names that nobody looks for."""
    found = dict(document)
    until, status = found.pop("validUntil"), found.pop("credentialStatus")
    if how == "absolute":
        dated = {"type": DATE_TIME, "@value": until}
        return {**found, f"{CRED}validUntil": dated, f"{CRED}credentialStatus": status}
    if how == "vocabulary":
        own: dict[str, Any] = {"@vocab": CRED.removesuffix("ials#")}
        dated = {"type": DATE_TIME, "@value": until}
        found |= {"ials#validUntil": dated, "ials#credentialStatus": status}
    else:
        own = {"end": {"@id": f"{CRED}validUntil", "@type": DATE_TIME}, "state": f"{CRED}credentialStatus"}
        found |= {"end": until, "state": status}
    return {**found, "@context": [*found["@context"], own]}


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022"])
@pytest.mark.parametrize("how", ["absolute", "vocabulary", "inline"])
def test_what_ends_a_credential_cannot_be_hidden_under_another_name(suite: str, how: str) -> None:
    dated = credential(validUntil="2026-11-20T12:00:00Z", credentialStatus=entry())
    signed = sign(dated, suite=suite)
    assert reasons(judge(signed, {LIST: status_list(LIST, 7)})) == ["expired", "revoked-by-list"]
    result = judge(without_names(signed, how), {LIST: status_list(LIST, 7)})
    assert not result.verified
    assert "malformed" in reasons(result)


def test_the_expiry_of_a_proof_cannot_be_hidden_under_another_name() -> None:
    signed = sign(credential(), suite="eddsa-rdfc-2022", expires="2026-11-20T12:00:00Z")
    assert "proof-expired" in reasons(judge(signed))
    end = signed["proof"].pop("expires")
    signed["proof"]["https://w3id.org/security#expiration"] = {"type": DATE_TIME, "@value": end}
    result = judge(signed)
    assert (result.verified, reasons(result)) == (False, ["malformed"])


def test_the_dates_of_version_1_1_count_whatever_base_context_is_put_before_them() -> None:
    own = {name: {"@id": CRED + name, "@type": DATE_TIME} for name in ("issuanceDate", "expirationDate")}
    document = credential(issuanceDate="2019-01-01T00:00:00Z", expirationDate="2020-01-01T00:00:00Z")
    del document["validFrom"]
    integrity = "https://w3id.org/security/data-integrity/v2"
    old = ["https://www.w3.org/2018/credentials/v1", integrity, *document["@context"][1:]]
    signed = sign({**document, "@context": old}, suite="eddsa-rdfc-2022")
    assert reasons(judge(signed)) == ["expired"]
    assert reasons(judge({**signed, "@context": [*document["@context"], own]})) == ["expired"]


def test_breaches_of_a_profile_are_warnings() -> None:
    document = credential()
    del document["credentialSubject"]["id"]
    result = judge(sign(document))
    assert result.verified
    assert "nobody's" in result.warnings[0]


def test_the_validity_period_is_judged_unless_only_the_proof_is_asked() -> None:
    future = sign(credential(validFrom="2999-01-01T00:00:00Z"))
    past = sign(credential(validUntil="2026-11-01T00:00:00Z"))
    assert reasons(judge(future)) == ["not-yet-valid"]
    assert reasons(judge(past)) == ["expired"]
    assert judge(future, checks=["proof"]).verified
    assert judge(past, checks=["proof"]).verified


def test_a_related_resource_has_the_digest_that_is_named_when_it_can_be_looked_at() -> None:
    data = b"what was meant"
    digest = "sha256-" + b64encode(hashlib.sha256(data).digest()).decode()
    url = "https://ada.example/r"
    document = sign(credential(relatedResource={"id": url, "digestSRI": digest}))
    assert judge(document, resources={url: data}).warnings == ()
    assert "not looked at" in judge(document).warnings[0]
    assert reasons(judge(document, resources={url: b"another"})) == ["related-resource-mismatch"]
    published = {"id": CREDENTIALS_V2, "digestMultibase": "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"}
    assert judge(sign(credential(relatedResource=published))).verified
    wrong = {"id": CREDENTIALS_V2, "digestMultibase": "u" + "A" * 43}
    assert reasons(judge(sign(credential(relatedResource=wrong)))) == ["related-resource-mismatch"]


# -- status


def test_a_set_bit_revokes_and_a_clear_one_does_not() -> None:
    document = sign(credential(credentialStatus=entry()))
    assert judge(document, {LIST: status_list(LIST, 8)}).status is CredentialStatus.ACTIVE
    result = judge(document, {LIST: status_list(LIST, 7)})
    assert (result.verified, result.status, reasons(result)) == (
        False,
        CredentialStatus.REVOKED,
        ["revoked-by-list"],
    )
    assert judge(document, checks=["proof"]).verified


def test_an_index_that_is_a_number_is_read() -> None:
    document = sign(credential(credentialStatus=entry(index=7)))
    assert judge(document, {LIST: status_list(LIST, 7)}).status is CredentialStatus.REVOKED


def tampered() -> dict[str, Any]:
    document = status_list()
    document["credentialSubject"]["encodedList"] = encode_list(StatusBits(8 * 32768))
    return document


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ({}, "status-missing"),
        ({LIST: tampered()}, "status-list-unproven"),
        ({LIST: status_list(purpose="suspension")}, "status-purpose-mismatch"),
        ({LIST: status_list(validUntil="2026-11-20T11:00:00Z")}, "status-list-unproven"),
        ({LIST: sign(credential())}, "malformed"),
        ({LIST: []}, "status-list-unproven"),
    ],
)
def test_a_list_that_cannot_be_believed_leaves_the_status_unknown(documents: Any, reason: str) -> None:
    result = judge(sign(credential(credentialStatus=entry())), documents)
    assert (result.verified, result.status, reasons(result)) == (False, CredentialStatus.UNKNOWN, [reason])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "StatusList2030Entry"}, "status-type-unknown"),
        ({"statusPurpose": "decoration"}, "status-type-unknown"),
        ({"statusListIndex": "131072"}, "status-index-outside-list"),
    ],
)
def test_an_entry_that_is_not_understood_is_unknown_and_never_active(
    changes: dict[str, Any], reason: str
) -> None:
    result = judge(
        sign(credential(credentialStatus=entry(**changes)), suite="eddsa-jcs-2022"), {LIST: status_list()}
    )
    assert result.status is CredentialStatus.UNKNOWN
    assert reason in reasons(result)


@pytest.mark.parametrize("order", [1, -1])
def test_revocation_outranks_suspension_and_what_is_missing(order: int) -> None:
    entries = [entry(), entry(SUSPENSIONS, purpose="suspension"), entry("https://gone.example/1")]
    document = sign(credential(credentialStatus=entries[::order]))
    suspended = status_list(SUSPENSIONS, 7, purpose="suspension")
    assert (
        judge(document, {LIST: status_list(LIST, 7), SUSPENSIONS: suspended}).status
        is CredentialStatus.REVOKED
    )
    assert judge(document, {LIST: status_list(), SUSPENSIONS: suspended}).status is CredentialStatus.UNKNOWN
    both = sign(credential(credentialStatus=entries[:2][::order]))
    assert judge(both, {LIST: status_list(), SUSPENSIONS: suspended}).status is CredentialStatus.SUSPENDED


def test_a_short_list_revokes_and_never_clears() -> None:
    bits = bytearray(1000)
    bits[0] = 0x01
    text = "u" + encode_base64url(gzip.compress(bytes(bits), mtime=0))
    body = {**status_list()["credentialSubject"], "encodedList": text}
    document = status_list(credentialSubject=body)
    assert (
        judge(sign(credential(credentialStatus=entry())), {LIST: document}).status is CredentialStatus.REVOKED
    )
    result = judge(sign(credential(credentialStatus=entry(index="8"))), {LIST: document})
    assert (result.status, reasons(result)) == (CredentialStatus.UNKNOWN, ["status-list-short"])


def test_the_older_status_list_of_2021_is_read() -> None:
    context = {
        "@context": {
            name: f"https://w3id.org/vc/status-list#{name}"
            for name in (
                "StatusList2021Entry",
                "StatusList2021",
                "StatusList2021Credential",
                "statusPurpose",
                "statusListIndex",
                "statusListCredential",
                "encodedList",
            )
        }
    }
    url = "https://w3id.org/vc/status-list/2021/v1"
    bits = StatusBits()
    bits.set(7)
    plain = {
        "@context": [CREDENTIALS_V2, context["@context"]],
        "id": LIST,
        "type": ["VerifiableCredential", "StatusList2021Credential"],
        "issuer": ADA,
        "credentialSubject": {
            "type": "StatusList2021",
            "statusPurpose": "revocation",
            "encodedList": encode_list(bits)[1:] + "==",
        },
    }
    document = credential(credentialStatus=entry(type="StatusList2021Entry"))
    document["@context"] = [*document["@context"], context["@context"]]
    assert judge(sign(document), {LIST: sign(plain), url: context}).status is CredentialStatus.REVOKED
    clear = deepcopy(plain)
    clear["credentialSubject"]["encodedList"] = encode_list(StatusBits())[1:]
    assert judge(sign(document), {LIST: sign(clear)}).status is CredentialStatus.ACTIVE


OPEN_BADGES_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
REVOCATIONS = "https://ada.example/revocations"


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({"id": award()["id"], "revoked": True}, CredentialStatus.REVOKED),
        ({"id": award()["id"], "revoked": False}, CredentialStatus.ACTIVE),
        ({"id": "urn:uuid:another"}, CredentialStatus.ACTIVE),
        ("not an entry", CredentialStatus.UNKNOWN),
    ],
)
def test_a_revocation_list_of_1edtech_is_read_where_it_is_supplied(
    item: Any, status: CredentialStatus
) -> None:
    document = credential(credentialStatus={"id": REVOCATIONS, "type": "1EdTechRevocationList"})
    signed = sign(add_extensions(document))
    listed = {"id": REVOCATIONS, "issuer": ADA, "revokedCredentials": [item]}
    assert judge(signed, {REVOCATIONS: listed}).status is status
    assert reasons(judge(signed)) == ["status-missing"]


def add_extensions(document: dict[str, Any]) -> dict[str, Any]:
    """With the context that has the terms of 1EdTech's extensions."""
    return {**document, "@context": [*document["@context"], OPEN_BADGES_EXTENSIONS]}


# -- schemas


def test_a_schema_that_is_supplied_is_kept() -> None:
    url = "https://schemas.example/award"
    document = sign(credential(credentialSchema={"id": url, "type": "JsonSchema"}))
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["name"]}
    assert judge(document, {url: schema}).schemas[0].valid is True
    result = judge(document, {url: {**schema, "required": ["grade"]}})
    assert reasons(result) == ["schema-mismatch"]
    unknown = judge(document)
    assert unknown.verified
    assert "not supplied" in unknown.warnings[0]


def test_a_schema_in_a_credential_counts_when_that_credential_holds() -> None:
    url = "https://schemas.example/award.json"
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["grade"]}
    holder = credential(
        type=["VerifiableCredential", "JsonSchemaCredential"],
        credentialSubject={"id": url, "type": "JsonSchema", "jsonSchema": schema},
    )
    document = sign(credential(credentialSchema={"id": url, "type": "JsonSchemaCredential"}))
    assert reasons(judge(document, {url: sign(holder)})) == ["schema-mismatch"]
    result = judge(document, {url: sign(holder, KEYS[3])})
    assert result.schemas[0].valid is None
    assert result.verified


# -- tokens


def test_an_enveloped_token_is_verified_like_a_document() -> None:
    token = issue_token(credential(), KEYS[0], verification_method=method(KEYS[0]), documents={})
    result = judge(envelop(token))
    assert result.verified
    assert result.signed_by == (ADA,)
    assert result.credential.json == credential()


def test_a_token_of_somebody_else_or_of_another_time_is_refused() -> None:
    forged = sign_token(credential(), KEYS[3], key_id=method(KEYS[3]))
    assert reasons(judge(envelop(forged))) == ["issuer-key-mismatch"]
    stolen = sign_token(credential(), KEYS[3], key_id=method(KEYS[0]))
    assert reasons(judge(envelop(stolen), checks=["proof"])) == ["signature-invalid"]
    ended = int((NOW - timedelta(days=1)).timestamp())
    expired = sign_token(credential(exp=ended), KEYS[0], key_id=method(KEYS[0]))
    assert reasons(judge(envelop(expired))) == ["expired"]
    other = sign_token(credential(iss=BABBAGE), KEYS[0], key_id=method(KEYS[0]))
    assert reasons(judge(envelop(other))) == ["token-issuer-mismatch"]


# -- joint awards


def joint(threshold: int = 2) -> dict[str, Any]:
    document = credential()
    document["@context"] = [*document["@context"], JOINT_AWARD_V1]
    co_issuers = [
        {"id": BABBAGE, "type": ["Profile"], "name": "B"},
        {"id": CURIE, "type": ["Profile"], "name": "C"},
    ]
    document["jointAward"] = {"type": ["JointAward"], "threshold": threshold, "coIssuer": co_issuers}
    return document


def issue(document: dict[str, Any], key: SigningKey, suite: str = "eddsa-rdfc-2022") -> dict[str, Any]:
    signed = issue_credential(
        document, key, verification_method=method(key), documents={}, cryptosuite=suite, created=CREATED
    )
    return signed.document


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_a_joint_award_needs_its_issuer_and_enough_others(suite: str) -> None:
    one = issue(joint(), KEYS[0], suite)
    assert reasons(judge(one)) == ["joint-award-below-threshold"]
    two = issue(one, KEYS[2], suite)
    result = judge(two)
    assert (result.verified, result.signed_by) == (True, (ADA, CURIE))
    without = {**two, "proof": [two["proof"][1]]}
    assert reasons(judge(without)) == ["joint-award-issuer-missing"]
    assert reasons(judge(issue(issue(joint(3), KEYS[0], suite), KEYS[1], suite))) == [
        "joint-award-below-threshold"
    ]


def test_a_stranger_does_not_count_towards_a_joint_award() -> None:
    document = sign(joint(), KEYS[0], KEYS[3])
    assert reasons(judge(document)) == ["joint-award-below-threshold"]
    with pytest.raises(VerificationError, match="issuer-key-mismatch"):
        issue(joint(), KEYS[3])


def test_the_threshold_cannot_be_lowered_afterwards() -> None:
    document = issue(issue(joint(3), KEYS[0]), KEYS[1])
    document["jointAward"]["threshold"] = 2
    assert "signature-invalid" in reasons(judge(document))


# -- issuing


def test_what_is_not_a_good_credential_is_not_issued() -> None:
    with pytest.raises(MalformedError, match="unheardOf"):
        check_new_credential(credential(unheardOf=1), documents={})
    bad = credential()
    del bad["credentialSubject"]["id"]
    with pytest.raises(MalformedError, match="nobody's"):
        check_new_credential(bad, documents={})
    wrong = {"id": CREDENTIALS_V2, "digestMultibase": "u" + "A" * 43}
    with pytest.raises(VerificationError, match="related-resource-mismatch"):
        check_new_credential(credential(relatedResource=wrong), documents={})
    with pytest.raises(VerificationError, match="issuer-key-mismatch"):
        issue(credential(issuer=BABBAGE), KEYS[0])


def test_a_token_carries_one_signature_over_a_credential_of_today() -> None:
    options = {"verification_method": method(KEYS[0]), "documents": {}}
    with pytest.raises(MalformedError, match="/jointAward"):
        issue_token(joint(), KEYS[0], **options)
    with pytest.raises(MalformedError, match="/proof"):
        issue_token(issue(credential(), KEYS[0]), KEYS[0], **options)


def test_version_1_1_is_issued_and_verified() -> None:
    document = {
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"],
        "type": ["VerifiableCredential"],
        "issuer": ADA,
        "issuanceDate": "2026-07-03T00:00:00Z",
        "expirationDate": "2026-11-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:1"},
    }
    signed = issue(document, KEYS[0])
    assert reasons(judge(signed)) == ["expired"]
    assert judge(signed, checks=["proof"]).verified


# -- learner records


def record(*contained: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    url = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
    vocab = "https://purl.imsglobal.org/spec/vc/clr/vocab.html#"
    terms = {
        "ClrCredential": f"{vocab}ClrCredential",
        "ClrSubject": {
            "@id": f"{vocab}ClrSubject",
            "@context": {
                "verifiableCredential": {"@id": f"{vocab}vc", "@type": "@id", "@container": "@graph"}
            },
        },
    }
    document = credential(type=["VerifiableCredential", "ClrCredential"], name="Transcript")
    document["@context"] = [CREDENTIALS_V2, url, OPEN_BADGES_V3]
    del document["awardedDate"]
    document["credentialSubject"] = {
        "id": "did:example:learner",
        "type": ["ClrSubject"],
        "verifiableCredential": list(contained),
    }
    return document, {url: {"@context": terms}}


def test_the_credentials_inside_a_record_have_to_hold_as_well() -> None:
    document, contexts = record(sign(credential()), credential())
    result = judge(sign(document), contexts)
    assert result.verified, result.problems
    assert len(result.contained) == 1
    assert any("unsigned" in warning for warning in result.warnings)
    document, contexts = record(sign(credential(), KEYS[3]))
    assert reasons(judge(sign(document), contexts)) == ["contained-invalid"]


def test_now_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        verify_credential({}, documents={}, now=datetime(2026, 1, 1))  # noqa: DTZ001


# -- what is built to be expensive


def falsely_proven(document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The document with 32 proofs over RDF, none of them true, each with these members."""
    proof = sign(credential(), suite="eddsa-rdfc-2022")["proof"]
    return {**document, "proof": [{**proof, "id": f"urn:p:{number}", **more} for number in range(32)]}


def test_the_work_on_contexts_is_counted_for_all_proofs_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of terms and nodes, expanded anew under each of 32 proofs, took 22 seconds."""
    nodes = [{"@context": {"q": "urn:q"}, "q": str(number)} for number in range(50)]
    document = credential()
    document["@context"] = [*document["@context"], {"zz": "urn:zz"}]
    costly = falsely_proven(document, zz=nodes)
    assert "context-work-too-much" not in reasons(judge(costly))
    monkeypatch.setattr("testamur.registry.rdf.processor.MAX_SHARED_CONTEXT_WORK", 2_000)
    said = reasons(judge(costly))
    assert said[0] == "signature-invalid"
    assert "context-work-too-much" in said[1:]
    assert reasons(judge(sign(credential(), suite="eddsa-rdfc-2022"))) == []


def test_a_graph_that_is_refused_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(*_: Any, subject: str, **__: Any) -> bytes:
        tried.append(subject)
        raise VerificationError("too-much-work", subject=subject, limit=1)

    monkeypatch.setattr("testamur.registry.proofs.canonicalize_rdf", refuse)
    assert reasons(judge(falsely_proven(credential())))[:32] == ["too-much-work"] * 32
    assert tried == ["document"]
