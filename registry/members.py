"""Checks of single members that credentials of every kind share; each names the member it refuses."""

import re
from collections.abc import Collection
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import is_absolute_iri
from testamur.registry.shapes import kind_of
from testamur.registry.timestamps import parse_timestamp

MAX_URL_CHARACTERS = 2048
"""What browsers and DIDs stay below. An image may be a data URL, and is not held to this bound."""

MAX_TYPES = 32
"""Types of one object; two are usual."""

MAX_OBJECTS = 1024
"""Alignments, results or evidence of one award."""

_LANGUAGE_MEMBERS = frozenset({"@value", "@language", "@direction"})
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_DIRECTIONS = ("ltr", "rtl")
_DATE_ONLY = re.compile(r"\d{4}-\d\d-\d\d")
_EXTENSION = re.compile(r"ext:[A-Za-z0-9._-]+")


def check_types(value: dict[str, Json], where: str, wanted: str | None) -> tuple[str, ...]:
    """The `type` of an object, one string or a list, which holds `wanted`."""
    types = value.get("type")
    items = types if isinstance(types, list) else [types]
    # Spelled out: every object of every credential comes by here.
    is_good = 1 <= len(items) <= MAX_TYPES
    for item in items:
        if not isinstance(item, str) or not item:
            is_good = False
    if not is_good:
        raise MalformedError(pointer(where, "type"), f"must be one to {MAX_TYPES} names")
    if wanted is not None and wanted not in items:
        raise MalformedError(pointer(where, "type"), f"must contain {wanted}")
    return tuple(items)  # type: ignore[arg-type]  # every item is a string, or it was refused above


def check_url(value: dict[str, Json], member: str, where: str, *, maximum: int = MAX_URL_CHARACTERS) -> str:
    """An absolute URL: a relative one would mean something else to every reader."""
    url = value.get(member)
    if not isinstance(url, str) or not url:
        raise MalformedError(pointer(where, member), f"must be a URL, not {kind_of(url)}")
    if len(url) > maximum:
        raise MalformedError(pointer(where, member), f"has {len(url)} characters, more than {maximum}")
    if not is_absolute_iri(url):
        raise MalformedError(pointer(where, member), f"must be an absolute URL, not {url[:80]!r}")
    return url


def check_text(value: dict[str, Json], member: str, where: str, *, translations: bool = False) -> None:
    """A non-empty string; with `translations` also a language value or a list of them (VCDM 2.0 §11.1)."""
    text = value.get(member)
    if isinstance(text, str) and text.strip():
        return
    if translations and isinstance(text, list | dict) and text:
        items = text if isinstance(text, list) else [text]
        if all(_is_language_value(item) for item in items):
            return
    raise MalformedError(pointer(where, member), f"must be text, not {_shown(text)}")


def enumerated(
    value: dict[str, Json], member: str, where: str, known: Collection[str], *, extensible: bool = False
) -> str:
    """One of the `known` words; with `extensible` also one of somebody else's that starts with `ext:`."""
    check_text(value, member, where)
    text = value[member]
    if isinstance(text, str) and (text in known or (extensible and _EXTENSION.fullmatch(text))):
        return text
    other = ", nor does it start with ext:" if extensible else ""
    reason = f"is {str(text)[:80]!r}, which its specification does not list{other}"
    raise MalformedError(pointer(where, member), reason)


def check_dated(value: dict[str, Json], member: str, where: str) -> datetime | None:
    """A moment, or None when the member is absent."""
    if member not in value:
        return None
    text = value[member]
    if not isinstance(text, str):
        raise MalformedError(pointer(where, member), f"must be a time, not {kind_of(text)}")
    return parse_timestamp(text, pointer(where, member))


def check_day(value: dict[str, Json], member: str, where: str) -> None:
    """A moment or a calendar day, when present: the Open Badges model and its context disagree on which."""
    text = value.get(member)
    if isinstance(text, str) and _DATE_ONLY.fullmatch(text):
        parse_timestamp(f"{text}T00:00:00Z", pointer(where, member))
    else:
        check_dated(value, member, where)


def check_number(value: dict[str, Json], member: str, where: str) -> None:
    """A finite number that is not negative, when present."""
    number = value.get(member)
    if member in value and (
        isinstance(number, bool) or not isinstance(number, int | float) or not number >= 0
    ):
        raise MalformedError(pointer(where, member), f"must be a number from 0 on, not {_shown(number)}")


def object_member(value: dict[str, Json], member: str, where: str) -> dict[str, Json]:
    """An object that has to be there."""
    item = value.get(member)
    if not isinstance(item, dict):
        raise MalformedError(pointer(where, member), f"must be an object, not {kind_of(item)}")
    return item


def objects(
    value: dict[str, Json], member: str, where: str, wanted: str
) -> list[tuple[str, dict[str, Json]]]:
    """A list of objects of type `wanted` with their pointers; empty when the member is absent."""
    if member not in value:
        return []
    items = value[member]
    if not isinstance(items, list) or len(items) > MAX_OBJECTS:
        raise MalformedError(
            pointer(where, member), f"must be a list of at most {MAX_OBJECTS}, not {kind_of(items)}"
        )
    found = []
    list_place = pointer(where, member)
    for number, item in enumerate(items):
        place = f"{list_place}/{number}"
        if not isinstance(item, dict):
            raise MalformedError(place, f"must be an object, not {kind_of(item)}")
        check_types(item, place, wanted)
        found.append((place, item))
    return found


def pointer(where: str, member: str) -> str:
    """`credential` + `id` → `credential /id`; `credential /issuer` + `id` → `credential /issuer/id`."""
    return f"{where}/{member}" if " /" in where else f"{where} /{member}"


def _is_language_value(value: Json) -> bool:
    if not isinstance(value, dict) or not _LANGUAGE_MEMBERS.issuperset(value):
        return False
    language, direction = value.get("@language", "en"), value.get("@direction", "ltr")
    return (
        isinstance(value.get("@value"), str)
        and isinstance(language, str)
        and _LANGUAGE_TAG.fullmatch(language) is not None
        and direction in _DIRECTIONS
    )


def _shown(value: Json) -> str:
    return "white space" if isinstance(value, str) else kind_of(value)
