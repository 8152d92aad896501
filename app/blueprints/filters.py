"""Filters of the templates for moments and durations; nobody formats a time in a template by himself.

Every moment is shown in the zone of the account and carries its full form with the zone for the hovering mouse.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from ipaddress import ip_address, ip_network

from babel import Locale
from babel.dates import format_date, get_timezone_name
from flask import Flask
from flask_babel import get_locale, get_timezone, gettext, to_user_timezone
from markupsafe import Markup

from app import clock


def init(app: Flask) -> None:
    """Make the filters known to the templates."""
    app.jinja_env.tests["inner_address"] = is_inner  # type: ignore[assignment]  # cached
    app.jinja_env.filters.update(
        when=when, when_s=when_s, since=since, age=age, moment=moment, clock_time=clock_time, elapsed=elapsed, day=day
    )


def moment(at: datetime) -> str:
    """The full form: "Saturday 21 November 2026, 14:20, Moscow Time"."""
    text = _day(to_user_timezone(at).date(), "EEEE d MMMM y", get_locale())
    return f"{text[0].upper()}{text[1:]}, {clock_time(at)}, {zone_name()}"


def zone_name() -> str:
    """The zone in which every moment is shown: "Moscow Time"."""
    return _zone_name(get_timezone(), get_locale())


def clock_time(at: datetime) -> str:
    """The time of day: "14:20"."""
    return f"{to_user_timezone(at):%H:%M}"


def clock_time_s(at: datetime) -> str:
    """The time of day with seconds: "14:20:05"."""
    return f"{to_user_timezone(at):%H:%M:%S}"


@lru_cache(maxsize=1000)
def _day(at: date, pattern: str, locale: Locale) -> str:
    """A day in words. A page has many moments of few days, and each of these costs a tenth of a millisecond."""
    return format_date(at, pattern, locale=locale)


@lru_cache
def _zone_name(zone: tzinfo, locale: Locale) -> str:
    return get_timezone_name(zone, zone_variant="generic", locale=locale)


def day(at: datetime) -> str:
    """A day as a heading: "Sunday 8 November"; with the year when it is not this one."""
    here = to_user_timezone(at).date()
    same_year = here.year == to_user_timezone(clock.now()).year
    text = _day(here, "EEEE, d MMMM" if same_year else "EEEE, d MMMM y", get_locale())
    return text[0].upper() + text[1:]


def precise(at: datetime) -> str:
    """A day and its time, for what is still to come: "3 December, 14:00"; with the year when it is not this one."""
    here = to_user_timezone(at).date()
    same_year = here.year == to_user_timezone(clock.now()).year
    return f"{_day(here, 'd MMMM' if same_year else 'd MMMM y', get_locale())}, {clock_time(at)}"


def when_s(at: datetime) -> Markup:
    """A moment of today with its seconds, an older one like `when`."""
    is_today = to_user_timezone(at).date() == to_user_timezone(clock.now()).date()
    return _time(at, clock_time_s(at)) if is_today else when(at)


def when(at: datetime) -> Markup:
    """A moment as short as it stays clear, with its full form for the mouse."""
    return _time(at, short(at))


def short(at: datetime) -> str:
    """The text alone: "14:20", "Fri, 18:40", "3 Nov", "3 Nov 2025"."""
    return short_times()(at)


def short_times() -> Callable[[datetime], str]:
    """`short` for many moments: what they share, such as zone and language, is looked up once."""
    zone, locale = get_timezone(), get_locale()
    today = clock.now().astimezone(zone).date()

    def text(at: datetime) -> str:
        here = at.astimezone(zone)
        day_of = here.date()
        days_ago = (today - day_of).days
        if days_ago == 0:
            return f"{here:%H:%M}"
        if 0 < days_ago < 7:
            return f"{_day(day_of, 'EEE', locale)}, {here:%H:%M}"
        return _day(day_of, "d MMM" if day_of.year == today.year else "d MMM y", locale)

    return text


def since(at: datetime) -> Markup:
    """ "since 14:20", in the words of the language."""
    return Markup.escape(gettext("since %(time)s", time="{}")).format(when(at))


def since_at_least(at: datetime) -> Markup:
    """ "since 14:20 or earlier", for what was so already when it was first seen."""
    return Markup.escape(gettext("since %(time)s or earlier", time="{}")).format(when(at))


def age(at: datetime) -> Markup:
    """How long ago: "8 s ago", "6 min ago", "3 h ago", "2 d ago"."""
    return _time(at, gettext("%(time)s ago", time=duration(clock.now() - at)))


def duration(span: timedelta) -> str:
    """A span in its largest unit: "8 s", "6 min", "3 h", "2 d"; never less than zero."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return gettext("%(number)s\xa0s", number=seconds)
    if seconds < 3600:
        return gettext("%(number)s\xa0min", number=seconds // 60)
    if seconds < 48 * 3600:
        return gettext("%(number)s\xa0h", number=seconds // 3600)
    return gettext("%(number)s\xa0d", number=seconds // 86400)


def elapsed(started_at: datetime) -> str:
    """Minutes and seconds since a moment: "01:32", "1:05:09"."""
    return stopwatch(clock.now() - started_at)


def stopwatch(span: timedelta) -> str:
    """A span as a stop-watch shows it: "01:32", "1:05:09"."""
    seconds = max(0, int(span.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes:02}:{seconds % 60:02}"


INNER = tuple(ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))


@lru_cache(maxsize=10_000)
def is_inner(address: str) -> bool:
    """Whether an address can be reached from inside only; a card may also hang directly on an outer network."""
    return any(ip_address(address) in block for block in INNER)


def _time(at: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(timespec="seconds"), moment(at), text)
