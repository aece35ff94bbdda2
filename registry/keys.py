"""Public keys that verify, signing keys that sign, and their Multikey text.

Ed25519 is what Testamur signs with; P-256 and P-384 are there for issuers bound to them. The other curves are
read, so that foreign credentials and did:key identifiers can be verified.
"""

import enum
import functools
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.multiformats import (
    Multicodec,
    decode_multibase,
    encode_multibase,
    encode_multicodec,
    parse_multicodec,
)

ED25519_KEY_BYTES: Final = 32
ED25519_SIGNATURE_BYTES: Final = 64

MAX_MULTIKEY_CHARACTERS: Final = 128
"""The longest key that is understood, P-521, takes 95 characters."""

_ED25519_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""The points of small order, sign bit cleared: one signature under such a key fits any message."""


class Algorithm(enum.StrEnum):
    """A signature algorithm, by the name of its curve."""

    ED25519 = "Ed25519"
    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    SECP256K1 = "secp256k1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    curve: ec.EllipticCurve
    hash_algorithm: hashes.HashAlgorithm
    field_bytes: int


_CURVES: Final = {
    Algorithm.P256: _Curve(curve=ec.SECP256R1(), hash_algorithm=hashes.SHA256(), field_bytes=32),
    Algorithm.P384: _Curve(curve=ec.SECP384R1(), hash_algorithm=hashes.SHA384(), field_bytes=48),
    Algorithm.P521: _Curve(curve=ec.SECP521R1(), hash_algorithm=hashes.SHA512(), field_bytes=66),
    Algorithm.SECP256K1: _Curve(curve=ec.SECP256K1(), hash_algorithm=hashes.SHA256(), field_bytes=32),
}

_ALGORITHM_OF_CURVE: Final = {parameters.curve.name: name for name, parameters in _CURVES.items()}

SECRET_BYTES: Final = {Algorithm.ED25519: 32, Algorithm.P256: 32, Algorithm.P384: 48}
"""The algorithms that sign here, with the length of their secret."""

_PUBLIC_CODECS: Final = {
    Algorithm.ED25519: Multicodec.ED25519_PUB,
    Algorithm.P256: Multicodec.P256_PUB,
    Algorithm.P384: Multicodec.P384_PUB,
    Algorithm.P521: Multicodec.P521_PUB,
    Algorithm.SECP256K1: Multicodec.SECP256K1_PUB,
}
_PUBLIC_ALGORITHMS: Final = {codec: algorithm for algorithm, codec in _PUBLIC_CODECS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that can verify: Ed25519 as 32 bytes (RFC 8032), other curves as a compressed point (SEC 1)."""

    algorithm: Algorithm
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _raw_bytes(self.algorithm):
            raise ValueError(
                f"an {self.algorithm} key has {_raw_bytes(self.algorithm)} bytes, not {len(self.raw)}"
            )

    def to_multikey(self) -> str:
        """The key as `publicKeyMultibase`: base58btc of its multicodec and raw bytes (Multikey)."""
        return encode_multibase("z", encode_multicodec(_PUBLIC_CODECS[self.algorithm], self.raw))

    def to_coordinates(self) -> tuple[bytes, bytes]:
        """(x, y) of a point on an elliptic curve, each as long as the field (SEC 1 §2.3.5).

        Raises ValueError for Ed25519, whose keys are not written in coordinates.
        """
        if self.algorithm is Algorithm.ED25519:
            raise ValueError("an Ed25519 key has no coordinates")
        key = _load_public(self.algorithm, self.raw)
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
        return point[: len(point) // 2], point[len(point) // 2 :]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Prove that the holder of this key signed `message`.

        Ed25519 signatures are 64 bytes (RFC 8032, S below the group order); ECDSA ones are r || s, each as
        long as the field, over SHA-256 (P-384: SHA-384, P-521: SHA-512).
        Raises VerificationError("signature-invalid").
        """
        try:
            key = _load_public(self.algorithm, self.raw)
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, message)
                return
            parameters = _CURVES[self.algorithm]
            half = parameters.field_bytes
            if len(signature) != 2 * half:
                raise VerificationError("signature-invalid")
            encoded = encode_dss_signature(
                int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            )
            key.verify(encoded, message, ec.ECDSA(parameters.hash_algorithm))
        except (InvalidSignature, ValueError) as exc:
            raise VerificationError("signature-invalid") from exc


def parse_public_key(algorithm: Algorithm, raw: bytes, *, subject: str = "public key") -> PublicKey:
    """The key in `raw`, once it is known to be a usable point of its curve. Raises MalformedError.

    Ed25519 points of small order are refused: whoever publishes one could disown every signature.
    """
    if len(raw) != _raw_bytes(algorithm):
        raise MalformedError(subject, f"has {len(raw)} bytes; {algorithm} needs {_raw_bytes(algorithm)}")
    if algorithm is Algorithm.ED25519:
        if raw[:-1] + bytes((raw[-1] & 0x7F,)) in _ED25519_SMALL_ORDER:
            raise MalformedError(subject, "is a point of small order, under which anything verifies")
    else:
        try:
            _load_public(algorithm, raw)
        except ValueError as exc:
            raise MalformedError(subject, f"is not a compressed point of {algorithm}") from exc
    return PublicKey(algorithm=algorithm, raw=bytes(raw))


def parse_multikey(text: str, *, subject: str = "publicKeyMultibase") -> PublicKey:
    """The key that `PublicKey.to_multikey` wrote. Raises MalformedError for any other text or type of key."""
    if len(text) > MAX_MULTIKEY_CHARACTERS:
        raise MalformedError(subject, f"is longer than {MAX_MULTIKEY_CHARACTERS} characters")
    codec, raw = parse_multicodec(decode_multibase(text, subject=subject, allowed="z"), subject=subject)
    algorithm = _PUBLIC_ALGORITHMS.get(codec)
    if algorithm is None:
        raise MalformedError(subject, "is not a key that verifies signatures")
    return parse_public_key(algorithm, raw, subject=subject)


class SigningKey:
    """A private key in memory. Signing is deterministic: the same key and message give the same bytes.

    `repr` and `str` show the public key only.
    """

    __slots__ = ("_private", "_seed", "public_key")

    def __init__(self, private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, seed: bytes) -> None:
        self._private = private
        self._seed = seed
        public = private.public_key()
        self.public_key: Final = (
            PublicKey(
                algorithm=Algorithm.ED25519,
                raw=public.public_bytes(Encoding.Raw, PublicFormat.Raw),
            )
            if isinstance(public, ed25519.Ed25519PublicKey)
            else PublicKey(
                algorithm=_ALGORITHM_OF_CURVE[public.curve.name],
                raw=public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
            )
        )

    @classmethod
    def from_seed(cls, algorithm: Algorithm, seed: bytes) -> "SigningKey":
        """The key of this secret: 32 bytes of Ed25519 seed, or a P-256 (32) or P-384 (48) private scalar.

        Scalars are big-endian. Raises ValueError for another length or algorithm, and for a scalar outside
        of 1 … order - 1.
        """
        wanted = SECRET_BYTES.get(algorithm)
        if wanted is None:
            raise ValueError(f"{algorithm} keys verify here, they do not sign")
        if len(seed) != wanted:
            raise ValueError(f"the secret of an {algorithm} key has {wanted} bytes, not {len(seed)}")
        if algorithm is Algorithm.ED25519:
            return cls(ed25519.Ed25519PrivateKey.from_private_bytes(seed), bytes(seed))
        curve = _CURVES[algorithm].curve
        return cls(ec.derive_private_key(int.from_bytes(seed, "big"), curve), bytes(seed))

    @property
    def seed(self) -> bytes:
        """The secret bytes that `from_seed` takes. For the key store only."""
        return self._seed

    def sign(self, message: bytes) -> bytes:
        """Ed25519 (RFC 8032, 64 bytes), or r || s of ECDSA without randomness (RFC 6979).

        P-256 signs over SHA-256 (64 bytes), P-384 over SHA-384 (96 bytes); r and s have the field's length,
        and s is not made low: no suite asks for it.
        """
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(message)
        curve = _CURVES[self.public_key.algorithm]
        encoded = self._private.sign(message, ec.ECDSA(curve.hash_algorithm, deterministic_signing=True))
        r, s = decode_dss_signature(encoded)
        return r.to_bytes(curve.field_bytes, "big") + s.to_bytes(curve.field_bytes, "big")

    def __repr__(self) -> str:
        return f"SigningKey({self.public_key.to_multikey()})"

    def __reduce__(self) -> "str | tuple[object, ...]":
        raise TypeError("a signing key is not serialised by accident; the key store does it on purpose")


def _raw_bytes(algorithm: Algorithm) -> int:
    """Length of the raw public key: a compressed point is one byte longer than the field."""
    return ED25519_KEY_BYTES if algorithm is Algorithm.ED25519 else 1 + _CURVES[algorithm].field_bytes


@functools.lru_cache(maxsize=256)
def _load_public(algorithm: Algorithm, raw: bytes) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
    """The library's key object; kept, because decompressing a point costs as much as verifying with it."""
    if algorithm is Algorithm.ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(raw)
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[algorithm].curve, raw)
