"""The two hash functions of the formats: SHA-256 everywhere, Keccak-256 only where Ethereum needs it."""

import hashlib

DIGEST_BYTES = 32
"""Length of both digests. Everything that is compared as a digest has exactly this length."""


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 digest of `data` (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of `data`, with Ethereum's padding (0x01, not SHA-3's 0x06)."""
    from Crypto.Hash import keccak  # noqa: PLC0415  (30 ms, for what only the chain's side of a check needs)

    digest: bytes = keccak.new(digest_bits=256, data=data).digest()
    return digest
