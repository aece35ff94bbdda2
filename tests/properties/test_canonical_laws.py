"""Laws of canonical JSON: the fast path is RFC 8785 to the byte, and parsing gives back what was written."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from testamur.registry.canonical import MAX_SAFE_INTEGER, canonicalize, parse_json
from testamur.registry.errors import MalformedError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff", "\x7f", "\u2028", '"', "\\"])
)
KEYS = st.text(max_size=4) | st.sampled_from(["\ufb33", "\U0001f602", "\uffff", "\U00010000", "a", "aa", ""])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES)
def test_canonical_bytes_are_those_of_rfc8785(value):
    assert canonicalize(value) == rfc8785.dumps(value)


@given(VALUES)
def test_canonical_bytes_are_a_fixed_point(value):
    canonical = canonicalize(value)
    assert canonicalize(parse_json(canonical, subject="document")) == canonical


@given(VALUES, st.booleans(), st.integers(0, 4))
def test_white_space_escapes_and_order_do_not_matter(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert canonicalize(parse_json(text.encode(), subject="document")) == canonicalize(value)


@given(st.integers())
def test_every_integer_follows_ecmascript(number):
    expected = number if abs(number) <= MAX_SAFE_INTEGER else float(number)
    assert canonicalize([number]) == rfc8785.dumps([expected])


@given(VALUES, st.characters(categories=["Cs"]))
def test_a_lone_surrogate_anywhere_is_malformed(value, surrogate):
    for broken in ([value, surrogate], {surrogate: value}, [{"a": [value, "x" + surrogate]}]):
        with pytest.raises(MalformedError):
            canonicalize(broken)
        with pytest.raises(MalformedError):
            parse_json(json.dumps(broken).encode(), subject="document")


@given(VALUES, KEYS, VALUES)
def test_a_member_written_twice_is_malformed_even_with_one_value(value, key, other):
    name = json.dumps(key)
    text = f'[{{{name}:{json.dumps(value)},"between":0,{name}:{json.dumps(other)}}}]'
    with pytest.raises(MalformedError):
        parse_json(text.encode(), subject="document")
