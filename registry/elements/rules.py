"""What makes a single value plausible. A rule answers with what is wrong, as a predicate, or with None."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from testamur.registry.canonical import Json
from testamur.registry.elements.durations import parse_duration
from testamur.registry.elements.mapping import countries
from testamur.registry.elements.values import shown, words_of
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import is_absolute_iri
from testamur.registry.timestamps import parse_timestamp

MIN_HOURS = 1.0
MAX_HOURS = 1800.0
"""Sixty ECTS credits, a full year, at thirty hours each."""

EQF_LEVELS = range(1, 9)
"""https://europass.europa.eu/en/europass-digital-tools/european-qualifications-framework."""

CYCLES: Mapping[str, int] = {"short": 5, "first": 6, "second": 7, "third": 8}
"""Cycles of the European Higher Education Area, and the level of the framework that each fits."""

NO_LEVEL = 99
"""Stands for every number that is too large for a level of anything."""

_LOCAL_NAMES = ("urn:epass:", "_:")
"""Names that hold inside one file only."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BEFORE_LEVEL = ("/", " ", "level", "Level")
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_EQF_URL = re.compile(r"https?://data\.europa\.eu/snb/eqf/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a rule may know of the rest: who awards, in ids and names without regard to case."""

    awarding: frozenset[str]
    agents: tuple[str, ...]
    kinds: tuple[str, ...]


Rule = Callable[[Json, Surroundings], str | None]


def number_of(value: Json) -> float | None:
    """A finite number, or one that is written as text, as the European Learning Model writes credits."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def eqf_levels(value: Json) -> set[int]:
    """Levels that an alignment, a concept, or text says; usually one."""
    if isinstance(value, dict):
        found: set[int] = set()
        for member in ("targetCode", "notation", "id", "targetUrl", "targetName"):
            text = value.get(member)
            is_url = member in {"id", "targetUrl"}
            if isinstance(text, str | int) and not (is_url and not _is_eqf_url(text)):
                found |= eqf_levels(text)
        return found or eqf_levels(words_of(value.get("prefLabel")))
    if isinstance(value, int) and not isinstance(value, bool):
        return {value if abs(value) < NO_LEVEL else NO_LEVEL}
    if not isinstance(value, str):
        return set()
    words = value.rstrip("0123456789")
    digits = value[len(words) :]
    is_level = 0 < len(digits) <= 2 and (not words or words.endswith(_BEFORE_LEVEL))
    return {int(digits)} if is_level else set()


def _is_eqf_url(value: Json) -> bool:
    return isinstance(value, str) and _EQF_URL.match(value) is not None


def _text(value: Json, _around: Surroundings) -> str | None:
    return None if words_of(value) else "has no text"


def _present(value: Json, _around: Surroundings) -> str | None:
    is_empty = value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())
    return "is empty" if is_empty else None


def _uri(value: Json, _around: Surroundings) -> str | None:
    text = value.get("id") if isinstance(value, dict) else value
    if not isinstance(text, str) or not is_absolute_iri(text):
        return f"is {shown(text)}, which is no absolute URI"
    if text.startswith(_LOCAL_NAMES):
        return f"is {shown(text)}, a name that means nothing outside of this file"
    return None


def _time(value: Json, _around: Surroundings) -> str | None:
    if isinstance(value, str):
        try:
            if _DAY.fullmatch(value):
                date.fromisoformat(value)
            else:
                parse_timestamp(value)
        except (ValueError, MalformedError):
            pass
        else:
            return None
    return f"is {shown(value)}, which is no time such as 2026-11-21T10:00:00Z"


def _country(value: Json, _around: Surroundings) -> str | None:
    named = value.get("id") or value.get("notation") if isinstance(value, dict) else value
    code = named.rpartition("/")[2] if isinstance(named, str) else ""
    two, three = countries()
    if code in two or code in three:
        return None
    hint = f"; write {code.upper()}" if code.upper() in two else ""
    return f"is {shown(named)}, which is no country code of ISO 3166-1{hint}"


def _duration(value: Json, _around: Surroundings) -> str | None:
    found = parse_duration(value) if isinstance(value, str) else None
    if found is None:
        return f"is {shown(value)}, which is no ISO 8601 duration such as PT60H"
    if found.calendar:
        hint = ""
        if [unit for unit, _ in found.calendar] == ["months"] and not found.hours:
            number = found.calendar[0][1]
            hint = f": PT{number}H would be {number} hours, PT{number}M {number} minutes"
        text = f"is {shown(value)}, {found.calendar_words} of the calendar, and a workload is hours of work"
        return text + (hint or ", as in PT60H")
    if not MIN_HOURS <= found.hours <= MAX_HOURS:
        return f"is {found.hours:g} hours; from {MIN_HOURS:g} to {MAX_HOURS:g} would be plausible"
    return None


def _is_number(value: Json, _around: Surroundings) -> str | None:
    return None if number_of(value) is not None else f"is {shown(value)}, which is no number"


def _eqf_level(value: Json, _around: Surroundings) -> str | None:
    found = sorted(eqf_levels(value))
    if not found:
        return "names no level of the European Qualifications Framework, 1 to 8"
    if len(found) > 1:
        return f"says both level {found[0]} and level {found[-1]}"
    if found[0] not in EQF_LEVELS:
        return f"is level {found[0]}; the European Qualifications Framework has 1 to 8"
    return None


def _cycle(value: Json, _around: Surroundings) -> str | None:
    if isinstance(value, str) and value in CYCLES:
        return None
    return f"is {shown(value)}, and the cycles are {', '.join(CYCLES)}"


def _quality_assurance(value: Json, around: Surroundings) -> str | None:
    """It names who assures the quality, other than who awards, or says that this is the awarding body."""
    if not isinstance(value, dict):
        is_self = isinstance(value, str) and value.strip().casefold() == "self"
        return None if is_self else f"is {shown(value)}, and names no body that assures the quality"
    if any((words_of(value.get(member)) or "").casefold() == "self" for member in around.kinds):
        return None
    names = [name for member in around.agents for name in _names_of(value.get(member))]
    if not names:
        return 'names no body that assures the quality, nor says "self"'
    own = [name for name in names if name.casefold() in around.awarding]
    if own:
        return f'names {shown(own[0])}, who awards it: say "self", or name another body'
    return None


def _names_of(agent: Json) -> list[str]:
    """Ids and names of an organisation, or of the first of several."""
    if isinstance(agent, list):
        agent = agent[0] if agent else None
    if isinstance(agent, dict):
        found = [words_of(agent.get(member)) for member in ("id", "name", "legalName")]
        return [text for text in found if text]
    text = words_of(agent)
    return [text] if text else []


def _result(value: Json, _around: Surroundings) -> str | None:
    if not isinstance(value, dict):
        return "is no result"
    if any(words_of(value.get(member)) for member in ("value", "status", "achievedLevel")):
        return None
    return "has neither a value nor a status"


RULES: Mapping[str, Rule] = {
    "text": _text,
    "concept": _text,
    "present": _present,
    "uri": _uri,
    "time": _time,
    "country": _country,
    "duration": _duration,
    "number": _is_number,
    "eqf-level": _eqf_level,
    "cycle": _cycle,
    "quality-assurance": _quality_assurance,
    "result": _result,
}
"""Rules by the names that the mappings use."""
