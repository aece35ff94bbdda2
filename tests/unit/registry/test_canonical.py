import enum
import json
import math
import struct
import subprocess
import sys

import pytest
import rfc8785

from testamur.registry import canonical
from testamur.registry.canonical import (
    MAX_DOCUMENT_BYTES,
    MAX_SAFE_INTEGER,
    canonicalize,
    canonicalize_for_issuing,
    digest,
    parse_json,
)
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256


def parse(data, **bounds):
    return parse_json(data, subject="thing", **bounds)


# -- parse_json


def test_a_document_is_read_as_it_is_written():
    assert parse(b'{"b": [1, -2.5, true, null], "a": "\\u00e9"}') == {"b": [1, -2.5, True, None], "a": "é"}


def test_a_byte_order_mark_is_skipped_once():
    assert parse(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    with pytest.raises(MalformedError):
        parse(b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}')


def test_integers_stay_exact():
    assert parse(b"9007199254740993") == 9007199254740993


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b'"\t"', "not JSON"),
        (b"01", "not JSON"),
        (b'{"a":1,"a":1}', 'two members "a"'),
        (b'[{"x":{"k":1,"l":2,"k":3}}]', 'two members "k"'),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"-Infinity", "-Infinity"),
        (b"1e999", "range of a double"),
        (b"-1e999", "range of a double"),
        (b"1" + b"0" * 309, "range of a double"),
        (b"9" * 5000, "range of a double"),
        (b'"\\ud800"', "lone surrogate"),
        (b'{"\\udc00\\ud800":1}', "lone surrogate"),
        (b'["\\ud83d\\ude02", "\\uDE02"]', "lone surrogate"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xff"', "not UTF-8"),
        (b'{"a":1}'.decode().encode("utf-16"), "not UTF-8"),
    ],
)
def test_what_strict_readers_disagree_about_is_refused_with_its_reason(data, word):
    with pytest.raises(MalformedError) as caught:
        parse(data)
    assert caught.value.subject == "thing"
    assert word in caught.value.reason


def test_surrogate_pairs_and_escaped_backslashes_are_fine():
    assert parse(b'["\\ud83d\\ude02", "\\\\ud800"]') == ["😂", "\\ud800"]


def test_the_largest_double_is_the_largest_number():
    assert parse(str(int(1.7976931348623157e308)).encode()) == int(1.7976931348623157e308)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_the_depth_bound_is_exact(opening):
    closing = b"]" if opening == b"[" else b"}"
    assert parse(opening * 64 + b"1" + closing * 64)
    with pytest.raises(MalformedError, match="deeper than 64"):
        parse(opening * 65 + b"1" + closing * 65)


def test_many_flat_objects_are_not_deep():
    assert len(parse(b"[" + b",".join([b"{}"] * 1000) + b"]")) == 1000


def test_nesting_beyond_any_stack_is_malformed_not_a_crash():
    with pytest.raises(MalformedError, match="deeper"):
        parse(b"[" * 500_000)


DEEP_TEXTS = {
    "arrays": b"[" * 500_000,
    "objects": b'{"a":' * 150_000,
    "behind an endless string": b'["' + b'\\"' * 300_000 + b"[" * 300_000,
    "behind strings with brackets": b'["]]]]}}","\\"]",' * 50_000 + b"[" * 100_000,
}


@pytest.mark.parametrize("name", DEEP_TEXTS)
def test_nesting_is_no_crash_either_when_a_library_has_raised_the_recursion_limit(name):
    # web3 brings py_ecc along, which sets the limit to 100 000: more than the C stack holds. A crash would end
    # this process, so it happens in another one.
    code = (
        "import sys; sys.setrecursionlimit(100_000)\n"
        "from testamur.registry.canonical import parse_json\n"
        "from testamur.registry.errors import MalformedError\n"
        "try:\n    parse_json(sys.stdin.buffer.read(), subject='x')\n"
        "except MalformedError as error:\n    print(error.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=DEEP_TEXTS[name], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert b"deeper" in done.stdout or b"not JSON" in done.stdout


def test_brackets_inside_strings_are_not_nesting():
    text = json.dumps([["[{" * 2000, "\\"], '"]', "[" * 2000]).encode()
    assert parse(text) == json.loads(text)


def test_many_brackets_beside_each_other_are_not_nesting():
    assert parse(b"[" + b"[{}]," * 5000 + b"[]]") == [[{}]] * 5000 + [[]]


def test_the_size_bound_is_exact():
    text = b'"' + b"a" * (MAX_DOCUMENT_BYTES - 2) + b'"'
    assert len(parse(text)) == MAX_DOCUMENT_BYTES - 2
    with pytest.raises(MalformedError, match="larger"):
        parse(text + b" ")


# -- canonicalize

RFC_8785_NUMBERS = [  # appendix B
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "text"), RFC_8785_NUMBERS)
def test_doubles_are_written_as_ecmascript_does(bits, text):
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonicalize(number) == text.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, False, None, {}, []]}, b'{"a":[true,false,null,{},[]],"b":1}'),
        (
            {"": "empty", "\n": '\x00\x1f\b\f\n\r\t"\\/'},
            b'{"":"empty","\\n":"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\/"}',
        ),
        ("\x7f\u2028é", '"\x7f\u2028é"'.encode()),
        (-0, b"0"),
        ([MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER], b"[9007199254740991,-9007199254740991]"),
    ],
)
def test_plain_values_have_their_canonical_bytes(value, text):
    assert canonicalize(value) == text == rfc8785.dumps(value)


def test_keys_beyond_the_bmp_are_sorted_by_utf16_units():
    # U+1F602 is D83D DE02 in UTF-16 and sorts before U+FB33, although its code point is higher.
    value = {"\ufb33": 1, "\U0001f602": 2}
    assert canonicalize(value) == '{"\U0001f602":2,"\ufb33":1}'.encode()
    assert sorted(value) == ["\ufb33", "\U0001f602"]


@pytest.mark.parametrize(
    ("written", "read"),
    [("9007199254740993", "9007199254740992"), ("1" + "0" * 25, "1e+25"), ("-" + "9" * 20, "-1" + "0" * 20)],
)
def test_foreign_integers_beyond_2_to_53_follow_ecmascript(written, read):
    assert canonicalize([int(written)]) == f"[{read}]".encode()


@pytest.mark.parametrize("number", [MAX_SAFE_INTEGER + 1, -MAX_SAFE_INTEGER - 1, 10**30])
def test_issuing_refuses_integers_that_others_would_round(number):
    with pytest.raises(MalformedError, match="2\\^53"):
        canonicalize_for_issuing({"a": [{"b": number}]})


def test_issuing_gives_the_same_bytes_for_everything_else():
    value = {"z": 1.5, "a": [MAX_SAFE_INTEGER, "é"]}
    assert canonicalize_for_issuing(value) == canonicalize(value)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 10**400, "\ud800", {"\udfff": 1}, ["😂", "\ud83d"], [1.5, "\ud83d"]],
)
def test_what_jcs_cannot_carry_is_malformed(value):
    with pytest.raises(MalformedError):
        canonicalize([value])


@pytest.mark.parametrize(
    "value", [{1: "a"}, {None: 1}, {"a": {True: 1}}, [{1: 1.5}], b"bytes", {"a": {1, 2}}, [object()]]
)
def test_values_that_are_not_json_are_a_programming_mistake(value):
    with pytest.raises(TypeError):
        canonicalize(value)


def test_enumerations_are_written_as_their_values():
    class Colour(enum.StrEnum):
        RED = "red"

    class Number(enum.IntEnum):
        ONE = 1

    assert canonicalize([Colour.RED, Number.ONE]) == b'["red",1]'


def test_a_value_beyond_any_stack_is_malformed_even_with_floats_in_it():
    for leaf in (1, 1.5):
        value = leaf
        for _ in range(100_000):
            value = [value]
        with pytest.raises(MalformedError, match="deep"):
            canonicalize(value)


def test_a_value_inside_itself_is_malformed():
    value = {}
    value["self"] = [value]
    with pytest.raises(MalformedError, match="deep"):
        canonicalize(value)


def test_the_digest_is_over_the_canonical_bytes():
    assert digest({"b": 1, "a": 2}) == sha256(b'{"a":2,"b":1}')


@pytest.mark.parametrize("value", ["text", 7, None, True, [], {}, {"é": [1, {"b": None, "a": "\n\u2028"}]}])
def test_the_encoder_that_is_made_once_writes_what_the_library_writes(value, monkeypatch):
    wanted = canonical._ENCODER.encode(value)
    assert canonical._encode(value) == wanted
    monkeypatch.setattr(canonical.json.encoder, "c_make_encoder", None)
    assert canonical._encode_once()(value) == wanted


def test_the_encoder_that_is_made_once_still_refuses_what_is_not_json():
    with pytest.raises(TypeError):
        canonical.canonicalize({"a": {1, 2}})
    with pytest.raises(TypeError):
        canonical.canonicalize({"a": b"bytes"})
