import gzip
import zlib

import pytest

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.merkle import leaf_hash, root_hash
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.status import (
    CHUNK_BITS,
    CHUNK_BYTES,
    MAX_STATUS_LIST_BYTES,
    MIN_STATUS_LIST_BITS,
    StatusBits,
    chunk_root,
    decode_list,
    encode_list,
    is_set,
    prove_chunk,
    verify_chunk,
)


def bits_with(*indexes: int) -> StatusBits:
    bits = StatusBits()
    for index in indexes:
        bits.set(index)
    return bits


def test_bit_0_is_the_most_significant_bit_of_the_first_byte() -> None:
    assert bits_with(0).to_bytes()[0] == 0x80
    assert bits_with(7).to_bytes()[0] == 0x01
    assert bits_with(8).to_bytes()[:2] == b"\x00\x80"
    assert bits_with(MIN_STATUS_LIST_BITS - 1).to_bytes()[-1] == 0x01


def test_a_bit_is_set_and_cleared_alone() -> None:
    bits = bits_with(5, 6, 7)
    bits.set(6, False)
    assert [bits.get(index) for index in range(4, 9)] == [False, True, False, True, False]


@pytest.mark.parametrize("index", [-1, MIN_STATUS_LIST_BITS])
def test_an_index_outside_the_list_is_an_error_and_not_another_bit(index: int) -> None:
    with pytest.raises(IndexError):
        StatusBits().get(index)
    with pytest.raises(IndexError):
        StatusBits().set(index)


@pytest.mark.parametrize("length", [0, 8, MIN_STATUS_LIST_BITS - 8, MIN_STATUS_LIST_BITS + 4, 2**40])
def test_a_list_that_is_too_short_too_long_or_broken_is_not_made(length: int) -> None:
    with pytest.raises(ValueError, match="131072"):
        StatusBits(length)


def test_an_encoded_list_decodes_to_the_same_bits() -> None:
    bits = bits_with(1, 1000, 131_071)
    assert decode_list(encode_list(bits)) == bits.to_bytes()
    assert StatusBits.from_bytes(bits.to_bytes()).get(1000)


def test_equal_bits_are_equal_text_that_any_gzip_reads() -> None:
    assert encode_list(bits_with(4)) == encode_list(bits_with(4))
    packed = decode_multibase(encode_list(bits_with(4)), allowed="u")
    assert packed[4:8] == bytes(4), "no time in the header"
    assert gzip.decompress(packed) == bits_with(4).to_bytes()


def test_the_example_of_the_specification_decodes_to_an_empty_list() -> None:
    # https://www.w3.org/TR/vc-bitstring-status-list/#example-example-bitstringstatuslistcredential
    text = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
    assert decode_list(text) == bytes(16_384)


def packed_text(data: bytes) -> str:
    return encode_multibase("u", data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "multibase"),
        ("H4sIAAAA", "multibase"),
        (packed_text(b"not gzip"), "not GZIP"),
        (packed_text(zlib.compress(bytes(16_384))), "not GZIP"),
        (packed_text(gzip.compress(bytes(16_384), mtime=0)[:-6]), "cut short"),
        (packed_text(gzip.compress(bytes(16_384), mtime=0) + b"x"), "after the end"),
        (packed_text(gzip.compress(bytes(100), mtime=0) * 2), "after the end"),
        (packed_text(gzip.compress(bytes(16_384), mtime=0)[:-5] + b"\1\0\0\0\0"), "not GZIP"),
    ],
)
def test_what_is_not_one_whole_gzip_member_is_malformed(text: str, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        decode_list(text)


def test_a_zip_bomb_is_refused_at_the_bound() -> None:
    bomb = packed_text(gzip.compress(bytes(MAX_STATUS_LIST_BYTES + 1)))
    with pytest.raises(MalformedError, match="unpacks to more than"):
        decode_list(bomb)
    assert len(decode_list(packed_text(gzip.compress(bytes(MAX_STATUS_LIST_BYTES))))) == MAX_STATUS_LIST_BYTES


def test_the_chunk_root_is_an_rfc_6962_root_over_kilobytes() -> None:
    data = bits_with(9000).to_bytes()
    chunks = [data[start : start + 1024] for start in range(0, len(data), 1024)]
    assert len(chunks) == 16
    assert chunk_root(bits_with(9000)) == root_hash(leaf_hash(chunk) for chunk in chunks)


@pytest.mark.parametrize("index", [0, 8191, 8192, 100_000, 131_071])
def test_a_chunk_proves_the_bits_in_it(index: int) -> None:
    bits = bits_with(index)
    chunk, number, path = prove_chunk(bits, index)
    assert (len(chunk), number) == (CHUNK_BYTES, index // CHUNK_BITS)
    assert verify_chunk(chunk, index, bits.length, path, chunk_root(bits)) is True
    neighbour = index + 1 if index % CHUNK_BITS == 0 else index - 1
    assert verify_chunk(chunk, neighbour, bits.length, path, chunk_root(bits)) is False


def test_a_chunk_with_one_bit_flipped_is_not_of_the_list() -> None:
    bits = bits_with(3)
    chunk, _, path = prove_chunk(bits, 3)
    cleared = bytes((chunk[0] & ~0x10,)) + chunk[1:]
    with pytest.raises(VerificationError, match="status-chunk-mismatch"):
        verify_chunk(cleared, 3, bits.length, path, chunk_root(bits))


def test_a_chunk_of_another_place_does_not_speak_for_this_one() -> None:
    bits = bits_with(9000)
    chunk, _, path = prove_chunk(bits, 0)
    with pytest.raises(VerificationError, match="status-chunk-mismatch"):
        verify_chunk(chunk, 9000, bits.length, path, chunk_root(bits))


def test_an_index_outside_the_list_is_not_proven_by_anything() -> None:
    bits = StatusBits()
    chunk, _, path = prove_chunk(bits, 0)
    with pytest.raises(VerificationError, match="status-index-outside-list"):
        verify_chunk(chunk, bits.length, bits.length, path, chunk_root(bits))


@pytest.mark.parametrize("length", [0, 8192, 131_072 + 8])
def test_a_length_that_no_list_of_ours_has_is_malformed(length: int) -> None:
    with pytest.raises(MalformedError, match="length"):
        verify_chunk(bytes(CHUNK_BYTES), 0, length, [], bytes(32))


def test_a_short_chunk_is_malformed() -> None:
    with pytest.raises(MalformedError, match="1023 bytes"):
        verify_chunk(bytes(1023), 0, MIN_STATUS_LIST_BITS, [], bytes(32))


def test_bits_are_read_from_plain_bytes_too() -> None:
    assert is_set(b"\x00\x40", 9)
    assert not is_set(b"\x00\x40", 8)
