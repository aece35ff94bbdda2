"""Multibase text and multicodec prefixes: how digests, keys and signatures are written inside JSON.

py-multibase loses leading zeros in base58btc and base16, and needs a hundred times as long for a digest in
base64url as the standard library. So base58btc is written out here, base16 and the base64 family are the
standard library's, and the package reads and writes base32.
"""

import base64
import binascii
import enum
import re
from typing import Final

import multibase

from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES

MAX_BASE58_BYTES: Final = 4096
"""Longest base58btc value: post-quantum signatures fit, and the arithmetic stays near a millisecond."""

MAX_BASE32_CHARACTERS: Final = 512
"""Base32 occurs in short identifiers only, and py-multibase needs more than ten microseconds a character."""

MAX_MULTIBASE_CHARACTERS: Final = 1 << 20
"""Longest multibase text; nothing in a document of `canonical.MAX_DOCUMENT_BYTES` can be longer."""

SUPPORTED_PREFIXES: Final = "uzfmUFb"
"""base64url, base58btc, base16, base64, base64url padded, base16 upper case, base32: what credentials use."""

_BASE58_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_PAIRS: Final = [first + second for first in _BASE58_ALPHABET for second in _BASE58_ALPHABET]
_BASE58_VALUES: Final = bytes(_BASE58_ALPHABET.find(chr(code)) & 0xFF for code in range(256))
"""Value of each character, 0xFF for those outside of the alphabet."""

_MAX_BASE58_CHARACTERS: Final = MAX_BASE58_BYTES * 138 // 100 + 1
"""log 256 / log 58 is a little below 1.366."""

_BASE58_STEP: Final = 128
"""Characters that are converted one after the other; above, halving is faster. A signature has 88."""

_DIGEST_TEXT: Final = re.compile(r"u[A-Za-z0-9_-]{42}([A-Za-z0-9_-])")

_ENDS_OF_DIGESTS: Final = frozenset("AEIMQUYcgkosw048")
"""Characters of base64url with two low bits clear: 43 characters are 258 bits, a digest has 256."""

_URL_ALPHABET: Final = bytes.maketrans(b"-_+/", b"+/  ")
"""To the alphabet that the standard library decodes; its own two characters become ones that it refuses."""


class Multicodec(enum.IntEnum):
    """The multicodec codes of the key types that are understood (multiformats/multicodec table.csv)."""

    SECP256K1_PUB = 0xE7
    X25519_PUB = 0xEC
    ED25519_PUB = 0xED
    P256_PUB = 0x1200
    P384_PUB = 0x1201
    P521_PUB = 0x1202
    ED25519_PRIV = 0x1300
    P256_PRIV = 0x1306


# -------------------------------------------------------------------------------------------------- multibase


def encode_multibase(prefix: str, data: bytes) -> str:
    """`data` as multibase text; `prefix` is one of `SUPPORTED_PREFIXES`.

    Raises ValueError for another prefix, and beyond `MAX_BASE58_BYTES` and `MAX_BASE32_CHARACTERS`.
    """
    match prefix:
        case "u":
            return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
        case "z":
            return "z" + _encode_base58(data)
        case "f":
            return "f" + data.hex()
        case "F":
            return "F" + data.hex().upper()
        case "m":
            return "m" + base64.b64encode(data).rstrip(b"=").decode("ascii")
        case "U":
            return "U" + base64.urlsafe_b64encode(data).decode("ascii")
        case "b":
            return _encode_base32(data)
    raise ValueError(f"multibase prefix {prefix!r} is not supported")


def decode_multibase(text: str, *, subject: str = "multibase", allowed: str = SUPPORTED_PREFIXES) -> bytes:
    """The bytes that `text` stands for, when its prefix is one of `allowed`.

    Base16 and base32 may be written in either case; otherwise every value has exactly one accepted text
    (no white space, no stray bits, padding exactly where the prefix asks for it).
    Raises MalformedError(`subject`).
    """
    prefix, body = text[:1], text[1:]
    if not prefix or prefix not in allowed:
        raise MalformedError(
            subject, f"does not start with one of the multibase prefixes {' '.join(allowed)}"
        )
    if len(text) > MAX_MULTIBASE_CHARACTERS:
        raise MalformedError(subject, f"is longer than {MAX_MULTIBASE_CHARACTERS} characters")
    if not body.isascii():
        raise MalformedError(subject, "holds characters outside of its alphabet")
    match prefix:
        case "u" | "m" | "U":
            return _decode_base64(prefix, body, subject)
        case "z":
            return _decode_base58(body, subject)
        case "f" | "F":
            return _decode_base16(body, subject)
        case "b":
            return _decode_base32(body, subject)
    raise ValueError(f"multibase prefix {prefix!r} is not supported")


def encode_digest(digest: bytes) -> str:
    """A 32-byte digest as it stands in our JSON: `u` and 43 characters of base64url."""
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
    return "u" + base64.urlsafe_b64encode(digest)[:-1].decode("ascii")


def decode_digest(text: str, subject: str = "digest") -> bytes:
    """The 32 bytes of a digest written by `encode_digest`, in exactly that way. Raises MalformedError."""
    matched = _DIGEST_TEXT.fullmatch(text)
    if matched is None:
        raise MalformedError(subject, "is not 'u' followed by 43 characters of base64url")
    if matched[1] not in _ENDS_OF_DIGESTS:
        raise MalformedError(subject, "has stray bits after its last byte")
    return binascii.a2b_base64(text[1:].encode("ascii").translate(_URL_ALPHABET) + b"=")


def _decode_base64(prefix: str, body: str, subject: str) -> bytes:
    text = body.encode("ascii")
    if prefix != "m":
        text = text.translate(_URL_ALPHABET)
    if prefix != "U":
        if b"=" in text:
            raise MalformedError(subject, "is not base64: its prefix says that it has no padding")
        # A length of 1 modulo 4 cannot be: six bits are not a byte. Padding does not hide that.
        text += b"=" * (-len(text) % 4)
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as exc:
        raise MalformedError(subject, "is not base64") from exc
    if binascii.b2a_base64(data, newline=False) != text:  # the decoder takes stray bits
        raise MalformedError(subject, "is not canonical base64")
    return data


def _decode_base16(body: str, subject: str) -> bytes:
    try:
        return binascii.unhexlify(body)
    except (binascii.Error, ValueError) as exc:
        raise MalformedError(subject, "is not base16") from exc


def _encode_base32(data: bytes) -> str:
    if len(data) * 8 > MAX_BASE32_CHARACTERS * 5:
        raise ValueError(f"base32 is bounded at {MAX_BASE32_CHARACTERS} characters")
    text: bytes = multibase.encode("base32", data)
    return text.decode("ascii")


def _decode_base32(body: str, subject: str) -> bytes:
    if len(body) > MAX_BASE32_CHARACTERS:
        raise MalformedError(subject, f"is longer than {MAX_BASE32_CHARACTERS} characters of base32")
    lowered = body.lower()
    if not re.fullmatch(r"[a-z2-7]*", lowered):
        raise MalformedError(subject, "is not base32")
    data: bytes = multibase.decode("b" + lowered)
    if encode_multibase("b", data) != "b" + lowered:
        raise MalformedError(subject, "is not canonical base32")
    return data


# -------------------------------------------------------------------------------------------------- base58btc


def _encode_base58(data: bytes) -> str:
    if len(data) > MAX_BASE58_BYTES:
        raise ValueError(f"base58btc is bounded at {MAX_BASE58_BYTES} bytes")
    significant = data.lstrip(b"\0")
    digits = _base58_digits(int.from_bytes(significant, "big"), len(significant) * 138 // 100 + 1)
    # Each leading zero byte is one '1'; as a number they would vanish.
    return "1" * (len(data) - len(significant)) + digits.lstrip("1")


def _base58_digits(number: int, count: int) -> str:
    """`number` as at least `count` characters, led by '1' as other numbers are by 0."""
    if count > _BASE58_STEP:
        low = count // 2 & ~1
        upper, lower = divmod(number, 58**low)
        return _base58_digits(upper, count - low) + _base58_digits(lower, low)
    pairs = []
    for _ in range((count + 1) // 2):
        number, pair = divmod(number, 58 * 58)
        pairs.append(_BASE58_PAIRS[pair])
    pairs.reverse()
    return "".join(pairs)


def _decode_base58(text: str, subject: str) -> bytes:
    if len(text) > _MAX_BASE58_CHARACTERS:
        raise MalformedError(subject, f"is longer than {_MAX_BASE58_CHARACTERS} characters")
    significant = text.lstrip("1")
    values = significant.encode("ascii").translate(_BASE58_VALUES)
    if 0xFF in values:
        raise MalformedError(subject, "holds characters outside of base58btc")
    number = _base58_number(values)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return b"\0" * (len(text) - len(significant)) + data


def _base58_number(values: bytes) -> int:
    if len(values) > _BASE58_STEP:
        low = len(values) // 2
        scale: int = 58**low
        return _base58_number(values[:-low]) * scale + _base58_number(values[-low:])
    number = 0
    for value in values:
        number = number * 58 + value
    return number


# ------------------------------------------------------------------------------------------------- multicodec


def encode_multicodec(codec: Multicodec, payload: bytes) -> bytes:
    """`payload` behind the unsigned varint of its code."""
    code = int(codec)
    prefix = bytearray()
    while code >= 0x80:
        prefix.append(code & 0x7F | 0x80)
        code >>= 7
    prefix.append(code)
    return bytes(prefix) + payload


def parse_multicodec(data: bytes, *, subject: str = "multicodec") -> tuple[Multicodec, bytes]:
    """The key type and the bytes behind it. Raises MalformedError for a type that is not understood.

    The table decides: a varint that is longer than necessary matches none of its prefixes.
    """
    for prefix, codec in _MULTICODEC_PREFIXES.items():
        if data.startswith(prefix):
            return codec, bytes(data[len(prefix) :])
    raise MalformedError(subject, "is not of a key type that is understood")


_MULTICODEC_PREFIXES: Final = {encode_multicodec(codec, b""): codec for codec in Multicodec}
