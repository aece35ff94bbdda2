"""From a passphrase to a key that encrypts keys: scrypt (RFC 7914) and ChaCha20-Poly1305 (RFC 8439)."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

SALT_BYTES = 32
NONCE_BYTES = 12
WRAPPING_KEY_BYTES = 32

MAX_SCRYPT_MEMORY_BYTES = 1 << 30
"""A file asking for more (128 * n * r bytes) is refused: it would only starve the machine."""

MAX_SCRYPT_PARALLELISM = 16
"""Time grows with it and memory does not; sixteen times the default is minutes on a small machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptParameters:
    """Cost of one guess at the passphrase: 128 * n * r bytes of memory, and time in proportion."""

    n: int
    r: int
    p: int

    def __post_init__(self) -> None:
        if self.n < 2 or self.n & (self.n - 1) or self.r < 1 or not 1 <= self.p <= MAX_SCRYPT_PARALLELISM:
            raise ValueError("scrypt wants n a power of two above 1, r from 1, and p from 1 to 16")
        if self.n >= 1 << min(16 * self.r, 64):
            # RFC 7914 §2; what comes of it otherwise is out of memory, says OpenSSL.
            raise ValueError(f"scrypt with r={self.r} wants n below 2 to the {16 * self.r}, not {self.n}")
        if 128 * self.n * self.r > MAX_SCRYPT_MEMORY_BYTES:
            raise ValueError(f"scrypt with n={self.n}, r={self.r} takes more than 1 GiB")


DEFAULT_SCRYPT = ScryptParameters(n=1 << 17, r=8, p=1)
"""128 MiB and half a second for each guess, and once for each start of a node: OWASP's floor for scrypt.

The memory is what makes graphics cards poor at guessing; r=8 and p=1 are those of RFC 7914 §2."""


def derive_wrapping_key(secret: bytes, salt: bytes, parameters: ScryptParameters) -> bytes:
    """32 bytes that encrypt and decrypt keys; slow on purpose."""
    kdf = Scrypt(salt=salt, length=WRAPPING_KEY_BYTES, n=parameters.n, r=parameters.r, p=parameters.p)
    return kdf.derive(secret)


def encrypt(wrapping_key: bytes, nonce: bytes, secret: bytes, bound: bytes) -> bytes:
    """`secret`, readable only with the same key and beside the same `bound` bytes. A nonce is used once."""
    return ChaCha20Poly1305(wrapping_key).encrypt(nonce, secret, bound)


def find_decrypted(wrapping_key: bytes, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes | None:
    """The secret, or None: the key is another, or something was altered; nobody can tell which."""
    try:
        return ChaCha20Poly1305(wrapping_key).decrypt(nonce, ciphertext, bound)
    except InvalidTag:
        return None
