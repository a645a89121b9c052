"""Look at this installation: packages, database, model, and what is optional."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from configs.load import list_municipalities
from configs.model import ModelSpec
from configs.settings import Settings
from models.errors import ManifiestaError
from pipelines.store.engine import open_engine
from pipelines.store.migrate import current_revision, newest_revision

_PACKAGES = ("scrapy", "trafilatura", "torch", "transformers", "prefect", "sqlalchemy", "pandas")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``broken`` where Manifiesta cannot work until it is mended."""

    subject: str
    found: str
    broken: bool = False
    advice: str = ""

    def __str__(self) -> str:
        sign = "✗" if self.broken else ("!" if self.advice else "✓")
        advice = f" → {self.advice}" if self.advice else ""
        return f"{sign} {self.subject}: {self.found}{advice}"

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def diagnose() -> list[Finding]:
    """Look at everything; nothing is created or changed."""
    settings = Settings.load()
    return [
        Finding("Manifiesta", f"{version('manifiesta')} on Python {sys.version.split()[0]}"),
        *_packages(),
        _home(settings),
        _checked("Database", lambda: _database(settings)),
        _checked("Model", _model),
        _checked("Municipalities", lambda: _municipalities(settings)),
        _program("PostgreSQL", ("initdb", "postgres"), "apt-get install postgresql", "its tests"),
        _program("Chromium", ("chromium",), "apt-get install chromium", "its browser tests"),
    ]


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            yield Finding(name, "missing", broken=True, advice="make install")


def _home(settings: Settings) -> Finding:
    home = settings.home.absolute()
    if not home.exists():
        return Finding("Home", f"{home} does not exist yet", advice="manifiesta init")
    free = shutil.disk_usage(home).free / 1e9
    advice = "free some space" if free < 1 else ""
    return Finding("Home", f"{home}, {free:,.0f} GB free", advice=advice)


def _checked(subject: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except ManifiestaError as error:
        return Finding(subject, str(error), broken=True)


def _database(settings: Settings) -> Finding:
    engine = open_engine(settings.database)
    shown = engine.url.render_as_string(hide_password=True)
    file = engine.url.database
    if engine.url.get_backend_name() == "sqlite" and file and not Path(file).exists():
        return Finding("Database", f"{shown} does not exist yet", advice="manifiesta init")
    current, newest = current_revision(engine), newest_revision()
    if current != newest:
        found = f"{shown} is at revision {current or 'none'}, the newest is {newest}"
        return Finding("Database", found, advice="manifiesta init")
    return Finding("Database", f"{shown}, revision {current}")


def _model() -> Finding:
    from nlp.classifier import Classifier

    return Finding("Model", Classifier.load(ModelSpec()).model_version)


def _municipalities(settings: Settings) -> Finding:
    return Finding(
        "Municipalities", ", ".join(sorted(list_municipalities(settings.municipalities)))
    )


def _program(subject: str, names: tuple[str, ...], install: str, use: str) -> Finding:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = [
        path
        for name in names
        for path in [shutil.which(name), *(str(f / name) for f in folders if (f / name).exists())]
        if path
    ]
    if found:
        return Finding(subject, found[0])
    return Finding(subject, "not here; only " + use + " need it", advice=install)
