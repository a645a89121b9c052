"""By which day something is due: days of the calendar, or working days of a country."""

from datetime import date, timedelta

from configs.schema import Area


def has_holidays(country: str) -> bool:
    """Say whether the public holidays of a country (two letters) are known."""
    import holidays

    return country in holidays.list_supported_countries(include_aliases=False)


def due_day(area: Area, start: date, country: str) -> date | None:
    """Return the day by which an area answers what came on ``start``, if it has a term.

    The day itself does not count (Peru: TUO de la Ley 27444, art. 144). Working days are Monday
    to Friday without the public holidays of the country; a country whose holidays are not known
    has none.
    """
    if area.answer_days is None:
        return None
    if not area.working_days:
        return start + timedelta(days=area.answer_days)
    import holidays

    free = holidays.country_holidays(country) if has_holidays(country) else holidays.HolidayBase()
    return free.get_nth_working_day(start, area.answer_days)
