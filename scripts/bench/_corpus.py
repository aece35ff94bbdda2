"""Credentials of the size that universities issue, the same in every run. Not a benchmark itself."""

from __future__ import annotations

import hashlib
from typing import Any


def credential(number: int) -> dict[str, Any]:
    """An Open Badges 3.0 credential of about 2.8 kB; `number` makes it different from the others."""
    seed = hashlib.sha256(str(number).encode()).hexdigest()
    outcomes = [
        {
            "type": ["Alignment"],
            "targetName": f"Learning outcome {place}: analyses and presents a data set with sound methods",
            "targetUrl": f"https://esco.example/skill/{seed[place : place + 12]}",
            "targetFramework": "ESCO",
        }
        for place in range(6)
    ]
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": f"urn:uuid:{seed[:8]}-{seed[8:12]}-4{seed[13:16]}-8{seed[17:20]}-{seed[20:32]}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "did:web:ada.example", "type": ["Profile"], "name": "Université Ada Lovelace"},
        "validFrom": "2026-11-21T10:00:00Z",
        "name": "Applied Data Analysis",
        "credentialSubject": {
            "id": f"did:key:z6Mk{seed[:44]}",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://ada.example/achievements/data-analysis",
                "type": ["Achievement"],
                "name": "Applied Data Analysis",
                "description": "Plans, carries out and documents an analysis of a public data set. " * 3,
                "criteria": {"narrative": "Two graded projects and a supervised written examination. " * 4},
                "alignment": outcomes,
            },
        },
        "credentialStatus": [
            {
                "id": f"https://ada.example/status/{purpose}/1#{number}",
                "type": "BitstringStatusListEntry",
                "statusPurpose": purpose,
                "statusListIndex": str(number),
                "statusListCredential": f"https://ada.example/status/{purpose}/1",
            }
            for purpose in ("revocation", "suspension")
        ],
        "proof": {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-jcs-2022",
            "created": "2026-11-21T10:00:00Z",
            "verificationMethod": "did:web:ada.example#key-1",
            "proofPurpose": "assertionMethod",
            "proofValue": "z" + (seed * 2)[:87],
        },
    }
