"""Taking JSON apart: every helper returns the asked type or names the member that is wrong."""

import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape, kind_of, without_duplicates

DIGEST = bytes(range(32))


def shape(**members):
    return Shape(members, "thing")


def refused(call, *words):
    with pytest.raises(MalformedError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", []])
def test_only_an_object_has_members(value):
    refused(lambda: Shape(value, "thing"), "thing", "must be an object", kind_of(value))


def test_a_wrong_member_is_named_with_its_path_from_the_top():
    inner = shape(list=[{"deep": {"x": 1}}]).shapes("list", maximum=3)[0].shape("deep")
    refused(lambda: inner.text("x"), "thing /list/0/deep/x", "a number")


def test_texts_are_bounded_and_never_empty():
    assert shape(a="x").text("a") == "x"
    refused(lambda: shape(a="").text("a"), "non-empty")
    refused(lambda: shape(a="xx").text("a", max_length=1), "2 characters", "1")
    refused(lambda: shape().text("a"), "nothing")
    assert shape(a=None).optional_text("a") is None


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None])
def test_a_boolean_or_a_float_is_no_integer(value):
    refused(lambda: shape(a=value).integer("a"), "integer")


def test_integers_have_both_bounds():
    assert shape(a=0).integer("a") == 0
    refused(lambda: shape(a=-1).integer("a"), "-1", "outside 0")
    refused(lambda: shape(a=2**53).integer("a"), "outside")


def test_one_is_not_true_and_true_is_not_one_where_a_constant_is_expected():
    refused(lambda: shape(version=True).expect("version", 1), "version")
    refused(lambda: shape(version=1.0).expect("version", 1), "version")
    shape(version=1).expect("version", 1)


def test_digests_are_32_bytes_of_multibase_u():
    assert shape(a=encode_digest(DIGEST)).digest("a") == DIGEST
    for text in ("u", "uAAA", encode_digest(DIGEST)[1:], "z" + encode_digest(DIGEST)[1:]):
        refused(lambda text=text: shape(a=text).digest("a"), "thing /a")


def test_lists_are_bounded_below_and_above_and_an_absent_one_is_empty():
    assert shape().items("a", maximum=1) == []
    refused(lambda: shape().items("a", minimum=1, maximum=1), "0 items")
    refused(lambda: shape(a=[1, 2]).items("a", maximum=1), "2 items")
    refused(lambda: shape(a={}).items("a", maximum=1), "a list")
    refused(lambda: shape(a=["x", 1]).texts("a", maximum=3), "/a/1")


def test_members_that_nobody_asked_for_are_refused_or_reported():
    taken = shape(a="x", b="y", c="z")
    taken.text("a")
    report = []
    taken.report_unknown(report)
    assert report == ["thing /b", "thing /c"]
    refused(taken.refuse_unknown, "b, c")


def test_a_name_that_stands_twice_is_named():
    without_duplicates(["a", "b"], "names")
    refused(lambda: without_duplicates(["a", "b", "a"], "names"), "names", "'a'", "twice")
