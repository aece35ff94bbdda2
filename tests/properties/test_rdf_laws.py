"""Laws of the two roads to RDF: they agree with each other and with the library, or both refuse."""

import copy
import random
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from fakes.json_ld import EVERYTHING, EVERYTHING_DOCUMENT, library_canonical, library_dataset
from testamur.registry.contexts import CREDENTIALS_V2, OPEN_BADGES_V3
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.rdf.by_processor import quads_by_processor
from testamur.registry.rdf.canonical import canonicalize_quads
from testamur.registry.rdf.compiled_contexts import space_of
from testamur.registry.rdf.fast import quads_by_walk
from testamur.registry.rdf.nquads import parse_nquads
from testamur.registry.rdf.quads import Quad, write_literal, write_quad
from testamur.registry.rdf.terms import NotCertainError
from testamur.registry.rdfc import ContextSet, canonicalize_nquads, canonicalize_rdf

CONTEXTS = ContextSet({EVERYTHING: EVERYTHING_DOCUMENT})

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=6) | st.sampled_from(
    ["Ada", 'a "quoted"\n\\ text\t\r', "2026-01-01T00:00:00Z", "1.50", "en", "@id", "ex:a", "text", ""]
)
HONEST_IRIS = ["https://a.example/1", "https://a.example/1", "urn:uuid:1", "did:example:ü", "ex:thing"]
iris = st.sampled_from(HONEST_IRIS)
odd_iris = st.sampled_from([*HONEST_IRIS, "_:b1", "relative"])
numbers = (
    st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, 1, 1.0, -0.0, 1e21, 1e-7, 0.1, 100, 5e-324])
    | st.booleans()
)
scalars = texts | numbers
tags = st.sampled_from(["en", "de-AT", "EN"])
odd_tags = tags | st.sampled_from(["@none", "not a tag", "text", ""])
types = st.sampled_from(["Kind", "Wide", "Plain", "ex:Other", "https://a.example/T"])
odd_types = types | st.sampled_from(["Unknown", "VerifiableCredential", "@json", "_:T"])
NAMES = ["text", "label", "date", "integer", "flag", "free", "list", "set", "inside", "local", "reset"]
NAMES += ["https://a.example/p", "ex:p", "inside", "local", "list"]


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose members fit; what they hold may still be nonsense where a scoped context takes it away."""
    nodes = values.filter(lambda value: isinstance(value, dict) and "@value" not in value)
    maps = st.dictionaries(tags, texts | st.lists(texts, max_size=2), max_size=3)
    named = st.tuples(st.sampled_from(NAMES), values | st.lists(values, max_size=3))
    member = st.one_of(
        named,
        named,
        named,
        st.tuples(st.just("double"), numbers | st.lists(numbers, max_size=2)),
        st.tuples(st.sampled_from(["graph", "graphs"]), nodes | st.lists(nodes, max_size=2)),
        st.tuples(st.sampled_from(["ref", "refs", "graphs", "word"]), iris | st.lists(iris, max_size=3)),
        st.tuples(st.sampled_from(["map", "maps"]), maps),
        st.tuples(st.just("id"), iris),
        st.tuples(st.sampled_from(["type", "type", "sort"]), types | st.lists(types, max_size=3)),
        st.tuples(
            st.just("@context"), st.sampled_from([EVERYTHING, [EVERYTHING], [CREDENTIALS_V2, EVERYTHING]])
        ),
    )
    return st.lists(member, min_size=1, max_size=4).map(dict)


def odd_members(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    """What the fast road leaves to the processor, and what both refuse."""
    rare = [
        "json",
        "index",
        "byId",
        "back",
        "bundle",
        "gone",
        "unknown",
        "name",
        "@index",
        "own",
        "wide",
        "deep",
    ]
    return st.one_of(
        st.tuples(st.sampled_from([*rare, "double", "graph", "changed", "value"]), values),
        st.tuples(st.sampled_from(["ref", "id", "deep", "word", "changed"]), odd_iris),
        st.tuples(st.sampled_from(["map", "json"]), st.dictionaries(odd_tags, scalars, max_size=2)),
        st.tuples(st.sampled_from(["type", "sort"]), odd_types),
        st.tuples(st.just("@context"), st.just({"own": "ex:mine"})),
    )


value_objects = st.fixed_dictionaries({"@value": texts}, optional={"tongue": tags}) | st.fixed_dictionaries(
    {"value": texts | numbers}, optional={"type": st.just("ex:date")}
)
set_objects = st.fixed_dictionaries({"@list": st.lists(scalars, max_size=2)}) | st.fixed_dictionaries(
    {"@set": st.lists(scalars, max_size=2)}
)
everything = st.recursive(
    scalars | value_objects | st.dictionaries(st.just("id"), iris, max_size=1),
    lambda inner: objects(inner) | objects(inner) | objects(inner) | objects(inner) | set_objects,
    max_leaves=10,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    body = draw(objects(everything))
    if draw(st.booleans()):
        name, value = draw(odd_members(everything))
        inner = body.get("inside")
        (inner if isinstance(inner, dict) else body)[name] = value
    body["@context"] = draw(st.sampled_from([[CREDENTIALS_V2, EVERYTHING], [EVERYTHING], EVERYTHING]))
    return body


def outcome(road: Any) -> bytes | str:
    try:
        result: bytes = road()
    except (MalformedError, VerificationError):
        return "refused"
    return result


def check_roads(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    slow = outcome(lambda: canonicalize_quads(quads_by_processor(document, contexts=CONTEXTS)))
    try:
        fast = outcome(lambda: canonicalize_quads(quads_by_walk(document, space_of(CONTEXTS))))
    except NotCertainError:
        event("not certain, and " + ("refused" if slow == "refused" else "accepted"))
    else:
        event("certain")
        assert fast == slow
    assert outcome(lambda: canonicalize_rdf(document, contexts=CONTEXTS)) == slow
    assert document == before
    if slow != "refused":
        assert library_canonical(library_dataset(document, CONTEXTS)) == slow


@given(documents())
def test_both_roads_give_the_librarys_canonical_form_or_refuse(document: dict[str, Any]) -> None:
    check_roads(document)


BADGE_TEXTS = [
    "name",
    "description",
    "credentialId",
    "fieldOfStudy",
    "humanCode",
    "tag",
    "narrative",
    "value",
]
BADGE_NODES = [
    "achievement",
    "alignment",
    "criteria",
    "result",
    "creator",
    "endorsement",
    "evidence",
    "address",
]
BADGE_NODES += [
    "credentialStatus",
    "proof",
    "verifiableCredential",
    "resultDescription",
    "related",
    "identifier",
]
BADGE_TYPES = ["Achievement", "AchievementSubject", "Alignment", "Profile", "Result", "ResultDescription"]
BADGE_TYPES += ["Criteria", "Address", "Related", "DataIntegrityProof", "Evidence", "IdentityObject"]
BADGE_TYPES += [
    "VerifiableCredential",
    "OpenBadgeCredential",
    "BitstringStatusListEntry",
    "EndorsementCredential",
]


def badges(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    kinds = st.sampled_from(BADGE_TYPES)
    nodes = inner.filter(lambda value: isinstance(value, dict))
    member = st.one_of(
        st.tuples(st.sampled_from(BADGE_TEXTS), texts | st.lists(texts, max_size=2)),
        st.tuples(st.sampled_from(BADGE_NODES), nodes | st.lists(nodes, max_size=3)),
        st.tuples(st.just("id"), st.sampled_from(HONEST_IRIS[:4])),
    )
    typed = st.tuples(st.just("type"), kinds | st.lists(kinds, min_size=1, max_size=3))
    return st.tuples(typed, st.lists(member, max_size=4)).map(lambda pair: dict([pair[0], *pair[1]]))


@given(badges(st.recursive(badges(st.just({})), badges, max_leaves=8)), st.booleans())
def test_both_roads_agree_on_open_badges(body: dict[str, Any], typed: bool) -> None:
    document = {**body, "@context": [CREDENTIALS_V2, OPEN_BADGES_V3]}
    if typed:
        document["type"] = ["VerifiableCredential", "OpenBadgeCredential"]
    check_roads(document)


nodes = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<https://a.example/1>"])
predicates = st.sampled_from(["<https://a.example/p>", "<https://a.example/q>"])
graphs = st.lists(
    st.tuples(nodes, predicates, nodes | st.just('"x"'), st.sampled_from(["", "", "_:g", "_:a"])), max_size=7
)


@given(graphs, st.randoms(use_true_random=False), st.sampled_from(["sha256", "sha384"]))
def test_labels_and_order_do_not_matter(quads: list[Quad], chance: random.Random, algorithm: str) -> None:
    expected = canonicalize_quads(quads, algorithm)
    labels = {
        name: f"_:z{number}"
        for number, name in enumerate(chance.sample(["_:a", "_:b", "_:c", "_:d", "_:g"], 5))
    }
    renamed: list[Any] = [tuple(labels.get(term, term) for term in quad) for quad in quads]
    chance.shuffle(renamed)
    assert canonicalize_quads(renamed, algorithm) == expected
    assert canonicalize_nquads(expected.decode(), algorithm) == expected


@given(graphs)
def test_graphs_have_the_librarys_canonical_form(quads: list[Quad]) -> None:
    assume(all(subject != target for subject, _, target, _ in quads))
    assume(all(graph not in (subject, target) for subject, _, target, graph in quads if graph))
    dataset: dict[str, list[Any]] = {}
    for subject, predicate, target, graph in dict.fromkeys(quads):
        dataset.setdefault(graph or "@default", []).append(
            {"subject": term(subject), "predicate": term(predicate), "object": term(target)}
        )
    assert canonicalize_quads(quads) == library_canonical(dataset)


def term(written: str) -> dict[str, str]:
    if written.startswith('"'):
        return {
            "type": "literal",
            "value": written[1:-1],
            "datatype": "http://www.w3.org/2001/XMLSchema#string",
        }
    if written.startswith("<"):
        return {"type": "IRI", "value": written[1:-1]}
    return {"type": "blank node", "value": written}


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([None, "en", "de-at"]))
def test_any_text_survives_being_written_and_read(text: str, language: str | None) -> None:
    quad = ("_:a", "<https://a.example/p>", write_literal(text, None, language), "")
    line = write_quad(quad)
    assert line.count("\n") == 1
    assert parse_nquads(line) == [quad]


@given(st.text(max_size=60))
def test_any_text_that_is_not_n_quads_is_malformed(text: str) -> None:
    try:
        canonicalize_nquads(text)
    except MalformedError:
        event("malformed")
