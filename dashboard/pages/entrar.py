"""Entrar and salir: signing in and out. No entry of the navigation."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from dashboard.access import token_of
from dashboard.shell import Lost, Page
from dashboard.words import N_
from models.errors import InputError
from pipelines.accounts import authenticate
from pipelines.store.users import note

if TYPE_CHECKING:
    from dashboard.sign_on import Provider

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
    engine, gate = request.app.state.house.engine, request.app.state.gate
    address = request.client.host if request.client else ""
    if (seconds := gate.wait(name, address)) > 0:
        answer = _form(request, to, status=429, problem="wait", minutes=int(seconds // 60) + 1)
        answer.headers["retry-after"] = str(int(seconds) + 1)
        return answer
    user = authenticate(engine, name, password)
    if user is None:
        gate.failed(name, address)
        note(engine, name[:60], "sign-in failed", {"address": address})
        return _form(request, to, status=401, problem="wrong")
    note(engine, user.name, "signed in", {"address": address})
    request.session.clear()
    request.session.update(name=user.name, epoch=user.epoch)
    return RedirectResponse(_inside(to), status_code=303)


@router.get(f"{PAGE.path}/oidc")
async def leave_for_the_provider(request: Request, to: str = "/") -> Response:
    """Send whoever wants to sign in to the organisation's provider."""
    provider = _provider(request)
    for left in [key for key in request.session if key.startswith("_state_")]:
        del request.session[left]  # of tries that were given up: a cookie holds only so much
    request.session["to"] = _inside(to)
    try:
        return await provider.lead(request, str(request.url_for("come_back")))
    except InputError as error:
        return await run_in_threadpool(_refused, request, error)


@router.get(f"{PAGE.path}/oidc/vuelta")
async def come_back(request: Request) -> Response:
    """Let in whom the provider vouches for."""
    provider, engine = _provider(request), request.app.state.house.engine
    to = str(request.session.pop("to", "/"))
    try:
        user = await provider.receive(request, engine)
    except InputError as error:
        return await run_in_threadpool(_refused, request, error)
    address = request.client.host if request.client else ""
    await run_in_threadpool(
        note, engine, user.name, "signed in", {"address": address, "by": "oidc"}
    )
    request.session.clear()
    request.session.update(name=user.name, epoch=user.epoch)
    return RedirectResponse(_inside(to), status_code=303)


def _provider(request: Request) -> "Provider":
    provider: Provider | None = request.app.state.door.provider
    if provider is None:
        raise HTTPException(404)
    return provider


def _refused(request: Request, error: InputError) -> HTMLResponse:
    """Say that it did not work; why is for whoever reads the audit log."""
    note(request.app.state.house.engine, "oidc", "sign-in failed", {"why": str(error)[:300]})
    return _form(request, "/", status=403, problem="provider")


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
        provider=request.app.state.door.provider is not None,
    )


def _inside(to: str) -> str:
    r"""Return an address of this site, whatever was asked for; «//» and «/\» lead elsewhere."""
    safe = to.startswith("/") and to[1:2] not in ("/", "\\") and to.isprintable()
    return to if safe else "/"
