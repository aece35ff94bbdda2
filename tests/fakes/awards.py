"""One small Open Badges 3.0 award, unsigned; a new copy on every call."""

from typing import Any

from testamur.registry.contexts import CREDENTIALS_V2, MICRO_CREDENTIAL_V1, OPEN_BADGES_V3
from testamur.registry.status_lists import StatusListEntry

STATUS_BASE = "https://status.ada.example/ada"
GRADE = "https://ada.example/a/1#grade"


def award() -> dict[str, Any]:
    """An award of the University of Ada with status index 7."""
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_V3, MICRO_CREDENTIAL_V1],
        "id": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AchievementCredential"],
        "issuer": {
            "id": "did:web:ada.example",
            "type": ["Profile"],
            "name": "University of Ada",
            "address": {"type": ["Address"], "addressCountryCode": "IE"},
        },
        "validFrom": "2026-07-03T00:00:00Z",
        "awardedDate": "2026-07-03T00:00:00Z",
        "name": "Data Literacy",
        "credentialStatus": [
            StatusListEntry(purpose=purpose, index=7, list_id=f"{STATUS_BASE}/{purpose}/1").to_json()
            for purpose in ("revocation", "suspension")
        ],
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["AchievementSubject"],
            "creditsEarned": 5,
            "achievement": {
                "id": "https://ada.example/a/1",
                "type": ["Achievement", "MicroCredential"],
                "name": "Data Literacy",
                "description": "Reading and questioning data.",
                "criteria": {"narrative": "An examination."},
                "creditSystem": "ECTS",
                "notionalWorkload": "PT125H",
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetType": "ext:EQFLevel",
                        "targetName": "EQF level 6",
                        "targetFramework": "European Qualifications Framework",
                        "targetUrl": "http://data.europa.eu/snb/eqf/6",
                        "targetCode": "6",
                    }
                ],
                "resultDescription": [
                    {
                        "id": GRADE,
                        "type": ["ResultDescription"],
                        "name": "Final grade",
                        "resultType": "LetterGrade",
                    }
                ],
            },
            "result": [{"type": ["Result"], "resultDescription": GRADE, "value": "B"}],
        },
    }
