"""Presentations: whose they are, for whom and when; and everything that a thief could make of one."""

import copy
from datetime import timedelta

import pytest

from fakes.awards import award
from fakes.holders import CHALLENGE, DID, DOMAIN, KEY, OTHER_DID, OTHER_KEY, bound_to, presented
from fakes.issuers import signing_key
from fakes.whole_registry import NOW
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.errors import MalformedError
from testamur.registry.presentations import (
    AUTHENTICATION,
    MAX_CHALLENGE_CHARACTERS,
    MAX_CLOCK_SKEW,
    MAX_PRESENTED,
    make_presentation,
    parse_presentation,
    verify_holder,
    verify_presentation,
)
from testamur.registry.proofs import sign_document
from testamur.registry.timestamps import format_timestamp

ISSUER = signing_key(5)
WORLD = bound_to(DID)


def issued():
    """A credential of an issuer whose key is its name, without status lists."""
    made = award()
    made.pop("credentialStatus")
    made["issuer"] = {**made["issuer"], "id": did_key(ISSUER.public_key)}
    made["credentialSubject"]["id"] = DID
    return sign_document(
        made, ISSUER, verification_method=did_key_verification_method(ISSUER.public_key), created=None
    )


def shown(document=None, **options):
    options = {"documents": {}, "now": NOW, "challenge": CHALLENGE, "domain": DOMAIN, **options}
    return verify_holder(parse_presentation(document or presented([WORLD])), **options)


def reasons(found):
    return [problem.reason for problem in found.problems]


def signed(document, key=KEY, **options):
    """Signed by hand, with members that `make_presentation` would refuse or leave out."""
    given = {"challenge": CHALLENGE, "domain": DOMAIN, "expires": format_timestamp(NOW + timedelta(hours=1))}
    return sign_document(
        document,
        key,
        verification_method=did_key_verification_method(key.public_key),
        created=options.pop("created", format_timestamp(NOW)),
        purpose=options.pop("purpose", AUTHENTICATION),
        options={name: value for name, value in {**given, **options}.items() if value is not None},
    )


def bare(**changes):
    document = {name: value for name, value in presented([WORLD]).items() if name != "proof"}
    return {**document, **changes}


# -- the holder


@pytest.mark.parametrize("cryptosuite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_whoever_signed_it_is_proven_to_show_it(cryptosuite):
    document = {**bare(), "verifiableCredential": [issued()]}
    made = make_presentation(
        document["verifiableCredential"],
        [KEY],
        challenge=CHALLENGE,
        domain=DOMAIN,
        created=NOW,
        expires=NOW + timedelta(minutes=1),
        cryptosuite=cryptosuite,
    )
    found = shown(made)
    assert (found.controllers, reasons(found)) == ((DID,), [])


def test_several_keys_sign_one_presentation_and_all_are_proven():
    found = shown(presented([bound_to(DID), bound_to(OTHER_DID)], [KEY, OTHER_KEY]))
    assert found.controllers == tuple(sorted((DID, OTHER_DID)))


def test_of_several_proofs_one_that_fails_leaves_nobody():
    made = presented([WORLD], [KEY, OTHER_KEY])
    made["proof"][1]["challenge"] = "another"
    found = shown(made)
    assert (found.controllers, reasons(found)) == ((), ["proof-challenge-mismatch"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"challenge": "another"}, "proof-challenge-mismatch"),
        ({"domain": "other.example"}, "proof-domain-mismatch"),
        ({"now": NOW + timedelta(minutes=15, seconds=1)}, "proof-expired"),
        ({"now": NOW - MAX_CLOCK_SKEW - timedelta(seconds=1)}, "proof-created-later"),
    ],
)
def test_a_presentation_for_another_question_verifier_or_time_is_refused(options, reason):
    found = shown(**options)
    assert (found.controllers, reasons(found)) == ((), [reason])


@pytest.mark.parametrize("now", [NOW + timedelta(minutes=15), NOW - MAX_CLOCK_SKEW])
def test_it_is_good_until_its_very_end_and_for_a_clock_that_is_a_little_slow(now):
    assert shown(now=now).controllers == (DID,)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"challenge": None}, "proof-challenge-mismatch"),
        ({"domain": None}, "proof-domain-mismatch"),
        ({"purpose": "assertionMethod"}, "proof-purpose-mismatch"),
    ],
)
def test_what_a_proof_leaves_out_or_is_meant_for_is_not_made_up(options, reason):
    assert reasons(shown(signed(bare(), **options))) == [reason]


def test_one_domain_of_several_is_enough():
    assert shown(signed(bare(), domain=["else.example", DOMAIN])).controllers == (DID,)


def test_an_unsigned_presentation_is_nobodys():
    assert reasons(shown(bare())) == ["proof-missing"]


def test_a_holder_who_did_not_sign_is_not_the_holder():
    assert reasons(shown(signed(bare(holder=OTHER_DID)))) == ["presentation-holder-mismatch"]
    assert shown(signed(bare(holder={"id": DID}))).controllers == (DID,)


def test_a_proof_under_a_key_that_is_not_the_named_one_is_false():
    made = signed(bare(), OTHER_KEY)
    made["proof"]["verificationMethod"] = did_key_verification_method(KEY.public_key)
    assert reasons(shown(made)) == ["signature-invalid"]


def test_contexts_that_were_added_later_are_not_signed():
    made = presented([WORLD])
    made["@context"] = [*made["@context"], "https://www.w3.org/ns/credentials/examples/v2"]
    assert reasons(shown(made)) == ["proof-context-mismatch"]


@pytest.mark.parametrize("change", ["swap", "subset", "more", "order", "none"])
def test_credentials_are_neither_swapped_nor_taken_out_nor_put_in(change):
    made = presented([WORLD, bound_to(OTHER_DID)])
    listed = made["verifiableCredential"]
    made["verifiableCredential"] = {
        "swap": [listed[0], bound_to().credential],
        "subset": listed[:1],
        "more": [*listed, bound_to().credential],
        "order": listed[::-1],
        "none": [],
    }[change]
    if change == "none":
        del made["verifiableCredential"]
    assert reasons(shown(made)) == ["signature-invalid"]


UNKNOWN_CONTEXT = "https://unknown.example/context/v1"


def over_an_unknown_context(**options):
    """(presentation, its JSON proof, an RDF proof that nobody can check here)."""
    document = bare()
    document["@context"] = [*document["@context"], UNKNOWN_CONTEXT]
    proof = signed(document, **options)["proof"]
    rdf = {name: value for name, value in proof.items() if name != "@context"}
    return document, proof, {**rdf, "cryptosuite": "eddsa-rdfc-2022"}


def test_what_cannot_be_told_hides_nothing_that_is_known_to_be_wrong():
    document, proof, rdf = over_an_unknown_context()
    assert reasons(shown({**document, "proof": [proof, rdf]})) == ["context-unknown"]
    false = {**proof, "created": format_timestamp(NOW - timedelta(minutes=1))}
    found = shown({**document, "proof": [false, rdf]})
    assert reasons(found) == ["signature-invalid", "context-unknown"]
    replayed = {**rdf, "challenge": "another"}
    found = shown({**document, "proof": [proof, replayed]})
    assert reasons(found) == ["proof-challenge-mismatch"]


def test_what_the_envelope_shows_to_be_wrong_needs_no_context():
    later = format_timestamp(NOW + MAX_CLOCK_SKEW + timedelta(seconds=1))
    document, proof, rdf = over_an_unknown_context(created=later)
    assert reasons(shown({**document, "proof": [proof, rdf]})) == ["context-unknown", "proof-created-later"]
    document, proof, rdf = over_an_unknown_context()
    document["@context"] = [*document["@context"], {"name": "https://evil.example/#insult"}]
    found = shown({**document, "proof": [proof, rdf]})
    assert reasons(found) == ["context-unknown", "proof-context-mismatch"]
    document, _, rdf = over_an_unknown_context()
    found = shown({**document, "holder": OTHER_DID, "proof": [rdf]})
    assert reasons(found) == ["context-unknown", "presentation-holder-mismatch"]


def test_a_holder_whose_document_is_not_there_cannot_be_told():
    made = signed(bare(holder="did:web:learner.example"))
    made["proof"]["verificationMethod"] = "did:web:learner.example#key"
    assert reasons(shown(made)) == ["controller-document-missing"]


# -- shape


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"@context": []}, "presentation /@context"),
        ({"@context": ["https://w3id.org/security/v2"]}, "presentation /@context/0"),
        ({"type": ["VerifiableCredential"]}, "presentation /type"),
        ({"id": 7}, "presentation /id"),
        ({"holder": 7}, "presentation /holder"),
        ({"holder": {"name": "me"}}, "presentation /holder /id"),
        ({"verifiableCredential": "eyJ…"}, "presentation /verifiableCredential"),
        ({"verifiableCredential": [{}] * (MAX_PRESENTED + 1)}, "presentation /verifiableCredential"),
        ({"proof": []}, "presentation /proof"),
        ({"proof": {"type": "DataIntegrityProof", "challenge": 7}}, "presentation /proof/0/challenge"),
        ({"proof": {"type": "DataIntegrityProof", "domain": []}}, "presentation /proof/0/domain"),
        ({"proof": {"type": "DataIntegrityProof", "domain": [DOMAIN, ""]}}, "presentation /proof/0/domain"),
    ],
)
def test_a_presentation_without_its_shape_is_refused_where_it_is_wrong(change, where):
    with pytest.raises(MalformedError) as caught:
        parse_presentation(bare(**change))
    assert caught.value.subject.replace(" /", "/") == where.replace(" /", "/")


@pytest.mark.parametrize("value", [None, 7, "x", [], {}])
def test_what_is_no_presentation_at_all_is_refused(value):
    with pytest.raises(MalformedError):
        parse_presentation(value)


@pytest.mark.parametrize("name", ["challenge", "domain"])
@pytest.mark.parametrize("value", ["", "x" * (MAX_CHALLENGE_CHARACTERS + 1)])
def test_a_challenge_that_nobody_could_verify_is_not_signed(name, value):
    with pytest.raises(MalformedError):
        presented([WORLD], **{name: value})


def test_a_presentation_has_a_key_and_lasts():
    with pytest.raises(ValueError, match="has a key"):
        presented([WORLD], [])
    with pytest.raises(ValueError, match="expires after"):
        presented([WORLD], expires=NOW)
    with pytest.raises(ValueError, match="aware"):
        shown(now=NOW.replace(tzinfo=None))


# -- by their own proofs, as the VC API asks


def whole(credentials, **options):
    document = signed(bare(verifiableCredential=credentials))
    options = {"documents": {}, "now": NOW, "challenge": CHALLENGE, "domain": DOMAIN, **options}
    return verify_presentation(document, **options)


def test_a_presentation_of_credentials_that_hold_is_verified():
    result = whole([issued()])
    answer = result.to_json()
    assert result.verified, answer
    assert answer["problemDetails"] == []
    assert answer["results"]["presentation"]["holder"] == DID
    assert [item["verified"] for item in answer["results"]["credentials"]] == [True]


def test_one_credential_that_does_not_hold_fails_all_and_is_named():
    altered = copy.deepcopy(issued())
    altered["credentialSubject"]["creditsEarned"] = 60
    result = whole([issued(), altered])
    assert not result.verified
    assert [problem.where for problem in result.problems] == ["presentation /verifiableCredential/1"]
    assert [item.verified for item in result.credentials] == [True, False]


def test_a_wrong_challenge_fails_a_presentation_of_good_credentials():
    result = whole([issued()], challenge="another")
    assert (result.verified, reasons(result)) == (False, ["proof-challenge-mismatch"])
    assert [item.verified for item in result.credentials] == [True]


def test_a_term_that_no_context_defines_is_not_overlooked():
    document = signed(bare(verifiableCredential=[issued()], title="not defined"))
    result = verify_presentation(document, documents={}, now=NOW)
    assert not result.verified
    assert result.problems[0].part == "model"


def test_what_is_no_presentation_is_a_result_and_no_exception():
    result = verify_presentation({"type": "x"}, documents={}, now=NOW)
    assert (result.verified, result.presentation, result.credentials) == (False, None, ())
    assert result.to_json()["results"]["presentation"]["holder"] is None
