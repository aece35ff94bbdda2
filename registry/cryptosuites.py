"""The cryptosuites of Data Integrity that can be verified, in one table.

https://www.w3.org/TR/vc-data-integrity/#cryptographic-suites.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Cryptosuite:
    """How one suite turns a document and a proof configuration into bytes to sign."""

    name: str
    algorithm: Algorithm
    signature_bytes: int
    hash_data: Callable[[bytes, bytes], bytes]
    """(canonical document, canonical proof configuration) → what is signed."""


def _proof_hash_first(document: bytes, configuration: bytes) -> bytes:
    """SHA-256(configuration) ‖ SHA-256(document): https://www.w3.org/TR/vc-di-eddsa/#hashing-eddsa-jcs-2022."""
    return sha256(configuration) + sha256(document)


EDDSA_JCS_2022 = Cryptosuite(
    name="eddsa-jcs-2022", algorithm=Algorithm.ED25519, signature_bytes=64, hash_data=_proof_hash_first
)

CRYPTOSUITES: Mapping[str, Cryptosuite] = {suite.name: suite for suite in (EDDSA_JCS_2022,)}
"""Every suite that can be verified, by its name in the proof. All of them canonicalise with RFC 8785."""
