"""
The business calendar: until when "next business day" is, in the team's own time zone.

It is the close of the first business day whose date is after today's, there. Only local dates and wall times are
reckoned with, so a change of the clocks moves nothing but the hour in UTC.
"""

from datetime import UTC, datetime, timedelta

from firstwatch.policy.tables import NEXT_BUSINESS_DAY, Calendar, Term

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


def next_business_day(calendar: Calendar, moment: datetime) -> datetime:
    """Return, in UTC, when the next business day after *moment* closes."""
    day = moment.astimezone(calendar.zone).date() + DAY
    while NAMES[day.weekday()] not in calendar.days or day in calendar.holidays:
        day += DAY
    return datetime.combine(day, calendar.closes, calendar.zone).astimezone(UTC)


def later(calendar: Calendar, moment: datetime, term: Term) -> datetime:
    """Return the moment that is *term* after *moment*."""
    if term == NEXT_BUSINESS_DAY:
        return next_business_day(calendar, moment)
    assert isinstance(term, timedelta)
    return moment + term
