"""What was found good is not computed again; what is bad never becomes good by being repeated."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fakes.issuers import signing_key
from testamur.registry import keys, remembered
from testamur.registry.errors import VerificationError
from testamur.registry.remembered import (
    LARGE,
    MAX_REMEMBERED_MESSAGE_BYTES,
    SMALL,
    RememberedKey,
    remembering_json,
)

KEY = signing_key(5)


@pytest.fixture
def computed(monkeypatch):
    """How often a signature was really computed."""
    calls = []
    verify = keys.PublicKey.verify

    def count(self, signature, message):
        calls.append(message)
        return verify(self, signature, message)

    monkeypatch.setattr(keys.PublicKey, "verify", count)
    remembered.forget()
    yield calls
    remembered.forget()


def test_a_good_signature_is_computed_once(computed):
    key, signature = RememberedKey.of(KEY.public_key), KEY.sign(b"message")
    for _ in range(3):
        key.verify(signature, b"message")
    assert computed == [b"message"]


def test_a_bad_signature_is_refused_and_computed_every_time(computed):
    key, signature = RememberedKey.of(KEY.public_key), KEY.sign(b"message")
    for _ in range(2):
        with pytest.raises(VerificationError) as caught:
            key.verify(signature, b"another")
        assert caught.value.reason == "signature-invalid"
    assert computed == [b"another"] * 2


def test_every_part_of_what_was_proven_counts(computed):
    signature = KEY.sign(b"message")
    RememberedKey.of(KEY.public_key).verify(signature, b"message")
    for key, given, message in (
        (signing_key(6), signature, b"message"),
        (KEY, KEY.sign(b"another"), b"message"),
        (KEY, signature, b"messagf"),
    ):
        with pytest.raises(VerificationError):
            RememberedKey.of(key.public_key).verify(given, message)


def test_long_messages_are_not_kept(computed):
    message = bytes(MAX_REMEMBERED_MESSAGE_BYTES + 1)
    for _ in range(2):
        RememberedKey.of(KEY.public_key).verify(KEY.sign(message), message)
    assert computed == [message] * 2


@pytest.fixture
def read():
    """(a remembering reader, what it really read)"""
    seen = []

    @remembering_json
    def reader(document, *given):
        seen.append(document)
        if document == {"bad": True}:
            raise VerificationError("malformed")
        return document, given

    yield reader, seen
    remembered.forget()


def test_equal_documents_are_read_once_and_other_arguments_count(read):
    reader, seen = read
    assert reader({"a": [1]}, "x") == reader({"a": [1]}, "x") == ({"a": [1]}, ("x",))
    assert len(seen) == 1
    assert reader({"a": [1]}, "y")[1] == ("y",)
    assert len(seen) == 2


@pytest.mark.parametrize("other", [1.0, True, "1", [1], None])
def test_what_python_takes_for_equal_is_told_apart(read, other):
    reader, seen = read
    reader({"sequence": 1})
    (document, _) = reader({"sequence": other})
    assert type(document["sequence"]) is type(other)
    assert len(seen) == 2


def test_a_document_that_is_changed_afterwards_changes_nothing_that_is_remembered(read):
    reader, seen = read
    document = {"a": [1]}
    reader(document)
    document["a"].append(2)
    assert reader({"a": [1]})[0] == {"a": [1]}
    assert len(seen) == 1
    assert reader(document)[0] == {"a": [1, 2]}


def test_what_raises_is_read_and_raises_every_time(read):
    reader, seen = read
    for _ in range(2):
        with pytest.raises(VerificationError):
            reader({"bad": True})
    assert len(seen) == 2


def test_what_is_too_large_or_no_json_is_read_each_time(read):
    reader, seen = read
    for document in ("x" * LARGE[1], {"a": object}):
        reader(document)
        reader(document)
    assert len(seen) == 4


@pytest.mark.parametrize(("number", "size"), [SMALL, LARGE])
def test_the_newest_are_kept_in_a_bounded_number(read, number, size):
    reader, seen = read
    documents = [f"{index:03}" + "x" * (size - 100) for index in range(number + 1)]
    for document in (*documents, *documents[1:]):
        reader(document)
    assert seen == documents
    reader(documents[0])
    assert seen == [*documents, documents[0]]


def test_threads_share_what_was_read(read):
    reader, seen = read
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: reader({"n": number % 5}), range(500)))
    assert [document["n"] for document, _ in found] == [number % 5 for number in range(500)]
    assert {document["n"] for document in seen} == set(range(5))
