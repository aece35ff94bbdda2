"""The good dossier after somebody changed it, and what is no dossier at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakes.whole_registry import ANCHORED_AT, World
from testamur.registry.status import StatusBits, encode_list
from vectors.files import LOG, Vector, add, compact, edited, flipped, log_of, remove, replace

PROOF = "/evidence/entries/0/proof"

UNKNOWN = frozenset({"chain-not-trusted", "other-registry"})
"""Reasons that say which trust file is needed, and judge nothing."""


def proof_of(dossier: Any) -> str:
    """The tlog-proof."""
    return str(dossier["evidence"]["entries"][0]["proof"])


def first_hash_changed(proof: str) -> str:
    """Another sibling of the leaf."""
    return flipped(proof, proof.index("\n", proof.index("index ")) + 1)


def cosignature_changed(note: str) -> str:
    """The last signature line's last bytes."""
    return flipped(note, len(note) - 8)


def chunk_of(text: str) -> Callable[[Any], list[dict[str, Any]]]:
    """The first list replaced by a chunk."""
    return lambda _: [
        {"op": "remove", "path": f"{LOG}/status/0/list"},
        {"op": "add", "path": f"{LOG}/status/0/chunk", "value": text},
        {"op": "add", "path": f"{LOG}/status/0/chunkPath", "value": {"index": 0, "hashes": []}},
    ]


def tampered_vectors() -> list[Vector]:
    """The good dossier after somebody changed it."""
    cases: list[tuple[str, str, int, str, Any]] = [
        (
            "credential-altered",
            "A better name.",
            4,
            "entry-missing",
            replace("/credential/name", "Data Mastery"),
        ),
        (
            "other-registry",
            "Evidence of another registry.",
            4,
            "other-registry",
            replace("/evidence/registry", "other.example"),
        ),
        (
            "inclusion-hash",
            "A hash of the inclusion path changed.",
            4,
            "inclusion-mismatch",
            edited(PROOF, proof_of, first_hash_changed),
        ),
        (
            "leaf-index",
            "Another place in the log.",
            4,
            "inclusion-mismatch",
            edited(PROOF, proof_of, lambda text: text.replace("index 9", "index 8")),
        ),
        (
            "checkpoint-unsigned",
            "The log's signature changed.",
            5,
            "note-signature-invalid",
            edited(
                f"{LOG}/checkpoint",
                lambda good: str(log_of(good)["checkpoint"]),
                lambda note: flipped(note, note.index("\n\n") + 60),
            ),
        ),
        (
            "seal-altered",
            "The seal has another time.",
            5,
            "inclusion-mismatch",
            replace(f"{LOG}/seal/document/time", "2026-11-21T09:00:01Z"),
        ),
        (
            "statement-altered",
            "The statement has another time.",
            5,
            "statement-mismatch",
            replace(f"{LOG}/statement/time", "2026-11-21T07:00:00Z"),
        ),
        (
            "node-missing",
            "A trie node is left out.",
            6,
            "storage-proof-incomplete",
            lambda good: remove(
                f"/evidence/anchors/0/nodes/{len(good['evidence']['anchors'][0]['nodes']) - 1}"
            )(good),
        ),
        (
            "node-excess",
            "A trie node that proves nothing.",
            6,
            "storage-proof-excess",
            add("/evidence/anchors/0/nodes/-", "uwiAB"),
        ),
        (
            "other-chain",
            "The anchor claims another chain.",
            6,
            "chain-not-trusted",
            replace("/evidence/anchors/0/chainId", 1),
        ),
        (
            "status-list-altered",
            "The list was changed.",
            9,
            "status-list-mismatch",
            replace(f"{LOG}/status/0/list/validFrom", "2026-01-01T00:00:00Z"),
        ),
        (
            "status-path",
            "The list's place in the statement changed.",
            9,
            "statement-entry-mismatch",
            replace(f"{LOG}/status/0/path/index", 7),
        ),
    ]
    return [
        Vector(
            name=f"tampered-{name}",
            about=about,
            outcome="indeterminate" if reason in UNKNOWN else "invalid",
            checks=((step, "unknown" if reason in UNKNOWN else "fail", reason),),
            patch=patch,
        )
        for name, about, step, reason, patch in cases
    ]


def malformed_vectors() -> list[Vector]:
    """What has not the shape of evidence: refused before anything is computed."""
    cases: list[tuple[str, str, Any]] = [
        ("version", "A version that this reader does not know.", replace("/evidence/version", 2)),
        ("type", "Another type of document.", replace("/evidence/type", "Evidence")),
        ("registry-name", "No name of a registry.", replace("/evidence/registry", "Not A Host")),
        ("digest", "A digest of 31 bytes.", replace("/evidence/entries/0/digest", "u" + "A" * 41)),
        (
            "origin-unknown",
            "An entry of a log that is not there.",
            replace("/evidence/entries/0/origin", "registry.example/bit/1"),
        ),
        (
            "too-many-entries",
            "65 entries.",
            replace("/evidence/entries", [{}] * 65),
        ),
        ("path-too-long", "64 hashes in a path.", replace(f"{LOG}/seal/proof/hashes", ["u" + "A" * 43] * 64)),
        ("key-events-none", "No key event.", replace(f"{LOG}/keyEvents", [])),
        ("index-fraction", "An index that is no integer.", replace(f"{LOG}/seal/proof/index", 1.5)),
        ("list-and-chunk", "Both the list and a chunk.", add(f"{LOG}/status/0/chunk", "u" + "A" * 1366)),
        ("list-nor-chunk", "Neither the list nor a chunk.", remove(f"{LOG}/status/0/list")),
        (
            "checkpoint-of-another-log",
            "A checkpoint under the wrong log.",
            edited(
                f"{LOG}/checkpoint",
                lambda good: str(log_of(good)["checkpoint"]),
                lambda note: note.replace("/ada/1\n", "/bit/1\n", 1),
            ),
        ),
        ("tlog-proof", "No tlog-proof.", replace(PROOF, "c2sp.org/tlog-proof@v2\n")),
        ("first-as-text", "An earlier checkpoint as bare text.", replace(f"{LOG}/first", "a note")),
        (
            "first-of-another-log",
            "An earlier checkpoint of another log.",
            replace(f"{LOG}/first", World().first(4, ANCHORED_AT, origin="registry.example/bit/1")),
        ),
        ("chunk-no-gzip", "A chunk that is not compressed.", chunk_of("u" + "A" * 1366)),
        ("chunk-too-long", "A chunk that unpacks to more than 1 KiB.", chunk_of(encode_list(StatusBits()))),
        ("dossier-member", "A member that a dossier does not have.", add("/comment", "hello")),
    ]
    texts: list[tuple[str, str, Callable[[Any], str]]] = [
        (
            "text-duplicate-key",
            "One member twice.",
            lambda good: compact(good).replace('{"credential":', '{"evidence":null,"credential":', 1),
        ),
        ("text-trailing", "Data after the value.", lambda good: compact(good) + "{}"),
        ("text-depth", "Arrays in arrays, 65 deep.", lambda _: '{"credential":' + "[" * 65 + "]" * 65 + "}"),
        ("text-evidence-alone", "Evidence without a credential.", lambda good: compact(good["evidence"])),
    ]
    return [
        *(
            Vector(name=f"malformed-{name}", about=about, outcome="malformed", patch=patch)
            for name, about, patch in cases
        ),
        *(
            Vector(name=f"malformed-{name}", about=about, outcome="malformed", text=text)
            for name, about, text in texts
        ),
    ]
