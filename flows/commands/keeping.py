"""Verbs that keep an installation safe: backup, restore."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Json, print_json

if TYPE_CHECKING:
    from pipelines.backup import Backup


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("backup", epilog="Example: manifiesta backup /mnt/copias/ate.tar")(backup)
    app.command("restore", epilog="Example: manifiesta restore /mnt/copias/ate.tar")(restore)


def backup(
    file: Annotated[
        Path | None, typer.Argument(help="File to write; named after the time if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write database, archive, configuration, reports and key into one file; runs may go on."""
    from configs.settings import Settings
    from flows.house import SOFTWARE_VERSION, open_store
    from pipelines.backup import back_up
    from pipelines.store.audit import Event, actor, record

    settings = Settings.load()
    path = file or Path(f"manifiesta-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar")
    engine = open_store(settings).engine
    record(engine, Event("backup", "", {"file": path.name}), actor())  # before anything leaves
    made = back_up(engine, settings.home, path, SOFTWARE_VERSION)
    _show(made, f"{path} ({path.stat().st_size:,} bytes)", as_json=as_json)
    if settings.pseudonym_key is not None and not as_json:
        typer.echo("The key of pseudonyms is in the environment, not in the backup: keep it too.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `manifiesta backup` wrote.")],
    as_json: Json = False,
) -> None:
    """Bring a backup back into an empty home folder and an empty database of either kind."""
    from configs.settings import Settings
    from pipelines.backup import restore as bring_back
    from pipelines.store.audit import Event, actor, record
    from pipelines.store.engine import open_engine

    settings = Settings.load()
    found = bring_back(lambda: open_engine(settings.database), settings.home, file)
    engine = open_engine(settings.database)
    record(engine, Event("restore", "", {"file": file.name, "made_at": found.made_at}), actor())
    _show(found, f"{file} is back in {settings.home}", as_json=as_json)


def _show(found: "Backup", where: str, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json(asdict(found))
        return
    rows = sum(found.rows.values())
    typer.echo(f"{where}: {rows:,} rows of {len(found.rows)} tables, {found.files:,} files")
