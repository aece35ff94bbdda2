"""Status lists as bits: the W3C encoding, and a Merkle root over chunks so that one chunk can be stapled.

https://www.w3.org/TR/vc-bitstring-status-list/ ; the credential around the bits is in `status_lists`.
"""

import struct
import zlib
from collections.abc import Sequence

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.merkle import leaf_hash, prove_inclusion, root_hash, verify_inclusion
from testamur.registry.multiformats import decode_multibase, encode_multibase

MIN_STATUS_LIST_BITS = 131_072
"""Group privacy: the specification demands 16 KB (#bitstringstatuslistcredential)."""

MAX_STATUS_LIST_BYTES = 1 << 20
"""Eight million credentials in one list; a verifier must survive a hostile issuer's zip bomb."""

MAX_ENCODED_CHARACTERS = 2 * MAX_STATUS_LIST_BYTES
"""A list that does not compress at all, in base64url, with room to spare."""

CHUNK_BYTES = 1024
"""What a holder staples instead of the whole list: 8 192 neighbours still hide whose status it is."""

CHUNK_BITS = 8 * CHUNK_BYTES

_GZIP_HEADER = bytes.fromhex("1f8b08000000000002ff")
"""No name, no time, "unknown" operating system: equal bits are equal bytes (RFC 1952 §2.3)."""

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class StatusBits:
    """The bits of a status list; bit 0 is the most significant bit of the first byte."""

    __slots__ = ("_bits",)

    def __init__(self, length: int = MIN_STATUS_LIST_BITS) -> None:
        """All clear. `length` counts entries; ValueError below 131 072, above the bound, between bytes."""
        if not MIN_STATUS_LIST_BITS <= length <= 8 * MAX_STATUS_LIST_BYTES or length % 8:
            raise ValueError(f"a status list has whole bytes, and at least {MIN_STATUS_LIST_BITS} entries")
        self._bits = bytearray(length // 8)

    @classmethod
    def from_bytes(cls, data: bytes) -> "StatusBits":
        """The list that `data` is, 8 entries a byte. Raises ValueError as the constructor."""
        bits = cls(8 * len(data))
        bits._bits[:] = data
        return bits

    @property
    def length(self) -> int:
        """How many entries the list has."""
        return 8 * len(self._bits)

    def get(self, index: int) -> bool:
        """Whether the entry is set. Raises IndexError outside the list."""
        self._check(index)
        return is_set(self._bits, index)

    def set(self, index: int, value: bool = True) -> None:
        """Set or clear one entry. Raises IndexError outside the list."""
        self._check(index)
        mask = 0x80 >> (index & 7)
        if value:
            self._bits[index >> 3] |= mask
        else:
            self._bits[index >> 3] &= ~mask

    def to_bytes(self) -> bytes:
        """A copy of the list, 8 entries a byte."""
        return bytes(self._bits)

    def _check(self, index: int) -> None:
        if not 0 <= index < self.length:
            raise IndexError(f"status index {index} is outside a list of {self.length}")


def is_set(data: bytes | bytearray, index: int) -> bool:
    """Bit `index` of `data`, counted from the most significant bit of the first byte."""
    return bool(data[index >> 3] & (0x80 >> (index & 7)))


def encode_list(bits: StatusBits) -> str:
    """The `encodedList`: multibase `u`, GZIP without a time, so that the same bits give the same text."""
    return _pack(bits.to_bytes())


def encode_chunk(chunk: bytes) -> str:
    """A chunk in the form of an `encodedList`: most of a list is zeros, and two clear chunks weigh nothing.

    Raises ValueError for another size than `CHUNK_BYTES`.
    """
    if len(chunk) != CHUNK_BYTES:
        raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
    return _pack(chunk)


def decode_chunk(text: str, *, subject: str = "status chunk") -> bytes:
    """The chunk that `encode_chunk` wrote, whatever compressed it. Raises MalformedError."""
    chunk = decode_list(text, max_bytes=CHUNK_BYTES, subject=subject)
    if len(chunk) != CHUNK_BYTES:
        raise MalformedError(subject, f"has {len(chunk)} bytes, not {CHUNK_BYTES}")
    return chunk


def _pack(data: bytes) -> str:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush()
    return encode_multibase("u", _GZIP_HEADER + body + struct.pack("<II", zlib.crc32(data), len(data)))


def decode_list(text: str, *, max_bytes: int = MAX_STATUS_LIST_BYTES, subject: str = "encodedList") -> bytes:
    """The bytes of an `encodedList`, whatever their number up to `max_bytes`.

    Decompression stops at the bound. Whether there are enough entries is for the caller to say: published
    test lists are shorter than the specification allows. Raises MalformedError.
    """
    if len(text) > MAX_ENCODED_CHARACTERS:
        raise MalformedError(subject, f"has {len(text)} characters, more than {MAX_ENCODED_CHARACTERS}")
    packed = decode_multibase(text, subject=subject, allowed="u")
    inflate = zlib.decompressobj(_GZIP_WINDOW)
    try:
        data = inflate.decompress(packed, max_bytes + 1)
    except zlib.error as exc:
        raise MalformedError(subject, "is not GZIP") from exc
    if len(data) > max_bytes:
        raise MalformedError(subject, f"unpacks to more than {max_bytes} bytes")
    if not inflate.eof:
        raise MalformedError(subject, "is GZIP cut short")
    if inflate.unused_data:
        raise MalformedError(subject, "has bytes after the end of the GZIP data")
    return data


def chunk_root(bits: StatusBits) -> bytes:
    """The RFC 6962 root over the 1 KiB chunks: the `chunkRoot` of a status entry.

    Raises ValueError for a list that is not made of whole chunks; ours always are.
    """
    return root_hash(_chunk_hashes(bits))


def prove_chunk(bits: StatusBits, index: int) -> tuple[bytes, int, list[bytes]]:
    """(chunk with entry `index`, its number, path to `chunk_root`). Raises IndexError outside the list."""
    bits.get(index)
    number = index // CHUNK_BITS
    hashes = _chunk_hashes(bits)
    chunk = bits.to_bytes()[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
    return chunk, number, prove_inclusion(hashes, number, len(hashes))


def verify_chunk(chunk: bytes, index: int, length: int, path: Sequence[bytes], root: bytes) -> bool:
    """Entry `index` of a list of `length` entries with chunk root `root`, read from the proven `chunk`.

    Raises MalformedError for a chunk or length of another size, and VerificationError:
    status-index-outside-list, status-chunk-mismatch.
    """
    if len(chunk) != CHUNK_BYTES:
        raise MalformedError("status chunk", f"has {len(chunk)} bytes, not {CHUNK_BYTES}")
    if length < MIN_STATUS_LIST_BITS or length % CHUNK_BITS:
        raise MalformedError(
            "status list length", f"is {length}, not a multiple of {CHUNK_BITS} from 131072 on"
        )
    if not 0 <= index < length:
        raise VerificationError("status-index-outside-list", index=index, length=length)
    try:
        verify_inclusion(leaf_hash(chunk), index // CHUNK_BITS, length // CHUNK_BITS, path, root)
    except VerificationError as exc:
        raise VerificationError("status-chunk-mismatch") from exc
    return is_set(chunk, index % CHUNK_BITS)


def _chunk_hashes(bits: StatusBits) -> list[bytes]:
    data = bits.to_bytes()
    if len(data) % CHUNK_BYTES:
        raise ValueError(f"a status list of {bits.length} entries is not made of whole chunks")
    return [leaf_hash(data[start : start + CHUNK_BYTES]) for start in range(0, len(data), CHUNK_BYTES)]
