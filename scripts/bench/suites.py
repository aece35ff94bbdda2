"""Every suite: signing and verifying beside the raw cost of its parts, measured in the same run.

The parts of a JSON suite are two canonical forms by a plain straight loop (sorted C JSON), four hashes and
the bare curve operation; of an RDF suite, two canonicalisations of the same documents and the same rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from _corpus import credential
from _report import Row, compare, report

from testamur.registry.dids import did_key_verification_method
from testamur.registry.jose import parse_token, sign_token, verify_token
from testamur.registry.keys import SECRET_BYTES, Algorithm, SigningKey
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof
from testamur.registry.rdfc import canonicalize_rdf

COUNT = 40
CREATED = "2026-11-21T10:00:00Z"
SUITES = (
    ("eddsa-jcs-2022", Algorithm.ED25519),
    ("eddsa-rdfc-2022", Algorithm.ED25519),
    ("ecdsa-jcs-2019", Algorithm.P256),
    ("ecdsa-jcs-2019", Algorithm.P384),
    ("ecdsa-rdfc-2019", Algorithm.P256),
    ("ecdsa-rdfc-2019", Algorithm.P384),
)


def main() -> None:
    """Print the table."""
    unsigned = [
        {name: value for name, value in credential(number).items() if name != "proof"}
        for number in range(COUNT)
    ]
    rows = [row for suite, algorithm in SUITES for row in of_suite(suite, algorithm, unsigned)]
    rows += [row for algorithm in SECRET_BYTES for row in of_tokens(algorithm, unsigned)]
    report(rows)


def of_suite(suite: str, algorithm: Algorithm, unsigned: list[dict[str, Any]]) -> list[Row]:
    """Two lines: verify and sign."""
    key = SigningKey.from_seed(algorithm, b"\x07" * SECRET_BYTES[algorithm])
    method = did_key_verification_method(key.public_key)

    def sign(document: dict[str, Any]) -> dict[str, Any]:
        secured = secure_document(
            document, key, verification_method=method, created=CREATED, cryptosuite=suite
        )
        return secured.document

    signed = [sign(document) for document in unsigned]
    for document in signed:
        verify_document_proof(document, proofs_of(document)[0], key.public_key)
    hash_name = "sha384" if algorithm is Algorithm.P384 else "sha256"
    form: Callable[[Any], bytes] = (
        plain if "jcs" in suite else lambda value: canonicalize_rdf(value, algorithm=hash_name)
    )
    signature = key.sign(b"")
    configurations = [
        {
            **{name: value for name, value in document["proof"].items() if name != "proofValue"},
            "@context": document["@context"],
        }
        for document in signed
    ]

    def parts() -> None:
        for document, configuration in zip(unsigned, configurations, strict=True):
            for value in (document, configuration):
                hashlib.new(hash_name, form(value)).digest()

    def verify_parts() -> None:
        parts()
        for _ in signed:
            key.public_key.verify(signature, b"")

    def sign_parts() -> None:
        parts()
        for _ in signed:
            key.sign(b"")

    name = f"{suite} {algorithm}"
    beside = "sorted JSON, hashes, curve" if "jcs" in suite else "RDF forms, hashes, curve"
    return [
        compare(
            f"verify, {name}",
            ours=lambda: [
                verify_document_proof(document, proofs_of(document)[0], key.public_key) for document in signed
            ],
            limit=verify_parts,
            beside=beside,
            count=COUNT,
            at_most=1.8,
        ),
        compare(
            f"sign, {name}",
            ours=lambda: [sign(document) for document in unsigned],
            limit=sign_parts,
            beside=beside,
            count=COUNT,
            at_most=3,
        ),
    ]


def of_tokens(algorithm: Algorithm, unsigned: list[dict[str, Any]]) -> list[Row]:
    """Two lines for vc+jwt with one kind of key."""
    key = SigningKey.from_seed(algorithm, b"\x07" * SECRET_BYTES[algorithm])
    method = did_key_verification_method(key.public_key)
    tokens = [sign_token(document, key, key_id=method) for document in unsigned]
    parsed = [parse_token(token) for token in tokens]
    return [
        compare(
            f"verify, vc+jwt {parsed[0].algorithm}",
            ours=lambda: [verify_token(parse_token(token), key.public_key) for token in tokens],
            limit=lambda: [
                (
                    json.loads(plain(token.payload)),
                    key.public_key.verify(token.signature, token.signing_input),
                )
                for token in parsed
            ],
            beside="JSON, curve",
            count=COUNT,
            at_most=2,
        ),
        compare(
            f"sign, vc+jwt {parsed[0].algorithm}",
            ours=lambda: [sign_token(document, key, key_id=method) for document in unsigned],
            limit=lambda: [key.sign(plain(document)) for document in unsigned],
            beside="sorted JSON, curve",
            count=COUNT,
            at_most=3,
        ),
    ]


def plain(value: Any) -> bytes:
    """What a straight loop would write: the standard library's C encoder with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


if __name__ == "__main__":
    main()
