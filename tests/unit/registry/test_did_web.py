"""did:web to URL: hosts, ports and folders, and nothing that leads anywhere else."""

import pytest

from testamur.registry.did_web import did_web_url, parse_did_document
from testamur.registry.errors import MalformedError


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:ada.example", "https://ada.example/.well-known/did.json"),
        ("did:web:ada.example:schools:arts", "https://ada.example/schools/arts/did.json"),
        ("did:web:ada.example%3A8443", "https://ada.example:8443/.well-known/did.json"),
        ("did:web:ada.example%3A8443:a%20b", "https://ada.example:8443/a%20b/did.json"),
        ("did:web:a-b.ada.example", "https://a-b.ada.example/.well-known/did.json"),
    ],
)
def test_a_did_web_is_a_place(did: str, url: str) -> None:
    assert did_web_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "did:key:z6Mk",
        "did:web:",
        "did:web:ada.example:",
        "did:web:ada.example::a",
        "did:web:ada.example:..",
        "did:web:ada.example:%2e%2e:secret",
        "did:web:ada.example:a%2Fb",
        "did:web:ada.example:a%3Fq",
        "did:web:ada.example:a%23f",
        "did:web:ada.example:a%00",
        "did:web:ada.example:a%5Cb",
        "did:web:user%40ada.example",
        "did:web:ada.example%2Fpath",
        "did:web:ada.example%3A0",
        "did:web:ada.example%3A",
        "did:web:%5B%3A%3A1%5D",
        "did:web:-ada.example",
        "did:web:ada..example",
    ],
)
def test_what_is_no_place_is_refused(did: str) -> None:
    with pytest.raises(MalformedError):
        did_web_url(did)


def test_only_the_document_of_this_very_did_counts() -> None:
    assert parse_did_document(b'{"id": "did:web:ada.example"}', "did:web:ada.example")["id"]
    for data in (b"[]", b"{}", b'{"id": "did:web:ada.example.evil.example"}', b'{"id": 5}', b"<"):
        with pytest.raises(MalformedError):
            parse_did_document(data, "did:web:ada.example")
