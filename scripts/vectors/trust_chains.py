"""Successions of a trust file, good and broken, and what a verifier that has version 1 must say of each."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fakes.trust_chain import (
    attester,
    close_chain,
    first,
    key_entry,
    member_of,
    newcomer,
    rotate,
    signed,
    successor,
    unsigned,
)

FEBRUARY = "2026-02-01T00:00:00Z"
Document = dict[str, Any]
ALL = ("ada", "bit", "cyd")


@dataclass(frozen=True, kw_only=True)
class TrustVector:
    """One file: the versions that are given to a verifier with version 1, and its answer.

    `expected` is the version that is proven, "malformed", or the reason of the refusal.
    """

    name: str
    about: str
    versions: tuple[Document, ...]
    expected: int | str

    def to_json(self) -> Document:
        """The file's content."""
        if isinstance(self.expected, int):
            expected: Document = {"outcome": "proven", "sequence": self.expected}
        elif self.expected == "malformed":
            expected = {"outcome": "malformed"}
        else:
            expected = {"outcome": "refused", "reason": self.expected}
        return {
            "about": self.about,
            "trust": "version-1.json",
            "successions": list(self.versions),
            "expected": expected,
        }


def trust_vectors() -> list[TrustVector]:
    """All of them."""
    return [*_good(), *_refused(), *_rewritten(), *_malformed()]


def _good() -> list[TrustVector]:
    second = _second()
    third = signed(unsigned(second), [newcomer("ada"), attester("cyd")])
    return [
        _vector("good-none", "Nothing newer is given: the trusted version is the newest.", 1),
        _vector("good-one", "Two of three members of version 1 signed version 2.", 2, successor(V1)),
        _vector("good-all", "All three signed.", 2, successor(V1, members=ALL)),
        _vector("good-rotated", "Ada's new key, from version 2, signs version 3.", 3, second, third),
        _vector("good-retired", "The chain is retired with its last header.", 2, successor(V1, close_chain)),
        _vector(
            "good-key-voided", "A stolen key counts for nothing, and stays named.", 2, successor(V1, _void)
        ),
        _vector("good-repeated", "One version twice, under other signatures.", 2, successor(V1), _again()),
    ]


def _refused() -> list[TrustVector]:
    one, other = successor(V1), successor(V1, _accreditor)
    false = {**one, "signatures": one["signatures"][:1] + other["signatures"][1:]}
    eve = signed(unsigned(V1), [attester("ada"), attester("bit"), newcomer("eve")])
    twice = signed(unsigned(V1), [attester("ada"), attester("ada")])
    ahead = successor(successor(V1))
    asks_all = successor(V1, lambda d: d.update(succession={"threshold": 3}))
    no_rule = successor(V1, lambda d: d.pop("succession"))
    return [
        _vector("unsigned", "Nobody signed.", "trust-quorum-missing", unsigned(V1)),
        _vector("too-few", "One of two.", "trust-quorum-missing", successor(V1, members=("ada",))),
        _vector(
            "too-few-for-version-2",
            "Version 2 asks for three; its own rule counts for version 3.",
            "trust-quorum-missing",
            asks_all,
            successor(asks_all),
        ),
        _vector("signer-foreign", "A stranger beside a quorum.", "trust-signer-foreign", eve),
        _vector("signer-repeated", "One member twice.", "trust-signer-repeated", twice),
        _vector(
            "signer-expired",
            "Ada's old key signs after its end.",
            "trust-signer-expired",
            _second(),
            successor(_second()),
        ),
        _vector("signature-false", "A signature of another version.", "note-signature-invalid", false),
        _vector("skipped", "Version 2 is left out.", "trust-version-skipped", ahead),
        _vector("fell", "Version 1 after version 2.", "trust-version-fell", one, V1),
        _vector(
            "other-predecessor", "Version 3 of another version 2.", "trust-predecessor-mismatch", other, ahead
        ),
        _vector("equivocation", "Two versions 2, both signed by a quorum.", "trust-equivocation", one, other),
        _vector(
            "other-registry",
            "Of another registry.",
            "trust-registry-mismatch",
            successor(V1, lambda d: d.update(registry="other.example")),
        ),
        _vector(
            "rule-missing",
            "Version 2 does not say who may sign.",
            "trust-rule-missing",
            no_rule,
            successor(no_rule),
        ),
    ]


def _rewritten() -> list[TrustVector]:
    retired = successor(V1, close_chain)
    ended = successor(V1, lambda d: member_of(d, "cyd")["attestation"][0].update(until=FEBRUARY))
    voided = successor(V1, _void)
    cases: list[tuple[str, str, str, tuple[Document, ...]]] = [
        (
            "chain-dropped",
            "The range of the chain is gone.",
            "trust-chain-rewritten",
            (_by_all(V1, lambda d: d.update(chains=[])),),
        ),
        (
            "chain-contract",
            "Another contract for the same blocks.",
            "trust-chain-rewritten",
            (_by_all(V1, lambda d: d["chains"][0].update(contract="0x" + "11" * 20)),),
        ),
        (
            "chain-finality",
            "A weaker finality rule for the same blocks.",
            "trust-chain-rewritten",
            (_by_all(V1, lambda d: d["chains"][0]["finality"].update(threshold=1)),),
        ),
        (
            "chain-reopened",
            "A retired range is opened again.",
            "trust-chain-rewritten",
            (retired, _by_all(retired, lambda d: d["chains"][0].update(untilBlock=None, lastHeader=None))),
        ),
        (
            "chain-pin-exchanged",
            "Another last header.",
            "trust-chain-rewritten",
            (retired, _by_all(retired, lambda d: d["chains"][0].update(lastHeader="0x" + "11" * 32))),
        ),
        (
            "chain-unpinned",
            "Retired without its last header.",
            "trust-chain-unpinned",
            (_by_all(V1, lambda d: d["chains"][0].update(untilBlock=9)),),
        ),
        (
            "key-backdated",
            "A new key for a time before version 1.",
            "trust-key-backdated",
            (_by_all(V1, lambda d: _add_key(d, "ada", "2025-06-01T00:00:00Z")),),
        ),
        (
            "key-revived",
            "An ended key is in force again.",
            "trust-key-revived",
            (ended, successor(ended, lambda d: member_of(d, "cyd")["attestation"][0].update(until=None))),
        ),
        (
            "key-voided-revived",
            "A key that counted for nothing is to count after all.",
            "trust-key-revived",
            (voided, successor(voided, lambda d: member_of(d, "cyd")["attestation"][0].update(until=None))),
        ),
        (
            "key-dropped",
            "Cyd's key is left out; a later version could give it to Eve.",
            "trust-key-dropped",
            (_by_all(V1, lambda d: member_of(d, "cyd").update(attestation=[])),),
        ),
        ("key-moved", "Ada's key becomes Eve's.", "trust-key-moved", (_by_all(V1, _give_away),)),
        (
            "development-changed",
            "A registry that counted becomes one for development.",
            "trust-development-changed",
            (_by_all(V1, lambda d: d.update(development=True)),),
        ),
        (
            "issued-earlier",
            "Issued before version 1.",
            "trust-issued-earlier",
            (_by_all(V1, lambda d: d.update(issued="2025-12-31T00:00:00Z")),),
        ),
    ]
    return [_vector(name, about, reason, *versions) for name, about, reason, versions in cases]


def _malformed() -> list[TrustVector]:
    good = successor(V1)
    changes: dict[str, tuple[str, Callable[[Document], object]]] = {
        "signature": ("A signature is not a signature line.", lambda d: d["signatures"].append("ada")),
        "threshold": ("More are asked to sign than can.", lambda d: d.update(succession={"threshold": 4})),
        "previous": ("Version 2 names no predecessor.", lambda d: d.update(previous=None)),
        "unknown-member": ("A member that nobody knows.", lambda d: d.update(succesion={"threshold": 1})),
        "key-twice": (
            "One key with two times.",
            lambda d: member_of(d, "ada")["attestation"].append(
                {**member_of(d, "ada")["attestation"][0], "until": FEBRUARY}
            ),
        ),
        "last-header": (
            "A last header of an open range.",
            lambda d: d["chains"][0].update(lastHeader="0x" + "5a" * 32),
        ),
        "overlap": (
            "Two contracts for one block.",
            lambda d: d["chains"].append({**d["chains"][0], "fromBlock": 9}),
        ),
    }
    return [
        _vector(f"malformed-{name}", about, "malformed", _changed(good, change))
        for name, (about, change) in changes.items()
    ]


def _vector(name: str, about: str, expected: int | str, *versions: Document) -> TrustVector:
    return TrustVector(name=name, about=about, versions=versions, expected=expected)


def _changed(document: Document, change: Callable[[Document], object]) -> Document:
    copied = copy.deepcopy(document)
    change(copied)
    return copied


def _by_all(before: Document, change: Callable[[Document], object]) -> Document:
    return successor(before, change, members=ALL)


def _second() -> Document:
    return successor(V1, rotate("ada", newcomer("ada"), FEBRUARY))


def _again() -> Document:
    return signed(unsigned(V1), [attester("cyd"), attester("bit")])


def _accreditor(document: Document) -> None:
    document["accreditors"] = ["did:web:qa.example"]


def _add_key(document: Document, name: str, since: str) -> None:
    member_of(document, name)["attestation"].append(key_entry(newcomer(name), since))


def _void(document: Document) -> None:
    key = member_of(document, "cyd")["attestation"][0]
    key["until"] = key["from"]


def _give_away(document: Document) -> None:
    member_of(document, "ada")["attestation"] = []
    document["members"].append({"name": "eve", "attestation": [key_entry(attester("ada"), FEBRUARY)]})


V1 = first()
