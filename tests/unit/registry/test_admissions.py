from typing import Any

import pytest

from testamur.registry.admissions import Admission, parse_admission
from testamur.registry.canonical import canonicalize
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest

ADMISSION = Admission(
    registry="registry.example", slug="ada", did="did:web:ada.example", first_key_event=sha256(b"event")
)


def test_the_digest_is_of_the_documented_form() -> None:
    document = {
        "type": "Admission",
        "version": 1,
        "registry": "registry.example",
        "slug": "ada",
        "did": "did:web:ada.example",
        "firstKeyEvent": encode_digest(sha256(b"event")),
    }
    assert ADMISSION.to_json() == document
    assert ADMISSION.digest == sha256(canonicalize(document))
    assert parse_admission(document) == ADMISSION


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "Admitted"),
        ("version", 2),
        ("registry", "Registry.example"),
        ("slug", "-ada"),
        ("did", "ada.example"),
        ("firstKeyEvent", None),
        ("controller", "0x"),
    ],
)
def test_an_admission_of_another_form_is_malformed(member: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        parse_admission({**ADMISSION.to_json(), member: value})
