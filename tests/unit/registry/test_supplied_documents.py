"""Documents by URL or DID: bounds, addresses, and a signature whose context is supplied instead of fetched."""

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from fakes.awards import award
from testamur.registry.documents import MAX_DOCUMENTS, Documents, parse_document_map
from testamur.registry.errors import MalformedError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import sign_document
from testamur.registry.rdfc import canonicalize_rdf
from testamur.registry.verification import Step, verify

URL = "https://rooms.example/v1"
CONTEXT = b'{"@context": {"room": "https://rooms.example/#room"}}'
KEY = SigningKey.from_seed(Algorithm.ED25519, bytes(range(32)))
DID = f"did:key:{KEY.public_key.to_multikey()}"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_documents_are_parsed_and_keep_their_bytes() -> None:
    documents = Documents({URL: CONTEXT, "did:web:ada.example": b'{"id":"did:web:ada.example"}'})
    assert documents[URL] == json.loads(CONTEXT)
    assert documents.resources[URL] == CONTEXT
    assert (len(documents), set(documents)) == (2, {URL, "did:web:ada.example"})
    assert documents.get("https://elsewhere.example") is None


def test_documents_travel_to_another_process_as_their_bytes() -> None:
    documents = Documents({URL: CONTEXT})
    document: dict[str, Any] = {"@context": URL, "room": "B 12"}
    before = canonicalize_rdf(document, contexts=documents)
    assert canonicalize_rdf(document, contexts=pickle.loads(pickle.dumps(documents))) == before


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"rooms.json": b"{}"}, "'rooms.json' is neither a URL nor a DID"),
        ({URL: b"not JSON"}, f"document {URL}: is not JSON"),
        ({URL: b'{"a":1,"a":2}'}, "two members"),
        ({f"{URL}/{number}": b"{}" for number in range(MAX_DOCUMENTS + 1)}, "more than 1000"),
    ],
)
def test_what_is_no_document_is_refused_by_its_address(files: dict[str, bytes], named: str) -> None:
    with pytest.raises(MalformedError) as caught:
        Documents(files)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"[]", "must be an object"),
        (b'{"rooms": "rooms.json"}', "neither a URL nor a DID"),
        (b'{"https://rooms.example/v1": 5}', "must be the name of a file"),
        (b'{"https://rooms.example/v1": ""}', "must be the name of a file"),
        (b'{"https://rooms.example/v1": "a\\u0000b"}', "must be the name of a file"),
        (b'{"https://a.example": "a", "https://a.example": "b"}', "two members"),
    ],
)
def test_what_is_no_document_map_is_refused(data: bytes, named: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_document_map(data)
    assert named in str(caught.value)


def test_a_document_map_names_files_by_address() -> None:
    data = b'{"https://rooms.example/v1": "contexts/rooms.json", "did:web:a.example": "a.json"}'
    assert parse_document_map(data) == {URL: "contexts/rooms.json", "did:web:a.example": "a.json"}


def signed() -> dict[str, Any]:
    document = award()
    document["issuer"]["id"] = DID
    document["@context"].append(URL)
    document["room"] = "B 12"
    method = f"{DID}#{KEY.public_key.to_multikey()}"
    return sign_document(
        document,
        KEY,
        verification_method=method,
        created="2026-11-20T00:00:00Z",
        cryptosuite="eddsa-rdfc-2022",
        contexts=Documents({URL: CONTEXT}),
    )


def proof_check(contexts: Documents | None) -> tuple[str, str]:
    verdict = verify(signed(), trust=None, now=NOW, contexts=contexts)
    (check,) = [check for check in verdict.checks if check.step == Step.CREDENTIAL_PROOF]
    return str(check.result), check.reason


def test_a_proof_over_a_supplied_context_holds_and_over_another_meaning_fails() -> None:
    assert proof_check(Documents({URL: CONTEXT})) == ("pass", "proof-verified")
    assert proof_check(Documents({URL: CONTEXT.replace(b"#room", b"#roof")})) == ("fail", "signature-invalid")


def test_a_context_that_nobody_supplied_makes_the_proof_unknown_and_not_false() -> None:
    assert proof_check(None) == ("unknown", "context-unknown")
