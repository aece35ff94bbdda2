from typing import Any

import pytest

from fakes.awards import award
from fakes.issuers import signing_key
from testamur.registry.contexts import JOINT_AWARD_V1
from testamur.registry.credentials import parse_credential
from testamur.registry.dids import did_key
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.joint_awards import JointAward, verify_threshold
from testamur.registry.jsonld import expand_safely

ADA, BABBAGE, CURIE = (did_key(signing_key(number).public_key) for number in (1, 2, 3))


def joint(threshold: Any = 2, **changes: Any) -> dict[str, Any]:
    document = award()
    document["issuer"]["id"] = ADA
    document["@context"].append(JOINT_AWARD_V1)
    document["jointAward"] = {
        "type": ["JointAward"],
        "threshold": threshold,
        "coIssuer": [
            {"id": BABBAGE, "type": ["Profile"], "name": "Babbage Institute"},
            {"id": CURIE, "type": ["Profile"], "name": "Curie School"},
        ],
        **changes,
    }
    return document


def test_a_joint_award_names_its_institutions_and_how_many_have_to_sign() -> None:
    found = parse_credential(joint()).joint_award
    assert found == JointAward(threshold=2, institutions=(ADA, BABBAGE, CURIE))
    assert parse_credential(award()).joint_award is None


def test_every_term_of_it_has_a_meaning() -> None:
    expanded: Any = expand_safely(joint())
    (found,) = expanded[0]["https://w3id.org/testamur/vocab#jointAward"]
    assert [item["@id"] for item in found["https://w3id.org/testamur/vocab#coIssuer"]] == [BABBAGE, CURIE]
    without = joint()
    without["@context"].remove(JOINT_AWARD_V1)
    with pytest.raises(MalformedError, match="jointAward"):
        expand_safely(without)


@pytest.mark.parametrize(
    ("threshold", "changes", "pointer"),
    [
        (1, {}, "/threshold"),
        (4, {}, "/threshold"),
        ("2", {}, "/threshold"),
        (True, {}, "/threshold"),
        (2.0, {}, "/threshold"),
        (2, {"type": "Award"}, "/type"),
        (2, {"coIssuer": []}, "/coIssuer"),
        (2, {"coIssuer": [BABBAGE]}, "/coIssuer/0"),
        (2, {"coIssuer": [{"id": "babbage"}]}, "/coIssuer/0/id"),
        (2, {"coIssuer": [{"id": ADA}]}, "/coIssuer/0/id"),
        (2, {"coIssuer": [{"id": BABBAGE}, {"id": BABBAGE}]}, "/coIssuer/1/id"),
        (2, {"coIssuer": [{"id": f"did:web:u{n}.example"} for n in range(32)]}, "/coIssuer"),
        (2, {"coIssuer": {"id": BABBAGE, "name": 5}}, "/coIssuer/name"),
    ],
)
def test_every_refusal_names_the_member(threshold: Any, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_credential(joint(threshold, **changes))
    assert caught.value.subject == f"credential /jointAward{pointer}"


def test_the_issuer_and_enough_others_have_to_sign() -> None:
    found = JointAward(threshold=2, institutions=(ADA, BABBAGE, CURIE))
    assert verify_threshold(found, {CURIE, ADA, "did:web:stranger.example"}) == (ADA, CURIE)
    for signers, reason in (({ADA}, "below-threshold"), ({BABBAGE, CURIE}, "issuer-missing"), ((), "issuer")):
        with pytest.raises(VerificationError, match=reason):
            verify_threshold(found, signers)
    with pytest.raises(VerificationError, match="below-threshold"):
        verify_threshold(found, {ADA, "did:web:stranger.example"})
