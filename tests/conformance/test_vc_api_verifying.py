"""`POST /credentials/verify` and `/presentations/verify` as the W3C's suites ask for them."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.vc_server import VcClient, key_of, vc_server
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.presentations import make_presentation
from testamur.registry.proofs import sign_document
from testamur.registry.timestamps import format_timestamp

V2 = "https://www.w3.org/ns/credentials/v2"
KEY = key_of(Algorithm.ED25519, 21)
HOLDER = key_of(Algorithm.ED25519, 22)
SUITES = ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
CHALLENGE, DOMAIN = "u7Zr0vkqKQ2mFjvG1b2hV9A", "verifier.example"


@pytest.fixture(scope="module")
def client(vectors: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VcClient]:
    documents = vectors / "http-cases" / "document-map.json"
    with vc_server(tmp_path_factory.mktemp("vc"), documents=documents) as running:
        yield running


def signed(
    suite: str = "eddsa-rdfc-2022", key: SigningKey = KEY, purpose: str = "assertionMethod", **changes: Any
) -> dict[str, Any]:
    document = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": did_key(key.public_key),
        "credentialSubject": {"id": did_key(HOLDER.public_key)},
        **changes,
    }
    return proven(document, suite, key, purpose=purpose)


def proven(
    document: dict[str, Any], suite: str = "eddsa-rdfc-2022", key: SigningKey = KEY, **more: Any
) -> dict[str, Any]:
    return sign_document(
        document,
        key,
        verification_method=did_key_verification_method(key.public_key),
        cryptosuite=suite,
        **{"created": "2026-01-01T00:00:00Z", **more},
    )


def verify(client: VcClient, credential: Any, **options: Any) -> Any:
    return client.post("/credentials/verify", {"verifiableCredential": credential, "options": options})


def present(client: VcClient, presentation: Any, **options: Any) -> Any:
    return client.post("/presentations/verify", {"verifiablePresentation": presentation, "options": options})


def without(member: str) -> Any:
    return lambda proof: proof.pop(member)


def changed(**members: Any) -> Any:
    return lambda proof: proof.update(members)


DAMAGE = [
    *map(without, ("type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue")),
    changed(proofValue=None),
    changed(proofValue="not multibase"),
    changed(proofValue=""),
    changed(proofValue=f"u{'A' * 86}"),
    changed(proofPurpose="authentication"),
    changed(proofPurpose="capabilityInvocation"),
    changed(cryptosuite="invalid-cryptosuite"),
    changed(type="UnknownProof2030"),
    changed(created="yesterday"),
    changed(created="2026-01-01T00:00:01Z"),
    changed(previousProof="urn:uuid:nowhere"),
    changed(previousProof=["urn:uuid:nowhere"]),
    changed(verificationMethod="did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#nothing"),
    changed(verificationMethod="http://169.254.169.254/latest/meta-data#key"),
    changed(expires="2026-01-02T00:00:00Z"),
]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("damage", range(len(DAMAGE)))
@pytest.mark.parametrize("options", [{}, {"checks": ["proof"]}])
def test_a_damaged_proof_is_refused_with_the_whole_result(
    client: VcClient, suite: str, damage: int, options: dict[str, Any]
) -> None:
    credential = signed(suite)
    assert verify(client, credential, **options).status == 200
    DAMAGE[damage](credential["proof"])
    answer = verify(client, credential, **options)
    assert answer.status == 400
    assert answer.body["verified"] is False
    assert answer.body["results"]["status"]
    assert all({"type", "title", "detail"} <= set(problem) for problem in answer.body["problemDetails"])
    assert answer.body["problemDetails"]


@pytest.mark.parametrize("proof", [..., None, "proof", [], [None], 4, {}])
def test_without_a_proof_nothing_is_verified(client: VcClient, proof: Any) -> None:
    credential = signed()
    credential["proof"] = proof
    if proof is ...:
        del credential["proof"]
    answer = verify(client, credential)
    assert (answer.status, answer.body["verified"]) == (400, False)


@pytest.mark.parametrize("credential", ["eyJhbGciOiJub25lIn0.e30.", "{}", 5, None, [], {}, [{}]])
def test_what_is_no_credential_is_refused(client: VcClient, credential: Any) -> None:
    answer = verify(client, credential)
    assert (answer.status, answer.body["verified"]) == (400, False)


@pytest.mark.parametrize("options", [{"checks": "proof"}, {"checks": [1]}, {"challenge": 5, "checks": 1}])
def test_options_of_the_wrong_kind_are_refused(client: VcClient, options: dict[str, Any]) -> None:
    assert verify(client, signed(), **options).status == 400


def test_a_wrong_purpose_is_refused_although_the_signature_is_good(client: VcClient) -> None:
    assert verify(client, signed(purpose="authentication"), checks=["proof"]).status == 400


def test_altered_terms_and_types_are_refused(client: VcClient) -> None:
    for suite in SUITES:
        for change in (
            {"type": ["VerifiableCredential", "https://types.example/Other"]},
            {"name": "another"},
            {"issuer": did_key(HOLDER.public_key)},
        ):
            answer = verify(client, {**signed(suite), **change}, checks=["proof"])
            assert answer.status == 400, change
    appended = {**signed("eddsa-jcs-2022"), "@context": [V2, {"added": "https://added.example/"}]}
    assert verify(client, appended, checks=["proof"]).status == 400


def test_proof_sets_and_chains_hold_only_as_a_whole(client: VcClient) -> None:
    first = signed(id="urn:uuid:0e3f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f")
    del first["proof"]
    one = proven(first, options={"id": "urn:uuid:first"})
    pair = proven(one, key=HOLDER)
    chain = proven(one, key=HOLDER, options={"previousProof": "urn:uuid:first"})
    for whole in (pair, chain):
        assert verify(client, whole, checks=["proof"]).status == 200
        broken = copy.deepcopy(whole)
        value = broken["proof"][0]["proofValue"]
        broken["proof"][0]["proofValue"] = value[:-1] + ("2" if value[-1] != "2" else "3")
        assert verify(client, broken, checks=["proof"]).status == 400
    alone = {**chain, "proof": [chain["proof"][1]]}
    assert verify(client, alone, checks=["proof"]).status == 400


def test_whose_key_it_is_counts_unless_only_the_proof_is_asked(client: VcClient) -> None:
    foreign = signed()
    del foreign["proof"]
    foreign = proven(foreign, key=HOLDER)
    assert verify(client, foreign, checks=["proof"]).status == 200
    assert verify(client, foreign).status == 400
    assert verify(client, foreign, checks=["unheard of"]).status == 400


def test_the_answer_is_as_long_as_it_is_wanted(client: VcClient) -> None:
    answer = verify(client, signed(), returnCredential=True, returnResults=False, returnProblemDetails=False)
    assert set(answer.body) == {"verified", "credential", "warnings"}
    body = {"verifiableCredential": {}, "options": {}}
    vcalm = client.post("/credentials/verify?vcalm=true", body)
    assert (vcalm.status, vcalm.body["verified"]) == (200, False)
    assert client.post("/credentials/verify?vcalm=maybe", body).status == 400


# ---------------------------------------------------------------------------------------------- presentations


def presentation(credentials: list[Any], suite: str = "eddsa-rdfc-2022", **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    made = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        **({"verifiableCredential": credentials} if credentials else {}),
        **changes,
    }
    return proven(
        made,
        suite,
        HOLDER,
        created=format_timestamp(now),
        purpose="authentication",
        options={"challenge": CHALLENGE, "domain": DOMAIN},
    )


ASKED = {"challenge": CHALLENGE, "domain": DOMAIN, "checks": ["proof"], "unheardOf": {}}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"holder": did_key(HOLDER.public_key)},
        {"holder": {"id": did_key(HOLDER.public_key)}},
        {"id": "urn:uuid:8e2f4d2c-2b1a-4c3d-9e8f-0a1b2c3d4e5f"},
        {"@context": [V2, {"points": "https://points.example/#points"}]},
        {"type": ["VerifiablePresentation", "https://types.example/Shown"]},
    ],
    ids=repr,
)
def test_presentations_that_the_data_model_allows_are_accepted(
    client: VcClient, suite: str, changes: dict[str, Any]
) -> None:
    for credentials in ([], [signed()], [signed(), signed("eddsa-jcs-2022")]):
        answer = present(client, presentation(credentials, suite, **changes), **ASKED)
        assert (answer.status, answer.body["verified"]) == (200, True), answer.body
        assert len(answer.body["results"]["credentials"]) == len(credentials)
        assert answer.body["results"]["presentation"]["challenge"] == CHALLENGE


@pytest.mark.parametrize(
    "change",
    [
        {"@context": None},
        {"@context": [V2, 4]},
        {"@context": ["https://www.w3.org/ns/credentials/examples/v2", V2]},
        {"@context": ["https://www.w3.org/ns/credentials/examples/v2"]},
        {"type": None},
        {"type": ["Shown"]},
        {"type": []},
        {"id": "not a url"},
        {"holder": 5},
        {"holder": "no url"},
        {"holder": {"name": "no id"}},
        {"holder": did_key(KEY.public_key)},
        {"verifiableCredential": ["eyJhbGciOiJub25lIn0.e30."]},
        {"verifiableCredential": "https://credentials.example/1"},
        {"verifiableCredential": [5]},
        {"proof": None},
        {"proof": []},
    ],
    ids=repr,
)
def test_presentations_that_it_forbids_are_refused(client: VcClient, change: dict[str, Any]) -> None:
    shown = presentation([signed()])
    assert present(client, shown, **ASKED).status == 200
    assert present(client, {**shown, **change}, **ASKED).status == 400


def test_only_a_presentation_for_this_occasion_is_accepted(client: VcClient) -> None:
    shown = presentation([signed()])
    for wrong in ({"challenge": "another"}, {"domain": "elsewhere.example"}):
        assert present(client, shown, **{**ASKED, **wrong}).status == 400
    assert present(client, proven_as_assertion(), **ASKED).status == 400


def proven_as_assertion() -> dict[str, Any]:
    shown = presentation([])
    del shown["proof"]
    return proven(shown, key=HOLDER, options={"challenge": CHALLENGE, "domain": DOMAIN})


def test_one_credential_that_does_not_hold_spoils_the_presentation(client: VcClient) -> None:
    good, bad = signed(), signed()
    bad["credentialSubject"] = {"id": "did:example:somebody-else"}
    answer = present(client, presentation([good, bad]), **ASKED)
    assert (answer.status, answer.body["verified"]) == (400, False)
    assert [item["verified"] for item in answer.body["results"]["credentials"]] == [True, False]


def test_a_wallets_presentation_is_accepted(client: VcClient) -> None:
    now = datetime.now(UTC)
    shown = make_presentation(
        [signed()],
        [HOLDER],
        challenge=CHALLENGE,
        domain=DOMAIN,
        created=now - timedelta(seconds=5),
        expires=now + timedelta(minutes=5),
    )
    assert present(client, shown, challenge=CHALLENGE, domain=DOMAIN).status == 200
    assert json.dumps(shown)


ALUMNI = {"AlumniCredential": "https://www.example.org/AlumniCredential"}


@pytest.mark.parametrize("suite", SUITES)
def test_inline_definitions_may_stand_in_a_context_document_of_their_own(
    client: VcClient, suite: str
) -> None:
    """As in the proof chains of the Data Integrity suites; processors look into it, so what is signed is the same."""
    plain = {"@context": [V2, ALUMNI], "type": ["VerifiableCredential", "AlumniCredential"]}
    wrapped = {**plain, "@context": [V2, {"@context": ALUMNI}]}
    for changes in (plain, wrapped):
        assert verify(client, signed(suite, **changes)).status == 200
    moved = {**signed("eddsa-rdfc-2022", **plain), "@context": wrapped["@context"]}
    assert verify(client, moved).status == 200


@pytest.mark.parametrize(
    "context",
    [
        {
            "@context": ALUMNI,
            "alumniOf": "https://www.example.org/alumniOf",
        },  # processors drop what is beside
        {"@context": {"@context": ALUMNI}},
        {"@context": [ALUMNI]},
        {"@context": V2},
        {"@context": {**ALUMNI, "@import": V2}},
        {"@context": {"alumniOf": {"@reverse": "https://www.example.org/alumniOf"}}},
    ],
)
def test_what_else_such_a_context_document_holds_is_refused(client: VcClient, context: Any) -> None:
    credential = {**signed(), "@context": [V2, context]}
    answer = verify(client, credential, checks=["proof"])
    assert answer.status == 400
    assert answer.body["problemDetails"][0]["title"] == "malformed"
    assert "is not used in credentials" in str(answer.body["problemDetails"])
