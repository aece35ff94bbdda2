import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest

from fakes.awards import award
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import expand_safely, is_absolute_iri

GONE = object()


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    document = deepcopy(award())
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return document


def test_an_award_expands_and_keeps_every_term() -> None:
    (expanded,) = expand_safely(award())
    text = str(expanded)
    for term in (
        "https://w3id.org/testamur/vocab#notionalWorkload",
        "https://w3id.org/testamur/vocab#MicroCredential",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#achievement",
        "https://www.w3.org/ns/credentials/status#statusListIndex",
        "https://www.w3.org/2018/credentials#issuer",
    ):
        assert term in text


ACHIEVEMENT = ("credentialSubject", "achievement")


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("workloadHours",), 125, "'workloadHours'"),
        ((*ACHIEVEMENT, "notionalWorklaod"), "PT125H", "'notionalWorklaod'"),
        (
            ("credentialSubject", "notionalWorkload"),
            "PT125H",
            "'notionalWorkload'",
        ),  # of another type's context
        (("type",), ["VerifiableCredential", "AchievementCredential", "Award"], "type 'Award'"),
        ((*ACHIEVEMENT, "type"), ["Achievement", "Course", "MicroCredential"], "type 'Course'"),
        (("id",), "1234", "'1234'"),
        (("id",), "", "''"),
        (("id",), "/credentials/1", "'credentials/1'"),
        (("id",), "//elsewhere.example/1", "elsewhere.example"),
        (("id",), "#1", "'#1'"),
        (("id",), "did: ada", "'did: ada'"),
        (("credentialSubject", "id"), "@learner", "None"),
        (("issuer", "id"), {"name": "x"}, "@id"),
        (("name",), None, "credential /name"),
        ((*ACHIEVEMENT, "alignment", 0, "targetCode"), None, "/alignment/0/targetCode"),
        (("name",), {"@value": "x", "@language": "ar", "@direction": "up"}, "ltr or rtl"),
        (("name",), {"@value": 5, "@direction": "rtl"}, "'@direction'"),
        (("issuer", "@direction"), "rtl", "'@direction'"),
        (("name",), {"@value": "x", "@language": "not a tag"}, "language tag"),
        (("@graph",), [], "'@graph'"),
        (("@included",), [], "'@included'"),
        (("@Type",), "x", "'@Type'"),
    ],
)
def test_whatever_would_be_lost_or_ambiguous_is_refused_by_name(
    path: tuple[str | int, ...], value: Any, named: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        expand_safely(changed(path, value), subject="credential")
    assert named in str(caught.value)


def test_an_unknown_context_names_its_url_and_the_cure() -> None:
    document = award()
    document["@context"].append("https://unknown.example/v1")
    with pytest.raises(MalformedError, match=r"https://unknown\.example/v1 .* --context-file"):
        expand_safely(document)


def test_a_context_can_be_passed_in_and_is_forgotten_afterwards() -> None:
    url = "https://extra.example/v1"
    document = award()
    document["@context"].append(url)
    document["roomNumber"] = "B 12"
    extra: dict[str, Any] = {url: {"@context": {"roomNumber": "https://extra.example/#room"}}}
    assert "https://extra.example/#room" in str(expand_safely(document, contexts=extra))
    with pytest.raises(MalformedError, match="not bundled"):
        expand_safely(document)
    other: dict[str, Any] = {url: {"@context": {"floor": "https://extra.example/#floor"}}}
    with pytest.raises(MalformedError, match="'roomNumber'"):
        expand_safely(document, contexts=other)


def test_a_bundled_context_cannot_be_replaced() -> None:
    document = {**award(), "foo": "x"}
    lies: dict[str, Any] = {
        url: {"@context": {"@vocab": "https://lies.example/#"}} for url in award()["@context"]
    }
    with pytest.raises(MalformedError, match="'foo'"):
        expand_safely(document, contexts=lies)


def test_a_protected_term_cannot_be_redefined() -> None:
    document = award()
    document["@context"].append({"name": "https://lies.example/#name"})
    with pytest.raises(MalformedError, match="protected"):
        expand_safely(document)


@pytest.mark.parametrize("context", [5, "relative", {"@import": "x"}, {"a": {"@id": 5}}, [[]], {"@fast": 1}])
def test_a_context_that_is_none_is_malformed(context: Any) -> None:
    document = award()
    document["@context"].append(context)
    with pytest.raises(MalformedError):
        expand_safely(document)


def test_too_many_contexts_are_refused_before_they_are_processed() -> None:
    document = award()
    document["@context"] = award()["@context"] * 6
    with pytest.raises(MalformedError, match="18 contexts, more than 16"):
        expand_safely(document)


def test_a_document_that_says_nothing_is_refused() -> None:
    with pytest.raises(MalformedError, match="says nothing"):
        expand_safely({"@context": award()["@context"]})


def test_too_many_values_are_refused() -> None:
    document = {**award(), "evidence": [{"type": "Evidence"}] * 20_000}
    with pytest.raises(MalformedError, match="more than 20000 values"):
        expand_safely(document)


@pytest.mark.parametrize(
    ("text", "absolute"),
    [
        ("did:web:ada.example", True),
        ("urn:uuid:1", True),
        ("https://ada.example/ü?x=1#f", True),
        ("https:", True),
        ("ada", False),
        ("//ada.example", False),
        ("_:b0", False),
        ("1a:b", False),
        ("https://ada.example/a b", False),
        ("https://ada.example/\n", False),
        ("javascript:<script>", False),
    ],
)
def test_absolute_references_have_a_scheme_and_no_spaces(text: str, absolute: bool) -> None:
    assert is_absolute_iri(text) is absolute


def test_the_processor_is_loaded_on_first_use_only() -> None:
    code = (
        "import sys, testamur.registry.jsonld, testamur.registry.credentials;"
        "sys.exit('pyld' in sys.modules or 'lxml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


TERMS = {"room": "https://rooms.example/#room"}


def test_a_context_in_a_list_may_be_written_as_a_document_and_means_the_same() -> None:
    plain, wrapped = award(), award()
    for document, context in (plain, TERMS), (wrapped, {"@context": TERMS}):
        document["room"] = "B 12"
        document["@context"] = [*document["@context"], context]
    assert "https://rooms.example/#room" in str(expand_safely(plain))
    assert expand_safely(wrapped) == expand_safely(plain)


@pytest.mark.parametrize(
    "context",
    [
        [{"@context": TERMS, "seat": "https://rooms.example/#seat"}],
        [{"@context": {"@context": TERMS}}],
        [{"@context": [TERMS]}],
        [{"room": {"@id": "https://rooms.example/#room", "@context": {"@context": TERMS}}}],
        [{"@context": {"room": {"@id": "https://rooms.example/#room", "@nest": "seat"}}}],
        {"@context": TERMS},
    ],
)
def test_a_context_within_a_context_is_otherwise_refused(context: Any) -> None:
    document = award()
    document["credentialSubject"]["@context"] = context
    with pytest.raises(MalformedError, match="is not used in credentials"):
        expand_safely(document)
