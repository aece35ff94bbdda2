"""The shape of Data Integrity proofs, decided before anything is hashed.

https://www.w3.org/TR/vc-data-integrity/#proofs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.cryptosuites import DATA_INTEGRITY_PROOF, Cryptosuite, suite_of
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.keys import PublicKey
from testamur.registry.multiformats import decode_multibase
from testamur.registry.shapes import kind_of
from testamur.registry.timestamps import parse_timestamp

MAX_PROOFS = 32
"""A joint award of many institutions, renewed once; each proof costs a signature check."""

MAX_VERIFICATION_METHOD_CHARACTERS = 2048
"""A DID URL; the longest did:key of a post-quantum key stays below it."""

MAX_OPTION_CHARACTERS = 256
"""Types, suites, purposes, times, and the base58 text of a 96-byte signature (132 characters)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOptions:
    """What a proof says of itself, in the shape that its suite demands."""

    suite: Cryptosuite
    verification_method: str
    purpose: str
    signature: bytes

    def check_key(self, key: PublicKey) -> None:
        """`key` is of an algorithm of the suite, and the signature as long as its signatures are.

        Raises VerificationError("proof-key-mismatch") and MalformedError.
        """
        wanted = self.suite.signature_bytes.get(key.algorithm)
        if wanted is None:
            raise VerificationError(
                "proof-key-mismatch", cryptosuite=self.suite.name, algorithm=str(key.algorithm)
            )
        if len(self.signature) != wanted:
            raise MalformedError("proof /proofValue", f"has {len(self.signature)} bytes, not {wanted}")


def proofs_of(document: Mapping[str, Json], subject: str = "document") -> list[dict[str, Json]]:
    """The proofs of a secured document: at least one object, each with a `type`. Raises MalformedError."""
    value = document.get("proof")
    listed = isinstance(value, list)
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= MAX_PROOFS:
        raise MalformedError(f"{subject} /proof", f"has {len(items)} proofs, outside 1 to {MAX_PROOFS}")
    found = []
    for number, item in enumerate(items):
        where = f"{subject} /proof/{number}" if listed else f"{subject} /proof"
        if not isinstance(item, dict):
            raise MalformedError(where, f"must be an object, not {kind_of(item)}")
        _text(item, "type", where=where)
        found.append(item)
    return found


def parse_options(proof: Mapping[str, Json]) -> ProofOptions:
    """The options of a proof. Raises MalformedError, and VerificationError for a suite that is not known."""
    kind = _text(proof, "type")
    name = _text(proof, "cryptosuite") if kind == DATA_INTEGRITY_PROOF else None
    if name is None:
        suite_of(kind, None)
    method = _text(proof, "verificationMethod", MAX_VERIFICATION_METHOD_CHARACTERS)
    purpose = _text(proof, "proofPurpose")
    for member in ("created", "expires"):
        if member in proof:
            parse_timestamp(_text(proof, member), f"proof /{member}")
    suite = suite_of(kind, name)
    if suite.needs_created:
        _text(proof, "created")
    where = "proof /proofValue"
    signature = decode_multibase(_text(proof, "proofValue"), subject=where, allowed="z")
    lengths = suite.signature_bytes.values()
    if len(signature) not in lengths:
        expected = " or ".join(str(length) for length in lengths)
        raise MalformedError(where, f"has {len(signature)} bytes, not {expected}")
    return ProofOptions(suite=suite, verification_method=method, purpose=purpose, signature=signature)


def as_list(value: Json) -> list[Json]:
    """One value, or the list of values that it is."""
    return value if isinstance(value, list) else [value]


def _text(
    proof: Mapping[str, Json],
    member: str,
    maximum: int = MAX_OPTION_CHARACTERS,
    where: str = "proof",
) -> str:
    """A non-empty string; written out here because every verification reads six of them."""
    value = proof.get(member)
    if isinstance(value, str) and 0 < len(value) <= maximum:
        return value
    place = f"{where}/{member}" if " /" in where else f"{where} /{member}"
    shown = f"{len(value)} characters" if isinstance(value, str) else kind_of(value)
    raise MalformedError(place, f"must be a string of 1 to {maximum} characters, not {shown}")
