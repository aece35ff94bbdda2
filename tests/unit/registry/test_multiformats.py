import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import (
    MAX_BASE58_BYTES,
    Multicodec,
    decode_digest,
    decode_multibase,
    encode_digest,
    encode_multibase,
    encode_multicodec,
    parse_multicodec,
)


def test_base58btc_keeps_leading_zeros():
    assert encode_multibase("z", b"\0\0abc") == "z11ZiCa"
    assert decode_multibase("z11ZiCa") == b"\0\0abc"


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\0\0", b"\xff" * MAX_BASE58_BYTES, b"\0" * MAX_BASE58_BYTES]
)
def test_base58btc_holds_at_its_ends(data):
    assert decode_multibase(encode_multibase("z", data)) == data


def test_base58btc_is_bounded_in_both_directions():
    with pytest.raises(ValueError, match="bounded"):
        encode_multibase("z", b"x" * (MAX_BASE58_BYTES + 1))
    with pytest.raises(MalformedError, match="longer"):
        decode_multibase("z" + "2" * 6000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k2lcpzo5yikidynfl",  # base36: a multibase, and not one of ours
        "z0",
        "zO",
        "zl",
        "z a",
        "zé",
        "z2\n",
        "uA",  # six bits are not a byte
        "uAA==",
        "uAB",  # stray bits
        "u+/+/",
        "uAAA\n",
        "m-_-_",
        "UAA",
        "UAA=",
        "f0",
        "fgg",
        "f 00",
        "b1",
        "ba",
        "baaaaaab=",
        "bab",  # stray bits
    ],
)
def test_every_value_has_one_accepted_text(text):
    with pytest.raises(MalformedError):
        decode_multibase(text)


def test_hex_and_base32_are_read_in_either_case():
    assert decode_multibase("f00fF") == decode_multibase("F00ff") == b"\x00\xff"
    assert decode_multibase("bAB4WK") == decode_multibase("bab4wk")


def test_a_prefix_that_is_not_allowed_here_is_refused():
    assert decode_multibase("uAAA", allowed="u") == b"\0\0"
    with pytest.raises(MalformedError) as caught:
        decode_multibase("uAAA", subject="proofValue", allowed="z")
    assert caught.value.subject == "proofValue"


def test_encoding_with_an_unknown_prefix_is_a_programming_mistake():
    with pytest.raises(ValueError, match="not supported"):
        encode_multibase("k", b"")


def test_base32_is_bounded_in_both_directions():
    assert decode_multibase(encode_multibase("b", bytes(320))) == bytes(320)
    with pytest.raises(ValueError, match="bounded"):
        encode_multibase("b", bytes(321))
    with pytest.raises(MalformedError, match="longer"):
        decode_multibase("b" + "a" * 513)


def test_a_digest_is_u_and_43_characters():
    digest = bytes(range(32))
    assert encode_digest(digest) == "uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert decode_digest(encode_digest(digest)) == digest


@pytest.mark.parametrize(
    "text",
    [
        "uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",  # stray bits
        "uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
        "uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A",
        "zAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+",
        "uAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
        "",
    ],
)
def test_a_digest_in_any_other_spelling_is_refused(text):
    with pytest.raises(MalformedError):
        decode_digest(text)


def test_a_digest_of_another_length_is_a_programming_mistake():
    with pytest.raises(ValueError, match="32 bytes"):
        encode_digest(b"short")


@pytest.mark.parametrize(
    ("codec", "prefix"),
    [
        (Multicodec.ED25519_PUB, "ed01"),
        (Multicodec.P256_PUB, "8024"),
        (Multicodec.ED25519_PRIV, "8026"),
        (Multicodec.SECP256K1_PUB, "e701"),
    ],
)
def test_multicodec_prefixes_are_the_published_varints(codec, prefix):
    assert encode_multicodec(codec, b"key") == bytes.fromhex(prefix) + b"key"
    assert parse_multicodec(bytes.fromhex(prefix) + b"key") == (codec, b"key")


@pytest.mark.parametrize("data", [b"", b"\xed", b"\x12\x20" + bytes(32), b"\xed\x81\x00" + bytes(32)])
def test_other_codes_and_longer_varints_are_refused(data):
    with pytest.raises(MalformedError):
        parse_multicodec(data)
