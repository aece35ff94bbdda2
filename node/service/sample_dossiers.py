"""What a devnet offers to be looked at: a real dossier, and what becomes of it in the wrong hands.

All are made from dossiers that were issued, logged and anchored, and are judged like any other file.
"""

import copy
import secrets
from collections.abc import Sequence
from typing import Any

from testamur.node.api.ports import Sample
from testamur.registry.canonical import Json
from testamur.registry.dids import did_key, did_key_verification_method
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import sign_document

STRANGER = "Institute of Instant Excellence"
BEST_GRADE = "A"


def make_samples(dossiers: Sequence[bytes]) -> tuple[Sample, ...]:
    """Four samples from anchored dossiers; none from none."""
    if not dossiers:
        return ()
    credential, evidence = _parsed(dossiers[0])
    altered, change = _tampered(dossiers)
    return (
        _sample(
            "good",
            "A good credential",
            "Issued, logged, anchored, and in good standing.",
            credential,
            evidence,
        ),
        _sample("tampered", "A tampered one", change, *altered),
        _sample(
            "not-yet-anchored",
            "Not yet anchored",
            "The same credential minutes after it was issued: the chain does not hold it yet.",
            credential,
            {**evidence, "anchors": []},
        ),
        _sample(
            "unknown-issuer",
            "An unknown issuer",
            "Signed by somebody whom nobody in this registry knows.",
            _by_a_stranger(credential),
            None,
        ),
    )


def _sample(name: str, title: str, note: str, credential: Json, evidence: Json) -> Sample:
    return Sample(name=name, title=title, note=note, file=encode_dossier(credential, evidence))


def _parsed(dossier: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    credential, evidence = parse_dossier(dossier)
    if not isinstance(credential, dict) or not isinstance(evidence, dict):
        raise TypeError("a sample is made from a dossier with evidence")
    return credential, evidence


def _tampered(dossiers: Sequence[bytes]) -> tuple[tuple[Json, Json], str]:
    """The first dossier with a grade that can be bettered, bettered; else one with another title."""
    for dossier in dossiers:
        credential, evidence = _parsed(dossier)
        for result in _results(credential):
            grade = result.get("value")
            if isinstance(grade, str) and grade != BEST_GRADE:
                result["value"] = BEST_GRADE
                change = f"Changed after it was signed: the grade {grade} became {BEST_GRADE}."
                return (credential, evidence), change
    credential, evidence = _parsed(dossiers[0])
    altered = {**credential, "name": "Doctor of everything"}
    return (altered, evidence), "Changed after it was signed: it has another name."


def _results(credential: dict[str, Any]) -> list[dict[str, Any]]:
    learner = credential.get("credentialSubject")
    results = learner.get("result", []) if isinstance(learner, dict) else []
    return [item for item in results if isinstance(item, dict)]


def _by_a_stranger(credential: dict[str, Any]) -> Json:
    """The same award, by somebody who has just made a key: the signature is good, and worth nothing."""
    key = SigningKey.from_seed(Algorithm.ED25519, secrets.token_bytes(32))
    award = copy.deepcopy({name: value for name, value in credential.items() if name not in _ISSUERS_OWN})
    issuer = award.get("issuer")
    profile = issuer if isinstance(issuer, dict) else {}
    award["issuer"] = {**profile, "id": did_key(key.public_key), "name": STRANGER}
    return sign_document(award, key, verification_method=did_key_verification_method(key.public_key))


_ISSUERS_OWN = frozenset({"proof", "credentialStatus"})
"""What a stranger cannot copy: the signature, and places in somebody else's status lists."""
