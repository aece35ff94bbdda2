"""Moments as the W3C writes them: XML Schema `dateTimeStamp`, always with a time zone.

https://www.w3.org/TR/xmlschema11-2/#dateTimeStamp, demanded by
https://www.w3.org/TR/vc-data-model-2.0/#representing-time.
"""

import contextlib
import re
from datetime import UTC, date, datetime, time, timedelta

from testamur.registry.errors import MalformedError

MAX_TIMESTAMP_CHARACTERS = 64
"""A date, a time, a zone and three dozen digits of fraction; longer ones only cost time."""

FUTURE = "lies in the future; nothing can be proven about it"

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
"""How nearly every time is written; the standard library reads it in a microsecond."""

_DATE_TIME_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)",
    re.ASCII,
)


def parse_timestamp(text: str, subject: str = "timestamp") -> datetime:
    """An aware datetime in UTC; digits beyond the microsecond are cut off, never rounded up.

    A missing zone is refused, because the moment would depend on the reader. So are leap seconds and years
    outside 1 to 9999, which `dateTimeStamp` or the calendar cannot express; `24:00:00` is midnight at the
    end of its day. Raises MalformedError.
    """
    if _USUAL.fullmatch(text):
        with contextlib.suppress(ValueError):  # hour 24, and what is no moment: below
            return datetime.fromisoformat(text)
    found = _DATE_TIME_STAMP.fullmatch(text) if len(text) <= MAX_TIMESTAMP_CHARACTERS else None
    if found is None:
        reason = f"must be a time with seconds and zone, like 2026-11-21T10:00:00Z, not {text[:40]!r}"
        raise MalformedError(subject, reason)
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, zone = found.group(7) or "", found.group(8)
    ends_day = hour == 24 and minute == second == 0 and not fraction.strip("0")
    try:
        moment = datetime(
            year,
            month,
            day,
            0 if ends_day else hour,
            minute,
            second,
            int(fraction[:6].ljust(6, "0")),
            tzinfo=UTC,
        )
        return moment - _offset(zone) + timedelta(days=1 if ends_day else 0)
    except (ValueError, OverflowError) as exc:
        raise MalformedError(subject, f"is not a moment of the calendar: {text!r}") from exc


def parse_past_moment(text: str, now: datetime) -> datetime:
    """A moment that can be asked about: a `dateTimeStamp`, or a day (`2026-11-21`), as `end_of_day` has it.

    Raises MalformedError, also for what lies in the future.
    """
    subject = "moment"
    if _DAY.fullmatch(text):
        try:
            return end_of_day(date.fromisoformat(text), now)
        except ValueError as exc:
            raise MalformedError(subject, f"is not a day of the calendar: {text!r}") from exc
    moment = parse_timestamp(text, subject)
    if moment > now:
        raise MalformedError(subject, FUTURE)
    return moment


def end_of_day(day: date, now: datetime) -> datetime:
    """The last second of `day` in UTC, or `now` on the day that has not ended. Raises MalformedError."""
    if day > now.astimezone(UTC).date():
        raise MalformedError("the date", FUTURE)
    return min(datetime.combine(day, time(23, 59, 59), UTC), now)


def format_timestamp(moment: datetime) -> str:
    """`2026-11-21T10:00:00Z`: UTC, whole seconds, never later than `moment`.

    Raises ValueError for a datetime without a zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a timestamp needs a time zone")
    utc = moment.astimezone(UTC)
    # Not strftime: its %Y does not pad years below 1000 everywhere.
    return f"{utc.year:04}-{utc.month:02}-{utc.day:02}T{utc.hour:02}:{utc.minute:02}:{utc.second:02}Z"


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta()
    distance = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -distance if zone[0] == "-" else distance
