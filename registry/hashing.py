"""The two hash functions of the formats: SHA-256 everywhere, Keccak-256 only where Ethereum needs it."""

import hashlib

import sha3

DIGEST_BYTES = 32
"""Length of both digests. Everything that is compared as a digest has exactly this length."""


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 digest of `data` (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of `data`, with Ethereum's padding (0x01, not SHA-3's 0x06)."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest
