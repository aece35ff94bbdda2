"""`relatedResource`: other files that a credential leans on, each with the digest of its bytes.

https://www.w3.org/TR/vc-data-model-2.0/#integrity-of-related-resources.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.data_model import objects_of
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.members import check_url
from testamur.registry.multiformats import decode_multibase
from testamur.registry.shapes import kind_of

MAX_RESOURCES = 64
"""Related resources of one credential; a handful is usual."""

MAX_DIGEST_CHARACTERS = 1024
"""Several SRI digests of one file; one of SHA-512 has 95 characters."""

PUBLISHED: Mapping[str, Mapping[str, str]] = {
    CREDENTIALS_V2: {
        "sha256": "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        "sha384": (
            "97f1eb8e5042356c805fdd61afa2c557663785e0794dcafa21e138fd38def18cb360133c221aa31d6896a6bf3e65b614"
        ),
    }
}
"""Hex digests of files as their publishers serve them: our copies may differ from those in white space."""

_SRI = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})(?:\?[!-~]*)?")
_LENGTHS = {"sha256": 32, "sha384": 48, "sha512": 64}
_MULTIHASH = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDigest:
    """What a credential says of one file: every digest is of the same bytes."""

    where: str
    id: str
    digests: tuple[tuple[str, bytes], ...]
    """(hash function, digest)"""


def check_related_resources(document: dict[str, Json], subject: str) -> tuple[ResourceDigest, ...]:
    """The related resources: objects with a URL `id` that no other one has, and at least one digest.

    Raises MalformedError.
    """
    found: list[ResourceDigest] = []
    for where, item in objects_of(document, "relatedResource", subject, MAX_RESOURCES):
        url = check_url(item, "id", where)
        if any(resource.id == url for resource in found):
            raise MalformedError(f"{where}/id", f"is the id of another resource: {url[:200]}")
        digests = [*_sri(item, f"{where}/digestSRI"), *_multibase(item, f"{where}/digestMultibase")]
        if not digests:
            raise MalformedError(where, "has neither digestSRI nor digestMultibase")
        found.append(ResourceDigest(where=where, id=url, digests=tuple(digests)))
    return tuple(found)


def verify_related_resources(
    document: dict[str, Json], resources: Mapping[str, bytes], subject: str = "credential"
) -> tuple[str, ...]:
    """The related resources that could not be looked at, when all others have the digests that are named.

    `resources` are files as bytes, by URL. Raises MalformedError, and
    VerificationError("related-resource-mismatch").
    """
    unseen = []
    for resource in check_related_resources(document, subject):
        data, published = resources.get(resource.id), PUBLISHED.get(resource.id, {})
        seen = False
        for name, wanted in resource.digests:
            if data is not None:
                found = hashlib.new(name, data).digest()
            elif name in published:
                found = bytes.fromhex(published[name])
            else:
                continue
            seen = True
            if found != wanted:
                raise VerificationError(
                    "related-resource-mismatch", id=resource.id[:200], where=resource.where
                )
        if not seen:
            unseen.append(resource.id)
    return tuple(unseen)


def _sri(item: dict[str, Json], where: str) -> list[tuple[str, bytes]]:
    """Subresource Integrity metadata: one or more `sha384-<base64>`, https://www.w3.org/TR/SRI/."""
    if "digestSRI" not in item:
        return []
    digests = []
    for text in _texts(item["digestSRI"], where):
        for part in text.split():
            match = _SRI.fullmatch(part)
            if match is None:
                raise MalformedError(where, "must be sha256-, sha384- or sha512- and a digest in base64")
            try:
                digest = base64.b64decode(match[2], validate=True)
            except (binascii.Error, ValueError) as exc:
                raise MalformedError(where, "is not base64") from exc
            if len(digest) != _LENGTHS[match[1]]:
                raise MalformedError(where, f"has {len(digest)} bytes, not those of {match[1]}")
            digests.append((match[1], digest))
    return digests


def _multibase(item: dict[str, Json], where: str) -> list[tuple[str, bytes]]:
    """A digest in multibase: a multihash, or the bare bytes, whose number tells the function."""
    if "digestMultibase" not in item:
        return []
    digests = []
    for text in _texts(item["digestMultibase"], where):
        data = decode_multibase(text, subject=where)
        name, digest = _MULTIHASH.get(data[:2], ""), data[2:]
        if len(digest) != _LENGTHS.get(name, -1):
            name = next((known for known, length in _LENGTHS.items() if length == len(data)), "")
            digest = data
        if not name:
            raise MalformedError(where, "is not a SHA-256, SHA-384 or SHA-512 digest")
        digests.append((name, digest))
    return digests


def _texts(value: Json, where: str) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= MAX_RESOURCES:
        raise MalformedError(where, f"has {len(items)} digests, outside 1 to {MAX_RESOURCES}")
    found = []
    for item in items:
        if not isinstance(item, str) or not 1 <= len(item) <= MAX_DIGEST_CHARACTERS:
            raise MalformedError(where, f"must be a digest as text, not {kind_of(item)}")
        found.append(item)
    return found
