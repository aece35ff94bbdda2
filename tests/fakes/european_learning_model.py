"""Credentials in the European Learning Model 3, small and whole; a new copy on every call."""

from typing import Any

COUNTRY = "http://publications.europa.eu/resource/authority/country/"


def concept(url: str, label: str) -> dict[str, Any]:
    return {"id": url, "type": "Concept", "prefLabel": {"en": [label]}}


def digital_credential() -> dict[str, Any]:
    """A micro-credential with all sixteen elements, as European Digital Credentials writes them."""
    university = {"id": "urn:epass:org:1", "type": "Organisation", "legalName": {"en": ["University of Ada"]}}
    return {
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "http://data.europa.eu/snb/model/context/edc-ap",
        ],
        "id": "urn:credential:ea8c1a0c-6d5c-4c6b-9d1b-0a3c7d6a2b11",
        "type": ["VerifiableCredential", "EuropeanDigitalCredential"],
        "issuanceDate": "2026-07-03T00:00:00+02:00",
        "issued": "2026-07-03T00:00:00+02:00",
        "validFrom": "2026-07-03T00:00:00+02:00",
        "issuer": {
            **university,
            "location": [
                {"type": "Location", "address": [{"countryCode": concept(COUNTRY + "IRL", "Ireland")}]},
            ],
        },
        "credentialSubject": {
            "id": "urn:epass:person:1",
            "type": "Person",
            "givenName": {"en": ["Aoife"]},
            "familyName": {"en": ["Byrne"]},
            "hasClaim": [
                {
                    "id": "urn:epass:learningAchievement:1",
                    "type": "LearningAchievement",
                    "title": {"en": ["Data Literacy"], "ga": ["Litearthacht Sonraí"]},
                    "awardedBy": {"type": "AwardingProcess", "awardingBody": [university]},
                    "additionalNote": [{"type": "Note", "noteLiteral": {"en": ["Taught in English."]}}],
                    "provenBy": [
                        {
                            "type": "LearningAssessment",
                            "grade": {"type": "Note", "noteLiteral": {"en": ["B"]}},
                            "idVerification": concept(
                                "http://data.europa.eu/snb/supervision-verification/920fbb3cbe",
                                "supervised on-site with identity verification",
                            ),
                            "specifiedBy": [
                                {"dcType": [concept("http://data.europa.eu/snb/assessment/1", "written")]}
                            ],
                        }
                    ],
                    "specifiedBy": [
                        {
                            "type": "Qualification",
                            "dcType": [concept("http://data.europa.eu/snb/type/1", "Micro-credential")],
                            "volumeOfLearning": "PT60H",
                            "creditPoint": [
                                {
                                    "type": "CreditPoint",
                                    "framework": concept(
                                        "http://data.europa.eu/snb/education-credit/6fcec5c5af",
                                        "European Credit Transfer System",
                                    ),
                                    "point": "2",
                                }
                            ],
                            "eqfLevel": concept("http://data.europa.eu/snb/eqf/6", "Level 6"),
                            "mode": [concept("http://data.europa.eu/snb/learning-assessment/1", "online")],
                            "entryRequirement": {"en": ["None."]},
                            "isPartialQualification": False,
                            "learningOutcome": [
                                {
                                    "id": "urn:epass:learningOutcome:1",
                                    "title": {"en": ["Judge figures"]},
                                    "relatedESCOSkill": [
                                        concept("http://data.europa.eu/esco/skill/1", "interpret data")
                                    ],
                                }
                            ],
                            "accreditation": [
                                {
                                    "type": "Accreditation",
                                    "dcType": concept(
                                        "http://data.europa.eu/snb/accreditation/1", "programme"
                                    ),
                                    "accreditingAgent": {
                                        "id": "urn:epass:org:2",
                                        "type": "Organisation",
                                        "legalName": {"en": ["Agency for Quality"]},
                                    },
                                }
                            ],
                        }
                    ],
                }
            ],
        },
    }


def commission_sample() -> dict[str, Any]:
    """The two mistakes of the Commission's sample for Annex I: no quality assurance, and months for minutes."""
    document = digital_credential()
    specified = document["credentialSubject"]["hasClaim"][0]["specifiedBy"][0]
    del specified["accreditation"]
    specified["volumeOfLearning"] = "P60M"
    return document
