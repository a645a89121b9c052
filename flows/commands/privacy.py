"""Verbs about what is to be kept no longer: purge."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Code, Json, as_day, print_json
from models.errors import ConfigError

if TYPE_CHECKING:
    from configs.schema import Municipality
    from pipelines.purge import Purged
    from pipelines.revisions import Forgotten

Author = Annotated[str | None, typer.Option(help="Pseudonym of the author: a-0123456789abcdef.")]
AuthorName = Annotated[
    str | None, typer.Option(help="Name of the author as the source shows it; needs --source.")
]
Before = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="What was said before this local day; with --old-revisions, counted before it.",
    ),
]
SourceName = Annotated[str | None, typer.Option("--source", help="What this source gave.")]
Identity = Annotated[str | None, typer.Option("--id", help="One manifestation, by its id.")]
Retention = Annotated[
    bool, typer.Option("--retention", help="What is older than the configured retention_days.")
]
OldRevisions = Annotated[
    bool,
    typer.Option("--old-revisions", help="Figures of a window that were counted again later."),
]
Keep = Annotated[
    int, typer.Option(min=1, help="With --old-revisions: how many of each window stay.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("purge", epilog="Example: manifiesta purge -m ate --before 2026-01-01 --dry-run")(
        purge_verb
    )


def purge_verb(  # noqa: PLR0913, PLR0917 - one option for each criterion
    municipality: Code,
    author: Author = None,
    author_name: AuthorName = None,
    before: Before = None,
    source: SourceName = None,
    id: Identity = None,  # noqa: A002 - the option is --id
    retention: Retention = False,
    old_revisions: OldRevisions = False,
    keep: Keep = 3,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete manifestations from store, archive, reports and exports; counts first.

    With --old-revisions, delete figures that were counted again later and that nothing cites.
    """
    if old_revisions:
        if author or author_name or source or id or retention:
            raise ConfigError("--old-revisions goes with --keep and --before alone.")
        _purge_revisions(municipality, keep, as_day(before), dry_run, yes, as_json)
        return
    from configs.settings import Settings
    from flows.house import open_municipality, open_store, pseudonymiser_of
    from pipelines.purge import purge
    from pipelines.store.erase import Criteria

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    secrets = pseudonymiser_of(settings, place)
    authors = [author] if author else []
    if author_name:
        if source is None:
            raise ConfigError("--author-name needs --source: pseudonyms differ between sources.")
        authors.append(secrets.author(source, author_name))
    criteria = Criteria(tuple(authors), _limit(place, as_day(before), retention), source, id)
    store, names = open_store(settings), [author_name] if author_name else []

    def run(*, dry: bool) -> "Purged":
        home, archive = settings.home, settings.archive
        return purge(store, place, criteria, home, archive, secrets, names=names, dry_run=dry)

    outcome = run(dry=True)
    if not dry_run:
        if not yes:
            _show(outcome, done=False)
            typer.confirm("Delete all of this? It cannot be undone.", abort=True)
        outcome = run(dry=False)
    if as_json:
        print_json({"dry_run": dry_run, **asdict(outcome)})
    else:
        _show(outcome, done=not dry_run)
    raise typer.Exit(0 if outcome.scrubbed else 3)


def _purge_revisions(
    municipality: str, keep: int, before: date | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from pipelines.revisions import forget_old_revisions

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    engine = open_store(settings).engine
    outcome = forget_old_revisions(engine, place, keep, before, dry_run=True)
    if not dry_run and outcome.runs:
        if not yes:
            _show_revisions(outcome, done=False)
            typer.confirm("Delete all of this? It cannot be undone.", abort=True)
        outcome = forget_old_revisions(engine, place, keep, before)
    if as_json:
        print_json({"dry_run": dry_run, **asdict(outcome)})
    else:
        _show_revisions(outcome, done=not dry_run)


def _show_revisions(outcome: "Forgotten", *, done: bool) -> None:
    what = f"{sum(outcome.rows.values()):,} rows of {len(outcome.runs):,} old revisions"
    typer.echo(f"{'Deleted' if done else 'To delete'}: {what}.")
    for run in outcome.runs:
        typer.echo(f"  {run}")
    if outcome.cited:
        typer.echo(
            f"{len(outcome.cited):,} more stay, because a call, a message, a comparison, a lens or "
            "a topic rests on them."
        )


def _limit(place: "Municipality", before: date | None, retention: bool) -> date | None:
    """Return the day before which everything goes: the later of those asked for."""
    if not retention:
        return before
    if place.retention_days is None:
        raise ConfigError(f"{place.code} has no retention_days; add them to its file.")
    kept = datetime.now(UTC).astimezone(place.zone).date() - timedelta(days=place.retention_days)
    return max(kept, before) if before else kept


def _show(outcome: "Purged", *, done: bool) -> None:
    typer.echo(
        f"{'Deleted' if done else 'To delete'}: {outcome.manifestations:,} manifestations, "
        f"{outcome.revisions:,} former texts, {outcome.responses:,} archived responses, "
        f"{len(outcome.files):,} reports and exports of {outcome.runs:,} runs."
    )
    if outcome.copies_left:
        typer.echo(f"{outcome.copies_left:,} near-duplicates said by others or elsewhere stay.")
    if not outcome.scrubbed:
        typer.echo(
            "Another process reads the database: what was deleted may still lie in its files. "
            "Purge again when it has ended.",
            err=True,
        )
