"""ethereum/tests RLPTests: what is encoded how, and what must not be decoded; counted apart."""

import json

import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.evm import rlp


def to_item(value):
    if isinstance(value, list):
        return [to_item(item) for item in value]
    if isinstance(value, int):
        return rlp.encode_integer(value)
    return rlp.encode_integer(int(value[1:])) if value.startswith("#") else value.encode()


def from_hex(text):
    return bytes.fromhex(text.removeprefix("0x"))


def test_all_28_items_encode_as_published_and_back(vectors):
    cases = json.loads((vectors / "eth-rlp" / "rlptest.json").read_text())
    assert len(cases) == 28
    for name, case in cases.items():
        item, data = to_item(case["in"]), from_hex(case["out"])
        assert rlp.encode(item) == data, name
        assert rlp.decode(data) == item, name


def test_all_26_forbidden_encodings_are_refused(vectors):
    cases = json.loads((vectors / "eth-rlp" / "invalidRLPTest.json").read_text())
    assert len(cases) == 26
    for name, case in cases.items():
        with pytest.raises(MalformedError):
            pytest.fail(f"{name} was decoded: {rlp.decode(from_hex(case['out']))!r}")
