"""Revisión: the texts that a person should read, one at a time, and how far readers agree."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboard.filters import none_of
from dashboard.shell import Page, Visit, Visiting, kept
from dashboard.words import N_
from models.errors import ConflictError, InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Window
from pipelines.review import (
    FEWEST,
    SLICE,
    Desk,
    Queue,
    agreement_of_readers,
    agreement_with_model,
)
from pipelines.store.read import latest_model
from pipelines.store.reviews import COUNTED_TO
from pipelines.store.write import Store

PAGE = Page("revision", "/revision", N_("Revisión"), role="reviewer")
router = APIRouter()

QUEUES = {
    Queue.RANDOM: N_("Al azar"),
    Queue.SECOND: N_("Segunda lectura"),
    Queue.UNSURE: N_("Sin certeza"),
    Queue.CLOSE: N_("Dudosas"),
    Queue.DISPUTED: N_("En desacuerdo"),
}
ABOUT = {
    Queue.RANDOM: N_("Textos elegidos por sorteo: con ellos se mide cuánto acierta el modelo."),
    Queue.SECOND: N_("Ya los leyó otra persona; lo que marcó no se muestra, para no influir."),
    Queue.UNSURE: N_("El modelo no llegó a su umbral de certeza; primero, los menos seguros."),
    Queue.CLOSE: N_("El modelo pasó su umbral por poco."),
    Queue.DISPUTED: N_("Dos personas marcaron distinto, o una contradijo al modelo."),
}
MISSING = N_("Marque las tres cosas: categoría, intención y sentimiento.")
CHANGED = N_("El texto cambió mientras lo leía.")
KEYS = {
    "category": dict(zip(CATEGORIES, "abcdefghijklmnop", strict=True)),
    "intent": dict(zip(INTENTS, "qrstuvwx", strict=True)),
    "sentiment": dict(zip(SENTIMENTS, "123", strict=True)),
}
"""The key of each label; in the order in which the form asks."""


def _desk(visit: Visit) -> Desk | None:
    """Return what this reader has to read in the window that is looked at."""
    if not visit.person.may(PAGE.role):
        raise HTTPException(403)
    if visit.town is None or visit.window is None:
        return None
    engine = visit.house.engine
    window = Window(visit.window.start, visit.window.end, visit.town.zone)
    versions = latest_model(engine, visit.town.code)
    return Desk(Store(engine), visit.town.code, window, versions, visit.person.name)


def _queue(visit: Visit) -> Queue:
    asked = visit.filters.status or Queue.RANDOM
    if asked not in list(Queue):
        raise none_of("status", Queue, visit._)
    return Queue(asked)


def _marked(
    category: Annotated[str, Form()] = "",
    sentiment: Annotated[str, Form()] = "",
    intent: Annotated[str, Form()] = "",
) -> dict[str, str]:
    return {"category": category, "sentiment": sentiment, "intent": intent}


Marked = Annotated[dict[str, str], Depends(_marked)]
"""The labels that a form gives."""


@router.get("/revision")
@kept
def show(visit: Visiting) -> HTMLResponse:
    """Show the next text of a queue."""
    return _next(visit)


def _next(visit: Visit, *, status: int = 200, problem: str = "") -> HTMLResponse:
    desk = _desk(visit)
    if desk is None or visit.town is None:
        return visit.page("revision.html.j2", page=PAGE, desk=None)
    queue, store = _queue(visit), Store(visit.house.engine)
    return visit.page(
        "revision.html.j2",
        status=status,
        page=PAGE,
        desk=desk,
        queue=queue,
        queues=QUEUES,
        about=ABOUT,
        counts=desk.counts(),
        most=COUNTED_TO,
        text=desk.next(queue, visit.filters.page - 1),
        keys=KEYS,
        names={task: visit.names(task) for task in KEYS},
        problem=problem,
        with_model=agreement_with_model(store, visit.town.code),
        of_readers=agreement_of_readers(store, visit.town.code),
        slice_share=SLICE,
        fewest=FEWEST,
        today=_today(visit),
    )


def _today(visit: Visit) -> date:
    now = datetime.now(UTC)
    return now.astimezone(visit.town.zone).date() if visit.town else now.date()


@router.get("/revision/{id_}")
def show_one(visit: Visiting, id_: str) -> HTMLResponse:
    """Show a text that a person came upon, to put its labels right."""
    return _chosen(visit, id_)


def _chosen(visit: Visit, id_: str, *, status: int = 200, problem: str = "") -> HTMLResponse:
    desk = _desk(visit)
    text = desk.chosen(id_) if desk else None
    if text is None:
        raise HTTPException(404)
    names = {task: visit.names(task) for task in KEYS}
    return visit.page(
        "correccion.html.j2",
        status=status,
        page=PAGE,
        text=text,
        keys=KEYS,
        names=names,
        problem=problem,
    )


@router.post("/revision/{id_}")
def correct_one(
    visit: Visiting,
    id_: str,
    text_hash: Annotated[str, Form()],
    labels: Marked,
) -> Response:
    """Keep the labels and go back to the text in its conversation."""
    desk = _desk(visit)
    if desk is None:
        raise HTTPException(404)
    try:
        desk.put_right(id_, text_hash, labels)
    except InputError:
        return _chosen(visit, id_, status=400, problem=visit._(MISSING))
    except ConflictError:
        return _chosen(visit, id_, status=409, problem=visit._(CHANGED))
    finally:
        visit.house.kept.clear()
    return RedirectResponse(visit.link(f"/manifestaciones/{id_}"), status_code=303)


@router.post("/revision")
def read(
    visit: Visiting,
    id: Annotated[str, Form()],  # noqa: A002 - the field's name
    text_hash: Annotated[str, Form()],
    labels: Marked,
) -> Response:
    """Keep the labels and go on to the next text."""
    desk = _desk(visit)
    if desk is None:
        raise HTTPException(404)
    try:
        desk.read(_queue(visit), id, text_hash, labels)
    except InputError:
        return _next(visit, status=400, problem=visit._(MISSING))
    except ConflictError:
        return _next(visit, status=409, problem=visit._(CHANGED))
    finally:
        visit.house.kept.clear()
    return RedirectResponse(visit.again(page=visit.filters.page), status_code=303)
