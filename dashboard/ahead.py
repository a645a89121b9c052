"""Open the pages ahead of their readers: at the start, and whenever a run has counted anew.

What the first reader of a page would wait for is kept by then: the library of charts has started,
charts are drawn, figures and long tables are read. Readers go first.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import perf_counter

from fastapi import FastAPI, Request
from starlette.responses import Response

from dashboard.access import Person
from dashboard.app import PAGES
from dashboard.filters import LANGUAGES, Filters
from dashboard.pages import categorias
from dashboard.shell import House, Visit
from models.errors import ManifiestaError
from models.labels import CATEGORIES
from pipelines.store.counted import counted_municipalities, counted_windows

_READER = Person("", "viewer")
_REST = 3.0  # for how many times as long as a page took no other is opened
_LOOK = 15.0  # seconds from one look for new figures to the next

_log = logging.getLogger(__name__)

Show = Callable[[Visit], Response]


@contextmanager
def opened_ahead(app: FastAPI) -> Iterator[Thread]:
    """Open the application's pages in a thread of their own, as long as the context lasts."""
    ended = Event()
    thread = Thread(target=keep_opening, args=(app, ended), name="ahead", daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        ended.set()


def keep_opening(app: FastAPI, ended: Event) -> None:
    """Open the pages of each municipality once for each run that counts what they show."""
    opened: dict[str, str] = {}
    while not ended.is_set():
        try:
            newest = _newest(app.state.house)
            for code in [code for code, run in newest.items() if opened.get(code) != run]:
                opened[code] = newest[code]
                open_pages(app, "" if code == next(iter(newest)) else code, ended)
        except ManifiestaError as error:  # its readers are told the same, each on their page
            _log.warning("Pages are not opened ahead: %s", error)
        ended.wait(_LOOK)


def _newest(house: House) -> dict[str, str]:
    """Return the run that each municipality's pages show, by its code."""
    windows = {
        code: counted_windows(house.engine, code) for code in counted_municipalities(house.engine)
    }
    return {code: found[0].run_id for code, found in windows.items() if found}


def open_pages(app: FastAPI, municipality: str, ended: Event, rest: float = _REST) -> None:
    """Open what the navigation leads to, and each category, as a reader would in each language."""
    for language in LANGUAGES:
        for path, show, category in _addresses():
            if ended.is_set():
                return
            began = perf_counter()
            filters = Filters(language=language, municipality=municipality, category=category)
            show(_visit(app, path, filters))
            ended.wait(rest * (perf_counter() - began))


def _addresses() -> Iterator[tuple[str, Show, str]]:
    for page in PAGES:
        if _READER.may(page.PAGE.role):
            yield page.PAGE.path, page.show, ""
    for category in CATEGORIES:
        yield categorias.PAGE.path, categorias.show, category


def _visit(app: FastAPI, path: str, filters: Filters) -> Visit:
    """Return the visit of somebody who asks for an address, as a server would hand it on."""
    scope = {
        "type": "http",
        "method": "GET",
        "app": app,
        "path": path,
        "query_string": filters.query().removeprefix("?").encode(),
        "headers": [],
        "state": {"person": _READER},
    }
    return Visit(Request(scope))
