"""What every page is shown in: who visits, which run, the words, the navigation."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from time import time
from typing import Annotated, Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

import pandas as pd
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import escape
from sqlalchemy import Engine

from configs.load import list_municipalities, load_municipality
from configs.schema import Municipality, Taxonomy, lenses_of
from dashboard.access import LOCAL, STRANGER, Person, token_of
from dashboard.figures import FRESH, Counted, Shown
from dashboard.filters import Filters
from dashboard.keep import Kept
from dashboard.words import translator
from models.errors import InputError
from models.tables import RunRow
from pipelines.demands.figures import Delays
from pipelines.report.formats import Formats, formats
from pipelines.report.page import TEMPLATES as REPORT_TEMPLATES
from pipelines.report.safe import clean, host_of, shorten, web_link
from pipelines.report.texts import Texts, texts
from pipelines.report.view import FEW, Row
from pipelines.report.why import told
from pipelines.store.counted import CountedWindow, counted_municipalities, counted_windows
from pipelines.store.read import run_of
from pipelines.store.version import DataVersion

TEMPLATES = Path(__file__).parent / "templates"

_KEPT = 512
"""How many pages are kept; one is some 50 kB."""
_TABLES = 24
"""How many tables are kept; the largest has some hundred thousand rows."""
_SERIES = 64
"""How many ways to cut a window are kept, each of a lens; one has some hundred lines."""
_DELAYS = 32
"""Of how many windows it is kept how long demands wait."""
_HOUR = 3600.0
"""How long that is kept while no demand changes, in seconds: waiting is told in days. No page is
kept into another hour, for some say what day it is."""
_TOKEN, _NAME = secrets.token_hex(16), secrets.token_hex(16)
"""What stands in a kept page for its visitor's token and name; nobody outside can know them."""


def environment() -> Environment:
    """Return the templates: the dashboard's own, and the report's under ``report/``."""
    made = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(TEMPLATES),
                PrefixLoader({"report": FileSystemLoader(REPORT_TEMPLATES)}),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"clean": clean, "short": shorten, "host": host_of, "web_link": web_link}
    made.filters["told"] = told
    return made


@dataclass(frozen=True, slots=True)
class Page:
    """One entry of the navigation; ``title`` is Spanish, and its own translation's message."""

    name: str
    path: str
    title: str
    role: str = "viewer"


class House:
    """What the whole application stands on, and what it keeps of what it has shown."""

    def __init__(
        self, engine: Engine, taxonomy: Taxonomy, own: Path, pages: tuple[Page, ...]
    ) -> None:
        self.engine, self.taxonomy, self.own, self.pages = engine, taxonomy, own, pages
        self.environment = environment()
        self.counted = Counted(engine, taxonomy, self._state)
        self.kept: Kept[str] = Kept(_KEPT, FRESH, self._state)
        self.tables: Kept[pd.DataFrame] = Kept(_TABLES, FRESH, self._state)
        self.series: Kept[list[Row]] = Kept(_SERIES, FRESH, self._state)
        self.delays: Kept[Delays] = Kept(_DELAYS, _HOUR)
        self._version = DataVersion(engine)
        self._read: dict[str, tuple[int, Municipality]] = {}

    def _state(self) -> object:
        """Return what is the same again only while pages would be: database, files and hour."""
        files = list_municipalities(self.own).items()
        changed = tuple((code, path.stat().st_mtime_ns) for code, path in files)
        return self._version(), changed, time() // _HOUR

    def forget(self) -> None:
        """Forget what is kept, for somebody has changed what it shows."""
        self.delays.clear()
        self.kept.clear()

    def municipality(self, code: str) -> Municipality:
        """Return a municipality's configuration as its file is now; reading takes a while."""
        path = list_municipalities(self.own).get(code)
        changed = path.stat().st_mtime_ns if path else 0
        found = self._read.get(code)
        if found is None or found[0] != changed:
            found = self._read[code] = changed, load_municipality(code, self.own)
        return found[1]


class Visit:
    """One request: its filters, its words, and the run that it looks at."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.house: House = request.app.state.house
        self.person: Person = request.state.person
        self.filters = Filters.parse(request.query_params)
        self.language = self.filters.language
        self.kept = False

    @property
    def token(self) -> str:
        """The token that every form carries which is sent by POST."""
        return _TOKEN if self.kept else token_of(self.request)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The municipalities that anything was counted for."""
        return counted_municipalities(self.house.engine)

    @cached_property
    def town(self) -> Municipality | None:
        """The municipality asked for, or the first; None while nothing was counted at all."""
        wanted = self.filters.municipality or (self.codes[0] if self.codes else "")
        if not wanted:
            return None
        if wanted not in self.codes:
            raise InputError(self._("Esa municipalidad no tiene nada contado."))
        return self.house.municipality(wanted)

    @cached_property
    def windows(self) -> tuple[CountedWindow, ...]:
        """The newest run of each window that was counted, the newest window first."""
        return counted_windows(self.house.engine, self.town.code) if self.town else ()

    @cached_property
    def window(self) -> CountedWindow | None:
        """The run asked for, or the newest one; None while there is none."""
        if not self.filters.run:
            return next(iter(self.windows), None)
        found = next((w for w in self.windows if w.run_id == self.filters.run), None)
        if found is None and self.town is not None:
            run = self.run(self.filters.run)
            found = CountedWindow(run.id, run.window_from, run.window_to, run.started_at)
        return found

    def run(self, run_id: str) -> RunRow:
        """Return a run of the municipality, also one that another has counted after.

        Raises:
            InputError: the municipality has no such run.
        """
        found = run_of(self.house.engine, self.town.code, run_id) if self.town else None
        if found is None:
            raise InputError(self._("Esta municipalidad no tiene esa ejecución."))
        return found

    @cached_property
    def shown(self) -> Shown | None:
        """The figures of that run under the lens asked for; None while there are none."""
        if self.town is None or self.window is None:
            return None
        return self.house.counted.shown(
            self.window.run_id, self.town, self.filters.lens, self.language
        )

    @cached_property
    def t(self) -> Texts:
        """The words that the report has already."""
        return texts(self.language)

    @cached_property
    def f(self) -> Formats:
        """How figures and dates are written."""
        return formats(self.language, self.town.zone if self.town else ZoneInfo("America/Lima"))

    @cached_property
    def _(self) -> Callable[..., str]:
        """Return a Spanish message in the visitor's language."""
        return translator(self.language)

    @cached_property
    def _lasting(self) -> Filters:
        return self.filters.lasting()

    def link(self, path: str, /, **changes: Any) -> str:
        """Return the address of another page that looks at the same run, with some filters."""
        return path + self._lasting.query(**changes)

    def again(self, **changes: Any) -> str:
        """Return the address of this page with all its filters but for these changes."""
        return self.request.url.path + self.filters.query(**changes)

    def page(self, template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Answer with a page made of a template."""
        shown = self.shown if status == 200 else None
        html = self.house.environment.get_template(template).render(
            visit=self,
            person=self._person_shown(),
            filters=self.filters,
            language=self.language,
            t=self.t,
            f=self.f,
            _=self._,
            link=self.link,
            again=self.again,
            few=FEW,
            shown=shown,
            figures=shown.figures if shown else None,
            charts=shown.charts if shown else {},
            pages=[p for p in self.house.pages if self.person.may(p.role)],
            **values,
        )
        return HTMLResponse(html, status_code=status)

    def _person_shown(self) -> Person:
        if not self.kept or self.person.name in (STRANGER.name, LOCAL.name):
            return self.person
        return replace(self.person, name=_NAME)

    def names(self, task: str) -> Mapping[str, str]:
        """Return the names of the labels of a task: category, sentiment or intent."""
        taxonomy, spanish = self.house.taxonomy, self.language == "es"
        if task == "category":
            return {c.code: c.es if spanish else c.en for c in taxonomy.categories}
        group = taxonomy.sentiments if task == "sentiment" else taxonomy.intents
        return {code: name.es if spanish else name.en for code, name in group.items()}

    def sources(self) -> Mapping[str, str]:
        """Return the titles of the configured sources, by name."""
        return {source.name: source.title for source in self.town.sources} if self.town else {}

    def lenses(self) -> Mapping[str, str]:
        """Return the names of the lenses, by code."""
        if self.town is None:
            return {}
        lenses = lenses_of(self.town, self.house.taxonomy)
        return {lens.code: lens.es if self.language == "es" else lens.en for lens in lenses}


class Lost(Visit):
    """A request that looks at no run: something went wrong, or nobody has signed in."""

    town = None
    windows = ()

    def __init__(self, request: Request) -> None:
        self.request = request
        self.house = request.app.state.house
        self.person = getattr(request.state, "person", STRANGER)
        self.kept = False
        self.language = "en" if request.query_params.get("lang") == "en" else "es"
        self.filters = Filters(language=self.language)


async def _visit(request: Request) -> Visit:
    return Visit(request)  # reads the address alone, so that no thread is needed


Visiting = Annotated[Visit, Depends(_visit)]
"""How a page asks for its visit: ``def show(visit: Visiting) -> HTMLResponse``."""

_Given = ParamSpec("_Given")
_Show = Callable[Concatenate[Visit, _Given], HTMLResponse]


def kept(show: _Show[_Given]) -> _Show[_Given]:
    """Keep the pages that a function shows, for everybody of the same role.

    They show the state of at most `FRESH` seconds ago; what a visitor changes shows at once. While
    nothing is written to the database, no page is made again. Where a role may more than read,
    each person has pages of their own.
    """

    @wraps(show)
    def answer(visit: Visit, *given: _Given.args, **named: _Given.kwargs) -> HTMLResponse:
        person, url = visit.person, visit.request.url
        own = person.name if person.may("reviewer") else ""
        visit.kept = True

        def make() -> str:
            return bytes(show(visit, *given, **named).body).decode()

        html = visit.house.kept.get((url.path, url.query, person.role, own), make)
        visit.kept = False
        if _TOKEN in html:
            html = html.replace(_TOKEN, visit.token)
        return HTMLResponse(html.replace(_NAME, str(escape(clean(person.name)))))

    return answer  # type: ignore[return-value] # FastAPI gives the visit by its name
