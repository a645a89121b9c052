"""Remove what the archive may no longer hold: it is personal data, kept for a stated time."""

import re
from datetime import date, timedelta
from pathlib import Path

from configs.schema import Municipality
from pipelines.store.write import Store

_MONTH = re.compile(r"(\d{4})-(\d{2})\.warc\.gz")


def forget_old_captures(
    store: Store, archive: Path, municipality: Municipality, today: date
) -> list[str]:
    """Remove the archive's months that are older than the municipality keeps them.

    A month goes when its last day is further back than ``collection.archive_days``. The rows of
    its captures go first, so that none ever points at a file that is gone; what a kill leaves is
    removed by the next call.

    Args:
        store: where the captures are noted.
        archive: the folder of WARC files.
        municipality: whose archive it is.
        today: the local day.

    Returns:
        The files that were removed, relative to the archive.
    """
    oldest = today - timedelta(days=municipality.collection.archive_days)
    files = [
        path for path in sorted((archive / municipality.code).glob("*/*")) if _end(path) <= oldest
    ]
    names = [path.relative_to(archive).as_posix() for path in files]
    if files:
        store.forget_captures(municipality.code, names)
    for path in files:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.end").unlink(missing_ok=True)
    return names


def _end(path: Path) -> date:
    """Return the day after the month that a WARC file holds; the last of days for any other."""
    found = _MONTH.fullmatch(path.name)
    if found is None:
        return date.max
    first = date(int(found[1]), int(found[2]), 1)
    return (first + timedelta(days=32)).replace(day=1)
