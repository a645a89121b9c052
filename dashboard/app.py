"""The application: its pages, its order of navigation, its errors."""

from ipaddress import ip_address
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware

from configs.load import load_taxonomy
from dashboard import open311, tables
from dashboard.access import LOCAL
from dashboard.csrf import check_token
from dashboard.figures import Counted
from dashboard.pages import (
    categorias,
    demandas,
    ejecuciones,
    fuentes,
    hallazgos,
    lugares,
    manifestaciones,
    metodologia,
    resumen,
    revision,
    temas,
)
from dashboard.security import SecurityHeaders
from dashboard.shell import House, Lost, Page
from dashboard.words import N_
from models.errors import ConfigError, ConflictError, InputError, ManifiestaError
from pipelines.report.page import TEMPLATES

PAGES = (
    resumen,
    categorias,
    hallazgos,
    temas,
    lugares,
    manifestaciones,
    fuentes,
    demandas,
    revision,
    ejecuciones,
    metodologia,
)
"""The modules of the pages, in the order of the navigation."""

_STATIC = Path(__file__).parent / "static"
_ERROR = Page("", "", N_("No se puede mostrar"))
_HERE = ("localhost", "127.0.0.1", "[::1]", "testserver")


def create_app(
    engine: Engine,
    own: Path,
    hosts: tuple[str, ...] = _HERE,
    receiving: open311.Receiving | None = None,
) -> FastAPI:
    """Build the application.

    Args:
        engine: a database that is up to date.
        own: the folder of this installation's own municipality files.
        hosts: the names that it answers to; a page of another name that leads here gets nothing.
        receiving: how requests of other systems are taken in through Open311, if they are.
    """
    app = FastAPI(title="Manifiesta", docs_url=None, redoc_url=None, openapi_url=None)
    taxonomy = load_taxonomy()
    app.state.house = House(
        engine=engine,
        taxonomy=taxonomy,
        own=own,
        counted=Counted(engine, taxonomy),
        pages=tuple(page.PAGE for page in PAGES),
    )
    app.state.receiving = receiving
    for page in PAGES:
        app.include_router(page.router, dependencies=[Depends(check_token)])
    app.include_router(tables.router)
    app.include_router(open311.router)
    app.add_api_route("/static/report.css", _report_style, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.middleware("http")
    async def _who(request: Request, go_on: RequestResponseEndpoint) -> Response:
        request.state.person = LOCAL
        return await go_on(request)

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(ManifiestaError, _explain)
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(open311.Refusal, open311.refused)
    return app


def _report_style() -> FileResponse:
    return FileResponse(TEMPLATES / "report.css", media_type="text/css")


def _explain(request: Request, error: Exception) -> HTMLResponse:
    """Say on a page what went wrong."""
    status, detail = 500, str(error)
    if isinstance(error, HTTPException):
        status, detail = error.status_code, ""
    elif isinstance(error, InputError):
        status = 400
    elif isinstance(error, ConflictError):
        status = 409
    elif isinstance(error, ConfigError):
        status = 503
    return Lost(request).page(
        "error.html.j2", status=status, page=_ERROR, code=status, detail=detail
    )


def is_loopback(host: str) -> bool:
    """Say whether a name or address to listen on is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
