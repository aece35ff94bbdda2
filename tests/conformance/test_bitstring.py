"""Published Bitstring Status Lists; for the decoder only, because they are shorter than allowed."""

import json
from pathlib import Path
from typing import Any

import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.status import decode_list, is_set
from testamur.registry.status_lists import parse_status_list


@pytest.fixture(scope="module")
def cases(vectors: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    folder = vectors / "bitstring"
    listed = json.loads((folder / "cases.json").read_bytes())
    return [(case, json.loads((folder / case["file"]).read_bytes())) for case in listed]


def test_good_lists_decode_to_the_bits_that_are_set(cases: list[Any]) -> None:
    decoded = 0
    for case, credential in cases:
        if case["expect"] != "decode":
            continue
        data = decode_list(credential["credentialSubject"]["encodedList"])
        assert 8 * len(data) == case["bits"]
        assert [index for index in range(case["bits"]) if is_set(data, index)] == case["set"]
        decoded += 1
    assert decoded == 4


def test_the_tampered_list_is_malformed(cases: list[Any]) -> None:
    refused = 0
    for case, credential in cases:
        if case["expect"] == "error":
            with pytest.raises(MalformedError):
                decode_list(credential["credentialSubject"]["encodedList"])
            refused += 1
    assert refused == 1


def test_a_list_below_the_minimum_length_is_no_status_list(cases: list[Any]) -> None:
    credential = next(document for case, document in cases if case["file"] == "expired.json")
    with pytest.raises(MalformedError, match="100000 entries, fewer than 131072"):
        parse_status_list(credential)
