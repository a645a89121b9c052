"""Decide which days a run looks at."""

from datetime import date, datetime, timedelta

from configs.schema import Municipality
from models.errors import ConfigError
from models.records import Window


def resolve_window(
    municipality: Municipality,
    start: date | None = None,
    end: date | None = None,
    *,
    now: datetime,
) -> Window:
    """Return the window asked for, filled in from the municipality's configuration.

    Without ``start`` and ``end``: from the configured first day, else the configured number of
    days up to yesterday. With one of them: the configured number of days after or before it.

    Raises:
        ConfigError: the window would end before it starts, or beyond the calendar.
    """
    span = timedelta(days=municipality.windows.days)
    if start is None and end is None:
        start = municipality.windows.start
        end = now.astimezone(municipality.zone).date() if start is None else None
    try:
        if start is None and end is not None:
            start = end - span
        if start is not None and end is None:
            end = start + span
    except OverflowError:
        raise ConfigError(
            f"The window would reach beyond the calendar: it has {span.days} days "
            f"{f'from {start}' if start else f'up to {end}'}. Correct --from or --to."
        ) from None
    if start is None or end is None or end <= start:
        raise ConfigError(
            f"The window from {start} to {end} is empty: --to is the day after the last one, and "
            "must come after --from."
        )
    return Window(start, end, municipality.zone)
