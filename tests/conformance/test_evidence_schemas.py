"""docs/spec/schemas/ and the parsers: honest files keep the schemas, and what a schema refuses is refused."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.json_schema import violations
from fakes.vector_files import file_of
from fakes.whole_registry import World, judge, trust_document
from testamur.registry.canonical import canonicalize
from testamur.registry.dossiers import parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import parse_evidence
from testamur.registry.evm.anchors import ANCHOR_TYPE, parse_anchor
from testamur.registry.trust import parse_trust_file

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMAS = {
    path.name: json.loads(path.read_text("utf-8")) for path in (ROOT / "docs/spec/schemas").glob("*.json")
}
VECTORS = ROOT / "tests" / "vectors" / "evidence"
WORLDS = {
    "honest": World(),
    "revoked": World(revoked=(7,)),
    "unanchored": World(anchored=False),
    "unwitnessed": World(witnesses=()),
}


def wrong(name, document):
    """What the schema of this name has against a document."""
    schema = SCHEMAS[f"{name}.schema.json"]
    return violations(document, schema, {**SCHEMAS, **schema.get("$defs", {})})


def refuses(parse, document):
    """Whether a parser refuses a document that can be written as JSON."""
    try:
        parse(document)
    except MalformedError:
        return True
    return False


def parse_all_evidence(document):
    """The evidence with its anchors, which a verifier parses in step 6; types it does not know it leaves."""
    for anchor in parse_evidence(document).anchors:
        if not isinstance(anchor, dict) or not isinstance(anchor.get("type"), str):
            raise MalformedError("anchor", "has no type")
        if anchor["type"] == ANCHOR_TYPE:
            parse_anchor(anchor)
        elif not 1 <= len(anchor["type"]) <= 64:
            raise MalformedError("anchor", "has a type that is not one")


# -- what is honest


def test_there_is_a_schema_for_each_of_the_five():
    assert sorted(SCHEMAS) == [
        f"{name}.schema.json"
        for name in ("dossier", "evidence", "trust-file", "trust-successions", "verdict")
    ]


@pytest.mark.parametrize("name", WORLDS)
def test_honest_files_keep_the_schemas(name):
    dossier = WORLDS[name].dossier()
    assert wrong("dossier", dossier) == []
    assert wrong("evidence", dossier["evidence"]) == []
    assert wrong("verdict", judge(dossier).to_json()) == []


def test_an_honest_trust_file_keeps_the_schema():
    assert wrong("trust-file", trust_document()) == []


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.json")), ids=lambda path: path.stem)
def test_vectors_that_get_a_verdict_keep_the_schema(path):
    vector = json.loads(path.read_text("utf-8"))
    if path.stem == "trust":
        assert wrong("trust-file", vector) == []
    elif vector["expected"]["outcome"] != "malformed":
        base = (
            json.loads((VECTORS / vector["base"]).read_text("utf-8"))["dossier"] if "base" in vector else None
        )
        assert wrong("dossier", json.loads(file_of(vector, base=base))) == []


# -- what is refused

BROKEN = [
    (("evidence", "version"), 2),
    (("evidence", "type"), "X"),
    (("evidence", "registry"), "A B"),
    (("evidence", "entries", 0, "digest"), "zAAAA"),
    (("evidence", "entries", 0, "proof"), "c2sp.org/tlog-proof@v2\n"),
    (("evidence", "logs"), []),
    (("evidence", "logs", "registry.example/ada/1", "keyEvents"), []),
    (("evidence", "logs", "registry.example/ada/1", "seal", "proof", "index"), -1),
    (("evidence", "logs", "registry.example/ada/1", "status", 0, "list"), None),
    (("evidence", "logs", "registry.example/ada/1", "status", 0, "chunk"), "uAAAA"),
    (("evidence", "anchors", 0, "contract"), "0xAB"),
    (("evidence", "anchors", 0, "finality", 0, "notes"), [""]),
    (("evidence", "anchors", 0, "history"), [0]),
    (("note",), "x"),
]


def changed(document, path, value):
    document = copy.deepcopy(document)
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return document


def parse_whole_dossier(document):
    _, evidence = parse_dossier(json.dumps(document).encode())
    if evidence is not None:
        parse_all_evidence(evidence)


@pytest.mark.parametrize(("path", "value"), BROKEN, ids=[str(path[-1]) for path, _ in BROKEN])
def test_a_broken_dossier_is_refused_by_schema_and_parser(path, value):
    document = changed(WORLDS["honest"].dossier(), path, value)
    assert wrong("dossier", document)
    assert refuses(parse_whole_dossier, document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("extra",), 1),
        (("sequence",), 0),
        (("members",), []),
        (("members", 0, "witness", 0, "from"), "yesterday"),
        (("chains", 0, "contract"), "0x00"),
        (("chains", 0, "finality", "threshold"), 0),
        (("chains", 0, "finality", "extra"), 1),
        (("policies", "extra"), "x"),
        (("previous",), "u"),
        (("succession",), {"threshold": 0}),
        (("succession",), {"threshold": 1, "of": 3}),
        (("signatures",), ["signed, ada"]),
        (("chains", 0, "lastHeader"), "0x00"),
    ],
)
def test_a_broken_trust_file_is_refused_by_schema_and_parser(path, value):
    document = changed(trust_document(), path, value)
    assert wrong("trust-file", document)
    assert refuses(lambda found: parse_trust_file(canonicalize(found)), document)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in items:
        yield from places(child, (*path, name))


VALUES = st.sampled_from(
    [None, True, 0, -1, 1, 2**53, 1.5, "", "x", "u", "0x", [], {}, [None], ["x"], {"a": 1}, "x" * 300]
)


@given(st.data())
def test_evidence_that_the_schema_refuses_the_parser_refuses(data):
    good = WORLDS["honest"].evidence()
    path = data.draw(st.sampled_from([path for path in places(good) if path]))
    document = changed(good, path, data.draw(VALUES))
    if wrong("evidence", document):
        assert refuses(parse_all_evidence, document)


@given(st.data())
def test_a_trust_file_that_the_schema_refuses_the_parser_refuses(data):
    good = trust_document()
    path = data.draw(st.sampled_from([path for path in places(good) if path]))
    document = changed(good, path, data.draw(VALUES))
    if wrong("trust-file", document):
        assert refuses(lambda found: parse_trust_file(json.dumps(found).encode()), document)
