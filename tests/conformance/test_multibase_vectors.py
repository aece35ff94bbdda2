"""multiformats/multibase: the lines in bases that credentials use, and the refusal of all the others."""

import ast

import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import SUPPORTED_PREFIXES, decode_multibase, encode_multibase

UPPER_OR_MIXED = "case_insensitivity.csv"


def lines(vectors):
    """(file, decoded bytes, encoded text) of every line."""
    for path in sorted((vectors / "multibase").glob("*.csv")):
        header, *rest = path.read_text().splitlines()
        decoded = ast.literal_eval("b" + header.split(", ", 1)[1])
        for line in rest:
            yield path.name, decoded, ast.literal_eval(line.split(", ", 1)[1])


def test_all_24_lines_in_our_bases_decode_and_the_canonical_ones_encode(vectors):
    ours = [case for case in lines(vectors) if case[2][0] in SUPPORTED_PREFIXES]
    assert len(ours) == 24
    for name, decoded, encoded in ours:
        assert decode_multibase(encoded) == decoded, (name, encoded)
        if name != UPPER_OR_MIXED:
            assert encode_multibase(encoded[0], decoded) == encoded, (name, encoded)


def test_all_57_lines_in_other_bases_are_refused(vectors):
    others = [case for case in lines(vectors) if case[2][0] not in SUPPORTED_PREFIXES]
    assert len(others) == 57
    for _, _, encoded in others:
        with pytest.raises(MalformedError):
            decode_multibase(encoded)
