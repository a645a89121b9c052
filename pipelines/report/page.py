"""Render the report: one self-contained HTML file per language, without JavaScript."""

import os
import tempfile
from functools import cache
from operator import contains
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.errors import ManifiestaError
from models.labels import SENTIMENTS
from pipelines.report import recount
from pipelines.report.card import card_of
from pipelines.report.data import ReportData
from pipelines.report.drawn import draw
from pipelines.report.formats import formats
from pipelines.report.safe import clean, host_of, shorten
from pipelines.report.texts import texts
from pipelines.report.view import FEW, figures
from pipelines.report.why import told

FILES = MappingProxyType({"es": "informe.html", "en": "report.en.html"})
"""The file of each language; the pages link to each other by these names."""

TEMPLATES = Path(__file__).parent / "templates"


def render(data: ReportData, language: str) -> str:
    """Return the page of a run in ``es`` or ``en``; the same data give the same bytes."""
    t, f = texts(language), formats(language, data.municipality.zone)
    view = figures(data, language, t)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            run=data.run,
            town=data.municipality,
            figures=view,
            t=t,
            f=f,
            language=language,
            other=_other(language),
            charts=draw(view, (data.run.window_from, data.run.window_to), t, f),
            names={code: _name(data, code, language) for code in SENTIMENTS},
            category_names={line.code: line.name for line in view.categories},
            queries=recount,
            card=card_of(data.run.model_version, data.municipality, data.manifest),
            few=FEW,
        )
    )


def write_report(data: ReportData, folder: Path) -> Path:
    """Write both pages into ``folder/<run id>/`` and return the Spanish one's path.

    Each file appears whole or not at all: it is written under another name and renamed.

    Raises:
        ManifiestaError: If the run's id cannot be the name of a folder.
        OSError: If the disk is full or refuses to write; nothing half-written stays.
    """
    name = data.run.id
    if name in {"", ".", ".."} or Path(name).name != name or "\\" in name or clean(name) != name:
        raise ManifiestaError(f"run id «{clean(name)}» cannot name a folder")
    target = folder / name
    pages = {language: render(data, language) for language in FILES}
    target.mkdir(parents=True, exist_ok=True)
    for language, page in pages.items():
        _write(target / FILES[language], page)
    return target / FILES["es"]


def _write(path: Path, page: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n", errors="replace") as file:
            file.write(page)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clean": clean, "short": shorten, "host": host_of, "told": told}
    environment.tests["holds"] = contains
    return environment


def _other(language: str) -> dict[str, str]:
    code = "en" if language == "es" else "es"
    return {"language": code, "file": FILES[code]}


def _name(data: ReportData, sentiment: str, language: str) -> str:
    name = data.taxonomy.sentiments.get(sentiment)
    if name is None:
        return sentiment
    return name.es if language == "es" else name.en
