"""The verb that answers browsers: serve."""

from typing import Annotated

import typer

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("serve", epilog="Example: manifiesta serve")(serve_dashboard)


def serve_dashboard(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the dashboard until interrupted (Ctrl-C)."""
    import uvicorn

    from configs.settings import Settings
    from dashboard.app import create_app, is_loopback
    from flows.house import open_store, receiving_of
    from models.errors import ConfigError
    from pipelines.searching import index_texts
    from pipelines.store.counted import counted_municipalities

    settings = Settings.load()
    if not is_loopback(host):
        raise ConfigError(
            f"{host} can be reached from other machines, and this installation has no users yet."
        )
    engine = open_store(settings).engine
    for code in counted_municipalities(engine):
        index_texts(engine, code)
    app = create_app(engine, settings.municipalities, receiving=receiving_of(settings))
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", server_header=False, access_log=False
    )
    server = uvicorn.Server(config)
    with config.bind_socket() as listening:
        bound = listening.getsockname()[1]
        typer.echo(f"The dashboard answers at http://{host}:{bound}/ (Ctrl-C ends it)")
        server.run(sockets=[listening])
