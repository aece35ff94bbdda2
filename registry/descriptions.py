"""A credential in the words that people ask for: who, what, from whom, when, how much, which level.

Plain facts and no judgement; what is shown beside them is decided by `verification`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from testamur.registry.canonical import Json
from testamur.registry.credentials import Credential

MAX_SHOWN_CHARACTERS = 300
"""A name that is longer than this is a text; whoever shows it should not have to cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a credential says about itself, as text; None where it says nothing.

    `learner` is a name if the credential has one, else the identifier of the holder. Times are as written.
    """

    title: str | None
    description: str | None
    issuer: str
    issuer_id: str
    learner: str | None
    awarded: str | None
    valid_from: str | None
    valid_until: str | None
    credits: str | None
    workload: str | None
    level: str | None
    grade: str | None

    def lines(self) -> list[tuple[str, str]]:
        """(label in English, value) of what is known, in the order in which people read a certificate."""
        rows = [
            ("Title", self.title),
            ("Learner", self.learner),
            ("Issuer", self.issuer),
            ("Awarded", self.awarded or self.valid_from),
            ("Valid until", self.valid_until),
            ("Credits", self.credits),
            ("Workload", self.workload),
            ("Level", self.level),
            ("Grade", self.grade),
        ]
        return [(label, value) for label, value in rows if value is not None]


def describe(credential: Credential) -> Description:
    """The facts of a credential, whatever its kind; members of an unexpected shape are passed over."""
    document = credential.json
    learner = _first(document.get("credentialSubject"))
    achievement = _object(learner.get("achievement"))
    return Description(
        title=_words(achievement.get("name")) or _words(document.get("name")),
        description=_words(achievement.get("description")) or _words(document.get("description")),
        issuer=_words(_object(document.get("issuer")).get("name")) or credential.issuer_id,
        issuer_id=credential.issuer_id,
        learner=_words(learner.get("name")) or _identity(learner) or credential.subject_id,
        awarded=_words(document.get("awardedDate")),
        valid_from=_words(document.get("validFrom")),
        valid_until=_words(document.get("validUntil")),
        credits=_credits(learner, achievement),
        workload=_words(achievement.get("notionalWorkload")),
        level=_level(achievement),
        grade=_grade(learner, achievement),
    )


def _credits(learner: dict[str, Json], achievement: dict[str, Json]) -> str | None:
    for value in (learner.get("creditsEarned"), achievement.get("creditsAvailable")):
        if isinstance(value, int | float) and not isinstance(value, bool):
            unit = _words(achievement.get("creditSystem"))
            return f"{value:g} {unit}" if unit else f"{value:g}"
    return None


def _level(achievement: dict[str, Json]) -> str | None:
    """The European (or national) qualifications framework level among the alignments."""
    for item in _objects(achievement.get("alignment")):
        framework = _words(item.get("targetFramework")) or ""
        if "qualifications framework" in framework.lower() or item.get("targetType") == "ext:EQFLevel":
            return _words(item.get("targetName")) or _words(item.get("targetCode"))
    return None


def _grade(learner: dict[str, Json], achievement: dict[str, Json]) -> str | None:
    names = {
        item.get("id"): _words(item.get("name"))
        for item in _objects(achievement.get("resultDescription"))
        if isinstance(item.get("id"), str)
    }
    for item in _objects(learner.get("result")):
        value = _words(item.get("value"))
        if value:
            described = item.get("resultDescription")
            label = names.get(described) if isinstance(described, str) else None
            return f"{value} ({label})" if label else value
    return None


def _identity(learner: dict[str, Json]) -> str | None:
    """What an identity object says openly; a name before anything else."""
    said = [item for item in _objects(learner.get("identifier")) if item.get("hashed") is False]
    said.sort(key=lambda item: item.get("identityType") != "name")
    return _words(said[0].get("identityHash")) if said else None


def _words(value: Json) -> str | None:
    """Text, or the first of several translations, without a control character, and cut to a length."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("@value")
    if not isinstance(value, str):
        return None
    if not value.isprintable():
        value = "".join(character if character.isprintable() else _stand_in(character) for character in value)
    text = value.strip()
    return (text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…") or None


def _stand_in(character: str) -> str:
    """A space for white space; what is invisible, or turns the text around, is shown to be there."""
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _first(value: Json) -> dict[str, Json]:
    return _object(value[0]) if isinstance(value, list) and value else _object(value)


def _objects(value: Json) -> Iterator[dict[str, Json]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item
