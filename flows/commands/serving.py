"""The verb that answers browsers: serve."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from configs.settings import Settings
    from configs.sign_on import SignOn
    from dashboard.sign_on import Provider

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("serve", epilog="Example: manifiesta serve")(serve_dashboard)


def serve_dashboard(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name", help="Host name that browsers use, beyond this machine; repeatable."
        ),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS private key, PEM.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy on this machine gives it HTTPS.")
    ] = False,
) -> None:
    """Serve the dashboard until interrupted (Ctrl-C).

    Beyond this machine it wants users, the names that it is known by, and HTTPS.
    """
    import gc

    import uvicorn

    from configs.settings import Settings
    from dashboard.access import Door
    from dashboard.ahead import opened_ahead
    from dashboard.app import create_app, is_loopback
    from flows.house import open_store, receiving_of
    from pipelines.store.users import has_users

    settings = Settings.load()
    engine = open_store(settings).engine
    local = is_loopback(host) and not behind_proxy and not names
    sign_on = settings.sign_on()
    if not local:
        _check_open_door(
            host,
            has_users(engine) or sign_on is not None,
            names,
            certificate,
            behind_proxy=behind_proxy,
        )
    _make_searchable(engine, settings)
    known = Door().hosts
    door = Door(
        (*known, *(names or ())),
        local,
        not local,
        settings.session_secret(),
        _provider(sign_on) if sign_on else None,
    )
    app = create_app(engine, settings.municipalities, door, receiving_of(settings))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        access_log=False,
        proxy_headers=behind_proxy,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    gc.collect()
    gc.freeze()  # to look through all modules for garbage again takes 0.2 s, and stops all answers
    with config.bind_socket() as listening, opened_ahead(app):
        listening.listen(config.backlog)  # who reads the address may ask at once
        bound = listening.getsockname()[1]
        scheme = "https" if certificate else "http"
        typer.echo(f"The dashboard answers at {scheme}://{host}:{bound}/ (Ctrl-C ends it)")
        uvicorn.Server(config).run(sockets=[listening])


def _make_searchable(engine: "Engine", settings: "Settings") -> None:
    """Index what no run has indexed: the texts of a database that an older version wrote."""
    from configs.load import list_municipalities, load_municipality, load_taxonomy
    from pipelines.searching import basis_of, index_labels, index_texts
    from pipelines.store.counted import counted_municipalities, counted_windows
    from pipelines.store.read import find_run

    taxonomy, configured = load_taxonomy(), list_municipalities(settings.municipalities)
    for code in counted_municipalities(engine):
        index_texts(engine, code)
        if code in configured:
            newest = find_run(engine, counted_windows(engine, code)[0].run_id)
            town = load_municipality(code, settings.municipalities)
            index_labels(engine, basis_of(engine, newest, town, taxonomy))


def _provider(sign_on: "SignOn") -> "Provider":
    try:
        from dashboard.sign_on import Provider
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"MANIFIESTA_OIDC_ISSUER needs the package {error.name}: pip install 'manifiesta[oidc]'"
        ) from None
    return Provider(sign_on)


def _check_open_door(
    host: str,
    users: bool,
    names: list[str] | None,
    certificate: Path | None,
    *,
    behind_proxy: bool,
) -> None:
    if not users:
        raise ConfigError(
            f"{host} can be reached from other machines, and there are no users. Add one first: "
            "manifiesta users add NAME --role admin"
        )
    if certificate is None and not behind_proxy:
        raise ConfigError(
            "Beyond this machine passwords need HTTPS: give --certificate and --key, or "
            "--behind-proxy where a proxy does it."
        )
    if not names:
        raise ConfigError("Say by which --name browsers will know it, such as panel.example.pe.")
