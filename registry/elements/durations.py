"""ISO 8601 durations, as far as a workload needs them."""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_DURATION_CHARACTERS = 64

MAX_REMEMBERED = 1024
"""Durations that are kept as they were read: a class has one workload."""

_NUMBER = r"([0-9]{1,9}(?:[.,][0-9]{1,9})?)"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:(?P<time>T)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_CALENDAR = ("years", "months", "weeks", "days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """Parts of the calendar as they are written (("months", "60"),), and the rest as hours."""

    calendar: tuple[tuple[str, str], ...]
    hours: float

    @property
    def calendar_words(self) -> str:
        """For people: 60 months; 1 year and 6 months."""
        return " and ".join(
            f"{number} {unit[:-1] if number == '1' else unit}" for unit, number in self.calendar
        )


def parse_duration(text: str) -> Duration | None:
    """The duration (ISO 8601-1 §5.5.2), or None when it is none: `P`, `PT` and `60H` are not."""
    return _parse(text) if len(text) <= MAX_DURATION_CHARACTERS else None


@lru_cache(maxsize=MAX_REMEMBERED)
def _parse(text: str) -> Duration | None:
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    years, months, weeks, days, time, hours, minutes, seconds = found.groups()
    calendar = tuple(
        (unit, number)
        for unit, number in zip(_CALENDAR, (years, months, weeks, days), strict=True)
        if number is not None
    )
    clock = [(hours, 1.0), (minutes, 60.0), (seconds, 3600.0)]
    has_clock = any(number is not None for number, _ in clock)
    if not (calendar or has_clock) or (time and not has_clock):
        return None
    total = sum(float(number.replace(",", ".")) / parts for number, parts in clock if number is not None)
    return Duration(calendar=calendar, hours=total)
