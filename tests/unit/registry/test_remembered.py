"""A signature that was found good is not computed again; a bad one never becomes good by being repeated."""

import pytest

from fakes.issuers import signing_key
from testamur.registry import keys, remembered
from testamur.registry.errors import VerificationError
from testamur.registry.remembered import MAX_REMEMBERED_MESSAGE_BYTES, RememberedKey

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
