"""Verbs of unattended work: schedule, notify."""

from typing import Annotated

import typer

from flows.commands.options import Code
from models.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("schedule", epilog="Example: manifiesta schedule -m ate -m chaclacayo")(schedule)
    app.command("notify", epilog="Example: manifiesta notify -m ate")(notify)


def schedule(
    municipality: Annotated[
        list[str] | None,
        typer.Option(
            "--municipality",
            "-m",
            help="A municipality with a schedule; all that have one if not given.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Loopback port of the Prefect server, if we start one.")
    ] = 4200,
) -> None:
    """Run municipalities by the clock until stopped: one run of each at a time.

    Without PREFECT_API_URL a Prefect server is started on this machine for as long as this runs.
    """
    import os
    from contextlib import nullcontext

    from configs.load import list_municipalities
    from configs.settings import Settings
    from flows.environment import prepare_prefect
    from flows.house import open_municipality, open_store

    settings = Settings.load()
    prepare_prefect(settings.home)
    codes = municipality or [
        code
        for code in list_municipalities(settings.municipalities)
        if open_municipality(settings, code).schedule is not None
    ]
    if not codes:
        raise ConfigError(
            "No municipality has a schedule. Write one into its file, for half past five in the "
            'morning: schedule: {cron: "30 5 * * *"}'
        )
    places = [(code, open_municipality(settings, code)) for code in codes]
    open_store(settings)  # bring the database up to date before anything is due
    os.environ["MANIFIESTA_HOME"] = str(settings.home.absolute())
    from flows.server import standing_server

    standing = os.environ.get("PREFECT_API_URL")
    with nullcontext(standing) if standing else standing_server(port) as address:
        os.environ["PREFECT_API_URL"] = str(address)
        from prefect import serve

        from flows.clock import Clock
        from flows.schedule import deployments

        found = deployments(places, timed=standing is not None)
        for code, place in places:
            when = place.schedule
            if when is not None:
                told = when.cron or f"every {when.every_hours:g} hours"
                typer.echo(f"{code}: {told}, {place.time_zone}")
        typer.echo(f"Prefect: {str(address).removesuffix('/api')} (Ctrl-C ends it)")
        with nullcontext() if standing else Clock(place for _, place in places):
            serve(*found, print_starting_message=False, limit=len(found))


def notify(municipality: Code) -> None:
    """Send a test message to each of a municipality's channels."""
    from configs.settings import Settings
    from flows.house import open_municipality
    from pipelines.notify import addresses_of, send_by_apprise

    place = open_municipality(Settings.load(), municipality)
    if not place.notify:
        raise ConfigError(
            f"{place.code} has no channels. Write one into its file: "
            "notify: [{name: guardia, urls_from: MANIFIESTA_NOTIFY_ATE}]"
        )
    refused = []
    for channel in place.notify:
        taken = send_by_apprise(
            addresses_of(channel),
            f"{place.name}: prueba",
            "Este canal recibe avisos de Manifiesta.",
        )
        typer.echo(f"{channel.name}: {'taken' if taken else 'refused'}")
        refused += [] if taken else [channel.name]
    raise typer.Exit(1 if refused else 0)
