"""A finished run of a small town in which a surge is planted and a source is lost."""

import io
import json
import signal
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from configs.schema import SHIPPED
from crawlers.sandbox.events import read_event
from crawlers.sandbox.server import serve_town
from crawlers.sandbox.town import build_town, window_of
from pipelines.store.engine import open_engine

EVENT = "waste:huaycan:2021-09-17:3:volume"
LOST = "telegram-ate"
READ = ("facebook-ate", "x-ate", "masto-lima", "muro-huaycan")
DAYS = 20


def write_municipality(home: Path) -> None:
    """Write a municipality that reads a few sources, one of which is lost."""
    shipped = yaml.safe_load((SHIPPED / "municipalities" / "sandbox.yml").read_text())
    chosen = [each for each in shipped["sources"] if each["name"] in {*READ, LOST}]
    for source in chosen:
        source["limits"] = {"delay": 0, "retries": 0}
    window = {"start": window_of().start, "days": DAYS}
    document = shipped | {"code": "prueba", "sources": chosen, "windows": window}
    folder = home / "municipalities"
    folder.mkdir(parents=True)
    (folder / "prueba.yml").write_text(yaml.safe_dump(document, allow_unicode=True))


@dataclass(frozen=True)
class Finished:
    """A run that is over: its exit code, what it said, and where it left what it made."""

    code: int
    summary: dict[str, object]
    home: Path

    @property
    def engine(self) -> Engine:
        """Its database."""
        return open_engine(f"sqlite:///{self.home / 'manifiesta.db'}")


def planted_run(home: Path) -> Finished:
    """Run `manifiesta run` on the town; a Prefect server is running."""
    write_municipality(home)
    town = build_town(2021, window=window_of(DAYS), events=[read_event(EVENT)])
    with serve_town(0, town=town, chaos={LOST: "error500"}) as url:
        return finished_run(home, "run", "-m", "prueba", "--base-url", url)


def finished_run(home: Path, *words: str) -> Finished:
    """Type a command that ends with a run, in a home folder; a Prefect server is running."""
    from flows.cli import main

    said = io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANIFIESTA_HOME", str(home))
        patch.setenv("MANIFIESTA_PSEUDONYM_KEY", "a key that only the tests use")
        patch.delenv("MANIFIESTA_DATABASE_URL", raising=False)
        patch.setattr("sys.argv", ["manifiesta", *words, "--json"])
        with redirect_stdout(said), pytest.raises(SystemExit) as end:
            main()
    signal.signal(signal.SIGTERM, handler)
    return Finished(int(end.value.code or 0), json.loads(said.getvalue()), home)
