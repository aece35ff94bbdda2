"""Versions of one trust file, signed by the members of `whole_registry`; and the ways in which they can lie."""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

from fakes.issuers import signing_key
from fakes.whole_registry import REGISTRY, role_signer, trust_document
from testamur.registry.canonical import canonicalize
from testamur.registry.multiformats import encode_digest
from testamur.registry.notes import ED25519, NoteSigner
from testamur.registry.trust import TrustFile, parse_trust_file
from testamur.registry.trust_successions import encode_successions, succession_text

Document = dict[str, Any]
QUORUM = ("ada", "bit")
LAST_HEADER = "0x" + "5a" * 32


def parsed(document: Document) -> TrustFile:
    """The document as a trust file."""
    return parse_trust_file(canonicalize(document))


def first(threshold: int | None = 2) -> Document:
    """Version 1 with three members, `threshold` of whom sign the next one."""
    document = trust_document()
    if threshold is not None:
        document["succession"] = {"threshold": threshold}
    return document


def unsigned(before: Document, *changes: Callable[[Document], object]) -> Document:
    """The version after `before`, issued a month later, with these changes."""
    document = copy.deepcopy(before)
    sequence = before["sequence"] + 1
    document.update(sequence=sequence, previous=encode_digest(parsed(before).digest))
    document.update(issued=f"2026-{sequence:02}-01T00:00:00Z", signatures=[])
    for change in changes:
        change(document)
    return document


def signed(document: Document, signers: Sequence[NoteSigner]) -> Document:
    """The document with a line of each signer, whoever that is."""
    text = succession_text(parsed(document))
    lines = [signer.sign_text(text).to_text().rstrip("\n") for signer in signers]
    return {**document, "signatures": lines}


def successor(
    before: Document, *changes: Callable[[Document], object], members: Sequence[str] = QUORUM
) -> Document:
    """The next version, signed by these members with the keys of version 1."""
    return signed(unsigned(before, *changes), [attester(name) for name in members])


def attester(member: str) -> NoteSigner:
    """A member's attestation key."""
    return role_signer(member, "attestation")


def newcomer(member: str, number: int = 300) -> NoteSigner:
    """An attestation key that version 1 does not know."""
    return NoteSigner(
        name=f"{REGISTRY}/members/{member}/attestation", key=signing_key(number), algorithm=ED25519
    )


def key_entry(signer: NoteSigner, since: str, until: str | None = None) -> Document:
    """A key of a member as it stands in a trust file."""
    return {"key": signer.verifier_key.to_text(), "from": since, "until": until}


def member_of(document: Document, name: str) -> Document:
    """A member's part of the document."""
    return next(item for item in document["members"] if item["name"] == name)


def rotate(name: str, signer: NoteSigner, at: str) -> Callable[[Document], object]:
    """A change: the member's attestation key ends, and another one begins."""

    def change(document: Document) -> None:
        keys = member_of(document, name)["attestation"]
        keys[-1]["until"] = at
        keys.append(key_entry(signer, at))

    return change


def close_chain(document: Document) -> None:
    """A change: the chain is retired at block 100, and another one takes over."""
    document["chains"][0].update(untilBlock=100, lastHeader=LAST_HEADER)
    after = {**document["chains"][0], "chainId": 7, "fromBlock": 0, "untilBlock": None, "lastHeader": None}
    document["chains"].append(after)


def chain_of(*documents: Document) -> bytes:
    """The document of successions that holds these versions."""
    return encode_successions(REGISTRY, documents[-1]["sequence"], list(documents))


def copied(document: Document) -> Document:
    """A deep copy, as JSON would make it."""
    return json.loads(json.dumps(document))
