"""Whole registries, honest and not, and the verdict on what they give out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fakes.awards import award
from fakes.issuers import signing_key
from fakes.whole_registry import ANCHORED_AT, World, cut
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.hashing import sha256
from vectors.files import BASE, LOG, Vector, add, log_of, replace, world


def chunked() -> Any:
    """Status as the chunk with its path: a crowd of others is revoked, so that the list does not compress."""
    made = World(revoked=tuple(index for index in range(100, 131_000) if sha256(b"%d" % index)[0] < 32))
    return {"credential": made.credential, "evidence": cut(made.evidence(), made.credential)}


def seen_first(size: int | None = None, **options: Any) -> Callable[[], Any]:
    """An earlier checkpoint for its time: of the tree just before the seal, a hundred days ago."""

    def dossier() -> Any:
        made = World()
        found = copy.deepcopy(made.dossier())
        first = made.first(size or made.leaf_index + 1, ANCHORED_AT - timedelta(days=100), **options)
        log_of(found)["first"] = first
        return found

    return dossier


def lean() -> Any:
    """What a holder keeps: no slot, trie node or note more than is needed."""
    made = World()
    return {"credential": made.credential, "evidence": cut(made.evidence(), made.credential)}


def whole_tlog_proof() -> Any:
    """The tlog-proof verbatim, with the checkpoint that stands under its log as well."""
    found = copy.deepcopy(World().dossier())
    found["evidence"]["entries"][0]["proof"] += log_of(found)["checkpoint"]
    return found


def expired() -> Any:
    """An award that ended before it is looked at."""
    return World(award={**award(), "validUntil": "2026-10-01T00:00:00Z"}).dossier()


SUSPENSION = {
    "fromEpoch": 1,
    "fromSize": 6,
    "untilEpoch": 1,
    "untilSize": 20,
    "suspendedAt": 5,
    "reinstatedAt": 9,
}


def good_vectors() -> list[Vector]:
    """What must be found valid."""
    return [
        Vector(name=BASE, about="An honest dossier.", outcome="valid", status="active"),
        Vector(
            name="good-closed-issuer",
            about="The issuer has closed since: its last word is final.",
            outcome="valid",
            status="active",
            checks=((8, "pass", "issuer-closed"),),
            dossier=world(lifecycle=Lifecycle.CLOSED),
        ),
        Vector(
            name="good-issuer-suspended-since",
            about="The issuer was suspended after the entry.",
            outcome="valid",
            status="active",
            checks=((8, "pass", "issuer-suspended-since"),),
            dossier=world(lifecycle=Lifecycle.SUSPENDED),
        ),
        Vector(
            name="good-status-chunk",
            about="A large status list is given as one chunk with its path.",
            outcome="valid",
            status="active",
            checks=((9, "pass", "status-active"),),
            dossier=chunked,
        ),
        Vector(
            name="good-lean",
            about="As a holder keeps it: five slots, one anchor of the history, attestations in one note.",
            outcome="valid",
            status="active",
            dossier=lean,
        ),
        Vector(
            name="good-whole-tlog-proof",
            about="A tlog-proof that brings its checkpoint with it, verbatim.",
            outcome="valid",
            status="active",
            dossier=whole_tlog_proof,
        ),
        Vector(
            name="good-first",
            about="An earlier checkpoint dates the entry: seen no later than 2026-08-13T09:00:01Z.",
            outcome="valid",
            status="active",
            dossier=seen_first(),
        ),
        Vector(
            name="good-first-before-entry",
            about="An earlier checkpoint from before the entry, which dates nothing and breaks nothing.",
            outcome="valid",
            status="active",
            dossier=seen_first(4),
        ),
        Vector(
            name="good-unknown-member",
            about="A member of a later minor version is ignored, and reported.",
            outcome="valid",
            status="active",
            patch=add("/evidence/later", {"any": "thing"}),
        ),
        Vector(
            name="good-unknown-anchor-beside",
            about="An anchor of a type that is not understood proves nothing and breaks nothing.",
            outcome="valid",
            status="active",
            patch=add("/evidence/anchors/-", {"type": "opentimestamps"}),
        ),
    ]


def undecided_vectors() -> list[Vector]:
    """What must be found neither valid nor invalid."""
    cases: list[tuple[str, str, int, str, Any]] = [
        ("unanchored", "There is no anchor.", 6, "not-anchored", world(anchored=False)),
        ("unattested", "No member attests the header.", 6, "finality-unproven", world(attesters=())),
        (
            "unwitnessed",
            "One witness of three, two are needed.",
            5,
            "quorum-missing",
            world(witnesses=("ada",)),
        ),
        ("unmirrored", "No mirror, two are needed.", 5, "quorum-missing", world(mirrors=())),
    ]
    made = [
        Vector(
            name=name,
            about=about,
            outcome="indeterminate",
            checks=((step, "unknown", reason),),
            dossier=dossier,
        )
        for name, about, step, reason, dossier in cases
    ]
    return [
        *made,
        Vector(
            name="status-missing",
            about="The status lists are left out.",
            outcome="indeterminate",
            checks=((9, "unknown", "status-missing"),),
            patch=replace(f"{LOG}/status", []),
        ),
        Vector(
            name="anchor-type-unknown",
            about="The only anchor is of a type that is not understood.",
            outcome="indeterminate",
            checks=((6, "unknown", "anchor-type-unknown"),),
            patch=replace("/evidence/anchors/0/type", "opentimestamps"),
        ),
        Vector(
            name="stale",
            about="Sixty days later the status says nothing about now; every check still passes.",
            outcome="indeterminate",
            days_later=60,
        ),
    ]


def refused_vectors() -> list[Vector]:
    """What must be found invalid, by registries that say so."""
    cases: list[tuple[str, str, str, int, str, Any]] = [
        (
            "first-of-a-fork",
            "The earlier checkpoint has a root that the log does not extend.",
            "unknown",
            5,
            "consistency-mismatch",
            seen_first(root=sha256(b"fork")),
        ),
        (
            "first-later",
            "The earlier checkpoint is of a larger tree than that of the evidence.",
            "unknown",
            5,
            "consistency-mismatch",
            seen_first(1_000, root=sha256(b"later")),
        ),
        (
            "first-by-a-stranger",
            "The earlier checkpoint is signed by another log key.",
            "unknown",
            5,
            "note-unsigned",
            seen_first(key=signing_key(77)),
        ),
        ("revoked", "Its issuer revoked it.", "revoked", 9, "revoked", world(revoked=(7,))),
        ("suspended", "Its issuer suspended it.", "suspended", 9, "suspended", world(suspended=(7,))),
        (
            "revoked-and-suspended",
            "Revocation outranks.",
            "revoked",
            9,
            "revoked",
            world(revoked=(7,), suspended=(7,)),
        ),
        ("expired", "Its time is over.", "expired", 10, "expired", expired),
        (
            "other-root",
            "The contract has another root.",
            "unknown",
            6,
            "anchor-root-mismatch",
            world(root_on_chain=b"\7" * 32),
        ),
        (
            "other-log-key",
            "The contract has another log key.",
            "unknown",
            6,
            "log-key-mismatch",
            world(log_key_on_chain=b"\7" * 32),
        ),
        (
            "statement-outdated",
            "The contract knows a newer statement.",
            "unknown",
            6,
            "statement-outdated",
            world(statement_on_chain=2),
        ),
        (
            "stranger",
            "The contract admitted somebody else.",
            "unknown",
            8,
            "admission-mismatch",
            world(identity=b"\7" * 32),
        ),
        (
            "issuer-suspended",
            "Logged while the issuer was suspended.",
            "unknown",
            8,
            "issuer-suspended",
            world(suspension=SUSPENSION),
        ),
        (
            "foreign-signer",
            "Signed by a key that is not the issuer's.",
            "unknown",
            3,
            "signature-invalid",
            world(issuer_key=signing_key(3)),
        ),
    ]
    return [
        Vector(
            name=name,
            about=about,
            outcome="invalid",
            status=status,
            checks=((step, "fail", reason),),
            dossier=dossier,
        )
        for name, about, status, step, reason, dossier in cases
    ]
