import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.evm import rlp


def test_a_small_byte_stands_for_itself():
    assert rlp.encode(b"\x7f") == b"\x7f"
    assert rlp.decode(b"\x7f") == b"\x7f"


def test_lists_and_tuples_encode_alike():
    assert (
        rlp.encode([b"cat", (b"dog",)])
        == rlp.encode((b"cat", [b"dog"]))
        == bytes.fromhex("c983636174c483646f67")
    )


def test_a_long_string_has_a_long_length():
    data = rlp.encode(b"x" * 56)
    assert data[:2] == b"\xb8\x38"
    assert rlp.decode(data) == b"x" * 56


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "ends where"),
        ("8100", "stands for itself"),
        ("b800", "longer than needed"),
        ("b837" + "00" * 55, "longer than needed"),
        ("b90038" + "00" * 56, "longer than needed"),
        ("f800", "longer than needed"),
        ("8261", "ends before"),
        ("c28261", "ends before"),
        ("c18161", "ends before"),
        ("8061", "after its end"),
        ("bfffffffffffffffff", "ends before"),
    ],
)
def test_a_second_way_to_write_something_is_refused(data, reason):
    with pytest.raises(MalformedError, match=reason):
        rlp.decode(bytes.fromhex(data))


def test_nesting_ends_at_the_limit():
    nested = []
    for _ in range(rlp.MAX_RLP_DEPTH - 1):
        nested = [nested]
    assert rlp.decode(rlp.encode(nested)) == nested
    with pytest.raises(MalformedError, match="nests deeper"):
        rlp.decode(rlp.encode([nested]))


def test_more_bytes_than_allowed_are_not_looked_at():
    with pytest.raises(MalformedError, match="more than 3"):
        rlp.decode(b"\x83abc", max_bytes=3)
    assert rlp.decode(b"\x83abc", max_bytes=4) == b"abc"


def test_integers_have_no_leading_zeros_and_no_sign():
    assert rlp.encode_integer(0) == b""
    assert rlp.decode_integer(rlp.encode_integer(1024), subject="n") == 1024
    with pytest.raises(MalformedError, match="leading zeros"):
        rlp.decode_integer(b"\0\1", subject="n")
    with pytest.raises(MalformedError, match="not a list"):
        rlp.decode_integer([], subject="n")
    with pytest.raises(MalformedError, match="more than 2"):
        rlp.decode_integer(b"\1\1\1", subject="n", max_bytes=2)
    with pytest.raises(ValueError, match="negative"):
        rlp.encode_integer(-1)


def test_a_list_is_asked_for_and_a_string_refused():
    assert rlp.decode_list(b"\xc0") == []
    with pytest.raises(MalformedError, match="must be a list"):
        rlp.decode_list(b"\x80")
