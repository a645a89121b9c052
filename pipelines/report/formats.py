"""Numbers, shares and dates as Peru writes them, or as English readers do.

Patterns come from Babel's locale data: in ``es_PE`` the point is decimal, the comma parts
thousands and nothing stands before the per cent sign.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

LOCALES: Mapping[str, str] = MappingProxyType({"es": "es_PE", "en": "en"})


@dataclass(frozen=True, slots=True)
class Formats:
    """How one language writes figures; ``zone`` is the municipality's."""

    locale: Locale
    zone: ZoneInfo

    def integer(self, value: int) -> str:
        """Write a count: ``5,796``."""
        return _number(value, None, self.locale)

    def percent(self, value: float, decimals: int = 1) -> str:
        """Write a share: ``35.2%``."""
        return _share(value, decimals, self.locale)

    def probability(self, value: float) -> str:
        """Write a probability with two decimals: ``0.93``."""
        return _number(value, "0.00", self.locale)

    def decimal(self, value: float) -> str:
        """Write a number with one decimal: ``12.4``."""
        return format_decimal(value, "#,##0.0", locale=self.locale)

    def points(self, value: float) -> str:
        """Write a difference of shares in percentage points with its sign: ``+12.4``."""
        written = round(100 * value, 1)
        return format_decimal(written, "+0.0;-0.0" if written else "0.0", locale=self.locale)

    def small(self, value: float) -> str:
        """Write what a probability near 0 is: ``= 0.012``, or ``< 0.001``."""
        least = format_decimal(0.001, "0.000", locale=self.locale)
        written = format_decimal(value, "0.000", locale=self.locale)
        return f"< {least}" if value < 0.001 else f"= {written}"

    def short_date(self, value: date) -> str:
        """Write a day with its year in little room: ``5 set. 2021``."""
        return _day(value, "medium", self.locale)

    def day(self, value: date) -> str:
        """Write a day in full: ``5 de setiembre de 2021``."""
        return _day(value, "long", self.locale)

    def short_day(self, value: date, *, year: bool = False) -> str:
        """Write a day in little room: ``5 set.``, or month and year."""
        skeleton = "yMMM" if year else "MMMd"
        return format_skeleton(skeleton, value, locale=self.locale)

    def moment(self, value: datetime) -> str:
        """Write a moment in the municipality's time zone."""
        local = value.astimezone(self.zone)
        clock = format_time(local, "short", tzinfo=self.zone, locale=self.locale)
        zone = format_time(local, "z", tzinfo=self.zone, locale=self.locale)
        if zone.startswith(("+", "-")):  # English has no abbreviation for most of the world's
            zone = format_time(local, "OOOO", tzinfo=self.zone, locale=self.locale)
        return f"{self.day(local.date())}, {clock} {zone}"

    def local_day(self, value: datetime) -> str:
        """Write the local day of a moment."""
        return format_date(value.astimezone(self.zone).date(), "medium", locale=self.locale)

    def period(self, start: date, end: date) -> str:
        """Write the half-open span of days as a reader says it, last day included."""
        last = end - timedelta(days=1)
        if last <= start:
            return self.day(start)
        return format_interval(start, last, skeleton="yMMMMd", locale=self.locale)


# Babel reads a pattern's parts anew for each figure, and pages write the same ones again and again.
@lru_cache(maxsize=4096)
def _number(value: float, pattern: str | None, locale: Locale) -> str:
    return format_decimal(value, pattern, locale=locale)


@lru_cache(maxsize=4096)
def _share(value: float, decimals: int, locale: Locale) -> str:
    pattern = locale.percent_formats[None].pattern
    cut = pattern.rindex("0") + 1  # the end of the integer part of «#,##0%»
    places = f".{'0' * decimals}" if decimals else ""
    return format_percent(value, pattern[:cut] + places + pattern[cut:], locale=locale)


@lru_cache(maxsize=4096)
def _day(value: date, form: Literal["long", "medium"], locale: Locale) -> str:
    return format_date(value, form, locale=locale)


def formats(language: str, zone: ZoneInfo) -> Formats:
    """Return the formats of a language of the report."""
    return Formats(Locale.parse(LOCALES[language]), zone)
