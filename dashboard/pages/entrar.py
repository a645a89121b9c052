"""Entrar and salir: signing in and out. No entry of the navigation."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboard.access import token_of
from dashboard.shell import Lost, Page
from dashboard.words import N_
from pipelines.accounts import authenticate
from pipelines.store.users import note

PAGE = Page("entrar", "/entrar", N_("Entrar"))
router = APIRouter()


@router.get(PAGE.path)
def show(request: Request, to: str = "/") -> HTMLResponse:
    """Ask for name and password."""
    return _form(request, to)


@router.post(PAGE.path)
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1_000)] = "",
    to: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    """Let in whoever knows the password; after too many failures nobody, for a while."""
    engine, attempts = request.app.state.house.engine, request.app.state.attempts
    address = request.client.host if request.client else ""
    keys = (f"name:{name.lower()}", f"address:{address}")
    if (seconds := attempts.wait(*keys)) > 0:
        answer = _form(request, to, status=429, problem="wait", minutes=int(seconds // 60) + 1)
        answer.headers["retry-after"] = str(int(seconds) + 1)
        return answer
    user = authenticate(engine, name, password)
    if user is None:
        attempts.failed(*keys)
        note(engine, name[:60], "sign-in failed", {"address": address})
        return _form(request, to, status=401, problem="wrong")
    note(engine, user.name, "signed in", {"address": address})
    request.session.clear()
    request.session.update(name=user.name, epoch=user.epoch)
    return RedirectResponse(_inside(to), status_code=303)


@router.post("/salir")
def sign_out(request: Request) -> Response:
    """Forget who it was."""
    request.session.clear()
    return RedirectResponse(PAGE.path, status_code=303)


def address_for(request: Request) -> str:
    """Return where to sign in, and to come back from to what was asked for."""
    query = f"?{request.url.query}" if request.url.query else ""
    wanted = f"{request.url.path}{query}" if request.method == "GET" else "/"
    return f"{PAGE.path}?to={quote(wanted)}"


def _form(
    request: Request, to: str, *, status: int = 200, problem: str = "", minutes: int = 0
) -> HTMLResponse:
    return Lost(request).page(
        "entrar.html.j2",
        status=status,
        page=PAGE,
        token=token_of(request),
        to=_inside(to),
        problem=problem,
        minutes=minutes,
    )


def _inside(to: str) -> str:
    r"""Return an address of this site, whatever was asked for; «//» and «/\» lead elsewhere."""
    safe = to.startswith("/") and to[1:2] not in ("/", "\\") and to.isprintable()
    return to if safe else "/"
