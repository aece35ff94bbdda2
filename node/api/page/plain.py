"""Facts of a verdict in plain words: labels, days, moments, hours. The text is as raw as the facts are."""

import re
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.timestamps import parse_timestamp

LABELS = {
    "count": "proofs",
    "finality": "final by",
    "rule": "final by",
    "of": "of witnesses",
    "ofMirrors": "of mirrors",
    "size": "entries of the log",
    "index": "entry",
    "blockTime": "time of the block",
    "entryBlock": "first anchored in block",
    "entryTime": "first anchored at",
    "verificationMethods": "signed with",
    "id": "identifier",
    "lists": "status lists",
    "set": "bit is set:",
    "list": "of the list",
}
"""Words for members whose names are for programs; the others are words already."""

_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_HOURS = re.compile(r"PT(\d{1,6})H")

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def moment(at: datetime) -> str:
    """`21 November 2026, 10:00:00 UTC`."""
    return f"{day_words(at)}, {at:%H:%M:%S} UTC"


def day_words(at: datetime) -> str:
    """`21 November 2026`."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def written_day(value: Json) -> str:
    """A credential's own date for people; as it is written when it is no moment."""
    try:
        return day_words(parse_timestamp(str(value))) if value else ""
    except MalformedError:
        return str(value)


def label(key: str) -> str:
    """`leafIndex` → `leaf index`."""
    return LABELS.get(key) or "".join(
        f" {character.lower()}" if character.isupper() else character for character in key
    )


def values(value: Json) -> tuple[str, ...]:
    """One text for each item of a list, one for anything else."""
    if isinstance(value, list):
        return tuple(plain(item) for item in value)
    return (plain(value),)


def plain(value: Json) -> str:
    """A value of a fact as text."""
    if isinstance(value, dict):
        return ", ".join(f"{label(key)} {plain(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else _moment_words(str(value))


def _moment_words(text: str) -> str:
    """A time for people; any other text as it is."""
    try:
        return moment(parse_timestamp(text))
    except MalformedError:
        return text


def with_moments(text: str) -> str:
    """A sentence in which every time is for people."""
    return _MOMENT.sub(lambda found: _moment_words(found[0]), text)


def hours(text: str) -> str:
    """`PT125H` → `125 hours`."""
    found = _HOURS.fullmatch(text)
    return f"{int(found[1])} hours" if found else text
