import copy
import pickle

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.keys import Algorithm, PublicKey, SigningKey, parse_multikey, parse_public_key
from testamur.registry.multiformats import Multicodec, encode_multibase, encode_multicodec

SEED = bytes(range(32))
SIGNING = [Algorithm.ED25519, Algorithm.P256]


@pytest.mark.parametrize("algorithm", SIGNING)
def test_a_signature_verifies_and_every_change_of_it_does_not(algorithm):
    key = SigningKey.from_seed(algorithm, SEED)
    signature = key.sign(b"message")
    assert len(signature) == 64
    key.public_key.verify(signature, b"message")
    wrong = [
        (signature, b"other message"),
        (bytes([signature[0] ^ 1]) + signature[1:], b"message"),
        (signature[:-1], b"message"),
        (signature + b"\0", b"message"),
        (b"", b"message"),
        (bytes(64), b"message"),
        (b"\xff" * 64, b"message"),
    ]
    for forged, message in wrong:
        with pytest.raises(VerificationError) as caught:
            key.public_key.verify(forged, message)
        assert caught.value.reason == "signature-invalid"


@pytest.mark.parametrize("algorithm", SIGNING)
def test_signing_needs_no_randomness(algorithm):
    key = SigningKey.from_seed(algorithm, SEED)
    assert key.sign(b"m") == SigningKey.from_seed(algorithm, key.seed).sign(b"m")


def test_the_seed_of_rfc_8032_test_1_gives_its_public_key_and_signature():
    key = SigningKey.from_seed(
        Algorithm.ED25519, bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    assert key.public_key.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a")


def test_the_p256_signature_of_rfc_6979_a_2_5_is_reproduced():
    seed = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
    signature = SigningKey.from_seed(Algorithm.P256, seed).sign(b"sample")
    assert signature.hex().upper() == (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )


@pytest.mark.parametrize("algorithm", SIGNING)
def test_a_key_survives_its_multikey_text(algorithm):
    public = SigningKey.from_seed(algorithm, SEED).public_key
    assert parse_multikey(public.to_multikey()) == public


def test_multikeys_start_as_everybody_knows_them():
    assert SigningKey.from_seed(Algorithm.ED25519, SEED).public_key.to_multikey().startswith("z6Mk")
    assert SigningKey.from_seed(Algorithm.P256, SEED).public_key.to_multikey().startswith("zDn")


def multikey(codec, raw):
    return encode_multibase("z", encode_multicodec(codec, raw))


P256_POINT = SigningKey.from_seed(Algorithm.P256, SEED).public_key.raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "u" + SigningKey.from_seed(Algorithm.ED25519, SEED).public_key.to_multikey()[1:],
        multikey(Multicodec.ED25519_PUB, bytes(31)),
        multikey(Multicodec.ED25519_PUB, b"\x05" * 33),
        multikey(Multicodec.ED25519_PRIV, SEED),
        multikey(Multicodec.X25519_PUB, SEED),
        multikey(Multicodec.P256_PUB, b"\x02" + b"\xff" * 32),
        multikey(Multicodec.P256_PUB, b"\x05" + P256_POINT[1:]),
        multikey(Multicodec.P256_PUB, b"\x00" * 33),
        multikey(Multicodec.P384_PUB, P256_POINT),
        multikey(Multicodec.SECP256K1_PUB, b"\x02" + b"\xff" * 32),
        "z6Mk" + "1" * 200,
    ],
)
def test_text_that_is_not_a_usable_public_key_is_malformed(text):
    with pytest.raises(MalformedError):
        parse_multikey(text)


@pytest.mark.parametrize(
    "raw",
    [
        bytes(32),
        b"\x01" + bytes(31),
        b"\x01" + bytes(30) + b"\x80",
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ],
)
def test_points_under_which_anything_verifies_are_refused(raw):
    with pytest.raises(MalformedError, match="small order"):
        parse_public_key(Algorithm.ED25519, raw)


def test_why_small_order_is_refused_one_signature_fits_two_messages():
    # The library itself accepts R = identity, S = 0 under the identity as key, for every message.
    key = PublicKey(algorithm=Algorithm.ED25519, raw=b"\x01" + bytes(31))
    signature = b"\x01" + bytes(63)
    key.verify(signature, b"I owe you nothing")
    key.verify(signature, b"I owe you everything")


def test_neither_repr_nor_str_nor_copies_show_the_secret():
    key = SigningKey.from_seed(Algorithm.ED25519, SEED)
    assert repr(key) == f"SigningKey({key.public_key.to_multikey()})"
    assert SEED.hex() not in f"{key!r}{key}{key.public_key!r}"
    for serialise in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            serialise(key)


@pytest.mark.parametrize(
    ("algorithm", "seed"),
    [
        (Algorithm.ED25519, bytes(31)),
        (Algorithm.P256, bytes(32)),
        (Algorithm.P256, b"\xff" * 32),
        (Algorithm.SECP256K1, SEED),
    ],
)
def test_a_secret_that_makes_no_key_is_a_programming_mistake(algorithm, seed):
    with pytest.raises(ValueError, match=r".+"):
        SigningKey.from_seed(algorithm, seed)


def test_a_public_key_of_the_wrong_length_is_a_programming_mistake():
    with pytest.raises(ValueError, match="32 bytes"):
        PublicKey(algorithm=Algorithm.ED25519, raw=b"short")


@pytest.mark.parametrize(
    ("algorithm", "curve_name", "hash_name"),
    [
        (Algorithm.P384, "SECP384R1", "SHA384"),
        (Algorithm.P521, "SECP521R1", "SHA512"),
        (Algorithm.SECP256K1, "SECP256K1", "SHA256"),
    ],
)
def test_foreign_curves_verify_with_their_own_hash(algorithm, curve_name, hash_name):
    private = ec.derive_private_key(12345, getattr(ec, curve_name)())
    point = private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    public = parse_public_key(algorithm, point)
    r, s = utils.decode_dss_signature(private.sign(b"m", ec.ECDSA(getattr(hashes, hash_name)())))
    half = len(point) - 1
    signature = r.to_bytes(half, "big") + s.to_bytes(half, "big")
    public.verify(signature, b"m")
    with pytest.raises(VerificationError):
        public.verify(signature, b"n")
    with pytest.raises(VerificationError):
        public.verify(signature[:-2], b"m")


def test_a_p_384_key_signs_over_sha_384_with_halves_of_fixed_length() -> None:
    key = SigningKey.from_seed(Algorithm.P384, b"\x07" * 48)
    assert key.public_key.algorithm is Algorithm.P384
    assert key.seed == b"\x07" * 48
    for number in range(40):  # a half that starts with a zero byte is one in 128
        signature = key.sign(bytes([number]))
        assert len(signature) == 96
        key.public_key.verify(signature, bytes([number]))
    assert key.sign(b"x") == key.sign(b"x")
    with pytest.raises(VerificationError):
        key.public_key.verify(key.sign(b"x"), b"y")


@pytest.mark.parametrize(
    ("algorithm", "size"), [(Algorithm.P384, 32), (Algorithm.P256, 48), (Algorithm.ED25519, 48)]
)
def test_a_secret_of_another_length_makes_no_key(algorithm: Algorithm, size: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        SigningKey.from_seed(algorithm, b"\x07" * size)


def test_points_have_coordinates_and_ed25519_keys_have_none() -> None:
    for algorithm, size in ((Algorithm.P256, 32), (Algorithm.P384, 48)):
        key = SigningKey.from_seed(algorithm, b"\x07" * size).public_key
        x, y = key.to_coordinates()
        assert (len(x), len(y)) == (size, size)
        assert key.raw == bytes((2 + (y[-1] & 1),)) + x
    with pytest.raises(ValueError, match="no coordinates"):
        SigningKey.from_seed(Algorithm.ED25519, bytes(32)).public_key.to_coordinates()
