"""Data Integrity with eddsa-jcs-2022: signing and verifying beside the bare Ed25519 operations."""

from __future__ import annotations

from _corpus import credential
from _report import compare, report
from cryptography.hazmat.primitives.asymmetric import ed25519

from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import proofs_of, secure_document, verify_document_proof

COUNT = 300


def main() -> None:
    """Print the table."""
    key = SigningKey.from_seed(Algorithm.ED25519, bytes(32))
    bare = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = bare.public_key()
    unsigned = [
        {name: value for name, value in credential(number).items() if name != "proof"}
        for number in range(COUNT)
    ]
    method, created = "did:web:ada.example#key-1", "2026-11-21T10:00:00Z"

    def sign() -> list[dict[str, object]]:
        return [
            dict(secure_document(document, key, verification_method=method, created=created).document)
            for document in unsigned
        ]

    signed = [
        secure_document(document, key, verification_method=method, created=created).document
        for document in unsigned
    ]
    message = bytes(64)
    signature = bare.sign(message)
    rows = [
        compare(
            "verify a credential",
            ours=lambda: [
                verify_document_proof(document, proofs_of(document)[0], key.public_key) for document in signed
            ],
            limit=lambda: [public.verify(signature, message) for _ in signed],
            beside="bare Ed25519",
            count=COUNT,
            at_most=1.8,
        ),
        compare(
            "sign a credential",
            ours=sign,
            limit=lambda: [bare.sign(message) for _ in signed],
            beside="bare Ed25519",
            count=COUNT,
            at_most=6,
        ),
    ]
    report(rows)


if __name__ == "__main__":
    main()
