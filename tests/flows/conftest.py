"""Whole runs: a Prefect server for the session, the town, and a command line to type on."""

import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.environment import prepare_prefect
from tests.flows.planted import Finished, planted_run

# Prefect reads its settings when it is first imported, which test modules do: as the command
# line does, these come before.
prepare_prefect(Path(tempfile.mkdtemp(prefix="manifiesta-prefect-")))


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """One short-lived Prefect server for all runs of the session."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=240):
        yield


@pytest.fixture(scope="session")
def finished(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of the small town, made once: whoever uses it only reads."""
    return planted_run(tmp_path_factory.mktemp("planted"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder that the settings point to."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MANIFIESTA_HOME", str(folder))
    monkeypatch.delenv("MANIFIESTA_DATABASE_URL", raising=False)
    return folder


@pytest.fixture
def manifiesta(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Said]]:
    """Type a command line and see its exit code and both outputs."""
    from flows.cli import main

    before = signal.getsignal(signal.SIGTERM)

    def type_in(*words: str | Path) -> Said:
        monkeypatch.setattr("sys.argv", ["manifiesta", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return Said(int(end.value.code or 0), out, err)

    yield type_in
    signal.signal(signal.SIGTERM, before)
