"""What makes several values plausible together: hours and credits, level and cycle, grade and scale, days."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from testamur.registry.canonical import Json
from testamur.registry.elements.durations import parse_duration
from testamur.registry.elements.finding import Problem
from testamur.registry.elements.mapping import Element
from testamur.registry.elements.rules import CYCLES, eqf_levels, number_of
from testamur.registry.elements.values import Value, Walk, shown, words_of

MAX_CREDITS = 60.0
"""A full year. A micro-credential of more is a degree, or a mistake."""

MANY_CREDITS = 30.0
"""A semester: more is possible, and unusual."""

MIN_HOURS_PER_CREDIT, MAX_HOURS_PER_CREDIT = 25.0, 30.0
"""https://education.ec.europa.eu/education-levels/higher-education/inclusive-and-connected-higher-education/
european-credit-transfer-and-accumulation-system: 60 credits are 1 500 to 1 800 hours."""

ROUNDING_HOURS = 1.0
"""What hours of half credits may be rounded by."""

_ECTS = ("ects", "european credit transfer", "http://data.europa.eu/snb/education-credit/6fcec5c5af")


@dataclass(slots=True)
class Outcome:
    """What a check has found: `problems` make the element doubtful, `notes` do not."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def doubt(self, at: str, text: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(at=at, text=text))


Roles = Mapping[str, Sequence[Value]]
"""Values by the roles that the mapping gives them; each has passed its own rule, if it has one."""

Check = Callable[[Walk, Element, Roles, Outcome], None]


def check_workload(_walk: Walk, _element: Element, roles: Roles, outcome: Outcome) -> None:
    """Credits have a system, are within its bounds, and agree with the hours and with what was earned."""
    hours = [(item, _hours(item)) for item in roles.get("hours", ())]
    credits_ = [(item, _number(item)) for item in roles.get("credits", ())]
    earned = [(item, _number(item)) for item in roles.get("earned", ())]
    systems = roles.get("system", ())
    if (credits_ or earned) and not systems:
        at = (credits_ or earned)[0][0].at
        if not hours:
            outcome.doubt(at, "counts credits of no named system, and no hours are given")
        else:
            outcome.notes.append(Problem(at=at, text="counts credits of no named system"))
    is_ects = bool(systems) and all(_is_ects(item.json) for item in systems)
    for item, number in [*credits_, *earned]:
        _check_credits(item, number, is_ects=is_ects, outcome=outcome)
    if len(credits_) == len(earned) == 1 and earned[0][1] > credits_[0][1]:
        outcome.doubt(earned[0][0].at, f"is {earned[0][1]:g}, more than the {credits_[0][1]:g} it is worth")
    if is_ects and len(hours) == len(credits_) == 1 and credits_[0][1] > 0:
        item, worth = hours[0][0], credits_[0][1]
        low, high = worth * MIN_HOURS_PER_CREDIT, worth * MAX_HOURS_PER_CREDIT
        if not low - ROUNDING_HOURS <= hours[0][1] <= high + ROUNDING_HOURS:
            text = (
                f"is {hours[0][1]:g} hours for {worth:g} ECTS credits; {low:g} to {high:g} would be plausible"
            )
            outcome.doubt(item.at, text)


def check_level(_walk: Walk, _element: Element, roles: Roles, outcome: Outcome) -> None:
    """All levels are the same, and the cycle is one of that level."""
    levels = {level for item in roles.get("level", ()) for level in eqf_levels(item.json)}
    if len(levels) > 1:
        outcome.doubt(roles["level"][-1].at, f"is one of the levels {sorted(levels)}: which one is meant?")
    for item in roles.get("cycle", ()):
        fitting = CYCLES.get(item.json) if isinstance(item.json, str) else None
        if fitting is not None and len(levels) == 1 and fitting not in levels:
            text = f"is {shown(item.json)}, the cycle of level {fitting}, and the level is {min(levels)}"
            outcome.doubt(item.at, text)


def check_grade(_walk: Walk, _element: Element, roles: Roles, outcome: Outcome) -> None:
    """A value is one that its scale has."""
    scales = {
        item.json["id"]: item.json
        for item in roles.get("descriptions", ())
        if isinstance(item.json, dict) and isinstance(item.json.get("id"), str)
    }
    for item in roles.get("results", ()):
        result = item.json if isinstance(item.json, dict) else {}
        value, named = result.get("value"), result.get("resultDescription")
        scale = scales.get(named) if isinstance(named, str) else None
        if scale is None or not isinstance(value, str):
            continue
        allowed = scale.get("allowedValue")
        if isinstance(allowed, list) and allowed and value not in allowed:
            known = ", ".join(words_of(word) or "?" for word in allowed[:12])
            outcome.doubt(f"{item.at}/value", f"is {shown(value)}, and its scale has {known}")
        number, low, high = (
            number_of(part) for part in (value, scale.get("valueMin"), scale.get("valueMax"))
        )
        if (low is None and high is None) or allowed:
            continue
        if number is None:
            outcome.doubt(f"{item.at}/value", f"is {shown(value)}, and its scale has numbers")
        elif (low is not None and number < low) or (high is not None and number > high):
            bounds = f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}"
            outcome.doubt(f"{item.at}/value", f"is {number:g}, and its scale goes from {bounds}")


def check_dates(walk: Walk, element: Element, _roles: Roles, outcome: Outcome) -> None:
    """Days are in the order in which things happen."""
    for before, after in element.orders:
        first, second = _day(walk, before), _day(walk, after)
        if first is not None and second is not None and str(first.json)[:10] > str(second.json)[:10]:
            outcome.doubt(first.at, f"is {str(first.json)[:10]}, after {second.at}, {str(second.json)[:10]}")


CHECKS: Mapping[str, Check] = {
    "workload": check_workload,
    "level": check_level,
    "grade": check_grade,
    "dates": check_dates,
}
"""Checks by the names that the mappings use."""


def _check_credits(item: Value, number: float, *, is_ects: bool, outcome: Outcome) -> None:
    if number <= 0:
        outcome.doubt(item.at, f"is {number:g}; credits are above 0")
    elif is_ects and number > MAX_CREDITS:
        outcome.doubt(item.at, f"is {number:g} ECTS credits; a full year has {MAX_CREDITS:g}")
    elif is_ects and number > MANY_CREDITS:
        text = f"is {number:g} ECTS credits, more than a semester: unusual for a micro-credential"
        outcome.notes.append(Problem(at=item.at, text=text))


def _is_ects(value: Json) -> bool:
    said = [words_of(value)]
    if isinstance(value, dict):
        said += [words_of(value.get(member)) for member in ("id", "notation")]
    return any(text.casefold().startswith(_ECTS) for text in said if text)


def _hours(item: Value) -> float:
    found = parse_duration(item.json) if isinstance(item.json, str) else None
    return found.hours if found else 0.0


def _number(item: Value) -> float:
    return number_of(item.json) or 0.0


def _day(walk: Walk, path: str) -> Value | None:
    """The only value there that begins with a day; comparing several would compare different awards."""
    found = walk.at(path)
    text = found[0].json if len(found) == 1 else None
    is_day = isinstance(text, str) and text[:4].isdecimal() and text[4:5] == text[7:8] == "-"
    return found[0] if is_day else None
