import hashlib
from base64 import b64encode
from typing import Any

import pytest

from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.multiformats import encode_multibase
from testamur.registry.related_resources import check_related_resources, verify_related_resources

URL = "https://ada.example/syllabus.pdf"
DATA = b"the syllabus of that year"


def sri(name: str, data: bytes = DATA) -> str:
    return f"{name}-{b64encode(hashlib.new(name, data).digest()).decode()}"


def multibase(name: str, prefix: bytes, data: bytes = DATA) -> str:
    return encode_multibase("u", prefix + hashlib.new(name, data).digest())


def with_resource(**members: Any) -> dict[str, Any]:
    return {"relatedResource": [{"id": URL, **members}]}


@pytest.mark.parametrize(
    "members",
    [
        {"digestSRI": sri("sha256")},
        {"digestSRI": sri("sha384")},
        {"digestSRI": f"{sri('sha512')} {sri('sha256')}?ct=application/pdf"},
        {"digestMultibase": multibase("sha256", b"")},
        {"digestMultibase": multibase("sha256", b"\x12\x20")},
        {"digestMultibase": multibase("sha384", b"\x20\x30")},
        {"digestMultibase": [multibase("sha512", b"\x13\x40"), multibase("sha512", b"")]},
        {"digestSRI": sri("sha256"), "digestMultibase": multibase("sha256", b"")},
    ],
)
def test_every_way_of_writing_a_digest_is_compared_with_the_file(members: dict[str, Any]) -> None:
    document = with_resource(**members)
    assert verify_related_resources(document, {URL: DATA}) == ()
    assert verify_related_resources(document, {}) == (URL,)
    with pytest.raises(VerificationError, match="related-resource-mismatch"):
        verify_related_resources(document, {URL: DATA + b"."})


def test_one_wrong_digest_beside_a_right_one_is_refused() -> None:
    document = with_resource(digestSRI=sri("sha256"), digestMultibase=multibase("sha256", b"", b"another"))
    with pytest.raises(VerificationError):
        verify_related_resources(document, {URL: DATA})


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({}, "/relatedResource/0"),
        ({"digestSRI": "sha1-AAAA"}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": sri("sha256")[:-5]}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": sri("sha256").replace("sha256", "sha512")}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": 5}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": []}, "/relatedResource/0/digestSRI"),
        ({"digestMultibase": "x"}, "/relatedResource/0/digestMultibase"),
        ({"digestMultibase": encode_multibase("u", bytes(20))}, "/relatedResource/0/digestMultibase"),
        ({"digestMultibase": {"u": 1}}, "/relatedResource/0/digestMultibase"),
    ],
)
def test_a_digest_that_is_none_is_malformed(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedError) as caught:
        check_related_resources(with_resource(**members), "credential")
    assert caught.value.subject == f"credential {pointer}"


def test_two_resources_under_one_id_are_refused() -> None:
    item = {"id": URL, "digestSRI": sri("sha256")}
    with pytest.raises(MalformedError, match="/relatedResource/1/id"):
        check_related_resources({"relatedResource": [item, item]}, "credential")


def test_the_base_context_has_the_digests_of_the_file_that_w3c_publishes() -> None:
    published = "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"
    document = {"relatedResource": {"id": CREDENTIALS_V2, "digestSRI": published}}
    assert verify_related_resources(document, {}) == ()
    document["relatedResource"]["digestSRI"] = sri("sha384")
    with pytest.raises(VerificationError):
        verify_related_resources(document, {})
