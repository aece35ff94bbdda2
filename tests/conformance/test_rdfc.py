"""The W3C's tests of RDFC-1.0 (62 graphs), its Data Integrity vectors, and other people's signed credentials."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from fakes.json_ld import library_canonical, library_dataset
from testamur.registry.documents import Documents, parse_document_map
from testamur.registry.errors import MalformedError
from testamur.registry.rdf.by_processor import quads_by_processor
from testamur.registry.rdf.canonical import canonicalize_quads
from testamur.registry.rdf.compiled_contexts import space_of
from testamur.registry.rdf.fast import quads_by_walk
from testamur.registry.rdf.terms import NotCertainError
from testamur.registry.rdfc import canonicalize_nquads, canonicalize_rdf

RDFC_SETS = ("eddsa-rdfc-2022", "eddsa-rdfc-2022-employment", "ecdsa-rdfc-2019-p256")


@pytest.fixture(scope="module")
def documents(vectors: Path) -> Documents:
    """What the http-cases need, which has every context of the Data Integrity vectors too."""
    folder = vectors / "http-cases"
    files = parse_document_map((folder / "document-map.json").read_bytes())
    return Documents({url: (folder / name).read_bytes() for url, name in files.items()})


def samples(vectors: Path) -> dict[str, dict[str, Any]]:
    """Every credential of the sets that is JSON-LD, with and without its proofs."""
    found: dict[str, dict[str, Any]] = {}
    folder = vectors / "http-cases"
    for line in (folder / "cases.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        found[case["id"]] = json.loads((folder / case["file"]).read_bytes())
    for path in sorted((vectors / "data-integrity").glob("*.json")):
        case = json.loads(path.read_bytes())
        found |= {f"{path.stem} {part}": case[part] for part in ("unsigned", "proofConfig", "signed")}
    bare = {
        f"{name} without proof": {member: value for member, value in document.items() if member != "proof"}
        for name, document in found.items()
        if "proof" in document
    }
    return found | bare


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_graph_has_its_published_canonical_form(vectors: Path) -> None:
    cases = lines(vectors / "rdfc10" / "cases.jsonl")
    wrong = [case["id"] for case in cases if canonicalize_nquads(case["input"]) != case["expected"].encode()]
    assert (len(cases), wrong) == (62, [])


def test_a_canonical_form_is_its_own_canonical_form(vectors: Path) -> None:
    cases = lines(vectors / "rdfc10" / "cases.jsonl")
    assert all(canonicalize_nquads(case["expected"]) == case["expected"].encode() for case in cases)


def test_a_graph_changed_in_one_place_has_another_canonical_form(vectors: Path) -> None:
    cases = [case for case in lines(vectors / "rdfc10" / "cases.jsonl") if case["input"]]
    changed = [case["input"].replace("example", "elsewhere", 1) for case in cases]
    different = [
        case["id"]
        for case, text in zip(cases, changed, strict=True)
        if text != case["input"] and canonicalize_nquads(text) == case["expected"].encode()
    ]
    assert different == []


@pytest.mark.parametrize("name", RDFC_SETS)
@pytest.mark.parametrize(
    ("part", "form", "digest"),
    [("unsigned", "canonDoc", "docHash"), ("proofConfig", "proofCanon", "proofHash")],
)
def test_canonical_forms_of_documents_and_proofs_are_the_published_ones(
    vectors: Path,
    documents: Documents,
    name: str,
    part: str,
    *,
    form: str,
    digest: str,
) -> None:
    case = json.loads((vectors / "data-integrity" / f"{name}.json").read_bytes())
    found = canonicalize_rdf(case[part], contexts=documents)
    assert found.decode() == case[form]
    assert hashlib.sha256(found).hexdigest() == case[digest]


def test_both_roads_and_the_library_agree_on_every_published_credential(
    vectors: Path, documents: Documents
) -> None:
    space = space_of(documents)
    compared: list[str] = []
    uncertain = []
    found = samples(vectors)
    for name, document in found.items():
        slow = canonicalize_quads(quads_by_processor(document, contexts=documents))
        if len(compared) % 5 == 0:  # the library alone takes 0.1 s each
            assert library_canonical(library_dataset(document, documents)) == slow, name
        compared.append(name)
        try:
            assert canonicalize_quads(quads_by_walk(document, space)) == slow, name
        except NotCertainError:
            uncertain.append(name)
    assert len(compared) == 106
    # One credential brings a context of its own, written out: that is not compiled.
    assert [name for name in uncertain if "badSchema" not in name] == []


def test_a_term_that_no_context_defines_is_refused_in_every_published_credential(
    vectors: Path, documents: Documents
) -> None:
    refused = 0
    for name, document in samples(vectors).items():
        if any("examples" in str(context) for context in document["@context"]):
            continue  # that context has a @vocab: there every term is defined
        with pytest.raises(MalformedError, match="unknownTerm"):
            canonicalize_rdf({**document, "unknownTerm": "x"}, contexts=documents)
        refused += 1
        assert name
    assert refused > 60
