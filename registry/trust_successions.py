"""From the trust file that a verifier has to the newest one: a quorum of each version signed the next.

A succession is the text

    testamur/trust/v1
    registry.example
    2
    u<digest of version 2>
    u<digest of version 1>

signed (https://c2sp.org/signed-note) by members of version 1 with the attestation keys that it names. The
signature lines stand in version 2, outside its digest. No header attestation and no checkpoint starts with
that line, so a signature under one is none under another. Format: docs/spec/trust-file.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.entries import check_registry_name
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.multiformats import encode_digest
from testamur.registry.notes import NoteSigner, VerifierKey, verify_line
from testamur.registry.shapes import Shape
from testamur.registry.trust import TrustFile, fingerprint, parse_trust_file
from testamur.registry.trust_changes import verify_changes

FIRST_LINE = "testamur/trust/v1"
"""Names what is signed, and its version; header attestations start with another line."""

SUCCESSIONS_TYPE = "TestamurTrustSuccessions"

MAX_SUCCESSIONS = 1024
"""From one trusted version to the newest: a change a week for two decades."""

MAX_SUCCESSIONS_PER_ANSWER = 16
"""So many of the largest trust files in one answer of a node, some 4 MB; whoever needs more asks again."""

MAX_SUCCESSIONS_BYTES = 8 << 20
"""One document: an answer with room to spare, or a file with a thousand versions of a usual trust file."""

OWN_SLUG = "registry"
"""The issuer whose log holds the trust file's versions: the registry itself. No institution can have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Successions:
    """Trust files in the order of their versions, as a node hands them out; nothing is proven yet.

    `newest` is the version that the node itself uses: when it is higher than the last one here, ask again.
    """

    registry: str
    newest: int
    files: tuple[TrustFile, ...]


def own_did(registry: str) -> str:
    """The DID of a registry as the issuer of its own log."""
    return f"did:web:{registry}"


def version_id(registry: str, sequence: int) -> str:
    """The id under which the registry's statement names a version of its trust file."""
    return f"{registry}/trust/{sequence}"


def succession_text(later: TrustFile) -> str:
    """What members of the version before sign. Raises ValueError for version 1, which nobody succeeds to."""
    if later.previous is None:
        raise ValueError("version 1 has no predecessor; its fingerprint is compared instead")
    digests = f"{encode_digest(later.digest)}\n{encode_digest(later.previous)}\n"
    return f"{FIRST_LINE}\n{later.registry}\n{later.sequence}\n{digests}"


def sign_succession(earlier: TrustFile, later: TrustFile, signer: NoteSigner) -> bytes:
    """`later` with one more signature, in its canonical form.

    Raises VerificationError for what `signer` must not sign: what `verify_changes` refuses, what it signed
    before (trust-signer-repeated), with a key that `earlier` does not name or not for then.
    """
    verify_changes(earlier, later)
    line = signer.sign_text(succession_text(later))
    holders = _holders(earlier)
    name = _in_force(earlier, later, holders, signer.verifier_key)
    if name in {
        holders.get(key) for known in later.signatures for key in holders if known.is_claimed_by(key)
    }:
        raise VerificationError("trust-signer-repeated", member=name[:120], sequence=later.sequence)
    signatures: list[Json] = [known.to_text().rstrip("\n") for known in (*later.signatures, line)]
    return canonicalize({**later.json, "signatures": signatures}) + b"\n"


def verify_successor(earlier: TrustFile, later: TrustFile) -> frozenset[str]:
    """Prove that a quorum of `earlier` made `later` the next version; the members that signed.

    Every signature counts or refuses the file: nobody can add one that is false, a stranger's, or a second
    one of a member. A key signs if `earlier` has it in force when `later` was issued. Raises what
    `verify_changes` raises, and VerificationError: trust-rule-missing, trust-signer-foreign,
    trust-signer-expired, trust-signer-repeated, note-signature-invalid, trust-quorum-missing.
    """
    verify_changes(earlier, later)
    if earlier.succession_threshold is None:
        raise VerificationError("trust-rule-missing", sequence=earlier.sequence)
    holders = _holders(earlier)
    message = succession_text(later).encode()
    signed: set[str] = set()
    for line in later.signatures:
        key = next((key for key in holders if line.is_claimed_by(key)), None)
        if key is None:
            raise VerificationError("trust-signer-foreign", name=line.name, sequence=later.sequence)
        member = _in_force(earlier, later, holders, key)
        if member in signed:
            raise VerificationError("trust-signer-repeated", member=member[:120], sequence=later.sequence)
        verify_line(line, key, message, line.signature)
        signed.add(member)
    if len(signed) < earlier.succession_threshold:
        raise VerificationError(
            "trust-quorum-missing",
            sequence=later.sequence,
            got=len(signed),
            wanted=earlier.succession_threshold,
        )
    return frozenset(signed)


def advance(trust: TrustFile, successions: Iterable[TrustFile]) -> TrustFile:
    """The newest version that is proven from `trust` on; `trust` itself when there is none.

    The versions come in their order and without a gap. Two successors of one version, both signed by a
    quorum, are refused by name: the council contradicts itself, and nobody may choose for the verifier.
    Raises what `verify_successor` raises, and VerificationError: trust-equivocation, trust-too-many.
    """
    before, newest = None, trust
    for number, later in enumerate(successions):
        if number >= MAX_SUCCESSIONS:
            raise VerificationError("trust-too-many", limit=MAX_SUCCESSIONS)
        if before is not None and later.sequence == newest.sequence:
            verify_successor(before, later)
            if later.digest != newest.digest:
                raise VerificationError(
                    "trust-equivocation",
                    sequence=later.sequence,
                    first=fingerprint(newest.digest),
                    second=fingerprint(later.digest),
                )
            continue
        verify_successor(newest, later)
        before, newest = newest, later
    return newest


def parse_successions(data: bytes) -> Successions:
    """The document that `encode_successions` makes. Raises MalformedError."""
    shape = Shape(
        parse_json(data, subject="trust successions", max_bytes=MAX_SUCCESSIONS_BYTES), "trust successions"
    )
    shape.expect("type", SUCCESSIONS_TYPE)
    shape.expect("version", 1)
    items = shape.items("successions", maximum=MAX_SUCCESSIONS)
    found = Successions(
        registry=check_registry_name(shape.text("registry")),
        newest=shape.integer("newest", minimum=1),
        files=tuple(parse_trust_file(_bytes(item, shape.path("successions"))) for item in items),
    )
    shape.refuse_unknown()
    return found


def encode_successions(registry: str, newest: int, files: Sequence[Json]) -> bytes:
    """The document with these trust files, in the order of their versions."""
    return canonicalize(
        {
            "type": SUCCESSIONS_TYPE,
            "version": 1,
            "registry": registry,
            "newest": newest,
            "successions": list(files),
        }
    )


def _bytes(item: Json, subject: str) -> bytes:
    if not isinstance(item, dict):
        raise MalformedError(subject, "must be trust files")
    return canonicalize(item)


def _holders(trust: TrustFile) -> dict[VerifierKey, str]:
    """The keys that can sign the next version, each with its member."""
    return {dated.key: member.name for member in trust.members for dated in member.attestation}


def _in_force(earlier: TrustFile, later: TrustFile, holders: dict[VerifierKey, str], key: VerifierKey) -> str:
    """The member whose key it is, and whose it was when `later` was issued."""
    dated = earlier.dated_key("attestation", key)
    if key not in holders or dated is None:
        raise VerificationError("trust-signer-foreign", name=key.name[:200], sequence=later.sequence)
    if not dated.is_valid_at(later.issued):
        raise VerificationError("trust-signer-expired", name=key.name[:200], sequence=later.sequence)
    return holders[key]
