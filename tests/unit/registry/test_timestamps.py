from datetime import UTC, datetime, timedelta, timezone

import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.timestamps import format_timestamp, parse_past_moment, parse_timestamp


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00+02:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("2026-11-21T10:00:00-14:00", datetime(2026, 11, 22, 0, tzinfo=UTC)),
        ("2026-11-21T10:00:00.5Z", datetime(2026, 11, 21, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-21T10:00:00.9999999Z", datetime(2026, 11, 21, 10, 0, 0, 999_999, tzinfo=UTC)),
        ("2026-12-31T24:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_stamp_is_one_moment(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T10:00:00",  # whose ten o'clock?
        "2026-11-21 10:00:00Z",
        "2026-11-21T10:00Z",
        "2026-11-21T10:00:60Z",
        "2026-02-30T10:00:00Z",
        "2026-11-21T24:00:01Z",
        "2026-11-21T24:00:00.1Z",
        "2026-11-21T10:00:00+14:01",
        "2026-11-21T10:00:00+0200",
        "\uff12026-11-21T10:00:00Z",
        "9999-12-31T24:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "2026-11-21T10:00:00Z\n",
        "2026-11-21T10:00:00." + "0" * 60 + "Z",
        "",
    ],
)
def test_what_is_no_time_stamp_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="credential /validFrom"):
        parse_timestamp(text, "credential /validFrom")


def test_a_moment_is_written_in_utc_and_never_later_than_it_is() -> None:
    moment = datetime(2026, 11, 21, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_timestamp(moment) == "2026-11-21T10:00:00Z"


def test_early_years_keep_four_digits() -> None:
    assert format_timestamp(datetime(987, 1, 2, tzinfo=UTC)) == "0987-01-02T00:00:00Z"


def test_a_moment_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="zone"):
        format_timestamp(datetime(2026, 11, 21))  # noqa: DTZ001 - the mistake itself


NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-22", NOW),
        ("2026-11-22T03:00:00Z", NOW),
        ("2026-11-21T10:00:00+02:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
    ],
)
def test_a_day_is_its_end_or_now_while_it_lasts(text: str, moment: datetime) -> None:
    assert parse_past_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["2026-11-23", "2026-11-22T03:00:01Z", "2026-02-29", "20261121", "today", ""]
)
def test_what_has_not_come_or_is_no_moment_cannot_be_asked_about(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_past_moment(text, NOW)
