"""What a log holds: 34-byte entries, and the names (origins) that give a log and an issuer their ids."""

import enum
import re
from dataclasses import dataclass

from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES, sha256
from testamur.registry.merkle import leaf_hash

ENTRY_VERSION = 0x01
"""First byte of every entry. Another meaning of the following bytes needs another version."""

ENTRY_BYTES = 2 + DIGEST_BYTES
"""Version, kind, digest. Fixed, so that a log tells nothing about what was logged, not even its length."""

MAX_REGISTRY_NAME_CHARACTERS = 64
"""A registry name is part of every checkpoint, id and attestation; 64 hold any sensible host name."""

MAX_SLUG_CHARACTERS = 63
"""The contract's bound, and that of a DNS label."""

MAX_EPOCH = 0xFFFF
"""The contract keeps the epoch in 16 bits."""

_REGISTRY_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_EPOCH = re.compile(r"[1-9][0-9]{0,4}")


class EntryKind(enum.IntEnum):
    """What the digest of an entry is the digest of."""

    CREDENTIAL = 1
    DOCUMENT = 2
    """A public document: statement, status list credential, DID document, accreditation …"""
    SEAL = 3


_BEGINNINGS = {kind: bytes((ENTRY_VERSION, kind)) for kind in EntryKind}
_KINDS = {beginning: kind for kind, beginning in _BEGINNINGS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a log: a kind and a SHA-256 digest (32 bytes)."""

    kind: EntryKind
    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_BYTES:
            raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(self.digest)}")

    def to_bytes(self) -> bytes:
        """The 34 bytes that are stored and hashed: 0x01 || kind || digest."""
        return _BEGINNINGS[self.kind] + self.digest

    @property
    def leaf_hash(self) -> bytes:
        """The hash of this entry as a leaf of the log's tree."""
        return leaf_hash(self.to_bytes())


def parse_entry(data: bytes) -> Entry:
    """The entry in exactly these 34 bytes. Raises MalformedError for any other length, version or kind."""
    if len(data) != ENTRY_BYTES:
        raise MalformedError("log entry", f"{len(data)} bytes instead of {ENTRY_BYTES}")
    kind = _KINDS.get(bytes(data[:2]))
    if kind is None:
        unknown = f"kind {data[1]}" if data[0] == ENTRY_VERSION else f"version {data[0]}"
        raise MalformedError("log entry", f"unknown {unknown}")
    return Entry(kind=kind, digest=bytes(data[2:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The name of one epoch of an issuer's log, as it stands in the first line of its checkpoints."""

    registry: str
    slug: str
    epoch: int

    def __post_init__(self) -> None:
        check_registry_name(self.registry)
        check_slug(self.slug)
        if not 1 <= self.epoch <= MAX_EPOCH:
            raise MalformedError("origin", f"epoch {self.epoch} is not between 1 and {MAX_EPOCH}")

    def __str__(self) -> str:
        return f"{self.registry}/{self.slug}/{self.epoch}"

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the origin: the log's key in the contract (32 bytes)."""
        return sha256(str(self).encode("ascii"))

    @property
    def issuer_id(self) -> bytes:
        """SHA-256 of `<registry>/<slug>`: the issuer's key in the contract in every epoch (32 bytes)."""
        return sha256(f"{self.registry}/{self.slug}".encode("ascii"))


def parse_origin(text: str) -> Origin:
    """The origin written `<registry name>/<issuer slug>/<epoch>`. Raises MalformedError."""
    parts = text.split("/")
    if len(parts) != 3:
        raise MalformedError("origin", "is not <registry name>/<issuer slug>/<epoch>")
    registry, slug, epoch = parts
    if not _EPOCH.fullmatch(epoch):
        raise MalformedError("origin", "the epoch is not a decimal number without leading zeros")
    return Origin(registry=registry, slug=slug, epoch=int(epoch))


def check_registry_name(name: str) -> str:
    """`name`, if it can name a registry: host-like labels of [a-z0-9-] joined by dots, at most 64 characters.

    Raises MalformedError.
    """
    if len(name) > MAX_REGISTRY_NAME_CHARACTERS or not _REGISTRY_NAME.fullmatch(name):
        raise MalformedError(
            "registry name",
            f"is not up to {MAX_REGISTRY_NAME_CHARACTERS} of a-z, 0-9 and '-' in labels joined by dots",
        )
    return name


def check_slug(slug: str) -> str:
    """`slug`, if it can name an issuer: 1 to 63 of [a-z0-9-], no '-' at either end. Raises MalformedError."""
    if len(slug) > MAX_SLUG_CHARACTERS or not _SLUG.fullmatch(slug):
        raise MalformedError(
            "issuer slug",
            f"is not 1 to {MAX_SLUG_CHARACTERS} of a-z, 0-9 and '-' without '-' at either end",
        )
    return slug
