"""The application: its pages, its order of navigation, its errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from configs.load import load_taxonomy
from dashboard import api, matches, open311, tables
from dashboard.access import (
    Door,
    Gate,
    SignInNeededError,
    identify,
    needs,
    sent_by_our_page,
)
from dashboard.pages import (
    categorias,
    demandas,
    ejecuciones,
    emparejamiento,
    entrar,
    fuentes,
    hallazgos,
    lugares,
    manifestaciones,
    metodologia,
    resumen,
    revision,
    temas,
)
from dashboard.security import SecurityHeaders, SmallRequests
from dashboard.shell import House, Lost, Page
from dashboard.words import N_
from models.errors import ConfigError, ConflictError, InputError, ManifiestaError
from pipelines.report.page import TEMPLATES
from pipelines.store.engine import CONNECTIONS

PAGES = (
    resumen,
    categorias,
    hallazgos,
    temas,
    lugares,
    manifestaciones,
    fuentes,
    demandas,
    emparejamiento,
    revision,
    ejecuciones,
    metodologia,
)
"""The modules of the pages, in the order of the navigation."""

_STATIC = Path(__file__).parent / "static"
_ERROR = Page("", "", N_("No se puede mostrar"))
_WORKDAY = 8 * 3600  # seconds that a session lasts


def create_app(
    engine: Engine,
    own: Path,
    door: Door | None = None,
    receiving: open311.Receiving | None = None,
) -> FastAPI:
    """Build the application.

    Args:
        engine: a database that is up to date.
        own: the folder of this installation's own municipality files.
        door: how it is entered; without one, from this machine alone.
        receiving: how requests of other systems are taken in through Open311, if they are.
    """
    door = door or Door()
    app = FastAPI(
        title="Manifiesta",
        description="The insight tables of a municipality. Send a key as Authorization: Bearer.",
        version=version("manifiesta"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=_few_at_once,
    )
    taxonomy = load_taxonomy()
    app.state.door, app.state.gate = door, Gate()
    app.state.house = House(
        engine=engine,
        taxonomy=taxonomy,
        own=own,
        pages=tuple(page.PAGE for page in PAGES),
    )
    app.state.receiving = receiving
    for page in PAGES:
        allowed = [Depends(identify), Depends(needs(page.PAGE.role)), Depends(sent_by_our_page)]
        app.include_router(page.router, dependencies=allowed, include_in_schema=False)
    for files in (tables.router, matches.router):
        app.include_router(files, dependencies=[Depends(identify)], include_in_schema=False)
    app.include_router(api.router, dependencies=[Depends(identify)])
    app.include_router(open311.router, include_in_schema=False)
    app.include_router(
        entrar.router, dependencies=[Depends(sent_by_our_page)], include_in_schema=False
    )
    app.add_api_route("/static/report.css", _report_style, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_middleware(
        SessionMiddleware,
        secret_key=door.secret,
        session_cookie="manifiesta",
        max_age=_WORKDAY,
        # a browser that the provider sends back brings no strict cookie; forms have tokens anyhow
        same_site="lax" if door.provider else "strict",
        https_only=door.secure,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(door.hosts))
    app.add_middleware(SmallRequests)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(ManifiestaError, _explain)
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(open311.Refusal, open311.refused)
    app.add_exception_handler(SignInNeededError, _ask_to_sign_in)
    return app


@asynccontextmanager
async def _few_at_once(_app: FastAPI) -> AsyncIterator[None]:
    """Answer few requests at a time: more threads only take the interpreter from each other."""
    current_default_thread_limiter().total_tokens = CONNECTIONS
    yield


def _report_style() -> FileResponse:
    return FileResponse(TEMPLATES / "report.css", media_type="text/css")


def _ask_to_sign_in(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse(
            {"detail": "Send a key: `manifiesta users key NAME` makes one."},
            status_code=401,
            headers={"www-authenticate": "Bearer"},
        )
    return RedirectResponse(entrar.address_for(request), status_code=303)


def _explain(request: Request, error: Exception) -> Response:
    """Say what went wrong: on a page, or to a program."""
    status, detail, headers = 500, str(error), None
    if isinstance(error, HTTPException):
        status, detail, headers = error.status_code, error.detail, error.headers
    elif isinstance(error, InputError):
        status = 400
    elif isinstance(error, ConflictError):
        status = 409
    elif isinstance(error, ConfigError):
        status = 503
    if request.url.path.startswith("/api/"):
        status = 404 if status == 400 else status  # the values are well-formed: nothing is there
        return JSONResponse({"detail": detail}, status_code=status, headers=headers)
    said = "" if isinstance(error, HTTPException) else detail
    return Lost(request).page("error.html.j2", status=status, page=_ERROR, code=status, detail=said)


def is_loopback(host: str) -> bool:
    """Say whether a name or address to listen on is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
