"""The dossier of a pilot: what preparatory acts of a public purchase of innovation rest on.

One HTML page in Spanish without scripts, or the same printed to PDF by Chromium.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine

from configs.schema import Municipality, Taxonomy
from pipelines.match.effect import Effect
from pipelines.match.effect_words import effect_lines
from pipelines.match.logframe import Value, indicators
from pipelines.match.noted import told
from pipelines.match.read import CallPage, call_page, of_pilot, pilot_of
from pipelines.report.formats import Formats
from pipelines.report.safe import clean, web_link
from pipelines.store.audit import Verified, verify
from pipelines.store.calls import interruptions_of
from pipelines.store.records import stored

Row = Mapping[str, Any]

_TEMPLATES: Final = Path(__file__).parent / "templates"
_LOOK: Final = Path(__file__).parents[1] / "report" / "templates"

STATES: Final = {
    "planned": "previsto",
    "running": "en curso",
    "finished": "terminado",
    "interrupted": "interrumpido",
}


@dataclass(frozen=True)
class Dossier:
    """Everything that the document says."""

    pilot: Row
    entity: Row
    call: CallPage | None
    startups: Sequence[Row]
    solutions: Sequence[Row]
    municipality: Municipality | None
    work_categories: Sequence[str]
    categories: Sequence[str]
    parts: Mapping[str, Sequence[Row]]
    interruptions: Sequence[Row]
    indicators: Sequence[Value]
    effect: Effect | None
    effect_missing: str | None
    facts: Sequence[Row]
    audit: Verified
    missing: Sequence[str]

    @property
    def file_name(self) -> str:
        """Its usual name. It bears the run whose texts it quotes: so a purge finds it."""
        run = self.call.call["run_id"] if self.call else None
        return "-".join(["expediente", self.pilot["code"], *([run] if run else [])]) + ".html"


def gather(
    engine: Engine,
    pilot: str,
    municipality: Municipality | None,
    taxonomy: Taxonomy,
    effect: Effect | str | None,
) -> Dossier:
    """Collect what is known of a pilot; who stands behind a code only after the reveal.

    Args:
        engine: the database; it is only read.
        pilot: its code.
        municipality: where it takes place, if insights are counted there.
        taxonomy: names of categories.
        effect: its evaluation, or why there is none.

    Raises:
        InputError: there is no such pilot.
    """
    record = pilot_of(engine, pilot)
    (entity,) = (one for one in stored(engine, "entity") if one["code"] == record["entity"])
    page = call_page(engine, record["call"]) if record["call"] else None
    hidden = page is not None and not page.identities
    named = () if hidden else record["startups"]
    kinds = ("pilot_phase", "activity", "training", "survey_response", "proposal")
    parts = {kind: of_pilot(engine, kind, pilot) for kind in kinds}
    names = {one.code: one.es for one in taxonomy.categories}
    evaluated = effect if isinstance(effect, Effect) else None
    return Dossier(
        pilot=record,
        entity=entity,
        call=page,
        startups=[one for one in stored(engine, "startup") if one["code"] in named],
        solutions=[one for one in stored(engine, "solution") if one["startup"] in named],
        municipality=municipality,
        work_categories=[
            f"{number} {taxonomy.work_categories[number].es}"
            for number in record["work_categories"]
        ],
        categories=[names[code] for code in record["categories"]],
        parts=parts,
        interruptions=interruptions_of(engine, pilot),
        indicators=[*indicators(engine, pilot), *_of_programme(engine)],
        effect=evaluated,
        effect_missing=effect if isinstance(effect, str) else None,
        facts=[one for one in stored(engine, "fact") if one["subject"] == pilot],
        audit=verify(engine),
        missing=_missing(record, page, parts, evaluated),
    )


def render(dossier: Dossier, f: Formats) -> str:
    """Return the page; everything that comes from a record is escaped."""
    page = _environment().get_template("dossier.html.j2")
    effect = effect_lines(dossier.effect, f) if dossier.effect else []
    return page.render(d=dossier, f=f, effect=effect, states=STATES)


def _of_programme(engine: Engine) -> list[Value]:
    whole = {one["code"] for one in stored(engine, "indicator") if one["pilot"] is None}
    return [value for value in indicators(engine) if value.code in whole]


def _missing(
    pilot: Row, page: CallPage | None, parts: Mapping[str, Sequence[Row]], effect: Effect | None
) -> list[str]:
    """Return in Spanish what a reader of this document would look for in vain."""
    gaps = {
        "La convocatoria de la que proviene el piloto.": page is None,
        "El registro de la selección ciega: la convocatoria todavía no tiene selección cerrada.": (
            page is not None and not page.ranking
        ),
        "La necesidad medida: la convocatoria no nació de un hallazgo (match propose).": (
            page is not None and not page.call["need"]
        ),
        "La carta de aceptación.": pilot["letter_on"] is None,
        "Las fechas de inicio y fin.": pilot["starts_on"] is None or pilot["ends_on"] is None,
        "El plan de actividades, sin el cual no se calcula cuántas se completaron.": (
            not parts["activity"]
        ),
        "La evaluación de antes y después.": effect is None,
        "Los resultados en palabras.": pilot["results"] is None,
    }
    return [said for said, lacks in gaps.items() if lacks]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES, _LOOK]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clean": clean, "link": web_link, "told": told}
    return environment
