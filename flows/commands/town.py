"""Verbs around the sandbox town: serve it, run the main job on it, write its truth."""

from contextlib import closing
from dataclasses import replace
from datetime import datetime, time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from flows.commands.options import Json
from models.errors import InputError

if TYPE_CHECKING:
    from crawlers.sandbox.town import Town

SANDBOX = "sandbox"

Port = Annotated[int, typer.Option(help="Loopback port; 0 takes a free one.", min=0, max=65535)]
Seed = Annotated[int, typer.Option(help="Decides who says what where and when.")]
Days = Annotated[int, typer.Option(help="For how many days the town speaks.", min=3, max=3660)]
Chaos = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE=WAY",
        help="A source that misbehaves, and how: muro-vitarte=hang. May be given again.",
    ),
]
Scale = Annotated[float, typer.Option(help="How busy it is: 10 says ten times as much.", min=0.1)]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        metavar="CATEGORY:ZONE:FROM:DAYS:KIND",
        help="A surge of volume or negativity to plant: waste:huaycan:2021-09-17:3:volume. "
        "May be given again.",
    ),
]
Visit = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="Day on which the town is visited: what comes later is not there yet, and some texts "
        "have been edited or taken away. Complete and untouched without it.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    town = typer.Typer(help="The simulated town: real protocols, invented neighbours.")
    town.command("run", epilog="Example: manifiesta sandbox run")(run)
    town.command("serve", epilog="Example: manifiesta sandbox serve --port 8765")(serve)
    town.command("truth", epilog="Example: manifiesta sandbox truth truth.jsonl")(write_truth_file)
    app.add_typer(town, name="sandbox", no_args_is_help=True)


def run(
    port: Port = 8765,
    seed: Seed = 2021,
    days: Days = 30,
    scale: Scale = 1,
    event: Events = None,
    visit: Visit = None,
    chaos: Chaos = None,
    as_json: Json = False,
) -> None:
    """Serve the town, import the files that it offers, and do one monitoring run on it."""
    from configs.settings import Settings
    from flows.environment import prepare_prefect

    prepare_prefect(Settings.load().home)
    from crawlers.sandbox.server import serve_town
    from flows.commands.reading import finish
    from flows.monitor import monitor
    from models.records import State

    town = _built(seed, days, scale, event, visit)
    with serve_town(port, town=town, chaos=_read_chaos(chaos)) as base_url:
        all_imported = _import_files(town, base_url, as_json=as_json)
        summary = monitor(
            SANDBOX,
            start=town.window.start,
            end=town.window.end,
            base_url=base_url,
            show_progress=not as_json,
        )
    if summary.state is State.DONE and not all_imported:
        summary = replace(summary, state=State.PARTIAL)
    finish(summary, as_json=as_json)


def _import_files(town: "Town", base_url: str, *, as_json: bool) -> bool:
    """Import the files that the town serves, and say whether all of them could be."""
    from configs.settings import Settings
    from crawlers.sandbox.sites import SITES
    from flows.commands.reading import show_import
    from flows.house import open_municipality
    from flows.uploads import bring_in
    from models.records import Protocol, State

    settings = Settings.load()
    place = open_municipality(settings, SANDBOX)
    states = []
    with TemporaryDirectory(prefix="manifiesta-sandbox-") as folder:
        for site in SITES:
            if site.protocol is not Protocol.UPLOAD:
                continue
            try:
                file = _download(base_url, site.address, Path(folder))
                done = bring_in(
                    settings, place, site.name, file, {}, covers=town.window, show_progress=False
                )
            except InputError as error:
                typer.echo(f"{site.name} was not imported: {error}", err=True)
                states.append(State.FAILED)
                continue
            states.append(done.state)
            if not as_json:
                typer.echo(f"{site.name}, {file.name}: ", nl=False)
                show_import(done)
    return all(state is State.DONE for state in states)


def _download(base_url: str, path: str, folder: Path) -> Path:
    """Fetch a file of the town; its address is a loopback one, and no redirect is followed."""
    file = folder / path.rpartition("/")[2]
    try:
        with closing(HTTPConnection(urlsplit(base_url).netloc, timeout=10)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise InputError(f"{path} answered {answer.status} {answer.reason}")
            with file.open("wb") as out:
                copyfileobj(answer, out)
    except (OSError, HTTPException) as error:
        raise InputError(f"{path} could not be fetched: {error}") from error
    return file


def serve(
    port: Port = 8765,
    seed: Seed = 2021,
    days: Days = 30,
    scale: Scale = 1,
    event: Events = None,
    visit: Visit = None,
    chaos: Chaos = None,
) -> None:
    """Serve the town until interrupted, to look at it or to run against it."""
    from crawlers.sandbox.server import town_server

    town = _built(seed, days, scale, event, visit)
    with town_server(port, town=town, chaos=_read_chaos(chaos)) as server:
        host, bound = server.server_address[:2]
        typer.echo(f"The town answers at http://{host!s}:{bound}/ (Ctrl-C ends it)")
        server.serve_forever()


def write_truth_file(
    file: Annotated[Path, typer.Argument(help="JSON Lines file to write.")],
    base_url: Annotated[
        str, typer.Option(help="Address that the town is served at.")
    ] = "http://127.0.0.1:8765",
    seed: Seed = 2021,
    days: Days = 30,
    scale: Scale = 1,
    event: Events = None,
    visit: Visit = None,
) -> None:
    """Write what every text of the town really is, one JSON object a line."""
    from crawlers.sandbox.truth import write_truth

    town = _built(seed, days, scale, event, visit)
    typer.echo(f"{write_truth(file, base_url=base_url, town=town):,} rows written to {file}")


def _built(
    seed: int, days: int, scale: float, events: list[str] | None, visit: datetime | None
) -> "Town":
    from crawlers.sandbox.events import read_event
    from crawlers.sandbox.town import build_town, window_of

    window = window_of(days)
    now = visit and datetime.combine(visit, time.max, window.zone)
    planted = [read_event(each) for each in events or ()]
    return build_town(seed, window=window, scale=scale, now=now, events=planted)


def _read_chaos(given: list[str] | None) -> dict[str, str]:
    """Read ``SOURCE=WAY``; the town itself knows which there are."""
    pairs = [each.partition("=") for each in given or ()]
    return {source.strip(): way.strip() for source, _, way in pairs}
