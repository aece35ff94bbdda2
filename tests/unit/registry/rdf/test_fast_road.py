"""What the fast road is certain of, what it leaves to the processor, and that its memory is bounded."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fakes.awards import award
from fakes.json_ld import EVERYTHING, EVERYTHING_DOCUMENT
from testamur.registry.contexts import CREDENTIALS_V2, MICRO_CREDENTIAL_V1, OPEN_BADGES_V3
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.jsonld import MAX_NODES
from testamur.registry.rdf import compiled_contexts, processor
from testamur.registry.rdf.by_processor import quads_by_processor
from testamur.registry.rdf.canonical import canonicalize_quads
from testamur.registry.rdf.compiled_contexts import ContextSpace, space_of
from testamur.registry.rdf.fast import quads_by_walk
from testamur.registry.rdf.terms import NotCertainError
from testamur.registry.rdfc import ContextSet, canonicalize_rdf, check_terms

CONTEXTS = ContextSet({EVERYTHING: EVERYTHING_DOCUMENT})
EX = "https://everything.example/#"
XSD = "http://www.w3.org/2001/XMLSchema#"


def said(**members: Any) -> list[str]:
    """The statements about https://a.example/1, without the subject."""
    document = {"@context": EVERYTHING, "@id": "https://a.example/1", **members}
    text = canonicalize_quads(quads_by_walk(document, space_of(CONTEXTS)))
    assert text == canonicalize_quads(quads_by_processor(document, contexts=CONTEXTS))
    return [
        line.removeprefix("<https://a.example/1> ").removesuffix(" .").replace(EX, "ex:").replace(XSD, "xsd:")
        for line in text.decode().splitlines()
    ]


@pytest.mark.parametrize(
    ("members", "statement"),
    [
        ({"text": "Ada"}, '<ex:text> "Ada"'),
        ({"label": "Ada"}, '<ex:label> "Ada"@de'),
        ({"map": {"EN-gb": "Ada"}}, '<ex:map> "Ada"@en-gb'),
        ({"date": "2026-01-01T00:00:00Z"}, '<ex:date> "2026-01-01T00:00:00Z"^^<xsd:dateTime>'),
        ({"text": True}, '<ex:text> "true"^^<xsd:boolean>'),
        ({"text": 5}, '<ex:text> "5"^^<xsd:integer>'),
        ({"text": 5.0}, '<ex:text> "5"^^<xsd:integer>'),
        ({"text": 1e21}, '<ex:text> "1.0E21"^^<xsd:double>'),
        ({"text": 0.1}, '<ex:text> "1.0E-1"^^<xsd:double>'),
        ({"text": 123.456}, '<ex:text> "1.23456E2"^^<xsd:double>'),
        ({"double": 5}, '<ex:double> "5.0E0"^^<xsd:double>'),
        ({"integer": 5}, '<ex:integer> "5"^^<xsd:integer>'),
        ({"ref": "https://a.example/2"}, "<ex:ref> <https://a.example/2>"),
        ({"ref": "ex:2"}, "<ex:ref> <ex:2>"),
        ({"word": "Plain"}, "<ex:word> <ex:Plain>"),
        ({"ref": 5}, '<ex:ref> "5"^^<xsd:integer>'),
        ({"@type": "Plain"}, "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <ex:Plain>"),
        ({"text": {"value": "x", "sort": "ex:T"}}, '<ex:text> "x"^^<ex:T>'),
        ({"text": {"@value": "x", "tongue": "DE"}}, '<ex:text> "x"@de'),
        ({"list": []}, "<ex:list> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"),
        ({"@type": "Kind", "text": "x"}, '<ex:kindText> "x"'),
        ({"inside": {"@id": "ex:2", "text": "x"}}, '<ex:2> <ex:insideText> "x"'),
        ({"@type": "Kind", "set": {"@id": "ex:2", "text": "x"}}, '<ex:2> <ex:text> "x"'),
        ({"@type": "Wide", "set": {"@id": "ex:2", "text": "x"}}, '<ex:2> <ex:wideText> "x"'),
        ({"local": {"@id": "ex:2", "text": "x"}}, '<ex:2> <ex:localText> "x"'),
        ({"reset": {"@context": EVERYTHING, "@id": "ex:2", "text": "x"}}, '<ex:2> <ex:text> "x"'),
        ({"graph": {"@id": "ex:2", "text": "x"}}, '<ex:2> <ex:text> "x" _:c14n0'),
        ({"https://a.example/p": "x"}, '<https://a.example/p> "x"'),
    ],
)
def test_the_features_of_credentials_are_certain(members: dict[str, Any], statement: str) -> None:
    found = said(**members)
    assert any(line.endswith(statement.replace("<ex:2>", f"<{EX}2>".replace(EX, "ex:"))) for line in found), (
        found
    )


def test_an_award_and_a_presentation_of_awards_are_certain() -> None:
    space = space_of(None)
    assert len(quads_by_walk(award(), space)) > 40
    presentation: dict[str, Any] = {
        "@context": [CREDENTIALS_V2],
        "type": "VerifiablePresentation",
        "verifiableCredential": [award(), {**award(), "id": "urn:uuid:2"}],
    }
    quads = quads_by_walk(presentation, space)
    assert canonicalize_quads(quads) == canonicalize_quads(quads_by_processor(presentation))


@pytest.mark.parametrize(
    "members",
    [
        {"json": {"a": 1}},
        {"list": [["x"]]},
        {"ref": "_:b"},
        {"@context": [EVERYTHING, {"own": "ex:own"}]},
        {"back": {"@id": "ex:2"}},
        {"double": "5"},
        {"set": {"@set": ["x"]}},
    ],
)
def test_rare_features_are_left_to_the_processor_which_accepts_them(members: dict[str, Any]) -> None:
    document = {"@context": EVERYTHING, "@id": "https://a.example/1", "text": "x", **members}
    with pytest.raises(NotCertainError):
        quads_by_walk(document, space_of(CONTEXTS))
    assert canonicalize_rdf(document, contexts=CONTEXTS)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"unknown": "x"}, "'unknown' is not defined"),
        ({"gone": "x"}, "maps to null"),
        ({"ref": "relative"}, "'relative' is not an absolute URL"),
        ({"ref": "testamur-relative:x"}, "is not an absolute URL"),
        ({"ref": "testamur-relative://relative.invalid/x"}, "'x' is not an absolute URL"),
        ({"word": "unknown"}, "'unknown' is not an absolute URL"),
        ({"@type": "Unknown"}, "the type 'Unknown' is not defined"),
        ({"text": None}, "is null"),
        ({"text": 2**53}, "read differently"),
        ({"text": -0.0}, "read differently"),
        ({"double": "-0"}, "reads alike"),
        ({"double": "1e999"}, "reads alike"),
        ({"text": float("inf")}, "read differently"),
        ({"map": {'en" .\n<x:y> <x:y> "': "x"}}, "not a language tag"),
        ({"text": {"@value": "x", "tongue": "en> ."}}, "not a language tag"),
        ({"text": {"@value": "x", "@direction": "up"}}, "ltr or rtl"),
        ({"text": {"@value": 5, "@direction": "rtl"}}, "'@direction'"),
        ({"double": "five"}, "'five' is not a number"),
        ({"double": "1_0"}, "is not a number"),
        ({"graph": "x"}, "plain value"),
        ({"index": {"a": "x"}}, "'@index'"),
        ({"@context": "https://unknown.example/v1"}, "--context-file"),
        ({"text": "\ud800"}, "surrogate"),
        ({"@index": "x"}, "'@index'"),
        ({"https://a.example/<p>": "x"}, "not an absolute URL"),
    ],
)
def test_what_would_be_lost_or_mean_two_things_is_refused_by_name(
    members: dict[str, Any], named: str
) -> None:
    document = {"@context": EVERYTHING, "@id": "https://a.example/1", **members}
    with pytest.raises(MalformedError) as caught:
        canonicalize_rdf(document, contexts=CONTEXTS)
    assert named in str(caught.value)


def test_a_document_with_too_many_values_is_refused_on_both_roads() -> None:
    document: dict[str, Any] = {"@context": EVERYTHING, "@id": "ex:1", "set": ["x"] * MAX_NODES}
    with pytest.raises(NotCertainError):
        quads_by_walk(document, space_of(CONTEXTS))
    with pytest.raises(MalformedError, match="more than 20000 values"):
        canonicalize_rdf(document, contexts=CONTEXTS)


def test_thousands_of_alignments_are_handled_and_ten_thousand_refused() -> None:
    def aligned(count: int) -> dict[str, Any]:
        document = award()
        document["credentialSubject"]["achievement"]["alignment"] = [
            {
                "type": ["Alignment"],
                "targetName": f"Outcome {number}",
                "targetUrl": f"https://a.example/{number}",
            }
            for number in range(count)
        ]
        return document

    assert canonicalize_rdf(aligned(3_000)).count(b"\n") > 12_000
    with pytest.raises(MalformedError, match="more than 20000 values"):
        canonicalize_rdf(aligned(10_000))


def test_a_poison_graph_of_four_kilobytes_is_refused_by_its_work() -> None:
    people = [
        {
            "id": f"_:n{one}",
            "https://a.example/knows": [{"id": f"_:n{two}"} for two in range(10) if two != one],
        }
        for one in range(10)
    ]
    document: dict[str, Any] = {**award(), "evidence": [{"type": "Evidence", "id": "urn:x:1", **people[0]}]}
    document["credentialSubject"] = people
    with pytest.raises(VerificationError) as caught:
        canonicalize_rdf(document, subject="credential")
    assert (caught.value.reason, caught.value.parameters["subject"]) == ("too-much-work", "credential")


def test_what_is_compiled_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_contexts, "MAX_COMPILED", 3)
    space = ContextSpace({EVERYTHING: EVERYTHING_DOCUMENT})
    document: dict[str, Any] = {"@context": EVERYTHING, "@id": "ex:1", "text": "x"}
    for _ in range(3):
        assert quads_by_walk(document, space)
    deep: dict[str, Any] = {"@context": [EVERYTHING, CREDENTIALS_V2], "@id": "ex:1", "text": "x"}
    assert quads_by_walk(deep, space)
    other = {
        "@context": [CREDENTIALS_V2, EVERYTHING],
        "@id": "ex:1",
        "inside": {"text": {"inside": {"text": "x"}}},
    }
    with pytest.raises(NotCertainError):
        quads_by_walk(other, space)
    assert canonicalize_rdf(other, contexts=CONTEXTS)
    assert quads_by_walk(document, space)


def test_names_that_strangers_choose_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_contexts, "MAX_NAMES", 8)
    space = ContextSpace({EVERYTHING: EVERYTHING_DOCUMENT})
    for number in range(200):
        assert quads_by_walk({"@context": EVERYTHING, f"https://a.example/{number}": "x"}, space)
    active = space.root().for_urls([EVERYTHING])
    assert len(active._terms) <= len(active.raw["mappings"]) + 8


def test_contexts_are_processed_once_for_many_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    space = ContextSpace({})
    quads_by_walk(award(), space)
    monkeypatch.setattr(ContextSpace, "apply", lambda *_args, **_options: pytest.fail("processed again"))
    assert quads_by_walk({**award(), "id": "urn:uuid:2"}, space)


def test_context_work_is_counted_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2],
        "type": "VerifiableCredential",
        "https://a.example/p": [
            {"@context": {f"t{number}": f"https://a.example/{number}"}, f"t{number}": "x"}
            for number in range(50)
        ],
    }
    assert canonicalize_rdf(document)
    monkeypatch.setattr(processor, "MAX_CONTEXT_WORK", 40)
    with pytest.raises(VerificationError) as caught:
        canonicalize_rdf(document)
    assert caught.value.reason == "context-work-too-much"


IMPORTING = {"@import": CREDENTIALS_V2, "description": "https://lies.example/#"}


@pytest.mark.parametrize(
    ("context", "named"),
    [
        ({"name": "https://lies.example/#name"}, "protected"),
        ({"issuer": {"@id": "https://lies.example/#i", "@protected": True}}, "protected"),
        (IMPORTING, "'@import'"),
        ({"x": {"@id": "https://a.example/x", "@context": IMPORTING}}, "'@import'"),
        ({"x": {"@id": "https://a.example/x", "@context": [{"y": {"@context": IMPORTING}}]}}, "'@import'"),
        ({"x": {"@id": "https://a.example/x", "@container": "@index"}}, "'@index'"),
        ({"x": {"@id": "https://a.example/x", "@container": ["@graph", "@id"]}}, "'@id'"),
        ({"x": {"@reverse": "https://a.example/x"}}, "'@reverse'"),
        ({"x": {"@id": "https://a.example/x", "@nest": "y"}}, "'@nest'"),
        ({"x": {"@id": "https://a.example/x", "@direction": "rtl"}}, "'@direction'"),
        ({"@language": "en"}, "'@language'"),
        ({"@vocab": ""}, "not an absolute URL"),
        ({"@vocab": "#"}, "not an absolute URL"),
        ({"@propagate": False}, "'@propagate'"),
        ({"x": {"@id": "y:z", "@context": "https://unknown.example/v1"}}, "--context-file"),
    ],
)
def test_inline_contexts_that_surprise_are_refused(context: dict[str, Any], named: str) -> None:
    document = award()
    document["@context"] = [*document["@context"], context]
    document["somethingElse"] = "x"
    with pytest.raises(MalformedError) as caught:
        canonicalize_rdf(document)
    assert named in str(caught.value)


def test_nothing_that_a_document_does_changes_the_bundled_contexts() -> None:
    before = canonicalize_rdf(award())
    document = award()
    document["@context"].append({"x": {"@id": "https://a.example/x", "@context": IMPORTING}})
    with pytest.raises(MalformedError):
        canonicalize_rdf(document)
    document["@context"][-1] = {"room": "https://a.example/room"}
    document["room"] = "B 12"
    assert b"https://a.example/room" in canonicalize_rdf(document)
    assert canonicalize_rdf(award()) == before
    with pytest.raises(MalformedError, match="'room'"):
        canonicalize_rdf({**award(), "room": "B 12"})


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"@context": "https://x.example/a"}, "leads back to itself"),
        ({"@context": {"@import": CREDENTIALS_V2}}, "@import"),
        ([], "is not an object"),
        ({"@context": 5}, "is no context"),
        ({"@context": [5]}, "is no context"),
    ],
)
def test_a_supplied_context_that_is_none_is_refused_by_its_url(document: Any, named: str) -> None:
    with pytest.raises(MalformedError) as caught:
        canonicalize_rdf(
            {"@context": "https://x.example/a", "x": "y"}, contexts={"https://x.example/a": document}
        )
    assert named in str(caught.value)


def test_supplied_contexts_cannot_replace_bundled_ones_nor_leak_to_others() -> None:
    lies: dict[str, Any] = {
        url: {"@context": {"@vocab": "https://lies.example/#"}}
        for url in (CREDENTIALS_V2, OPEN_BADGES_V3, MICRO_CREDENTIAL_V1)
    }
    assert canonicalize_rdf(award(), contexts=lies) == canonicalize_rdf(award())
    one: dict[str, Any] = {"https://x.example/a": {"@context": {"room": "https://x.example/#room"}}}
    two: dict[str, Any] = {"https://x.example/a": {"@context": {"room": "https://x.example/#floor"}}}
    document: dict[str, Any] = {"@context": "https://x.example/a", "room": "B 12"}
    assert b"#room" in canonicalize_rdf(document, contexts=one)
    assert b"#floor" in canonicalize_rdf(document, contexts=two)
    with pytest.raises(MalformedError, match="not bundled"):
        canonicalize_rdf(document)


def test_threads_share_what_is_compiled_and_get_the_same_forms() -> None:
    contexts = ContextSet({EVERYTHING: EVERYTHING_DOCUMENT})
    documents: list[dict[str, Any]] = [award(), {**award(), "evidence": [{"type": "Evidence", "id": "_:e"}]}]
    documents += [
        {
            "@context": EVERYTHING,
            "@id": "ex:1",
            "@type": kind,
            "inside": {"text": kind},
            "local": {"text": kind},
        }
        for kind in ("Kind", "Wide", "Plain")
    ]
    expected = [canonicalize_rdf(document, contexts=CONTEXTS) for document in documents]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda document: canonicalize_rdf(document, contexts=contexts), documents * 8))
    assert found == expected * 8


def test_check_terms_accepts_and_refuses_what_canonicalisation_does() -> None:
    check_terms(award())
    check_terms({**award(), "evidence": [{"type": "Evidence", "id": "_:e"}]})
    with pytest.raises(MalformedError, match="'room'"):
        check_terms({**award(), "room": "B 12"})


def test_with_a_plain_mapping_bundled_contexts_are_still_compiled_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canonicalize_rdf(award())
    monkeypatch.setattr(ContextSpace, "apply", lambda *_args, **_options: pytest.fail("processed again"))
    assert canonicalize_rdf(award(), contexts={EVERYTHING: EVERYTHING_DOCUMENT})
