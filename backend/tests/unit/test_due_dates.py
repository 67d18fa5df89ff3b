"""Days and instants as people and programs write them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.schemas.due_dates import EARLIEST, LATEST, DueDate

utc = partial(datetime, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2026-01-05", utc(2026, 1, 5), id="day"),
        pytest.param("2024-02-29", utc(2024, 2, 29), id="leap day"),
        pytest.param("2000-02-29", utc(2000, 2, 29), id="leap day of a century"),
        pytest.param("2026-12-31", utc(2026, 12, 31), id="last of a year"),
        pytest.param("0001-01-02", utc(1, 1, 2), id="first of all"),
        pytest.param("9999-12-31", utc(9999, 12, 31), id="last of all"),
        pytest.param("2026-01-05T00:00", utc(2026, 1, 5), id="midnight"),
        pytest.param("2026-01-05T00:00:00", utc(2026, 1, 5), id="midnight with seconds"),
        pytest.param("2026-01-05T00:00:00.000", utc(2026, 1, 5), id="midnight with decimals"),
        pytest.param("2026-01-05 00:00:00", utc(2026, 1, 5), id="midnight after a space"),
        pytest.param("2026-01-05t00:00:00", utc(2026, 1, 5), id="midnight after a small t"),
    ],
)
def test_a_day_and_a_midnight_without_an_offset_mean_the_day(text: str, day: datetime) -> None:
    assert DueDate.parse(text) == DueDate(day, all_day=True)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-01-05T17:00:00Z", utc(2026, 1, 5, 17), id="Z"),
        pytest.param("2026-01-05t17:00:00z", utc(2026, 1, 5, 17), id="lower case"),
        pytest.param("2026-01-05 17:00:00Z", utc(2026, 1, 5, 17), id="space"),
        pytest.param("2026-01-05T17:00Z", utc(2026, 1, 5, 17), id="no seconds"),
        pytest.param("2026-01-05T00:00:00Z", utc(2026, 1, 5), id="midnight"),
        pytest.param("2026-01-05T23:59:59Z", utc(2026, 1, 5, 23, 59, 59), id="last second"),
        pytest.param("2026-01-05T17:00:00+02:00", utc(2026, 1, 5, 15), id="east"),
        pytest.param("2026-01-05T17:00:00-08:00", utc(2026, 1, 6, 1), id="west, the day after"),
        pytest.param("2026-01-01T00:00:00+05:45", utc(2025, 12, 31, 18, 15), id="the year before"),
        pytest.param("2026-01-05T17:00:00+00:00", utc(2026, 1, 5, 17), id="zero"),
        pytest.param("2026-01-05T17:00:00-00:00", utc(2026, 1, 5, 17), id="minus zero"),
        pytest.param("2026-01-05T17:00:00+23:59", utc(2026, 1, 4, 17, 1), id="farthest east"),
        pytest.param("2026-01-05T17:00:00-23:59", utc(2026, 1, 6, 16, 59), id="farthest west"),
        pytest.param("2026-01-05T17:00:00.1Z", utc(2026, 1, 5, 17, 0, 0, 100_000), id="1 decimal"),
        pytest.param("2026-01-05T17:00:00.12Z", utc(2026, 1, 5, 17, 0, 0, 120_000), id="2 decimals"),
        pytest.param("2026-01-05T17:00:00.123Z", utc(2026, 1, 5, 17, 0, 0, 123_000), id="3 decimals"),
        pytest.param("2026-01-05T17:00:00.1234Z", utc(2026, 1, 5, 17, 0, 0, 123_400), id="4 decimals"),
        pytest.param("2026-01-05T17:00:00.12345Z", utc(2026, 1, 5, 17, 0, 0, 123_450), id="5 decimals"),
        pytest.param("2026-01-05T17:00:00.123456Z", utc(2026, 1, 5, 17, 0, 0, 123_456), id="6 decimals"),
        pytest.param("2026-01-05T17:00:00.1234567Z", utc(2026, 1, 5, 17, 0, 0, 123_456), id="7 decimals"),
        pytest.param("2026-01-05T17:00:00.123456999+02:00", utc(2026, 1, 5, 15, 0, 0, 123_456), id="9 decimals"),
        pytest.param(f"2026-01-05T17:00:00.{'9' * 1000}Z", utc(2026, 1, 5, 17, 0, 0, 999_999), id="1000 decimals"),
        pytest.param("9999-12-31T23:59:59.0000009Z", LATEST, id="latest once it is cut"),
        pytest.param("0001-01-02T00:00:00Z", EARLIEST, id="earliest"),
        pytest.param("0001-01-01T14:00:00-10:00", EARLIEST, id="earliest from the west"),
        pytest.param("9999-12-31T23:59:59Z", LATEST, id="latest"),
        pytest.param("9999-12-31T23:59:59+00:01", LATEST - timedelta(minutes=1), id="latest from the east"),
    ],
)
def test_a_time_with_an_offset_is_an_instant_in_utc(text: str, instant: datetime) -> None:
    due = DueDate.parse(text)

    assert due == DueDate(instant, all_day=False)
    assert due.at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T17:00:00",
        "2026-01-05T17:00",
        "2026-01-05 00:01",
        "2026-01-05T00:00:01",
        "2026-01-05T00:00:00.000001",
        "2026-01-05T23:59:59.999999",
    ],
)
def test_a_time_without_an_offset_is_refused_for_nobody_knows_when_it_is(text: str) -> None:
    with pytest.raises(ValueError, match="needs an offset"):
        DueDate.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0001-01-01", id="the day before the first"),
        pytest.param("0001-01-01T23:59:59.999999Z", id="just too early"),
        pytest.param("0001-01-02T00:00:00+00:01", id="too early by its offset"),
        pytest.param("0001-01-01T00:00:00+14:00", id="before year 1"),
        pytest.param("9999-12-31T23:59:59.000001Z", id="just too late"),
        pytest.param("9999-12-31T23:59:59-00:01", id="after year 9999"),
        pytest.param("9999-12-31T12:00:00-12:00", id="midnight after year 9999"),
    ],
)
def test_what_lies_beyond_the_bounds_is_refused(text: str) -> None:
    """The driver would store the extremes of datetime as infinity, and the JSON of a task cannot say that."""
    with pytest.raises(ValueError, match="must lie between"):
        DueDate.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-02-29", id="no leap year"),
        pytest.param("1900-02-29", id="no leap century"),
        pytest.param("2026-02-30", id="February 30"),
        pytest.param("2026-04-31", id="April 31"),
        pytest.param("2026-13-01", id="month 13"),
        pytest.param("2026-00-10", id="month 0"),
        pytest.param("2026-01-00", id="day 0"),
        pytest.param("0000-01-01", id="year 0"),
        pytest.param("2026-01-05T24:00", id="hour 24"),
        pytest.param("2026-01-05T24:00:00Z", id="hour 24 in UTC"),
        pytest.param("2026-01-05T25:00:00Z", id="hour 25"),
        pytest.param("2026-01-05T17:60:00Z", id="minute 60"),
        pytest.param("2016-12-31T23:59:60Z", id="leap second"),
        pytest.param("2026-01-05T17:00:00+24:00", id="offset of a day"),
        pytest.param("2026-01-05T17:00:00-24:00", id="offset of a day, west"),
        pytest.param("2026-01-05T17:00:00+02:60", id="offset of 60 minutes"),
        pytest.param("2026-01-05T17:00:00+99:99", id="absurd offset"),
    ],
)
def test_what_no_calendar_or_clock_shows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be in|range|does not exist|is not a date"):
        DueDate.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("tomorrow", id="word"),
        pytest.param("null", id="null"),
        pytest.param("1767225600", id="seconds"),
        pytest.param("20260105", id="no hyphens"),
        pytest.param("2026-1-5", id="single digits"),
        pytest.param("26-01-05", id="two-digit year"),
        pytest.param("02026-01-05", id="five-digit year"),
        pytest.param("+2026-01-05", id="signed year"),
        pytest.param("-2026-01-05", id="before our era"),
        pytest.param("2026-01", id="month"),
        pytest.param("2026-W02-1", id="week"),
        pytest.param("2026-005", id="day of the year"),
        pytest.param("05.01.2026", id="German"),
        pytest.param("01/05/2026", id="American"),
        pytest.param("2026-01-05T", id="T and nothing"),
        pytest.param("2026-01-05Z", id="day with Z"),
        pytest.param("2026-01-05+02:00", id="day with an offset"),
        pytest.param("2026-01-05T17", id="hour alone"),
        pytest.param("2026-01-05T17Z", id="hour alone in UTC"),
        pytest.param("2026-01-05T170000Z", id="no colons"),
        pytest.param("2026-01-05T7:00:00Z", id="single-digit hour"),
        pytest.param("2026-01-05T17:00:00.Z", id="no decimals after the point"),
        pytest.param("2026-01-05T17:00:00.1234567xZ", id="a letter after 7 decimals"),
        pytest.param("2026-01-05T17:00.5Z", id="decimals of a minute"),
        pytest.param("2026-01-05T17:00:00,5Z", id="decimal comma"),
        pytest.param("2026-01-05T17:00:00 Z", id="space before Z"),
        pytest.param("2026-01-05T17:00:00UTC", id="UTC"),
        pytest.param("2026-01-05T17:00:00 02:00", id="plus sign decoded to a space"),
        pytest.param("2026-01-05T17:00:00+02", id="offset without minutes"),
        pytest.param("2026-01-05T17:00:00+0200", id="offset without a colon"),
        pytest.param("2026-01-05T17:00:00+02:00:00", id="offset with seconds"),
        pytest.param("2026-01-05T17:00:00\N{MINUS SIGN}02:00", id="typographic minus"),
        pytest.param("2026-01-05T17:00:00+02:00[Europe/Berlin]", id="RFC 9557"),
        pytest.param("2026-01-05  17:00:00Z", id="two spaces"),
        pytest.param("2026-01-05_17:00:00Z", id="underscore"),
        pytest.param(" 2026-01-05", id="leading space"),
        pytest.param("2026-01-05 ", id="trailing space"),
        pytest.param("2026-01-05\n", id="line break"),
        pytest.param("2026-01-05\0", id="NUL"),
        pytest.param("\N{ARABIC-INDIC DIGIT TWO}026-01-05", id="Arabic digit"),
        pytest.param("2026-01-0\N{FULLWIDTH DIGIT FIVE}", id="full-width digit"),
        pytest.param("2026-01-05T1\N{DEVANAGARI DIGIT SEVEN}:00:00Z", id="Devanagari digit"),
        pytest.param("2026\N{EN DASH}01\N{EN DASH}05", id="dashes"),
        pytest.param("infinity", id="infinity"),
        pytest.param("now", id="now"),
    ],
)
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        DueDate.parse(text)


_ALMOST = st.from_regex(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{0,7})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?",
    fullmatch=True,
)


@given(text=st.text(st.characters(), max_size=40) | _ALMOST)
def test_any_text_is_a_due_date_within_the_bounds_or_refused(text: str) -> None:
    try:
        due = DueDate.parse(text)
    except ValueError:
        return

    assert EARLIEST <= due.at <= LATEST
    assert due.at.tzinfo is UTC
    assert not due.all_day or (due.at.hour, due.at.minute, due.at.second, due.at.microsecond) == (0, 0, 0, 0)
    assert due.all_day == (re.search(r"[Zz]|[+-]\d{2}:\d{2}$", text[10:]) is None)


_ZONES = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)


@given(instant=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 30), timezones=_ZONES))  # noqa: DTZ001 - bounds for any zone
def test_an_instant_comes_back_as_the_same_instant(instant: datetime) -> None:
    assert DueDate.parse(instant.isoformat()) == DueDate(instant, all_day=False)


@given(day=st.dates(EARLIEST.date(), LATEST.date()).map(lambda day: day.isoformat()))
def test_a_day_comes_back_as_the_same_day(day: str) -> None:
    due = DueDate.parse(day)

    assert due.all_day
    assert due.at.date().isoformat() == day
