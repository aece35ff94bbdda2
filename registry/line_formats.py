"""How C2SP texts write values: standard base64, decimals without leading zeros, UTF-8.

Each is read in exactly one spelling, so that what was parsed is written again byte for byte.
"""

import base64
import binascii
import re
from typing import Final

from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
"""Nineteen digits hold every number below 2^63."""


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, subject: str) -> bytes:
    """The bytes that `encode_base64` wrote as `text`; no other spelling. Raises MalformedError(`subject`)."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise MalformedError(subject, "holds something that is not base64") from exc
    if encode_base64(data) != text:
        raise MalformedError(subject, "holds base64 with stray bits")
    return data


def decode_base64_digest(text: str, subject: str) -> bytes:
    """A 32-byte hash in base64. Raises MalformedError(`subject`)."""
    data = decode_base64(text, subject)
    if len(data) != DIGEST_BYTES:
        raise MalformedError(subject, f"holds a hash of {len(data)} bytes, not {DIGEST_BYTES}")
    return data


def parse_decimal(text: str, subject: str, maximum: int) -> int:
    """A number from 0 to `maximum` (below 10^19) in ASCII digits. Raises MalformedError(`subject`)."""
    if not _DECIMAL.fullmatch(text) or int(text) > maximum:
        raise MalformedError(
            subject, f"does not hold a decimal number of at most {maximum} where one belongs"
        )
    return int(text)


def encode_utf8(text: str, subject: str) -> bytes:
    """`text` in UTF-8; MalformedError(`subject`) for a lone surrogate, which has no bytes."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise MalformedError(subject, "holds a lone surrogate") from exc
