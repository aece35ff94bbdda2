"""The work that RDFC-1.0 may cost, and the algorithm in each hash."""

import hashlib

import pytest

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.rdf.canonical import (
    MAX_DEEP_HASHES,
    MAX_RELATED_HASHES,
    Canonicalization,
    canonicalize_quads,
    permutations,
)
from testamur.registry.rdf.nquads import MAX_NQUADS_BYTES, parse_nquads
from testamur.registry.rdf.quads import Quad, write_literal
from testamur.registry.rdfc import canonicalize_nquads

KNOWS = "<https://a.example/knows>"


def clique(size: int) -> list[Quad]:
    nodes = [f"_:n{number}" for number in range(size)]
    return [(one, KNOWS, other, "") for one in nodes for other in nodes if one != other]


def star(size: int) -> list[Quad]:
    return [("_:hub", KNOWS, f"_:n{number}", "") for number in range(size)]


@pytest.mark.parametrize("size", range(7, 11))
def test_a_clique_of_blank_nodes_is_refused_after_bounded_work(size: int) -> None:
    run = Canonicalization(clique(size))
    with pytest.raises(VerificationError) as caught:
        run.run()
    assert caught.value.reason == "too-much-work"
    # The counters are the time: a few microseconds each, so that the whole stays within milliseconds.
    assert run.deep_hashes <= MAX_DEEP_HASHES + 1
    assert run.related_hashes <= MAX_RELATED_HASHES + 2 * size


def test_a_small_clique_is_worked_out() -> None:
    run = Canonicalization(clique(4))
    assert run.run().count(b"\n") == 12
    assert 0 < run.deep_hashes < MAX_DEEP_HASHES


def test_too_many_nodes_that_look_the_same_are_refused_by_the_first_bound() -> None:
    run = Canonicalization(star(MAX_DEEP_HASHES + 1))
    with pytest.raises(VerificationError) as caught:
        run.run()
    assert caught.value.parameters == {"subject": "document", "limit": MAX_DEEP_HASHES}
    assert Canonicalization(star(MAX_DEEP_HASHES)).run().count(b"\n") == MAX_DEEP_HASHES


def test_a_graph_of_distinct_nodes_costs_first_degree_hashes_only() -> None:
    run = Canonicalization([("_:hub", KNOWS, f"_:n{number}", "") for number in range(2000)][:1])
    quads: list[Quad] = [("_:hub", KNOWS, f"_:n{number}", "") for number in range(2000)] + [
        (f"_:n{number}", "<https://a.example/name>", f'"{number}"', "") for number in range(2000)
    ]
    run = Canonicalization(quads)
    assert run.run().count(b"\n") == 4000
    assert (run.deep_hashes, run.related_hashes) == (0, 0)


def test_sha384_gives_another_order_of_labels_and_an_unknown_hash_is_a_mistake() -> None:
    quads: list[Quad] = [
        (f"_:n{number}", "<https://a.example/name>", f'"{number}"', "") for number in range(8)
    ]
    assert canonicalize_quads(quads, "sha256") != canonicalize_quads(quads, "sha384")
    with pytest.raises(ValueError, match="md5"):
        canonicalize_quads(quads, "md5")


def test_the_first_degree_hash_is_the_named_hash_of_what_is_said() -> None:
    quads: list[Quad] = [("_:x", KNOWS, "_:y", "_:g"), ("_:x", KNOWS, '"z"', "")]
    run = Canonicalization(quads, "sha384")
    run.run()
    said = f'_:a {KNOWS} "z" .\n_:a {KNOWS} _:z _:z .\n'
    assert run._first["_:x"] == hashlib.sha384(said.encode()).hexdigest()


def test_a_repeated_statement_counts_once() -> None:
    quads: list[Quad] = [("_:x", KNOWS, '"z"', "")] * 3
    assert canonicalize_quads(quads) == f'_:c14n0 {KNOWS} "z" .\n'.encode()


def test_every_order_of_distinct_nodes_is_tried_once() -> None:
    assert sorted(tuple(order) for order in permutations(["c", "a", "b"])) == sorted(
        [("a", "b", "c"), ("a", "c", "b"), ("b", "a", "c"), ("b", "c", "a"), ("c", "a", "b"), ("c", "b", "a")]
    )
    assert [list(order) for order in permutations(["a", "a", "a"])] == [["a", "a", "a"]]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\x00\x07\b\t\n\x0b\f\r\x1f\x7f", r'"a\u0000\u0007\b\t\n\u000B\f\r\u001F\u007F"'),
        ('say "ü\U0001f393\\"', r'"say \"ü' + "\U0001f393" + r'\\\""'),
        ("", '""'),
    ],
)
def test_literals_are_escaped_as_canonical_n_quads_are(text: str, written: str) -> None:
    assert write_literal(text) == written


def test_the_type_string_is_not_written_and_a_language_outranks_types() -> None:
    assert write_literal("x", "http://www.w3.org/2001/XMLSchema#string") == '"x"'
    assert write_literal("x", "https://a.example/T") == '"x"^^<https://a.example/T>'
    assert write_literal("x", "https://a.example/T", "en") == '"x"@en'


@pytest.mark.parametrize(
    "line",
    [
        "<https://a.example/1> <p> ",
        '"literal" <https://a.example/p> "x" .',
        "<https://a.example/1> _:p _:o .",
        '<https://a.example/1> <https://a.example/p> "x"@not a tag .',
        '<https://a.example/1> <https://a.example/p> "x" . <extra> .',
        r'<https://a.example/1> <https://a.example/p> "\x" .',
        r'<https://a.example/1> <https://a.example/p> "\uD800" .',
        '<https://a.example/1 2> <https://a.example/p> "x" .',
    ],
)
def test_a_line_that_is_no_statement_is_named_by_its_number(line: str) -> None:
    with pytest.raises(MalformedError, match="line 2"):
        parse_nquads(f"# a comment\n{line}\n")


def test_escapes_comments_and_blank_lines_are_read() -> None:
    text = '\n# c\n<https://a.example/\\u00fc> <https://a.example/p> "\\t\\U0001F393" _:g . # end\n\n'
    assert parse_nquads(text) == [
        ("<https://a.example/ü>", "<https://a.example/p>", '"\\t\U0001f393"', "_:g")
    ]


def test_too_much_text_and_lone_surrogates_are_malformed() -> None:
    with pytest.raises(MalformedError, match="more than"):
        parse_nquads(" " * (MAX_NQUADS_BYTES + 1))
    with pytest.raises(MalformedError, match="surrogate"):
        canonicalize_nquads('<https://a.example/1> <https://a.example/p> "\ud800" .')
