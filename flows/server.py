"""A Prefect server of our own for one machine, for as long as `manifiesta schedule` serves."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from time import monotonic, sleep
from urllib.request import urlopen

from flows.environment import SERVICES
from models.errors import ConfigError, ManifiestaError

_START_SECONDS = 180
_STOP_SECONDS = 20


@contextmanager
def standing_server(port: int) -> Iterator[str]:
    """Start a server on loopback, give its address, and stop it in the end.

    Raises:
        ConfigError: it does not start, for instance because the port is taken.
    """
    command = (sys.executable, "-m", "prefect", "server", "start")
    where = ("--host", "127.0.0.1", "--port", str(port))
    services = dict.fromkeys(SERVICES, "true")
    server = subprocess.Popen(  # noqa: S603 - Prefect's own command, and no shell
        [*command, *where],
        env=os.environ | services,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us: the server ends after the runs
    )
    address = f"http://127.0.0.1:{port}/api"
    try:
        _await(server, address)
        yield address
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(server: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = monotonic() + _START_SECONDS
    while monotonic() < deadline:
        if server.poll() is not None:
            raise ConfigError(
                f"The Prefect server did not start at {address}. Is the port taken? Choose "
                "another with --port, or set PREFECT_API_URL to a server that runs."
            )
        try:
            with urlopen(f"{address}/health", timeout=5):  # noqa: S310 - our own loopback address
                return
        except (OSError, HTTPException):
            sleep(0.5)
    raise ManifiestaError(f"The Prefect server at {address} did not answer in {_START_SECONDS} s.")
