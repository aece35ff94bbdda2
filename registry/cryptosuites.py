"""The cryptosuites of Data Integrity that can be made and verified, in one table.

https://www.w3.org/TR/vc-data-integrity/#cryptographic-suites, https://www.w3.org/TR/vc-di-eddsa/ and
https://www.w3.org/TR/vc-di-ecdsa/. No other module names a suite.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from testamur.registry.errors import VerificationError
from testamur.registry.keys import Algorithm

DATA_INTEGRITY_PROOF = "DataIntegrityProof"
"""The proof type that names its suite in `cryptosuite`; older suites are proof types themselves."""


class Canonicalization(StrEnum):
    """How documents become bytes: as JSON (RFC 8785), or as the statements they mean (RDFC-1.0)."""

    JCS = "jcs"
    RDFC = "rdfc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cryptosuite:
    """How one suite turns a document and a proof configuration into bytes to sign."""

    name: str
    proof_type: str = DATA_INTEGRITY_PROOF
    canonicalization: Canonicalization
    signature_bytes: Mapping[Algorithm, int]
    """The algorithms whose keys may sign, with the length of a signature."""
    needs_created: bool = False
    can_sign: bool = True

    def hash_name(self, algorithm: Algorithm) -> str:
        """`sha256`, or for P-384 `sha384`: also the hash inside RDF canonicalisation."""
        return "sha384" if algorithm is Algorithm.P384 else "sha256"

    def hash_data(
        self, document: bytes, configuration: bytes, algorithm: Algorithm = Algorithm.ED25519
    ) -> bytes:
        """hash(configuration) ‖ hash(document), both canonical: what is signed.

        https://www.w3.org/TR/vc-di-eddsa/#hashing-eddsa-jcs-2022 and its equals in the other suites.
        """
        function = hashlib.sha384 if algorithm is Algorithm.P384 else hashlib.sha256
        return function(configuration).digest() + function(document).digest()


_EDDSA = {Algorithm.ED25519: 64}
_ECDSA = {Algorithm.P256: 64, Algorithm.P384: 96}

EDDSA_JCS_2022 = Cryptosuite(
    name="eddsa-jcs-2022", canonicalization=Canonicalization.JCS, signature_bytes=_EDDSA
)
EDDSA_RDFC_2022 = Cryptosuite(
    name="eddsa-rdfc-2022", canonicalization=Canonicalization.RDFC, signature_bytes=_EDDSA
)
ECDSA_JCS_2019 = Cryptosuite(
    name="ecdsa-jcs-2019", canonicalization=Canonicalization.JCS, signature_bytes=_ECDSA
)
ECDSA_RDFC_2019 = Cryptosuite(
    name="ecdsa-rdfc-2019", canonicalization=Canonicalization.RDFC, signature_bytes=_ECDSA
)
ED25519_SIGNATURE_2020 = Cryptosuite(
    name="Ed25519Signature2020",
    proof_type="Ed25519Signature2020",
    canonicalization=Canonicalization.RDFC,
    signature_bytes=_EDDSA,
    needs_created=True,
    can_sign=False,
)
"""Superseded by eddsa-rdfc-2022 and read only: wallets hold many such credentials."""

_ALL = (EDDSA_JCS_2022, EDDSA_RDFC_2022, ECDSA_JCS_2019, ECDSA_RDFC_2019, ED25519_SIGNATURE_2020)

CRYPTOSUITES: Mapping[str, Cryptosuite] = {
    suite.name: suite for suite in _ALL if suite.proof_type == DATA_INTEGRITY_PROOF
}
"""Every suite that can be verified, by its name in the proof's `cryptosuite`."""

PROOF_TYPES: Mapping[str, Cryptosuite] = {
    suite.name: suite for suite in _ALL if suite.proof_type != DATA_INTEGRITY_PROOF
}
"""The suites that are proof types themselves."""


def suite_of(proof_type: str, cryptosuite: str | None) -> Cryptosuite:
    """The suite of a proof with this `type` and `cryptosuite` (only a DataIntegrityProof has one).

    Raises VerificationError: proof-type-unknown, cryptosuite-unknown.
    """
    if proof_type != DATA_INTEGRITY_PROOF:
        if proof_type not in PROOF_TYPES:
            raise VerificationError("proof-type-unknown", type=proof_type[:200])
        return PROOF_TYPES[proof_type]
    if cryptosuite is None or cryptosuite not in CRYPTOSUITES:
        raise VerificationError("cryptosuite-unknown", cryptosuite=str(cryptosuite)[:200])
    return CRYPTOSUITES[cryptosuite]


def suite_for_signing(name: str) -> Cryptosuite:
    """The suite `name` for new proofs. Raises ValueError for one that is unknown, or only read."""
    suite = CRYPTOSUITES.get(name) or PROOF_TYPES.get(name)
    if suite is None or not suite.can_sign:
        known = ", ".join(suite.name for suite in _ALL if suite.can_sign)
        raise ValueError(f"{name} does not sign here; use one of {known}")
    return suite
