from copy import deepcopy
from typing import Any

import pytest

from fakes.awards import award
from testamur.registry.contexts import CREDENTIALS_V2, OPEN_BADGES_V3
from testamur.registry.credentials import parse_credential
from testamur.registry.errors import MalformedError
from testamur.registry.learner_records import contained_credentials

CLR_CONTEXT = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"


def record() -> dict[str, Any]:
    return {
        "@context": [CREDENTIALS_V2, CLR_CONTEXT, OPEN_BADGES_V3],
        "id": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc35",
        "type": ["VerifiableCredential", "ClrCredential"],
        "issuer": {"id": "did:web:ada.example", "type": ["Profile"], "name": "University of Ada"},
        "validFrom": "2026-07-03T00:00:00Z",
        "name": "Transcript of records",
        "partial": False,
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["ClrSubject"],
            "verifiableCredential": [award()],
            "achievement": [{"id": "https://ada.example/a/1", "type": ["Achievement"], "name": "A"}],
            "association": [
                {
                    "type": ["Association"],
                    "associationType": "isChildOf",
                    "sourceId": "https://ada.example/a/1",
                    "targetId": "https://ada.example/a/2",
                }
            ],
        },
    }


def test_a_record_holds_credentials() -> None:
    credential = parse_credential(record())
    assert credential.profile == "Comprehensive Learner Record 2.0"
    ((where, inner),) = contained_credentials(credential.json)
    assert where == "credential /credentialSubject/verifiableCredential/0"
    assert inner == award()


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("@context",), [CREDENTIALS_V2], "/@context"),
        (("id",), None, "/id"),
        (("name",), " ", "/name"),
        (("validFrom",), None, "/validFrom"),
        (("partial",), "no", "/partial"),
        (("issuer",), {"id": "did:web:ada.example"}, "/issuer/type"),
        (("credentialSubject",), [{"id": "did:example:1"}], "/credentialSubject"),
        (("credentialSubject", "type"), ["AchievementSubject"], "/credentialSubject/type"),
        (("credentialSubject", "id"), None, "/credentialSubject"),
        (("credentialSubject", "verifiableCredential"), None, "/credentialSubject/verifiableCredential"),
        (("credentialSubject", "verifiableCredential"), ["eyJ"], "/verifiableCredential/0"),
        (("credentialSubject", "verifiableCredential"), [{"type": "Note"}], "/verifiableCredential/0/type"),
        (("credentialSubject", "association", 0, "associationType"), "isLike", "/0/associationType"),
        (("credentialSubject", "association", 0, "targetId"), "a2", "/association/0/targetId"),
        (("credentialSubject", "achievement", 0, "name"), 5, "/achievement/0/name"),
    ],
)
def test_every_refusal_names_the_member(path: tuple[str | int, ...], value: Any, pointer: str) -> None:
    document: Any = deepcopy(record())
    target = document
    for step in path[:-1]:
        target = target[step]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    with pytest.raises(MalformedError) as caught:
        parse_credential(document)
    assert caught.value.subject.endswith(pointer)
