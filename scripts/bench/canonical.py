"""Canonical JSON: ours beside rfc8785 and beside the C encoder that it could not be faster than."""

from __future__ import annotations

import json

import rfc8785
from _corpus import credential
from _report import compare, report

from testamur.registry.canonical import canonicalize

COUNT = 500


def main() -> None:
    """Print the table; first make sure that what is compared is the same bytes."""
    documents = [credential(number) for number in range(COUNT)]
    encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    if any(canonicalize(document) != rfc8785.dumps(document) for document in documents):
        raise SystemExit("canonical: the bytes differ from rfc8785's")
    size = sum(len(canonicalize(document)) for document in documents) // COUNT
    rows = [
        compare(
            f"canonicalise a credential of {size} B",
            ours=lambda: [canonicalize(document) for document in documents],
            limit=lambda: [rfc8785.dumps(document) for document in documents],
            beside="rfc8785",
            count=COUNT,
            at_least=4,
        ),
        compare(
            "the same, beside the encoder it is made of",
            ours=lambda: [canonicalize(document) for document in documents],
            limit=lambda: [encode(document).encode() for document in documents],
            beside="sorted C JSON",
            count=COUNT,
            at_most=2.5,
        ),
    ]
    report(rows)


if __name__ == "__main__":
    main()
