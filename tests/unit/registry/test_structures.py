from copy import deepcopy
from typing import Any

import pytest

from fakes.awards import award
from testamur.registry.structures import string_class, structure_key

BASE = structure_key(award())


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    document = deepcopy(award())
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "urn:uuid:00000000-0000-4000-8000-000000000000"),
        (("name",), "Another name"),
        (("credentialSubject", "id"), "did:key:z6Mk"),
        (("credentialSubject", "creditsEarned"), 2.5),
        (("credentialStatus", 0, "statusListIndex"), "99999"),
        (("credentialSubject", "result", 0, "value"), "A"),
    ],
)
def test_awards_that_differ_in_values_alone_share_a_structure(
    path: tuple[str | int, ...], value: Any
) -> None:
    assert structure_key(changed(path, value)) == BASE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("@context",), award()["@context"][:2]),
        (("@context", 2), {"a": "https://a.example"}),
        (("type",), ["AchievementCredential", "VerifiableCredential"]),
        (("type",), ["VerifiableCredential", "OpenBadgeCredential"]),
        (("credentialSubject", "achievement", "type"), ["Achievement", "MicroCredentia1"]),
        (("extra",), "x"),
        (("id",), "1234"),
        (("credentialSubject", "id"), "learner"),
        (("credentialSubject", "id"), "_:b0"),
        (("credentialSubject", "id"), "@learner"),
        (("name",), 5),
        (("name",), None),
        (("name",), True),
        (("name",), ["Data Literacy"]),
        (("name",), {"@value": "Data Literacy"}),
        (("credentialSubject", "result"), award()["credentialSubject"]["result"] * 2),
    ],
)
def test_whatever_safety_can_depend_on_changes_the_structure(path: tuple[str | int, ...], value: Any) -> None:
    assert structure_key(changed(path, value)) != BASE


def test_values_that_are_looked_up_as_terms_are_part_of_the_structure() -> None:
    # proofPurpose is typed @vocab in the bundled contexts, and `kind` is another name for @type here
    contexts: dict[str, Any] = {"https://k.example": {"@context": {"kind": "@type"}}}
    base = {"@context": ["https://www.w3.org/ns/credentials/v2", "https://k.example"]}
    one = {**base, "proof": {"proofPurpose": "assertionMethod"}, "kind": "Person"}
    for other in ({"proof": {"proofPurpose": "Other"}}, {"kind": "Robot"}):
        assert structure_key({**one, **other}, contexts=contexts) != structure_key(one, contexts=contexts)


def test_members_cannot_be_confused_with_values_or_neighbours() -> None:
    assert structure_key({"ab": "x", "c": "y"}) != structure_key({"a": "x", "bc": "y"})
    assert structure_key({"type": "a", "b": "x"}) != structure_key({"type": "a1:b"})
    assert structure_key({"a": {"b": "x"}, "c": "y"}) != structure_key({"a": {"b": "x", "c": "y"}})


@pytest.mark.parametrize(
    ("text", "letter"), [("_:b", "B"), ("urn:a", "I"), ("@id", "K"), ("@1", "T"), ("plain", "T"), ("", "T")]
)
def test_strings_have_four_classes(text: str, letter: str) -> None:
    assert string_class(text) == letter


@pytest.mark.parametrize("value", [2**53, -0.0, float("inf")])
def test_a_number_that_others_read_differently_is_a_structure_of_its_own(value: float) -> None:
    path = ("credentialSubject", "creditsEarned")
    assert structure_key(changed(path, value)) not in {BASE, structure_key(changed(path, 5))}


@pytest.mark.parametrize(
    "definition", ["@value", "@language", {"@id": "ex:x", "@type": "http://www.w3.org/2001/XMLSchema#double"}]
)
def test_texts_that_must_have_a_form_are_told_apart(definition: Any) -> None:
    def key(text: str) -> bytes:
        return structure_key({"@context": {"x": definition}, "x": text})

    assert key("5") != key("five")
