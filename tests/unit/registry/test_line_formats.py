import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.line_formats import decode_base64, decode_base64_digest, encode_base64, parse_decimal


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_base64_round_trips(data):
    assert decode_base64(encode_base64(data), "thing") == data


@pytest.mark.parametrize("text", ["YQ", "YR==", "YQ=", "Y Q==", "YQ==\n", "-_-_", "é", "YQ==YQ==", "="])
def test_base64_in_any_other_spelling_is_refused(text):
    with pytest.raises(MalformedError) as caught:
        decode_base64(text, "thing")
    assert caught.value.subject == "thing"


def test_a_hash_has_32_bytes():
    assert decode_base64_digest(encode_base64(bytes(32)), "thing") == bytes(32)
    with pytest.raises(MalformedError, match="31 bytes"):
        decode_base64_digest(encode_base64(bytes(31)), "thing")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("9223372036854775807", 2**63 - 1)])
def test_decimals_are_read(text, number):
    assert parse_decimal(text, "thing", 2**63 - 1) == number


@pytest.mark.parametrize(
    "text",
    ["", "00", "01", "-1", "+1", " 1", "1 ", "1_0", "1.0", "\u0661", "9223372036854775808", "1" * 5000],
)
def test_decimals_in_any_other_spelling_are_refused(text):
    with pytest.raises(MalformedError):
        parse_decimal(text, "thing", 2**63 - 1)
