"""The trust file: the few kilobytes that a verifier must bring, and where they came from.

It names the members' keys, how many of them must have seen a log, and the one chain and contract that
are authoritative for a range of blocks. Everything else in a verification is proven against it.
Format: docs/spec/trust-file.md.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.entries import check_registry_name
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.notes import (
    COSIGNATURE_ED25519,
    ED25519,
    NoteSignature,
    VerifierKey,
    parse_signature_lines,
    parse_vkey,
)
from testamur.registry.policies import WitnessPolicy, parse_policy
from testamur.registry.shapes import Shape, without_duplicates
from testamur.registry.timestamps import parse_timestamp
from testamur.registry.trusted_chains import MAX_CHAINS, MAX_MEMBERS, TrustedChain, parse_chains

__all__ = [
    "MAX_CHAINS",
    "MAX_KEYS_PER_ROLE",
    "MAX_MEMBERS",
    "MAX_SIGNATURE_CHARACTERS",
    "MAX_TRUST_FILE_BYTES",
    "ROLES",
    "DatedKey",
    "Member",
    "TrustFile",
    "TrustedChain",
    "fingerprint",
    "parse_trust_file",
    "trust_digest",
]

MAX_TRUST_FILE_BYTES = 256 * 1024
"""A few kB in practice; the bound keeps a hostile "trust file" from costing anything to refuse."""

MAX_KEYS_PER_ROLE = 32
"""A key a year for three decades."""

MAX_SIGNATURE_CHARACTERS = 512
"""A signature line is a key name of at most 256 characters and 92 of base64."""

FINGERPRINT_BYTES = 16
"""128 bits: nobody can make a second trust file with the same fingerprint; 26 letters can be read aloud."""

ROLES = ("witness", "mirror", "attestation")

_SIGNATURE_TYPES = {"witness": COSIGNATURE_ED25519, "mirror": COSIGNATURE_ED25519, "attestation": ED25519}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedKey:
    """A member's key and the time within which what it signed counts: from `since` to before `until`.

    `until` None: still in use. An end that is not after the start: nothing that it signed counts.
    """

    key: VerifierKey
    since: datetime
    until: datetime | None

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether what the key signed at `moment` counts."""
        return self.since <= moment and (self.until is None or moment < self.until)

    def is_over_at(self, moment: datetime) -> bool:
        """Whether nothing counts that the key signs at `moment` or later."""
        return self.until is not None and self.until <= max(self.since, moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One university of the consortium, with the keys of its three roles."""

    name: str
    url: str | None
    witness: tuple[DatedKey, ...]
    mirror: tuple[DatedKey, ...]
    attestation: tuple[DatedKey, ...]

    def may_sign_after(self, moment: datetime) -> bool:
        """Whether the member could sign a version issued after `moment`; those who left stay listed."""
        return any(not dated.is_over_at(moment) for dated in self.attestation)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFile:
    """A parsed trust file. `digest` covers everything but the signatures of its succession.

    `succession_threshold` members must sign the next version; None: no version can follow this one.
    `signatures` are lines that claim to be by members of the version before, and are not verified here.
    """

    registry: str
    sequence: int
    development: bool
    issued: datetime
    members: tuple[Member, ...]
    witness_policy: WitnessPolicy
    mirror_policy: WitnessPolicy
    chains: tuple[TrustedChain, ...]
    accreditors: tuple[str, ...]
    previous: bytes | None
    digest: bytes
    succession_threshold: int | None = None
    signatures: tuple[NoteSignature, ...] = field(default=(), compare=False)
    json: dict[str, Json] = field(default_factory=dict, repr=False, compare=False)

    @property
    def fingerprint(self) -> str:
        """The digest's first 128 bits in base32, in groups of four or five: short enough to read aloud."""
        return fingerprint(self.digest)

    def dated_key(self, role: str, key: VerifierKey) -> DatedKey | None:
        """The dated entry of a member's key, or None when no member has it in that role."""
        for member in self.members:
            for dated in getattr(member, role):
                if dated.key == key:
                    return dated  # type: ignore[no-any-return]
        return None

    def chain_for(
        self, chain_id: int, genesis_hash: bytes, contract: bytes, block: int
    ) -> TrustedChain | None:
        """The trusted chain that is authoritative for this block, or None when there is none."""
        for chain in self.chains:
            same = (chain.chain_id, chain.genesis_hash, chain.contract) == (chain_id, genesis_hash, contract)
            within = chain.from_block <= block and (chain.until_block is None or block <= chain.until_block)
            if same and within:
                return chain
        return None


def fingerprint(digest: bytes) -> str:
    """Base32 of the first 128 bits, lower case, in dashed groups."""
    text = base64.b32encode(digest[:FINGERPRINT_BYTES]).decode().rstrip("=").lower()
    return "-".join(text[start : start + 5] for start in range(0, len(text), 5))


def trust_digest(document: dict[str, Json]) -> bytes:
    """SHA-256 of the JCS form without `signatures`, so that countersigning does not change it."""
    return sha256(canonicalize({name: value for name, value in document.items() if name != "signatures"}))


def parse_trust_file(data: bytes) -> TrustFile:
    """The trust file as values in which everything already holds.

    Unknown members are refused: a misspelt restriction must not be silently without effect.
    Raises MalformedError.
    """
    document = parse_json(data, subject="trust file", max_bytes=MAX_TRUST_FILE_BYTES)
    shape = Shape(document, "trust file")
    shape.expect("type", "TestamurTrust")
    shape.expect("version", 1)
    members = tuple(_member(item) for item in shape.shapes("members", minimum=1, maximum=MAX_MEMBERS))
    without_duplicates((member.name for member in members), shape.path("members"))
    _check_holders(members, shape.path("members"))
    policies = shape.shape("policies")
    issued = parse_timestamp(shape.text("issued"), shape.path("issued"))
    sequence, previous = shape.integer("sequence", minimum=1), shape.optional_digest("previous")
    if (previous is None) != (sequence == 1):
        raise MalformedError(shape.path("previous"), "must be null in version 1, and only there")
    trust = TrustFile(
        registry=check_registry_name(shape.text("registry")),
        sequence=sequence,
        development=shape.flag("development"),
        issued=issued,
        members=members,
        witness_policy=_policy(policies, "witness", members),
        mirror_policy=_policy(policies, "mirror", members),
        chains=parse_chains(shape),
        accreditors=tuple(shape.texts("accreditors", maximum=MAX_MEMBERS)),
        previous=previous,
        digest=trust_digest(document) if isinstance(document, dict) else b"",
        succession_threshold=_succession(shape, members, issued),
        signatures=_signatures(shape),
        json=document if isinstance(document, dict) else {},
    )
    policies.refuse_unknown()
    shape.refuse_unknown()
    return trust


def _member(shape: Shape) -> Member:
    roles = {role: _dated_keys(shape, role) for role in ROLES}
    member = Member(name=shape.text("name", max_length=128), url=shape.optional_text("url"), **roles)
    shape.refuse_unknown()
    return member


def _dated_keys(shape: Shape, role: str) -> tuple[DatedKey, ...]:
    found = []
    for item in shape.shapes(role, maximum=MAX_KEYS_PER_ROLE):
        until = item.optional_text("until")
        key = parse_vkey(item.text("key", max_length=4096))
        if key.algorithm != _SIGNATURE_TYPES[role]:
            wanted = f"{_SIGNATURE_TYPES[role]:#04x}"
            raise MalformedError(item.path("key"), f"is of signature type {key.algorithm:#04x}, not {wanted}")
        found.append(
            DatedKey(
                key=key,
                since=parse_timestamp(item.text("from"), item.path("from")),
                until=parse_timestamp(until, item.path("until")) if until else None,
            )
        )
        item.refuse_unknown()
    return tuple(found)


def _check_holders(members: tuple[Member, ...], subject: str) -> None:
    """A public key has one member, one role and one time, under whatever names.

    Two members with one key would be one holder who counts twice. A cosignature does not say in which role it
    was made, so a witness's could be shown as that of a mirror with the same key. Of two times the reader
    would choose one, and whoever compares two versions the other.
    """
    holders: dict[bytes, str] = {}
    for member in members:
        for role in ROLES:
            for dated in getattr(member, role):
                holder = f"{member.name} ({role})"
                if dated.key.raw in holders:
                    shown = f"{holders[dated.key.raw]} and {holder}"
                    raise MalformedError(subject, f"give one public key to {shown}"[:400])
                holders[dated.key.raw] = holder


def _policy(policies: Shape, role: str, members: tuple[Member, ...]) -> WitnessPolicy:
    """The tlog-policy of a role. A policy that counts a key of no member would let a stranger vouch."""
    policy = parse_policy(policies.text(role, max_length=65_536))
    known = {dated.key for member in members for dated in getattr(member, role)}
    strangers = [name for name, key in policy.witnesses.items() if key not in known]
    if strangers:
        reason = f"counts keys that no member has as its {role} key: {', '.join(strangers)[:200]}"
        raise MalformedError(policies.path(role), reason)
    return policy


def _succession(shape: Shape, members: tuple[Member, ...], issued: datetime) -> int | None:
    """How many members must sign the next version; more than could ever sign would end the registry."""
    if not shape.has("succession"):
        return None
    rule = shape.shape("succession")
    threshold = rule.integer("threshold", minimum=1, maximum=MAX_MEMBERS)
    able = sum(member.may_sign_after(issued) for member in members)
    if threshold > able:
        raise MalformedError(rule.path("threshold"), f"is {threshold}, and only {able} members could sign")
    rule.refuse_unknown()
    return threshold


def _signatures(shape: Shape) -> tuple[NoteSignature, ...]:
    texts = shape.texts("signatures", maximum=MAX_MEMBERS, max_length=MAX_SIGNATURE_CHARACTERS)
    found: list[NoteSignature] = []
    for number, text in enumerate(texts):
        if "\n" in text:
            raise MalformedError(f"{shape.path('signatures')}/{number}", "must be one line")
        try:
            found += parse_signature_lines(f"{text}\n")
        except MalformedError as error:
            raise MalformedError(f"{shape.path('signatures')}/{number}", error.reason) from error
    return tuple(found)
