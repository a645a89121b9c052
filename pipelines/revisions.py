"""Forget superseded revisions of counted windows, and never one that is cited."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from configs.schema import Municipality
from models.errors import ConfigError
from pipelines.store.audit import Event, actor
from pipelines.store.erase import scrub
from pipelines.store.revisions import (
    baselines,
    cited_runs,
    forget_revisions,
    revisions,
    rows_of,
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten, or would be: the runs and their rows by table."""

    runs: tuple[str, ...]
    rows: Mapping[str, int]
    cited: tuple[str, ...]
    """Runs that are old enough and stay, because something refers to them."""
    scrubbed: bool = True


def forget_old_revisions(
    engine: Engine,
    municipality: Municipality,
    keep: int,
    before: date | None = None,
    *,
    dry_run: bool = False,
) -> Forgotten:
    """Forget of each window's revisions all but the newest and those that are cited.

    Cited are the newest of every window and lens, those that technological calls rest on, that
    people were told of, that a kept revision was compared with, and the newest topics of each
    model. The runs stay in the ledger, and so do reports that were written of them.

    Args:
        engine: the database.
        municipality: whose windows they are.
        keep: how many revisions of each window stay, at least 1.
        before: only those go that were counted before this local day.
        dry_run: only count.

    Raises:
        ConfigError: ``keep`` is less than 1.
    """
    if keep < 1:
        raise ConfigError(f"--keep must be 1 or more, not {keep}: the newest revision stays.")
    found = revisions(engine, municipality.code)
    old = {
        one.run_id
        for one in found
        if one.place > keep
        and (before is None or one.started_at.astimezone(municipality.zone).date() < before)
    }
    gone = _uncited(engine, {one.run_id for one in found}, old)
    rows = rows_of(engine, sorted(gone))
    outcome = Forgotten(tuple(sorted(gone)), rows, tuple(sorted(old - gone)))
    if dry_run or not gone:
        return outcome
    detail = {"by": ["old-revisions"], "keep": keep, "before": before, "runs": outcome.runs}
    event = Event("purge", municipality.code, {**detail, "rows": sum(rows.values())})
    forget_revisions(engine, outcome.runs, event, actor())
    return Forgotten(outcome.runs, rows, outcome.cited, scrub(engine))


def _uncited(engine: Engine, everything: set[str], old: set[str]) -> set[str]:
    """Take the cited out of the old ones; what a kept one was compared with is cited too."""
    gone = old - cited_runs(engine)
    while again := gone & baselines(engine, sorted(everything - gone)):
        gone -= again
    return gone
